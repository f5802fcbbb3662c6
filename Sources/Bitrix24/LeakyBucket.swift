/// The portal's counter of requests, as far as we can know it.
///
/// The portal empties its counter in steps of a second and sees requests closer together than they were sent, so the
/// bucket counts as full one second's outflow early.
/// Documentation: `limits.md`.
struct LeakyBucket: Sendable {
    private(set) var limit: Portal.Limit
    private var level: Double
    private var measuredAt: Duration

    init(_ limit: Portal.Limit, startsHalfFull: Bool, now: Duration) {
        self.limit = limit
        level = startsHalfFull ? Double(limit.burst) / 2 : 0
        measuredAt = now
    }

    private var room: Double { max(1, Double(limit.burst) - limit.perSecond.rounded(.up)) }

    /// How much of the bucket is in use, from 0 to 1.
    func share(now: Duration) -> Double { level(at: now) / room }

    /// How long to wait before one more request fits; `nil` if it fits now.
    func wait(now: Duration) -> Duration? {
        let excess = level(at: now) + 1 - room
        return excess > 0.000_001 ? .seconds(excess / max(limit.perSecond, 0.001)) : nil
    }

    mutating func add(now: Duration) {
        level = level(at: now) + 1
        measuredAt = now
    }

    /// The portal said that there is no room.
    mutating func fill(now: Duration) {
        level = max(level(at: now), room)
        measuredAt = now
    }

    mutating func change(to limit: Portal.Limit, now: Duration) {
        level = min(level(at: now), Double(limit.burst))
        measuredAt = now
        self.limit = limit
    }

    private func level(at now: Duration) -> Double {
        max(0, level - (now - measuredAt) / .seconds(1) * limit.perSecond)
    }
}

/// Growing pauses after `QUERY_LIMIT_EXCEEDED`.
struct SlowDown: Sendable {
    /// Refusals in a row; one request at a time goes while there are any.
    private(set) var level = 0
    /// Nothing goes before.
    private(set) var until: Duration = .zero
    private var began: Duration = .zero

    /// - Parameter start: when the refused request was sent; what was under way together counts once.
    mutating func refused(start: Duration, now: Duration, retryAfter: Duration?) {
        if level > 0, start < began { return }
        level += 1
        began = now
        let pause = Duration.seconds(min(60, 1 << min(level - 1, 6)))
        until = now + max(pause, min(retryAfter ?? .zero, .seconds(600)))
    }

    mutating func succeeded(start: Duration) {
        if level > 0, start >= began { level -= 1 }
    }
}

/// How long commands took, to keep a batch well within the 60 seconds that Bitrix24 gives a request.
struct CallDurations: Sendable {
    private var seconds: [String: Double] = [:]
    /// Seconds that a call of this method may well take.
    func expected(_ method: String) -> Double { seconds[method] ?? 0.5 }

    /// Rises at once and falls slowly.
    mutating func learn(_ method: String, seconds measured: Double) {
        guard measured >= 0 else { return }
        // Method names are the program's own; the bound is against surprises.
        if seconds.count > 500 { seconds = [:] }
        let former = seconds[method] ?? measured
        seconds[method] = max(measured, former * 0.8 + measured * 0.2)
    }
}
