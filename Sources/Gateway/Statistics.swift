import Base
import Storage
import Synchronization

/// Counts answers and failures by the minute. Counting is in memory; each minute it goes to the store, and at the end.
public final class Statistics: Sendable {
    /// How far back people look.
    public enum Period: String, Sendable, CaseIterable {
        case hour, day, week

        /// Minutes of a step.
        public var step: Int64 {
            switch self {
            case .hour: 1
            case .day: 15
            case .week: 60
            }
        }
        var points: Int64 {
            switch self {
            case .hour: 60
            case .day: 96
            case .week: 168
            }
        }
    }
    /// What happened in one step.
    public struct Point: Sendable, Equatable {
        public var at: Timestamp
        public var answers: Int
        public var failures: Int
        /// Seconds from arrival to stored reply, of half of the answers at most, and of 95 in 100; `nil` without answers.
        public var median: Double?
        public var slow: Double?
    }

    private let store: Store
    private let clock: WallClock
    private let log: Log
    /// What the store does not have yet.
    private let minutes = Mutex<[Int64: MinuteRecord]>([:])
    private let flushing = Mutex<Task<Void, Never>?>(nil)

    /// With the store away the newest minutes are kept.
    private static let mostMinutes = 24 * 60

    init(store: Store, clock: WallClock, log: Log) {
        self.store = store
        self.clock = clock
        self.log = log
    }

    // MARK: Counting

    func answered(after time: Duration, at moment: Timestamp) {
        let bucket = Buckets.index(of: time / .seconds(1))
        count(at: moment) {
            $0.answers += 1
            $0.times[bucket, default: 0] += 1
        }
    }

    func failed(at moment: Timestamp) { count(at: moment) { $0.failures += 1 } }

    private func count(at moment: Timestamp, _ change: (inout MinuteRecord) -> Void) {
        let minute = moment.minute
        minutes.withLock { change(&$0[minute, default: MinuteRecord(minute: minute)]) }
    }

    // MARK: Keeping

    func start() {
        let task = Task { [weak self] in
            while (try? await Task.sleep(for: .seconds(60))) != nil { await self?.flush() }
        }
        flushing.withLock { $0 = task }
    }

    func stop() async {
        flushing.withLock { $0 }?.cancel()
        await flush()
    }

    func flush() async {
        let counted = minutes.withLock { minutes in
            defer { minutes = [:] }
            return Array(minutes.values)
        }
        guard !counted.isEmpty else { return }
        do {
            try await store.add(counted)
        } catch {
            log.error("statistics could not be stored and are kept", ["error": "\(error)"])
            let newest = counted.sorted { $0.minute > $1.minute }.prefix(Self.mostMinutes)
            minutes.withLock { minutes in
                for minute in newest {
                    minutes[minute.minute, default: MinuteRecord(minute: minute.minute)].add(minute)
                }
            }
        }
    }

    // MARK: Looking

    /// The steps of a period up to now, oldest first, without gaps.
    /// - Throws: `StoreError`.
    public func points(_ period: Period) async throws -> [Point] {
        let last = clock.now.minute / period.step
        let steps = (last - period.points + 1)...last
        let first = steps.lowerBound * period.step
        let stored = try await store.minutes(from: first, to: (last + 1) * period.step - 1)
        let fresh = minutes.withLock { Array($0.values) }.filter { $0.minute >= first }
        let sums = Dictionary(grouping: stored + fresh, by: { $0.minute / period.step }).mapValues { minutes in
            minutes.reduce(into: MinuteRecord(minute: 0)) { $0.add($1) }
        }
        return steps.map { step in
            let sum = sums[step] ?? MinuteRecord(minute: 0)
            return Point(
                at: Timestamp(rawValue: step * period.step * 60_000), answers: sum.answers, failures: sum.failures,
                median: Buckets.percentile(0.5, of: sum.times), slow: Buckets.percentile(0.95, of: sum.times))
        }
    }
}

/// Times in seconds by size: from 10 ms on, four buckets for each doubling.
enum Buckets {
    /// Where each bucket ends; one more takes what is longer.
    static let bounds: [Double] = {
        // The fourth root of 2, without a library of mathematics.
        let root = (2.0).squareRoot().squareRoot()
        return (0..<68).reduce(into: [0.01]) { bounds, _ in bounds.append((bounds.last ?? 0) * root) }
    }()

    static func index(of seconds: Double) -> Int {
        var (low, high) = (0, bounds.count)
        while low < high {
            let middle = (low + high) / 2
            if seconds <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// By straight interpolation within a bucket; `nil` if nothing was counted.
    static func percentile(_ share: Double, of counts: [Int: Int]) -> Double? {
        let all = counts.values.reduce(0, +)
        guard all > 0 else { return nil }
        let wanted = share * Double(all)
        var before = 0.0
        for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
            if before + Double(count) >= wanted {
                let lower = index == 0 ? 0 : bounds[min(index, bounds.count) - 1]
                let upper = index < bounds.count ? bounds[index] : lower
                return lower + (upper - lower) * (wanted - before) / Double(count)
            }
            before += Double(count)
        }
        return bounds.last
    }
}

extension Timestamp {
    fileprivate var minute: Int64 { rawValue / 60_000 }
}
