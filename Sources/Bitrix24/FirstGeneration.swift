import Base

/// Decodes the `data` of a first generation event.
///
/// Documentation: `api-reference/chat-bots/outdated/messages/events/on-imbot-message-add.md`,
/// `…/on-imbot-message-update.md`, `…/on-imbot-message-delete.md`, `…/commands/events/on-im-command-add.md`,
/// `…/chats/events/on-imbot-join-chat.md`, `…/events/on-imbot-delete.md`.
struct FirstGeneration {
    let kind: BotEvent.Kind
    let name: String
    let data: JSON

    /// One for each bot, or for each command.
    func events() throws -> [BotEvent] {
        switch kind {
        case .deleted:
            guard let id = try data.identifier("BOT_ID", in: "data") else {
                throw EventDecodingError.missing("data[BOT_ID]")
            }
            return [event(botID: id, dialogID: "")]
        case .command:
            if data["COMMAND"]?.looseEntries.isEmpty == false {
                return try each("COMMAND") { try commandEvent($0.key, $0.value) }
            }
            return try commandsInParameters()
        case .message, .joined, .messageUpdated, .messageDeleted, .reaction, .contextRequested:
            return try each("BOT") { try chatEvent($0.key, $0.value) }
        }
    }

    private func each(
        _ group: String, _ decode: ((key: String, value: JSON)) throws -> BotEvent
    ) throws -> [BotEvent] {
        let entries = data[group]?.looseEntries ?? []
        if entries.isEmpty { throw EventDecodingError.missing("data[\(group)]") }
        // The event is not sent again: one entry that cannot be read must not lose the others.
        let decoded = entries.map { entry in Result { try decode(entry) } }
        let readable = decoded.compactMap { try? $0.get() }
        return readable.isEmpty ? try decoded.map { try $0.get() } : readable
    }

    private func event(botID: Int64, dialogID: String) -> BotEvent {
        BotEvent(kind: kind, generation: .first, firstGenerationName: name, botID: botID, dialogID: dialogID)
    }

    private func chatEvent(_ key: String, _ bot: JSON) throws -> BotEvent {
        let parameters = data["PARAMS"] ?? .null
        var event = event(botID: try botID(key, bot), dialogID: try dialogID(in: parameters))
        try fill(&event, tokens: bot, parameters: parameters)
        return event
    }

    private func botID(_ key: String, _ bot: JSON) throws -> Int64 {
        guard let botID = try bot.identifier("BOT_ID", in: "data[BOT][\(key)]") ?? Int64(key), botID > 0 else {
            throw EventDecodingError.missing("data[BOT][\(key.prefix(20))][BOT_ID]")
        }
        return botID
    }

    private func commandEvent(_ key: String, _ command: JSON) throws -> BotEvent {
        let place = "data[COMMAND][\(key.prefix(20))]"
        guard let botID = try command.identifier("BOT_ID", in: place) else {
            throw EventDecodingError.missing("\(place)[BOT_ID]")
        }
        return try commandEvent(to: botID, id: key, command, in: place)
    }

    /// Without `COMMAND` its fields are in `PARAMS`; the bot is named there, or in `BOT` as with a message.
    private func commandsInParameters() throws -> [BotEvent] {
        let parameters = data["PARAMS"] ?? .null
        guard parameters["COMMAND"] != nil else { throw EventDecodingError.missing("data[COMMAND]") }
        let place = "data[PARAMS]"
        if data["BOT"]?.looseEntries.isEmpty == false {
            return try each("BOT") { try commandEvent(to: botID($0.key, $0.value), id: nil, $0.value, in: place) }
        }
        guard let botID = try parameters.identifier("BOT_ID", in: place) else {
            throw EventDecodingError.missing("\(place)[BOT_ID]")
        }
        return [try commandEvent(to: botID, id: nil, parameters, in: place)]
    }

    private func commandEvent(to botID: Int64, id: String?, _ command: JSON, in place: String) throws -> BotEvent {
        let parameters = data["PARAMS"] ?? .null
        func field(_ name: String) -> String? { (command[name] ?? parameters[name])?.looseText }
        guard let name = field("COMMAND") else { throw EventDecodingError.missing("\(place)[COMMAND]") }
        guard let id = field("COMMAND_ID") ?? id else { throw EventDecodingError.missing("\(place)[COMMAND_ID]") }
        var event = event(botID: botID, dialogID: try dialogID(in: parameters))
        event.messageID = try command.identifier("MESSAGE_ID", in: place)
        event.command = BotEvent.Command(
            id: id, name: withoutSlash(name), params: field("COMMAND_PARAMS") ?? "", context: field("COMMAND_CONTEXT"))
        try fill(&event, tokens: command, parameters: parameters)
        return event
    }

