import Base

/// What happened in one minute.
public struct MinuteRecord: Sendable, Equatable {
    /// Counted from 1970.
    public var minute: Int64
    public var answers = 0
    public var failures = 0
    /// How many answers took how long: counts by the gateway's buckets.
    public var times: [Int: Int] = [:]
    public init(minute: Int64) { self.minute = minute }

    public mutating func add(_ other: MinuteRecord) {
        answers += other.answers
        failures += other.failures
        times.merge(other.times, uniquingKeysWith: +)
    }
}

extension Store {
    /// Adds to what is known of these minutes.
    public func add(_ minutes: [MinuteRecord]) async throws {
        try await database.write { connection in
            for new in minutes {
                var minute = new
                if let known = try connection.minutes("= ?", [.integer(new.minute)]).first { minute.add(known) }
                try connection.run(
                    """
                    INSERT INTO statistics (minute, answers, failures, times) VALUES (?, ?, ?, ?)
                    ON CONFLICT (minute) DO UPDATE SET answers = excluded.answers, failures = excluded.failures,
                        times = excluded.times
                    """,
                    [
                        .integer(minute.minute), .integer(Int64(minute.answers)), .integer(Int64(minute.failures)),
                        .text(minute.timesText),
                    ])
            }
        }
    }

    /// The minutes in which something happened, oldest first.
    public func minutes(from first: Int64, to last: Int64) async throws -> [MinuteRecord] {
        try await database.read { try $0.minutes("BETWEEN ? AND ?", [.integer(first), .integer(last)]) }
    }

    func purgeStatistics(before moment: Timestamp) async throws -> Bool {
        try await database.write { connection in
            try connection.run(
                "DELETE FROM statistics WHERE minute IN (SELECT minute FROM statistics WHERE minute < ? LIMIT 500)",
                [.integer(moment.rawValue / 60_000)]) == 500
        }
    }
}

extension Connection {
    fileprivate func minutes(_ condition: String, _ values: [SQLValue]) throws -> [MinuteRecord] {
        try rows(
            "SELECT minute, answers, failures, times FROM statistics WHERE minute \(condition) ORDER BY minute", values
        ) { row in
            var minute = MinuteRecord(minute: row.integer(0))
            minute.answers = Int(row.integer(1))
            minute.failures = Int(row.integer(2))
            minute.times = MinuteRecord.times(row.text(3))
            return minute
        }
    }
}

extension MinuteRecord {
    fileprivate var timesText: String {
        times.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ")
    }

    fileprivate static func times(_ text: String) -> [Int: Int] {
        let pairs = text.split(separator: " ").compactMap { pair -> (Int, Int)? in
            let parts = pair.split(separator: ":")
            guard parts.count == 2, let bucket = Int(parts[0]), let count = Int(parts[1]) else { return nil }
            return (bucket, count)
        }
        return Dictionary(pairs, uniquingKeysWith: +)
    }
}
