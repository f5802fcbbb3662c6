import Base
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("The queue of stored work")
struct WorkQueueTests {
    static let loops = EventLoopGroup(count: 2)

    @Test(
        "whatever comes between, each piece is done once, in its dialog's order, within the bounds, and none is left",
        arguments: TestRun.seeds(12))
    func anyInterleaving(seed: UInt64) async throws {
        let chance = Mutex(Chance(seed: seed))
        func draw<T>(_ body: (inout Chance) -> T) -> T { chance.withLock { body(&$0) } }
        let limit = draw { [1, 5, 40, 1_000].randomElement(using: &$0) ?? 1 }
        let perPortal = draw { Int.random(in: 1...max(1, limit), using: &$0) }
        let store = FakeStore()
        let made = Mutex<[WorkQueue<Piece>]>([])
        let overfull = Mutex(false)

        @Sendable func work(_ piece: Piece) async -> Verdict<Piece> {
            if let instead = store.begin(piece, inOrder: true) { return .again(instead) }
            let (pause, isAgain) = chance.withLock { ($0.isTrue(0.3), $0.isTrue(0.15)) }
            if pause { try? await Task.sleep(for: .microseconds(300)) } else { await Task.yield() }
            if let queue = made.withLock({ $0.last }), await queue.count > limit { overfull.withLock { $0 = true } }
            store.end(piece, finished: !isAgain)
            guard isAgain else { return .finished }
            var later = piece
            later.notBefore = WallClock.system.now + .milliseconds(Int64(pause ? 2 : 0))
            return .again(later)
        }
        func queue() -> WorkQueue<Piece> {
            let queue = WorkQueue<Piece>(
                limit: limit, perPortal: perPortal, loops: Self.loops, clock: .system,
                log: Log(level: .error, write: { _ in }),
                load: { after, most, wanted in
                    await Task.yield()
                    let found = try store.load(after, min(most, 7), wanted)
                    await Task.yield()
                    return found
                }, work: work)
            made.withLock { $0.append(queue) }
            return queue
        }

        var current = queue()
        var isStarted = false
        for step in 0..<400 {
            if !isStarted, draw({ $0.isTrue(0.1) }) {
                isStarted = true
                let starting = current
                Task { await starting.start() }
            }
            let (dialog, isLater) = draw { (Int64.random(in: 1...25, using: &$0), $0.isTrue(0.1)) }
            let notBefore = isLater ? WallClock.system.now + .milliseconds(3) : Timestamp(rawValue: 0)
            let piece = store.add(dialog: dialog, portal: dialog % 4, notBefore: notBefore)
            if draw({ $0.isTrue(0.2) }) { await Task.yield() }
            await current.add([piece])
            if isLater, let replacement = store.replace(piece.row) { await current.replace(replacement) }
            if draw({ $0.isTrue(0.01) }) { store.state.withLock { $0.loadsToFail += 1 } }
            if step % 150 == 149 {
                // Another process takes over, as after a restart.
                await current.drain()
                current = queue()
                isStarted = false
            }
        }
        await current.start()
        try await eventually(timeout: .seconds(60)) { store.isDone }
        #expect(store.faults == [], "seed \(seed)")
        #expect(store.finished.count == 400, "seed \(seed)")
        #expect(Set(store.finished).count == 400, "seed \(seed)")
        #expect(!overfull.withLock { $0 }, "more than \(limit) held; seed \(seed)")
        let last = current
        try await eventually { await last.count == 0 }
    }

    /// Work that ends when the test says.
    private final class Hand: Sendable {
        let begun = Mutex<[Int64]>([])
        let mayEnd = Mutex<Set<Int64>>([])

        func release(_ row: Int64) { mayEnd.withLock { _ = $0.insert(row) } }
        func work(_ piece: Piece) async -> Verdict<Piece> {
            begun.withLock { $0.append(piece.row) }
            while !mayEnd.withLock({ $0.contains(piece.row) }) { try? await Task.sleep(for: .milliseconds(1)) }
            return .finished
        }
        var rows: [Int64] { begun.withLock { $0 } }
    }

