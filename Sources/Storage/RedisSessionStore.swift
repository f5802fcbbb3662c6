import Base

/// Keeps the ids in Redis too, as plain strings with the session's remaining time to live.
public final class RedisSessionStore: SessionStore {
    public init(redis: Redis, store: Store, clock: WallClock, log: Log, metrics: Metrics) { fatalError("skeleton") }
    public func current(_ stored: SessionRecord?, key: SessionKey) async -> SessionRecord? { fatalError("skeleton") }
    public func committed(_ session: SessionRecord?, key: SessionKey) async { fatalError("skeleton") }
    public func repair() async { fatalError("skeleton") }
    public var trouble: String? { fatalError("skeleton") }
}
