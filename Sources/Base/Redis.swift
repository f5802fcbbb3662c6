/// A Redis server, reached through hiredis by one worker thread that pipelines what waits and reconnects by itself.
public final class Redis: Sendable {
    public struct Address: Sendable, Equatable {
        public var host: String
        public var port: Int
        public var password: Secret?
        public var database: Int

        /// Reads `redis://[:password@]host[:port][/db]`.
        /// - Throws: ``RedisError/badAddress(_:)``; `rediss://` is refused by name.
        public init(_ url: String) throws { fatalError("skeleton") }
    }

    public init(_ address: Address, log: Log) { fatalError("skeleton") }

    /// Whether the last exchange succeeded.
    public var isReachable: Bool { fatalError("skeleton") }

    /// - Throws: ``RedisError``. Waits two seconds at most.
    public func get(_ key: String) async throws -> String? { fatalError("skeleton") }
    public func set(_ key: String, _ value: String, expiresIn: Duration) async throws { fatalError("skeleton") }
    public func delete(_ key: String) async throws { fatalError("skeleton") }
    public func ping() async throws { fatalError("skeleton") }

    public func shutdown() async { fatalError("skeleton") }
}

public enum RedisError: Error, Sendable, Equatable {
    case badAddress(String)
    /// Cannot be reached, or did not answer in time.
    case away(String)
    /// Answered with an error (a wrong password, for example).
    case refused(String)
}