    private func queue(
        _ hand: Hand, _ store: FakeStore = FakeStore(), limit: Int = 100, perPortal: Int = 100
    ) async -> WorkQueue<Piece> {
        let queue = WorkQueue<Piece>(
            limit: limit, perPortal: perPortal, loops: Self.loops, clock: .system,
            log: Log(level: .error, write: { _ in }),
            load: { try store.load($0, $1, $2) },
            work: {
                let verdict = await hand.work($0)
                store.end($0, finished: true)
                return verdict
            })
        await queue.start()
        return queue
    }

    @Test("waiting messages of a dialog go by their number, whatever the order of their arrival")
    func byNumber() async throws {
        let (hand, store) = (Hand(), FakeStore())
        let queue = await queue(hand, store)
        let now = Timestamp(rawValue: 0)
        for order: Int64 in [1, 9, 5, 7] {
            await queue.add([store.add(dialog: 1, portal: 1, order: order, notBefore: now)])
        }
        for row: Int64 in 1...4 { hand.release(row) }
        try await eventually { hand.rows.count == 4 }
        #expect(hand.rows == [1, 3, 4, 2])
    }

    @Test("what comes while stored work is read is not overtaken by newer work, even under a row that was read past")
    func underAFormerRow() async throws {
        let (hand, store) = (Hand(), FakeStore())
        let now = Timestamp(rawValue: 0)
        // An edit that came before its message has a row already; the message takes it.
        let late = store.add(dialog: 1, portal: 1, order: 1, notBefore: now)
        let other = store.add(dialog: 2, portal: 1, notBefore: now)
        let made = Mutex<WorkQueue<Piece>?>(nil)
        let queue = WorkQueue<Piece>(
            limit: 100, perPortal: 100, loops: Self.loops, clock: .system, log: Log(level: .error, write: { _ in }),
            load: { after, _, _ in
                if after == 0 { return ([other], other.row) }
                guard after == other.row else { return ([], nil) }
                let newer = store.add(dialog: 1, portal: 1, order: 2, notBefore: now)
                await made.withLock { $0 }?.add([late, newer])
                return ([newer], newer.row)
            },
            work: {
                let verdict = await hand.work($0)
                store.end($0, finished: true)
                return verdict
            })
        made.withLock { $0 = queue }
        for row: Int64 in 1...3 { hand.release(row) }
        await queue.start()
        try await eventually { store.isDone }
        #expect(hand.rows.filter { $0 != other.row } == [1, 3])
    }

    @Test("a portal whose bot hangs fills its own part of the memory, and the others are answered")
    func oneHangs() async throws {
        let (hand, store) = (Hand(), FakeStore())
        let queue = await queue(hand, store, limit: 20, perPortal: 5)
        let now = Timestamp(rawValue: 0)
        for dialog: Int64 in 1...100 {
            await queue.add([store.add(dialog: dialog, portal: 1, notBefore: now)])
        }
        #expect(await queue.count == 5)
        let other = store.add(dialog: 1_000, portal: 2, notBefore: now)
        await queue.add([other])
        try await eventually { hand.rows.contains(other.row) }
        for row in 1...other.row { hand.release(row) }
        try await eventually { store.isDone }
        #expect(Set(hand.rows).count == 101)
    }

    @Test("work that is put back while its end is not noticed yet is done again after it")
    func putBack() async throws {
        let (hand, store) = (Hand(), FakeStore())
        let queue = await queue(hand, store)
        let piece = store.add(dialog: 1, portal: 1, notBefore: Timestamp(rawValue: 0))
        await queue.add([piece])
        try await eventually { hand.rows == [1] }
        let isWaiting = Flag()
        let back = Task {
            isWaiting.set()
            await queue.end(of: piece.row)
            await queue.add([piece])
        }
        try await eventually { isWaiting.isSet }
        hand.release(1)
        try await eventually { hand.rows == [1, 1] }
        await back.value
        try await eventually { await queue.count == 0 }
        await queue.end(of: piece.row)
    }

    @Test("an end that is forced returns though work still runs, asked for before or after")
    func abandoned() async throws {
        let (hand, store) = (Hand(), FakeStore())
        let queue = await queue(hand, store)
        await queue.add([store.add(dialog: 1, portal: 1, notBefore: Timestamp(rawValue: 0))])
        try await eventually { hand.rows == [1] }
        async let before: Void = queue.drain()
        await queue.abandon()
        await before
        await queue.drain()
        hand.release(1)
    }
}
