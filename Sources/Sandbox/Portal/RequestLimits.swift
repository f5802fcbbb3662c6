import Base

/// The two limits of REST. Documentation: `limits.md`.
struct RequestLimits: Sendable {
    private struct Bucket: Sendable {
        var level: Double
        var time: Timestamp
    }

    /// What running time is counted for.
    struct Use: Hashable, Sendable {
        var client: String
        var method: String
    }

    /// One minute's running time; it counts until ten minutes after its first call.
    private struct Basket: Sendable {
        var minute: Int64
        var first: Timestamp
        var milliseconds: Int64
    }

    private var buckets: [String: Bucket] = [:]
    private var baskets: [Use: [Basket]] = [:]

    /// Counts a request from an address.
    /// - Returns: whether it is within the limit.
    mutating func allow(from address: String, limit: SimulatedPortal.Limit, now: Timestamp) -> Bool {
        var bucket = buckets[address] ?? Bucket(level: 0, time: now)
        let seconds = Double((now - bucket.time).milliseconds) / 1000
        bucket.level = max(0, bucket.level - seconds * limit.perSecond)
        bucket.time = now
        let fits = bucket.level + 1 <= limit.burst
        if fits { bucket.level += 1 }
        buckets[address] = bucket
        return fits
    }

    /// The running time of a method in the last ten minutes and when the oldest of it is forgotten.
    mutating func operating(_ use: Use, now: Timestamp) -> (milliseconds: Int64, resetAt: Timestamp) {
        guard var list = baskets[use] else { return (0, now + .seconds(600)) }
        if let first = list.first, first.first + .seconds(600) <= now {
            list.removeAll { $0.first + .seconds(600) <= now }
            baskets[use] = list
        }
        return (list.reduce(0) { $0 + $1.milliseconds }, (list.first?.first ?? now) + .seconds(600))
    }

    mutating func add(_ milliseconds: Int64, to use: Use, now: Timestamp) {
        let minute = now.rawValue / 60_000
        var list = baskets[use] ?? []
        if let last = list.indices.last, list[last].minute == minute {
            list[last].milliseconds += milliseconds
        } else {
            list.append(Basket(minute: minute, first: now, milliseconds: milliseconds))
        }
        baskets[use] = list
    }
}
