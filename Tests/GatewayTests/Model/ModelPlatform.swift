import Base
import BotPlatforms
import Synchronization

@testable import Gateway

/// What a bot platform knows, whatever becomes of BitBot meanwhile.
final class ModelPlatform: Sendable {
    enum Fate: Sendable { case answered, cutOff, refused, failed }

    /// Questions that were carried out, in order; the text is that of the message's version that was asked.
    struct Ask: Sendable {
        var message: Int
        var text: String
        var fate: Fate
    }

    private struct State {
        var chance: Chance
        var asks: [Ask] = []
    }
    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(chance: Chance(seed: seed))) }

    var asks: [Ask] { state.withLock { $0.asks } }
    func asks(of message: Int) -> [Ask] { asks.filter { $0.message == message } }

    /// A question arrives, and its fate is decided. One that is refused was not carried out.
    fileprivate func arrive(_ question: Question) -> (fate: Fate, pause: Duration) {
        state.withLock { state in
            let dice = Double.random(in: 0..<1, using: &state.chance)
            let fate: Fate = dice < 0.05 ? .refused : dice < 0.10 ? .failed : dice < 0.20 ? .cutOff : .answered
            let message = Int(question.variables["MESSAGE_ID"] ?? "") ?? 0
            if fate != .refused { state.asks.append(Ask(message: message, text: question.text, fate: fate)) }
            return (fate, .milliseconds(Int.random(in: 0...15, using: &state.chance)))
        }
    }

    static func answer(to text: String) -> String { "You said: \(text)" }
}

/// How one life of BitBot reaches the platform. After its death it reaches nothing, and nothing comes back.
final class ModelConnection: BotPlatform, Sendable {
    typealias Parts = AsyncThrowingStream<ReplyPart, any Error>
    fileprivate let platform: ModelPlatform
    /// Kept: a stream that nobody can end any more would end by itself.
    private let unanswered = Mutex<(isDead: Bool, streams: [Parts.Continuation])>((false, []))

    init(_ platform: ModelPlatform) { self.platform = platform }

    func die() { unanswered.withLock { $0.isDead = true } }

    /// Lets go what waits for an answer since it died.
    func bury() { for stream in unanswered.withLock({ $0.streams }) { stream.finish(throwing: CancellationError()) } }

    var isDead: Bool { unanswered.withLock { $0.isDead } }

    func reply(to question: Question) -> ReplyParts { ReplyParts(parts(of: question)) }

    private func parts(of question: Question) -> Parts {
        let (stream, continuation) = Parts.makeStream()
        let arrived = unanswered.withLock { state in
            state.streams.append(continuation)
            return state.isDead ? nil : platform.arrive(question)
        }
        guard let (fate, pause) = arrived else { return stream }
        Task {
            try? await Task.sleep(for: pause)
            guard !isDead else { return }
            switch fate {
            case .refused: continuation.finish(throwing: PlatformError(.passing, "Busy"))
            case .failed: continuation.finish(throwing: PlatformError(.final, "No"))
            case .cutOff: continuation.finish(throwing: PlatformError(.uncertain, "Cut off"))
            case .answered:
                for part in Self.parts(question.text) { continuation.yield(part) }
                continuation.finish()
            }
        }
        return stream
    }

    fileprivate static func parts(_ text: String) -> [ReplyPart] {
        [.text(ModelPlatform.answer(to: text)), .session(PlatformSession(id: "session"))]
    }
}

/// The same, where the platform can tell afterwards what became of a question.
struct FindingConnection: FindsOutcome {
    let connection: ModelConnection

    func reply(to question: Question) -> ReplyParts { connection.reply(to: question) }

    func outcome(of question: Question, trace: AskTrace?, askedAt: Timestamp) async throws -> AskOutcome {
        while connection.isDead { try await Task.sleep(for: .seconds(1)) }
        let message = Int(question.variables["MESSAGE_ID"] ?? "") ?? 0
        return switch connection.platform.asks(of: message).last {
        case nil: .neverArrived
        case let ask? where ask.fate == .failed: .failed(PlatformError(.final, "No"))
        case let ask?: .answered(ModelConnection.parts(ask.text))
        }
    }
}
