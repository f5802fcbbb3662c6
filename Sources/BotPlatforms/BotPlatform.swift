import Base

/// A bot platform as BitBot uses it. One required function; what only some can do is an ability of its own
/// (``FindsOutcome``, ``Greets``, ``TakesRatings``). A new platform is one file and a row in ``PlatformType``.
public protocol BotPlatform: Sendable {
    /// Asks the bot and gives its answer piece by piece. Letting it go early ends the request.
    func reply(to question: Question) -> ReplyParts
}

/// Can tell afterwards what became of a question.
public protocol FindsOutcome: BotPlatform {
    /// Looks for a question that was asked at `askedAt` and whose answer did not arrive whole.
    /// - Parameter trace: what was seen of it, if anything.
    /// - Throws: ``PlatformError`` when it cannot be told now.
    func outcome(of question: Question, trace: AskTrace?, askedAt: Timestamp) async throws -> AskOutcome
}

public enum AskOutcome: Sendable {
    /// It never arrived: ask.
    case neverArrived
    /// The whole answer.
    case answered([ReplyPart])
    /// It ended without an answer.
    case failed(PlatformError)
}

/// Can speak first, when the bot joins a dialog.
public protocol Greets: BotPlatform {
    /// What the bot says before anything was said to it; nothing, if it has no greeting.
    /// - Parameter question: of the kind `joined`, without text.
    func greeting(for question: Question) -> ReplyParts
}

/// Wants to know how people like its answers.
public protocol TakesRatings: BotPlatform {
    /// - Parameters:
    ///   - rating: `nil` takes the former one back.
    ///   - answer: the answer's ``AskTrace/messageID``.
    ///   - user: who rates, named as in ``Question/user``.
    /// - Throws: ``PlatformError``.
    func take(_ rating: Rating?, of answer: String, by user: String) async throws
}

public enum Rating: String, Sendable { case like, dislike }
