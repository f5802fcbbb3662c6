import Glibc

/// A moment of the clock that never jumps, in nanoseconds.
struct Moment: Comparable {
    var nanoseconds: UInt64

    static let never = Moment(nanoseconds: .max)

    static var now: Moment {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Moment(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    static func < (a: Moment, b: Moment) -> Bool { a.nanoseconds < b.nanoseconds }

    static func + (a: Moment, b: Duration) -> Moment {
        let (seconds, attoseconds) = b.components
        return Moment(
            nanoseconds: a.nanoseconds + UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000))
    }

    static func - (a: Moment, b: Moment) -> Duration {
        a > b ? .nanoseconds(Int64(clamping: a.nanoseconds - b.nanoseconds)) : .zero
    }
}
