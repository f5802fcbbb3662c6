import Base

/// What a person said, for a bot.
public struct Question: Sendable {
    /// What kind of event asks.
    public enum Kind: String, Sendable { case message, command, joined }
    public var kind: Kind
    /// The same whenever the same event asks again; empty if it has none.
    public var id: String
    public var text: String
    /// Which of the choices that the last answer offered the text means; empty if none.
    public var chosen: [Choice]
    /// What was sent along.
    public var files: [QuestionFile]
    /// Who asks, for the platform: `{member_id}:{DIALOG_ID}`.
    public var user: String
    /// What the event carries (`MESSAGE`, `CHAT_ID`…), without tokens.
    public var variables: Members<String>
    /// The variables that are tokens.
    public var tokens: Members<Secret>
    /// Where the conversation stands, if there is one.
    public var session: PlatformSession?
    public init(
        kind: Kind, text: String, chosen: [Choice] = [], files: [QuestionFile] = [], user: String,
        variables: Members<String>, tokens: Members<Secret>, session: PlatformSession?, id: String = ""
    ) {
        self.kind = kind
        self.id = id
        self.text = text
        self.chosen = chosen
        self.files = files
        self.user = user
        self.variables = variables
        self.tokens = tokens
        self.session = session
    }
}

/// A file that a person sent. It is fetched only by a platform that wants it.
public struct QuestionFile: Sendable {
    /// Bitrix24's id of it.
    public var id: String
    /// With its ending.
    public var name: String
    public var mediaType: MediaType
    /// In bytes, if known.
    public var size: Int?
    public var access: any FileAccess
    public init(id: String, name: String, mediaType: MediaType, size: Int?, access: any FileAccess) {
        self.id = id
        self.name = name
        self.mediaType = mediaType
        self.size = size
        self.access = access
    }
}

/// How a file that a person sent is fetched.
public protocol FileAccess: Sendable {
    /// A link from which it can be fetched for some minutes. It may hold a token: never show or store it.
    /// - Throws: ``PlatformError``.
    func link() async throws -> String
    /// - Throws: ``PlatformError``, of the kind `final` when it is larger than `limit` bytes.
    func content(atMost limit: Int) async throws -> [UInt8]
}

/// The platform's own conversation or session.
public struct PlatformSession: Sendable, Equatable {
    public var id: String
    /// What else goes with it.
    public var data: JSON
    public init(id: String, data: JSON = [:]) {
        self.id = id
        self.data = data
    }
}

/// What a platform calls a question that it is answering: stored when first seen, so that the outcome can be found later.
public struct AskTrace: Sendable, Hashable, Codable {
    public var conversationID: String?
    public var messageID: String?
    public var taskID: String?
    public var runID: String?
    public init(
        conversationID: String? = nil, messageID: String? = nil, taskID: String? = nil, runID: String? = nil
    ) {
        self.conversationID = conversationID
        self.messageID = messageID
        self.taskID = taskID
        self.runID = runID
    }

    /// Whether nothing is known yet.
    var isEmpty: Bool { conversationID == nil && messageID == nil && taskID == nil && runID == nil }
}
