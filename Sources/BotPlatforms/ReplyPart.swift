import Base

/// A piece of an answer, in the order in which it is said.
public enum ReplyPart: Sendable, Equatable {
    /// Seen as early as possible, again whenever more is known.
    case trace(AskTrace)
    /// More Markdown of the text under way.
    case text(String)
    /// Replaces all the text said so far.
    case replaceText(String)
    /// The text so far is one message, what follows is another. People see them apart where the bot's setting says so.
    case nextMessage
    /// A file of the bot's, by link.
    case file(ReplyFile)
    /// What the person may answer.
    case choices(Choices)
    /// What follows is shown so much later.
    case pause(Duration)
    /// To be done when all has been said.
    case action(BotAction)
    /// The conversation as it stands now; the last one counts. `nil`: it has ended.
    case session(PlatformSession?)
}

/// An answer piece by piece, each made in its reader's own task when he asks for it; read once. It throws
/// ``PlatformError``, or `CancellationError`.
///
/// Many answers are waited for at once, and this waits with less memory than an `AsyncThrowingStream`.
public struct ReplyParts: AsyncSequence, Sendable {
    /// Gives the next one, `nil` after the last one.
    public let next: @Sendable () async throws -> ReplyPart?

    public init(_ next: @escaping @Sendable () async throws -> ReplyPart?) { self.next = next }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let nextPart: @Sendable () async throws -> ReplyPart?

        public func next() async throws -> ReplyPart? { try await nextPart() }

        public func next(isolation actor: isolated (any Actor)?) async throws -> ReplyPart? { try await nextPart() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(nextPart: next) }
}

/// A file of a bot's answer.
public struct ReplyFile: Sendable, Hashable, Codable {
    /// `https:`, `http:` or `data:`.
    public var url: String
    /// With its ending, if the platform tells one.
    public var name: String
    public init(url: String, name: String) {
        self.url = url
        self.name = name
    }
}

/// What a person may answer: shown as buttons, or as a numbered list where the chat cannot show buttons.
public struct Choices: Sendable, Hashable, Codable {
    public var options: [Choice]
    /// Several may be chosen at once.
    public var several: Bool
    /// They only help: any other answer is as good, so that beside buttons only the very label means one of them.
    public var isOptional: Bool
    /// A number means the choice at its place, if people see numbers. Not where a number may be what is asked for.
    public var takesNumbers: Bool

    public init(_ options: [Choice], several: Bool = false, isOptional: Bool = false, takesNumbers: Bool = true) {
        self.options = options
        self.several = several
        self.isOptional = isOptional
        self.takesNumbers = takesNumbers
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        options = try container.decode([Choice].self, forKey: .options)
        several = try container.decode(Bool.self, forKey: .several)
        // Former versions stored neither.
        isOptional = try container.decodeIfPresent(Bool.self, forKey: .isOptional) ?? false
        takesNumbers = try container.decodeIfPresent(Bool.self, forKey: .takesNumbers) ?? true
    }
}

public struct Choice: Sendable, Hashable, Codable {
    /// What people read.
    public var label: String
    /// What the platform knows it by.
    public var value: String
    public init(label: String, value: String) {
        self.label = label
        self.value = value
    }
}

/// Something that a bot wants done in Bitrix24.
public enum BotAction: Sendable, Hashable {
    /// Any free operator takes the dialog.
    case toOperator
    /// The operator with this user id.
    case toUser(Int64)
    /// The open channel (queue) with this id.
    case toQueue(Int64)
    /// The dialog's session ends.
    case finish
    /// Nothing is said.
    case silent

    /// As a directive's word.
    public var word: String {
        switch self {
        case .toOperator: "operator"
        case .toUser(let id): "operator:\(id)"
        case .toQueue(let id): "queue:\(id)"
        case .finish: "finish"
        case .silent: "silent"
        }
    }

    /// From a directive's word: `operator`, `operator:17`, `queue:3`, `finish`, `silent`.
    public init?(word: some StringProtocol) {
        let parts = word.lowercased().filter { !$0.isWhitespace }.split(
            separator: ":", omittingEmptySubsequences: false)
        switch (parts.first, parts.count, parts.last.flatMap { Int64($0) }) {
        case ("operator", 1, _): self = .toOperator
        case ("operator", 2, let id?): self = .toUser(id)
        case ("queue", 2, let id?): self = .toQueue(id)
        case ("finish", 1, _): self = .finish
        case ("silent", 1, _): self = .silent
        default: return nil
        }
    }
}
