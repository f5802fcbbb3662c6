import Foundation

/// A moment in whole milliseconds since 1970, as the store keeps it.
public struct Timestamp: RawRepresentable, Hashable, Comparable, Sendable, Codable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }

    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.rawValue < b.rawValue }
    public static func + (a: Timestamp, b: Duration) -> Timestamp { Timestamp(rawValue: a.rawValue + b.milliseconds) }
    public static func - (a: Timestamp, b: Duration) -> Timestamp { Timestamp(rawValue: a.rawValue - b.milliseconds) }
    public static func - (a: Timestamp, b: Timestamp) -> Duration { .milliseconds(a.rawValue - b.rawValue) }

    /// ISO 8601 in UTC with milliseconds, as the management API shows it.
    public var iso8601: String {
        Date(timeIntervalSince1970: Double(rawValue) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    public var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// Where the time of day comes from, so that a test can set it.
public struct WallClock: Sendable {
    private let read: @Sendable () -> Timestamp
    public init(_ read: @escaping @Sendable () -> Timestamp) { self.read = read }

    public var now: Timestamp { read() }

    public static let system = WallClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(rawValue: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
