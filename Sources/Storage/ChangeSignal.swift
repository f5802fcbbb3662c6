import Synchronization

/// Tells those who watch that something changed; changes that come close together are told once.
final class ChangeSignal: Sendable {
    private struct State {
        var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
        var last = 0
    }
    private let state = Mutex(State())

    func fire() {
        for watcher in state.withLock({ Array($0.watchers.values) }) { watcher.yield() }
    }

    func stream() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let number = state.withLock { state in
                state.last += 1
                state.watchers[state.last] = continuation
                return state.last
            }
            continuation.onTermination = { [self] _ in state.withLock { _ = $0.watchers.removeValue(forKey: number) } }
        }
    }
}

extension Store {
    /// Yields after each committed change of bots or installations.
    public func botChanges() -> AsyncStream<Void> { cache.botChanges.stream() }
}
