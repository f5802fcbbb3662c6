import Dispatch
import Synchronization

/// Where callers leave their commands and wait, and where the worker fetches commands and leaves the answers.
final class RedisDesk: Sendable {
    struct Command: Sendable {
        let id: UInt64
        let arguments: [String]
        /// Whether a connection broke while it was on its way.
        var isRepeated = false
    }

    /// How long a caller waits.
    static let patience: Duration = .seconds(2)
    /// How many callers may wait at once.
    private static let capacity = 10_000

    private enum Condition {
        case connecting
        case reachable
        case away(RedisError)

        var isAway: Bool { if case .away = self { true } else { false } }
    }

    private struct State {
        var condition = Condition.connecting
        var isClosed = false
        var lastID: UInt64 = 0
        /// What the worker has not fetched yet.
        var queue: [Command] = []
        /// Who waits, by the id of the command.
        var callers: [UInt64: CheckedContinuation<RedisReply, any Error>] = [:]
        /// In the order of time, also of callers that have their answer already.
        var deadlines: [(id: UInt64, at: ContinuousClock.Instant)] = []
        var isWatched = false
        var leaving: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    /// Rung when the worker has reason to look.
    private let bell = DispatchSemaphore(value: 0)
    private let log: Log

    init(log: Log) { self.log = log }

    var isReachable: Bool {
        state.withLock { if case .reachable = $0.condition { true } else { false } }
    }

    // MARK: For callers

    /// - Throws: ``RedisError`` or `CancellationError`.
    func perform(_ arguments: [String]) async throws -> RedisReply {
        try Task.checkCancellation()
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { enqueue(Command(id: id, arguments: arguments), for: $0) }
        } onCancel: {
            settle(id, .failure(CancellationError()))
        }
    }

    /// Takes no more commands.
    func close() {
        state.withLock { $0.isClosed = true }
        bell.signal()
    }

    /// Returns when nobody waits any more.
    func allAnswered() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if !state.callers.isEmpty { state.leaving.append(continuation) }
                return state.callers.isEmpty
            }
            if isIdle { continuation.resume() }
        }
    }

    private func enqueue(_ command: Command, for caller: CheckedContinuation<RedisReply, any Error>) {
        var startsWatch = false
        let refusal: RedisError? = state.withLock { state in
            if state.isClosed { return .away("shut down") }
            if case .away(let error) = state.condition { return error }
            guard state.callers.count < Self.capacity else { return .away("too many requests wait") }
            if state.queue.isEmpty { bell.signal() }
            state.queue.append(command)
            state.callers[command.id] = caller
            state.deadlines.append((command.id, .now + Self.patience))
            startsWatch = !state.isWatched
            state.isWatched = true
            return nil
        }
        if let refusal { caller.resume(throwing: refusal) }
        if startsWatch { watch() }
    }

    /// Declares the server away when somebody waits too long, whatever holds the worker up (a name server, for example).
    private func watch() {
        Task {
            while let next = declareOverdue() { try? await Task.sleep(until: next, clock: .continuous) }
        }
    }

    /// - Returns: when to look again; `nil` when nobody waits.
    private func declareOverdue() -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        let (isOverdue, next) = state.withLock { state in
            let settled = state.deadlines.prefix { $0.at <= now || state.callers[$0.id] == nil }
            let isOverdue = settled.contains { state.callers[$0.id] != nil }
            state.deadlines.removeFirst(settled.count)
            state.isWatched = !state.deadlines.isEmpty
            return (isOverdue, state.deadlines.first?.at)
        }
        if isOverdue { becameAway(.away("no answer within \(Self.patience)")) }
        return next
    }

    // MARK: For the worker

    /// Whether the worker's time is over.
    var isDone: Bool { state.withLock { $0.isClosed && $0.queue.isEmpty } }

    /// Waits until there is something to do, or for `time`.
    /// - Returns: whether the bell rang.
    func wait(for time: Duration) -> Bool {
        bell.wait(timeout: .now() + .milliseconds(Int(time.milliseconds))) == .success
    }

    /// The next commands that somebody still waits for.
    func take(_ count: Int) -> [Command] {
        state.withLock { state in
            let taken = state.queue.prefix(count)
            state.queue.removeFirst(taken.count)
            return taken.filter { state.callers[$0.id] != nil }
        }
    }

    /// Puts back, before all others, what a broken connection left unanswered.
    func putBack(_ commands: ArraySlice<Command>) {
        state.withLock { $0.queue.insert(contentsOf: commands, at: 0) }
    }

    func settle(_ id: UInt64, _ result: Result<RedisReply, any Error>) {
        var leaving: [CheckedContinuation<Void, Never>] = []
        let caller = state.withLock { state in
            let caller = state.callers.removeValue(forKey: id)
            if state.callers.isEmpty { swap(&leaving, &state.leaving) }
            return caller
        }
        caller?.resume(with: result)
        for waiter in leaving { waiter.resume() }
    }

    func becameReachable() {
        let wasAway = state.withLock { state in
            defer { state.condition = .reachable }
            return state.condition.isAway
        }
        if wasAway { log.info("redis_back") }
    }

    /// Fails everybody who waits.
    func becameAway(_ error: RedisError) {
        let (callers, wasAway) = state.withLock { state in
            defer { state.condition = .away(error) }
            state.queue = []
            return (Array(state.callers.keys), state.condition.isAway)
        }
        if !wasAway { log.warning("redis_away", ["error": .error(error)]) }
        for id in callers { settle(id, .failure(error)) }
    }
}
