import Base
import Synchronization

/// Test events that were asked for and have not arrived yet.
public final class TestEvents: Sendable {
    private let awaited = Mutex<[String: AsyncStream<Void>.Continuation]>([:])

    public init() {}

    /// Tells that the test event with this mark has arrived.
    public func arrived(_ mark: String) { awaited.withLock { $0[mark] }?.yield() }

    /// Whether an event with a fresh mark arrives in time.
    /// - Parameter ask: has it sent.
    nonisolated(nonsending) func arrives(
        within patience: Duration, asking ask: (_ mark: String) async throws -> Void
    ) async throws -> Bool {
        let mark = Vault.randomToken()
        let (arrivals, continuation) = AsyncStream<Void>.makeStream()
        awaited.withLock { $0[mark] = continuation }
        defer { awaited.withLock { _ = $0.removeValue(forKey: mark) } }
        try await ask(mark)
        let alarm = Task {
            try await Task.sleep(for: patience)
            continuation.finish()
        }
        defer { alarm.cancel() }
        for await _ in arrivals { return true }
        return false
    }
}
