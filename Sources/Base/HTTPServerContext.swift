import Synchronization

/// What the connections of a server share.
final class HTTPServerContext: Sendable {
    let limits: HTTPServer.Limits
    let log: Log
    let handler: HTTPHandler
    private let state = Mutex(State())

    private struct State {
        var open = 0
        var rejected = 0
        var isShuttingDown = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// How a new connection is taken.
    enum Admission {
        case served
        /// Told 503.
        case rejected
        /// Closed without a word, since too many are being told 503 already.
        case refused
    }

    /// Connections that are being told 503 at once.
    private static let mostRejected = 64

    init(limits: HTTPServer.Limits, log: Log, handler: @escaping HTTPHandler) {
        self.limits = limits
        self.log = log
        self.handler = handler
    }

    var openConnections: Int { state.withLock { $0.open } }
    var isShuttingDown: Bool { state.withLock { $0.isShuttingDown } }

    /// Counts a new connection in, unless it is refused; ``left(_:)`` counts it out.
    func admit() -> Admission {
        state.withLock { state in
            let admission: Admission =
                if state.open - state.rejected < limits.connections {
                    .served
                } else if state.rejected < HTTPServerContext.mostRejected {
                    .rejected
                } else {
                    .refused
                }
            if admission != .refused { state.open += 1 }
            if admission == .rejected { state.rejected += 1 }
            return admission
        }
    }

    func left(_ admission: Admission) {
        let waiters = state.withLock { state in
            state.open -= 1
            if admission == .rejected { state.rejected -= 1 }
            return state.open == 0 ? takeWaiters(&state) : []
        }
        for waiter in waiters { waiter.resume() }
    }

    func beginShutdown() { state.withLock { $0.isShuttingDown = true } }

    func allConnectionsClosed() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.open > 0 { state.waiters.append(continuation) }
                return state.open == 0
            }
            if isEmpty { continuation.resume() }
        }
    }

    private func takeWaiters(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        defer { state.waiters = [] }
        return state.waiters
    }
}
