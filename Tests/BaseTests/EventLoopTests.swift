import Synchronization
import Testing

@testable import Base

/// What happened so far, told from any thread.
final class Recorder<Event: Sendable>: Sendable {
    private let events = Mutex<[Event]>([])

    func add(_ event: Event) { events.withLock { $0.append(event) } }

    var all: [Event] { events.withLock { $0 } }
}

@Suite("Event loops")
struct EventLoopTests {
    @Test("work submitted from one thread runs in the order of submission, on the loop's thread")
    func order() async {
        let group = EventLoopGroup(count: 1)
        defer { group.stop() }
        let loop = group.next()
        let seen = Recorder<Int>()
        let allOnLoop = await withCheckedContinuation { continuation in
            for number in 0..<1_000 { loop.submit { seen.add(number) } }
            loop.submit { continuation.resume(returning: loop.isCurrent) }
        }
        #expect(allOnLoop)
        #expect(!loop.isCurrent)
        #expect(seen.all == Array(0..<1_000))
    }

    @Test("submissions from many tasks are all run")
    func manySubmitters() async {
        let group = EventLoopGroup(count: 2)
        defer { group.stop() }
        let count = Recorder<Int>()
        await withTaskGroup { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    for _ in 0..<500 {
                        await withCheckedContinuation { continuation in
                            group.next().submit {
                                count.add(1)
                                continuation.resume()
                            }
                        }
                    }
                }
            }
        }
        #expect(count.all.count == 4_000)
    }

    @Test("a task that prefers a loop runs on its thread, and comes back to it after waiting elsewhere")
    func taskExecutor() async {
        let group = EventLoopGroup(count: 1)
        defer { group.stop() }
        let loop = group.next()
        let task = Task(executorPreference: loop) {
            let before = loop.isCurrent
            try? await Task.sleep(for: .milliseconds(1))
            return (before, loop.isCurrent)
        }
        let (before, after) = await task.value
        #expect(before)
        #expect(after)
    }

    @Test("a task that still prefers a stopped loop is not lost")
    func taskAfterStop() async {
        let group = EventLoopGroup(count: 1)
        let loop = group.next()
        group.stop()
        let value = await Task(executorPreference: loop) { 7 }.value
        #expect(value == 7)
    }

    @Test("a timer fires once after it was started, and not after it was stopped")
    func timer() async {
        let group = EventLoopGroup(count: 1)
        defer { group.stop() }
        let loop = group.next()
        let fired = Recorder<String>()
        await withCheckedContinuation { continuation in
            loop.submit {
                let stopped = LoopTimer(on: loop) { fired.add("stopped") }
                stopped.start(after: .milliseconds(1))
                stopped.stop()
                let first = LoopTimer(on: loop) { fired.add("first") }
                first.start(after: .milliseconds(1))
                var last: LoopTimer?
                last = LoopTimer(on: loop) {
                    for timer in [stopped, first, last] { timer?.close() }
                    last = nil
                    continuation.resume()
                }
                last?.start(after: .milliseconds(20))
            }
        }
        #expect(fired.all == ["first"])
    }

    @Test("a task that never waits does not keep a loop from its timers")
    func fairness() async {
        let group = EventLoopGroup(count: 1)
        defer { group.stop() }
        let loop = group.next()
        let busy = Task(executorPreference: loop) { while !Task.isCancelled { await Task.yield() } }
        await withCheckedContinuation { continuation in
            loop.submit {
                var timer: LoopTimer?
                timer = LoopTimer(on: loop) {
                    timer?.close()
                    timer = nil
                    continuation.resume()
                }
                timer?.start(after: .milliseconds(5))
            }
        }
        busy.cancel()
        await busy.value
    }
}
