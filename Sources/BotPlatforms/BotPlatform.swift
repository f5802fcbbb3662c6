import Base

/// A bot platform as BitBot uses it. One required function; what only some can do is an ability of its own
/// (``FindsOutcome``). A new platform is one file and a row in ``PlatformType``.
public protocol BotPlatform: Sendable {
    /// Asks the bot and gives its answer piece by piece. Ending the sequence early ends the request.
    ///
    /// The sequence throws ``PlatformError``, or `CancellationError`.
    func reply(to question: Question) -> AsyncThrowingStream<ReplyPart, any Error>
}

/// Can tell afterwards what became of a question.
public protocol FindsOutcome: BotPlatform {
    /// Looks for a question that was asked at `askedAt` and whose answer did not arrive whole.
    /// - Parameter trace: what was seen of it, if anything.
    /// - Throws: ``PlatformError`` when it cannot be told now.
    func outcome(of question: Question, trace: AskTrace?, askedAt: Timestamp) async throws -> AskOutcome
}

/// What a person said, for a bot.
public struct Question: Sendable {
    /// What kind of event asks.
    public enum Kind: String, Sendable { case message, command }
    public var kind: Kind
    public var text: String
    /// Who asks, for the platform: `{member_id}:{DIALOG_ID}`.
    public var user: String
    /// What the event carries (`MESSAGE`, `CHAT_ID`…), without tokens.
    public var variables: [String: String]
    /// The variables that are tokens.
    public var tokens: [String: Secret]
    /// Where the conversation stands, if there is one.
    public var session: PlatformSession?
    public init(
        kind: Kind, text: String, user: String, variables: [String: String], tokens: [String: Secret],
        session: PlatformSession?
    ) {
        self.kind = kind
        self.text = text
        self.user = user
        self.variables = variables
        self.tokens = tokens
        self.session = session
    }
}

/// The platform's own conversation or session.
public struct PlatformSession: Sendable, Hashable {
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
}

/// A piece of an answer, in the order in which it is said.
public enum ReplyPart: Sendable, Hashable {
    /// Seen as early as possible, again whenever more is known.
    case trace(AskTrace)
    /// More Markdown.
    case text(String)
    /// Replaces all the text said so far.
    case replaceText(String)
    /// A file of the bot's, by link.
    case file(url: String, name: String, type: String)
    /// The conversation as it stands now; the last one counts. `nil`: it has ended.
    case session(PlatformSession?)
}

public enum AskOutcome: Sendable {
    /// It never arrived: ask.
    case neverArrived
    /// The whole answer.
    case answered([ReplyPart])
    /// It ended without an answer.
    case failed(PlatformError)
}

/// Why a bot did not answer.
public struct PlatformError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// Worth trying again; it was surely not carried out.
        case passing
        /// It may have been carried out, and the outcome is not known.
        case uncertain
        /// For the administrator to mend; trying again is useless.
        case final
    }
    public var kind: Kind
    /// For the administrator; never holds a key.
    public var message: String
    public var retryAfter: Duration?
    public var description: String { message }
    public init(_ kind: Kind, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
    }
}
