import Base

/// What was said in a session of an open channel.
public struct SessionLine: Sendable, Hashable {
    public var messageID: Int64
    public var authorID: String
    /// With names of files in place of words that are not there.
    public var text: String
    /// An external client; `nil` where the portal does not say.
    public var isCustomer: Bool?
    public var isBot: Bool
    public init(messageID: Int64, authorID: String, text: String, isCustomer: Bool?, isBot: Bool = false) {
        self.messageID = messageID
        self.authorID = authorID
        self.text = text
        self.isCustomer = isCustomer
        self.isBot = isBot
    }
}

extension Portal {
    /// What people and bots said in a session, oldest first; the portal's own notes are left out.
    ///
    /// Documentation: `api-reference/imopenlines/openlines/sessions/imopenlines-session-history-get.md`.
    /// - Throws: ``PortalError``.
    public func history(ofSession session: Int64, as account: Account) async throws -> [SessionLine] {
        let answer = try await call(
            PortalCall("imopenlines.session.history.get", ["SESSION_ID": .integer(session)]), as: account)
        return SessionLine.all(in: answer)
    }
}

extension SessionLine {
    /// Reads the answer: messages, users and files are maps by id, and the names of fields are all small letters in them.
    static func all(in answer: JSON) -> [SessionLine] {
        let users = answer["users"]?.looseObject ?? [:]
        let files = answer["files"]?.looseObject ?? [:]
        let lines = (answer["message"]?.looseList ?? []).compactMap { SessionLine($0, users: users, files: files) }
        return lines.sorted { $0.messageID < $1.messageID }
    }

    private init?(_ message: JSON, users: Members<JSON>, files: Members<JSON>) {
        guard let id = message["id"]?.looseInteger,
            let author = (message["senderid"] ?? message["senderId"])?.looseText, author != "0"
        else { return nil }
        let parameters = message["params"]
        let names = ((parameters?["fileId"] ?? parameters?["fileid"] ?? parameters?["FILE_ID"])?.looseList ?? [])
            .compactMap { $0.looseText.flatMap { files[$0]?["name"]?.looseText } }
        let text = ([message["text"]?.looseText].compactMap { $0 } + names).joined(separator: " ")
        if text.isEmpty { return nil }
        let user = users[author]
        self.init(
            messageID: id, authorID: author, text: text, isCustomer: user.flatMap(Self.isCustomer),
            isBot: user?["bot"]?.looseFlag ?? false)
    }

    private static func isCustomer(_ user: JSON) -> Bool? {
        let flags = ["connector", "network", "extranet"].compactMap { user[$0]?.looseFlag }
        return flags.isEmpty ? nil : flags.contains(true)
    }
}
