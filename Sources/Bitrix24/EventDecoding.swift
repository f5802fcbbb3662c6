import Base

extension PortalEvent {
    /// Decodes the body of a webhook: form-encoded, or JSON where the content type or the first byte says so.
    /// - Throws: ``EventDecodingError``.
    public init(decoding body: [UInt8], contentType: String?) throws {
        let (tree, body) = try Self.tree(of: body, contentType: contentType)
        try self.init(tree: tree)
        self.body = body
    }

    /// The second generation is documented as a form and shown once as JSON; no form of ours begins with a brace.
    /// - Returns: the tree, and what of the body it was made of.
    private static func tree(of body: [UInt8], contentType: String?) throws -> (JSON, [UInt8]) {
        let first = body.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        let isJSON = first == UInt8(ascii: "{") || contentType?.lowercased().hasBytes(of: "json") == true
        if isJSON {
            guard let tree = try? JSON(parsing: body) else { throw EventDecodingError.notJSON }
            return (tree, body)
        }
        do {
            return try Form.decode(body, only: names)
        } catch let error as FormError {
            throw EventDecodingError.form(error)
        }
    }

    /// Every name that is read of an event; a form holds twice as many values as there are of these.
    private static let names: Names = [
        "event", "ts", "auth", "data", "CLEAN", "QUERY", "any",
        // auth
        "member_id", "domain", "application_token", "access_token", "refresh_token", "expires_in", "scope",
        "client_endpoint", "server_endpoint", "user_id",
        // The first generation
        "BOT", "BOT_ID", "AUTH", "PARAMS", "USER", "COMMAND", "COMMAND_ID", "COMMAND_PARAMS", "COMMAND_CONTEXT",
        "MESSAGE_ID", "ID", "DIALOG_ID", "CHAT_ID", "TO_CHAT_ID", "MESSAGE", "MESSAGE_ORIGINAL", "MENTIONED_LIST",
        "AUTHOR_ID", "LANGUAGE", "SYSTEM", "USER_ID", "FIRST_NAME", "LAST_NAME", "IS_BOT", "IS_CONNECTOR", "IS_NETWORK",
        "IS_EXTRANET", "CHAT_TYPE", "MESSAGE_TYPE", "CHAT_AUTHOR_ID", "CHAT_TITLE", "CHAT_ENTITY_TYPE",
        "CHAT_ENTITY_ID", "CHAT_ENTITY_DATA_1", "CHAT_ENTITY_DATA_2", "FILES", "FILE_ID",
        // The second
        "bot", "user", "chat", "message", "id", "language", "dialogId", "chatId", "messageId", "text", "authorId",
        "isSystem", "reaction", "action", "command", "params", "context", "firstName", "lastName", "connector",
        "externalAuthId", "extranet", "type", "owner", "name", "entityType", "entityId", "entityData1", "entityData2",
        "files", "fileId",
        // Files
        "viewerAttrs", "viewerType", "size", "extension", "mimeType", "contentType",
    ]

    /// - Parameter tree: `event`, `data`, `auth`.
    /// - Throws: ``EventDecodingError``.
    init(tree: JSON) throws {
        guard let name = tree["event"]?.looseText?.uppercased() else { throw EventDecodingError.missing("event") }
        let data = tree["data"] ?? .null
        self.init(
            name: name, auth: try EventAuth(tree["auth"], data: data), content: try Content(name: name, data: data))
        if let seconds = tree["ts"]?.looseInteger, (0...100_000_000_000).contains(seconds) {
            sentAt = Timestamp(rawValue: seconds * 1000)
        }
    }
}

extension PortalEvent.Content {
    fileprivate init(name: String, data: JSON) throws {
        switch name {
        case "ONAPPINSTALL": self = .applicationInstalled
        case "ONAPPUPDATE": self = .applicationUpdated
        case "ONAPPUNINSTALL": self = .applicationUninstalled(clean: data["CLEAN"]?.looseFlag ?? false)
        case "ONAPPTEST": self = .test(mark: data["QUERY"]?["any"]?.looseText ?? "")
        default:
            if let kind = BotEvent.Kind.ofFirstGeneration[name] {
                self = .bots(try FirstGeneration(kind: kind, name: name, data: data).events())
            } else if let (kind, name) = BotEvent.Kind.ofSecondGeneration[name] {
                self = .bots([try SecondGeneration(kind: kind, firstName: name, data: data).event()])
            } else {
                self = .unknown
            }
        }
    }
}

extension BotEvent.Kind {
    fileprivate static let ofFirstGeneration: [String: BotEvent.Kind] = [
        "ONIMBOTMESSAGEADD": .message, "ONIMBOTMESSAGEUPDATE": .messageUpdated, "ONIMBOTMESSAGEDELETE": .messageDeleted,
        "ONIMCOMMANDADD": .command, "ONIMBOTJOINCHAT": .joined, "ONIMBOTDELETE": .deleted,
    ]

    /// With the first generation's name; the two that it does not have are named after its pattern.
    fileprivate static let ofSecondGeneration: [String: (BotEvent.Kind, String)] = [
        "ONIMBOTV2MESSAGEADD": (.message, "ONIMBOTMESSAGEADD"),
        "ONIMBOTV2MESSAGEUPDATE": (.messageUpdated, "ONIMBOTMESSAGEUPDATE"),
        "ONIMBOTV2MESSAGEDELETE": (.messageDeleted, "ONIMBOTMESSAGEDELETE"),
        "ONIMBOTV2COMMANDADD": (.command, "ONIMCOMMANDADD"),
        "ONIMBOTV2JOINCHAT": (.joined, "ONIMBOTJOINCHAT"),
        "ONIMBOTV2DELETE": (.deleted, "ONIMBOTDELETE"),
        "ONIMBOTV2REACTIONCHANGE": (.reaction, "ONIMBOTREACTIONCHANGE"),
        "ONIMBOTV2CONTEXTGET": (.contextRequested, "ONIMBOTCONTEXTGET"),
    ]
}

extension EventAuth {
    /// - Parameter data: the event's; a short `auth` may leave it to the bot's own to name the portal.
    fileprivate init(_ auth: JSON?, data: JSON) throws {
        let memberID =
            auth?["member_id"]?.looseText ?? data["bot"]?["auth"]?["member_id"]?.looseText
            ?? (data["BOT"] ?? data["COMMAND"])?.looseList.lazy.compactMap { $0["member_id"]?.looseText }.first
        guard let memberID else { throw EventDecodingError.missing("auth[member_id]") }
        self.init(memberID: memberID)
        domain = auth?["domain"]?.looseText
        applicationToken = auth?["application_token"]?.secret
        accessToken = auth?["access_token"]?.secret
        refreshToken = auth?["refresh_token"]?.secret
        expiresIn = auth?["expires_in"]?.looseInteger.flatMap { Int(exactly: $0) }
        scope = auth?["scope"]?.looseText
        clientEndpoint = auth?["client_endpoint"]?.looseText
        serverEndpoint = auth?["server_endpoint"]?.looseText
        userID = auth?["user_id"]?.looseText
    }
}

extension JSON {
    var secret: Secret? { looseText.map(Secret.init) }

    /// A field that must be a positive number if it is there at all.
    /// - Throws: ``EventDecodingError/invalid(_:)``.
    func identifier(_ name: String, in place: String) throws -> Int64? {
        guard let value = self[name], let text = value.looseText else { return nil }
        guard let number = value.looseInteger, number > 0 else {
            throw EventDecodingError.invalid("\(place)[\(name)]: \(text.prefix(20))")
        }
        return number
    }
}
