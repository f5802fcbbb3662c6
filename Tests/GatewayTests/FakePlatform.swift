import Base
import BotPlatforms
import Synchronization

/// A bot platform whose answers a test decides; it greets and takes ratings, and remembers what it was asked.
final class FakePlatform: FindsOutcome, Greets, TakesRatings, Sendable {
    struct Rated: Sendable, Equatable {
        var rating: Rating?
        var answer: String
        var user: String
    }
    private struct State {
        var questions: [Question] = []
        var ratings: [Rated] = []
        /// All are kept: a stream that nobody can end any more would end by itself.
        var held: [String: [AsyncThrowingStream<ReplyPart, any Error>.Continuation]] = [:]
        var holding: Set<String> = []
        var greeting = ["Welcome!"]
        var faults: [PlatformError] = []
        var ratingFaults: [PlatformError] = []
    }
    private let state = Mutex(State())

    /// Everything that was asked, greetings too.
    var questions: [Question] { state.withLock { $0.questions } }
    var texts: [String] { questions.map(\.text) }
    var ratings: [Rated] { state.withLock { $0.ratings } }

    /// What it says first.
    func greet(with texts: [String]) { state.withLock { $0.greeting = texts } }
    /// This question is answered piece by piece, with ``say(_:to:)`` and ``end(_:)``.
    func hold(_ question: String) { _ = state.withLock { $0.holding.insert(question) } }
    func fail(with errors: PlatformError...) { state.withLock { $0.faults += errors } }
    func failRating(with errors: PlatformError...) { state.withLock { $0.ratingFaults += errors } }

    func isAsked(_ question: String) -> Bool { state.withLock { $0.held[question] != nil } }
    func say(_ part: ReplyPart, to question: String) { _ = state.withLock { $0.held[question]?.last }?.yield(part) }
    func end(_ question: String, with error: PlatformError? = nil) {
        state.withLock { $0.held[question]?.last }?.finish(throwing: error)
    }

    func reply(to question: Question) -> ReplyParts {
        ReplyParts(
            AsyncThrowingStream { continuation in
                let (fault, isHeld, number) = state.withLock { state in
                    state.questions.append(question)
                    let isHeld = state.holding.contains(question.text)
                    if isHeld { state.held[question.text, default: []].append(continuation) }
                    return (state.faults.isEmpty ? nil : state.faults.removeFirst(), isHeld, state.questions.count)
                }
                if let fault { return continuation.finish(throwing: fault) }
                continuation.yield(.trace(AskTrace(messageID: "answer-\(number)")))
                if isHeld { return }
                continuation.yield(.text("You said: \(question.text)"))
                continuation.yield(.session(PlatformSession(id: "session")))
                continuation.finish()
            })
    }

    func greeting(for question: Question) -> ReplyParts {
        ReplyParts(
            AsyncThrowingStream { continuation in
                let (fault, texts) = state.withLock { state in
                    state.questions.append(question)
                    return (state.faults.isEmpty ? nil : state.faults.removeFirst(), state.greeting)
                }
                if let fault { return continuation.finish(throwing: fault) }
                for text in texts { continuation.yield(.text(text)) }
                if !texts.isEmpty { continuation.yield(.session(PlatformSession(id: "greeted"))) }
                continuation.finish()
            })
    }

    func outcome(of question: Question, trace: AskTrace?, askedAt: Timestamp) async throws -> AskOutcome {
        .neverArrived
    }

    func take(_ rating: Rating?, of answer: String, by user: String) async throws {
        let fault = state.withLock { state in
            if !state.ratingFaults.isEmpty { return PlatformError?.some(state.ratingFaults.removeFirst()) }
            state.ratings.append(Rated(rating: rating, answer: answer, user: user))
            return nil
        }
        if let fault { throw fault }
    }
}

extension ReplyParts {
    /// What is put into a stream.
    init(_ stream: AsyncThrowingStream<ReplyPart, any Error>) {
        self.init {
            // All iterators of a stream take from the same place.
            var iterator = stream.makeAsyncIterator()
            return try await iterator.next()
        }
    }
}
