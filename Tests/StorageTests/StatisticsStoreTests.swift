import Base
import TestSupport
import Testing

@testable import Storage

@Suite("Statistics in the store")
struct StatisticsStoreTests {
    @Test("what is counted of a minute later is added to what is there")
    func adding() async throws {
        let store = try await TestStore().store
        var minute = MinuteRecord(minute: 7)
        minute.answers = 2
        minute.times = [3: 1, 11: 1]
        try await store.add([minute, MinuteRecord(minute: 5)])
        minute.failures = 1
        minute.times = [11: 4]
        try await store.add([minute])
        let minutes = try await store.minutes(from: 6, to: 7)
        #expect(minutes.map(\.minute) == [7])
        #expect(minutes.first?.answers == 4 && minutes.first?.failures == 1)
        #expect(minutes.first?.times == [3: 1, 11: 5])
        #expect(try await store.minutes(from: 0, to: 6).map(\.minute) == [5])
    }

    @Test("they are kept for eight days")
    func purge() async throws {
        let store = try await TestStore().store
        let today = TestStore.now.rawValue / 60_000
        let day: Int64 = 24 * 60
        try await store.add([0, 7 * day, 9 * day].map { MinuteRecord(minute: today - $0) })
        while try await store.purge(now: TestStore.now, keepDays: 30) {}
        #expect(try await store.minutes(from: 0, to: today).map(\.minute) == [today - 7 * day, today])
    }
}