    private func dialogID(in parameters: JSON) throws -> String {
        if let id = parameters["DIALOG_ID"]?.looseText { return id }
        if let chat = parameters["CHAT_ID"]?.looseText { return "chat" + chat }
        throw EventDecodingError.missing("data[PARAMS][DIALOG_ID]")
    }

    private func fill(_ event: inout BotEvent, tokens: JSON, parameters: JSON) throws {
        event.botAccessToken = tokens["AUTH"]?["access_token"]?.secret ?? tokens["access_token"]?.secret
        let place = "data[PARAMS]"
        event.messageID =
            try event.messageID ?? parameters.identifier("MESSAGE_ID", in: place)
            ?? parameters.identifier("ID", in: place)
        if event.messageID == nil, kind != .joined { throw EventDecodingError.missing("data[PARAMS][MESSAGE_ID]") }
        readText(&event, parameters)
        event.authorID = parameters["AUTHOR_ID"]?.looseText
        event.language = parameters["LANGUAGE"]?.looseText
        event.isSystem = parameters["SYSTEM"]?.looseFlag ?? false
        event.user = user(parameters)
        event.chat = chat(parameters)
        event.files = files(parameters)
    }

    /// Bitrix24 has taken the mention off already, and left the comma after it.
    private func readText(_ event: inout BotEvent, _ parameters: JSON) {
        let text = parameters["MESSAGE"]?.looseText ?? ""
        let bot = event.botID
        let original = parameters["MESSAGE_ORIGINAL"]?.looseText
        let listed = parameters["MENTIONED_LIST"]?.looseList.compactMap(\.looseInteger) ?? []
        let isListed = listed.contains(bot)
        let whole = original.flatMap { Mention.takenOut(of: $0, bot: bot) }
        let cleaned = Mention.takenOut(of: text, bot: bot)
        if isListed || whole != nil || cleaned != nil {
            event.mentions = .bot
        } else if !listed.isEmpty || Mention.isIn(original ?? text) {
            event.mentions = .others
        }
        event.text = whole ?? cleaned ?? (isListed ? Mention.withoutSeparator(text) : text)
    }

    private func user(_ parameters: JSON) -> BotEvent.User {
        let source = data["USER"]
        var user = BotEvent.User()
        user.id = source?["ID"]?.looseText ?? (kind == .joined ? parameters["USER_ID"]?.looseText : nil)
        user.firstName = source?["FIRST_NAME"]?.looseText
        user.lastName = source?["LAST_NAME"]?.looseText
        user.isBot = source?["IS_BOT"]?.looseFlag
        user.isConnector = source?["IS_CONNECTOR"]?.looseFlag
        user.isNetwork = source?["IS_NETWORK"]?.looseFlag
        user.isExtranet = source?["IS_EXTRANET"]?.looseFlag
        return user
    }

    private func chat(_ parameters: JSON) -> BotEvent.Chat {
        var chat = BotEvent.Chat()
        chat.id = parameters["CHAT_ID"]?.looseText ?? parameters["TO_CHAT_ID"]?.looseText
        chat.type = parameters["CHAT_TYPE"]?.looseText ?? parameters["MESSAGE_TYPE"]?.looseText
        chat.authorID = parameters["CHAT_AUTHOR_ID"]?.looseText
        chat.title = parameters["CHAT_TITLE"]?.looseText
        chat.entityType = parameters["CHAT_ENTITY_TYPE"]?.looseText
        chat.entityID = parameters["CHAT_ENTITY_ID"]?.looseText
        chat.entityData1 = parameters["CHAT_ENTITY_DATA_1"]?.looseText
        chat.entityData2 = parameters["CHAT_ENTITY_DATA_2"]?.looseText
        return chat
    }

    /// `PARAMS[FILES]` describes them; `PARAMS[PARAMS][FILE_ID]` only names them.
    private func files(_ parameters: JSON) -> [BotEvent.File] {
        let described = parameters["FILES"]?.looseEntries ?? []
        if !described.isEmpty { return described.compactMap { BotEvent.File($0.value, key: $0.key) } }
        return (parameters["PARAMS"]?["FILE_ID"]?.looseList ?? []).compactMap { BotEvent.File($0, key: nil) }
    }
}

func withoutSlash(_ command: String) -> String { command.hasPrefix("/") ? String(command.dropFirst()) : command }

extension BotEvent.File {
    /// From a description, or from a bare id.
    init?(_ source: JSON, key: String?) {
        let members = source.looseObject
        guard let id = members["id"]?.looseText ?? source.looseText ?? (members.isEmpty ? nil : key) else { return nil }
        self.init(
            id: id, name: members["name"]?.looseText,
            type: members["viewerAttrs"]?["viewerType"]?.looseText ?? members["type"]?.looseText,
            size: members["size"]?.looseInteger.flatMap { $0 < 0 ? nil : $0 },
            fileExtension: members["extension"]?.looseText,
            mediaType: (members["mimeType"] ?? members["contentType"])?.looseText)
    }
}
