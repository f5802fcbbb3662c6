/// A closure on its way to a connection's thread, and the task that waits for its outcome.
struct Job: Sendable {
    /// Tells the task what the closure gave, once that may be told.
    typealias Outcome = @Sendable () -> Void

    /// Runs the closure and keeps what it gave.
    let run: @Sendable (Connection) throws -> Outcome
    let fail: @Sendable (any Error) -> Void

    init<Result: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> Result,
        _ continuation: CheckedContinuation<Result, any Error>
    ) {
        run = { connection in
            let result = try body(connection)
            return { continuation.resume(returning: result) }
        }
        fail = { continuation.resume(throwing: $0) }
    }

    /// A closure whose outcome nobody waits for.
    init(unwatched body: @escaping @Sendable (Connection) throws -> Void) {
        run = { connection in
            try body(connection)
            return {}
        }
        fail = { _ in }
    }
}
