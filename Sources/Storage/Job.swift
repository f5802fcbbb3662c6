/// A closure on its way to a connection's thread, and the task that waits for its outcome.
protocol Job: Sendable {
    /// Runs the closure and keeps what it gave.
    func run(on connection: Connection) throws
    /// Resumes the task with what the last run gave.
    func succeed()
    func fail(_ error: any Error)
}

/// `@unchecked Sendable`: `result` is touched only by the one thread that took the job from its queue.
final class PendingJob<Result: Sendable>: Job, @unchecked Sendable {
    private let body: @Sendable (Connection) throws -> Result
    private let continuation: CheckedContinuation<Result, any Error>
    private var result: Result?

    init(
        _ body: @escaping @Sendable (Connection) throws -> Result,
        _ continuation: CheckedContinuation<Result, any Error>
    ) {
        self.body = body
        self.continuation = continuation
    }

    func run(on connection: Connection) throws { result = try body(connection) }

    func succeed() {
        if let result { continuation.resume(returning: result) }
    }

    func fail(_ error: any Error) { continuation.resume(throwing: error) }
}

/// A closure whose outcome nobody waits for.
struct UnwatchedJob: Job {
    let body: @Sendable (Connection) throws -> Void

    func run(on connection: Connection) throws { try body(connection) }
    func succeed() {}
    func fail(_ error: any Error) {}
}
