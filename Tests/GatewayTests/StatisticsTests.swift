import Base
import BotPlatforms
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Statistics", .timeLimit(.minutes(1)))
struct StatisticsTests {
    @Test("percentiles are within a tenth of the true ones")
    func percentiles() throws {
        var counts: [Int: Int] = [:]
        for millisecond in 1...10_000 { counts[Buckets.index(of: Double(millisecond) / 1000), default: 0] += 1 }
        for (share, truth) in [(0.5, 5.0), (0.95, 9.5), (0.05, 0.5)] {
            let found = try #require(Buckets.percentile(share, of: counts))
            #expect(abs(found - truth) < truth / 10, "\(share): \(found)")
        }
        #expect(Buckets.percentile(0.5, of: [:]) == nil)
        #expect(Buckets.index(of: -1) == 0)
        let longest = try #require(Buckets.bounds.last)
        #expect(Buckets.percentile(0.5, of: [Buckets.index(of: 1e9): 1]) == longest)
        #expect(Buckets.bounds.allSatisfy { Buckets.percentile(1, of: [Buckets.index(of: $0): 1]) == $0 })
    }

    @Test("each period has all its steps up to now, those that are stored and those that are not")
    func points() async throws {
        try await Stage.with { stage in
            let now = Timestamp(rawValue: 1_800_000_000_000 + 30_000)
            let statistics = Statistics(store: stage.store, clock: WallClock { now }, log: .silent)
            statistics.answered(after: .milliseconds(100), at: now - .seconds(3600 * 24 * 7 + 3600))
            statistics.answered(after: .milliseconds(100), at: now - .seconds(120))
            await statistics.flush()
            statistics.answered(after: .seconds(10), at: now - .seconds(120))
            statistics.failed(at: now)
            let hour = try await statistics.points(.hour)
            #expect(hour.count == 60)
            #expect(hour.map(\.answers).reduce(0, +) == 2 && hour[57].answers == 2)
            #expect(hour[59].failures == 1 && hour[59].median == nil)
            let (median, slow) = (try #require(hour[57].median), try #require(hour[57].slow))
            #expect(median < 0.12 && slow > 8)
            for (point, next) in zip(hour, hour.dropFirst()) { #expect(next.at - point.at == .seconds(60)) }
            #expect(hour[59].at == Timestamp(rawValue: 1_800_000_000_000))
            let day = try await statistics.points(.day)
            let week = try await statistics.points(.week)
            #expect(day.count == 96 && week.count == 168)
            #expect(day.map(\.answers).reduce(0, +) == 2 && week.map(\.answers).reduce(0, +) == 2)
        }
    }

    @Test("answers and failures are counted, and are in the store when the server has stopped")
    func counting() async throws {
        let platform = FakePlatform()
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            try await stage.say("Hello", id: 10)
            try await eventually { try await stage.count("events WHERE state = 'done'") == 1 }
            platform.fail(with: PlatformError(.final, "No"))
            try await stage.say("Fail", id: 11)
            try await eventually { try await stage.count("events WHERE state = 'failed'") == 1 }
            await stage.gateway.stop(grace: .seconds(1))
            let minutes = try await stage.store.minutes(from: 0, to: .max)
            #expect(minutes.map(\.answers).reduce(0, +) == 1)
            #expect(minutes.map(\.failures).reduce(0, +) == 1)
            #expect(minutes.flatMap(\.times.values) == [1])
        }
    }

    @Test("what a store that is away does not take is counted on")
    func storeAway() async throws {
        try await Stage.with { stage in
            let now = Timestamp(rawValue: 1_800_000_000_000)
            let statistics = Statistics(store: stage.store, clock: WallClock { now }, log: .silent)
            try await stage.run("ALTER TABLE statistics RENAME TO away")
            statistics.failed(at: now)
            await statistics.flush()
            try await stage.run("ALTER TABLE away RENAME TO statistics")
            statistics.failed(at: now)
            await statistics.flush()
            #expect(try await stage.store.minutes(from: 0, to: .max).map(\.failures) == [2])
        }
    }
}
