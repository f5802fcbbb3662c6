import Foundation

/// A Redis server, reached through hiredis by one worker thread that pipelines what waits and reconnects by itself.
///
/// While the server is away every request fails at once; the worker goes on trying, with pauses of up to three seconds.
public final class Redis: Sendable {
    private let desk: RedisDesk

    public init(_ address: Address, log: Log) {
        let desk = RedisDesk(log: log)
        self.desk = desk
        let thread = Thread { RedisWorker(address: address, desk: desk).run() }
        thread.name = "redis"
        thread.start()
    }

    deinit { desk.close() }

    /// Whether the last exchange succeeded. The worker asks the server itself when nobody else does.
    public var isReachable: Bool { desk.isReachable }

    /// - Throws: ``RedisError``, or `CancellationError` when the task was cancelled. Waits two seconds at most.
    public func get(_ key: String) async throws -> String? {
        if case .text(let value) = try await perform(["GET", key]) { value } else { nil }
    }

    /// - Parameter expiresIn: at least a millisecond.
    /// - Throws: as ``get(_:)``.
    public func set(_ key: String, _ value: String, expiresIn: Duration) async throws {
        _ = try await perform(["SET", key, value, "PX", String(max(1, expiresIn.milliseconds))])
    }

    /// - Throws: as ``get(_:)``.
    public func delete(_ key: String) async throws { _ = try await perform(["DEL", key]) }

    /// - Throws: as ``get(_:)``.
    public func ping() async throws { _ = try await perform(["PING"]) }

    /// Takes no more requests, lets those that wait end (two seconds at most) and closes the connection.
    public func shutdown() async {
        desk.close()
        await desk.allAnswered()
    }

    private func perform(_ arguments: [String]) async throws -> RedisReply {
        let reply = try await desk.perform(arguments)
        guard case .refused(let reason) = reply else { return reply }
        // A server that has just started and still reads its file.
        throw reason.hasPrefix("LOADING") ? RedisError.away(reason) : RedisError.refused(reason)
    }
}

public enum RedisError: Error, Sendable, Equatable {
    case badAddress(String)
    /// Cannot be reached, or did not answer in time.
    case away(String)
    /// Answered with an error (a wrong password, for example).
    case refused(String)
}
