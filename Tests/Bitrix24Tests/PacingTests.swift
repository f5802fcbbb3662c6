import Base
import Synchronization
import TestSupport
import Testing

@testable import Bitrix24

@Suite("Pacing")
struct PacingTests {
    @Test("a bucket that starts half full lets half of it through, less one second's outflow")
    func bucket() {
        var bucket = LeakyBucket(.init(burst: 50, perSecond: 2), startsHalfFull: true, now: .zero)
        var sent = 0
        while bucket.wait(now: .zero) == nil, sent < 100 {
            bucket.add(now: .zero)
            sent += 1
        }
        #expect(sent == 23)
        #expect(bucket.wait(now: .zero) == .milliseconds(500))
        #expect(bucket.wait(now: .milliseconds(500)) == nil)
        bucket.fill(now: .seconds(1))
        #expect(bucket.wait(now: .seconds(1)) != nil)
    }

    @Test("the smallest limit still lets a call through", arguments: [1, 2])
    func smallest(burst: Int) {
        var bucket = LeakyBucket(.init(burst: burst, perSecond: 2), startsHalfFull: true, now: .zero)
        #expect(bucket.wait(now: .seconds(5)) == nil)
        bucket.add(now: .seconds(5))
        #expect(bucket.wait(now: .seconds(5)) != nil)
    }

    @Test("pauses double, requests under way together count once, and success ends them")
    func slowDown() {
        var slow = SlowDown()
        slow.refused(start: .zero, now: .seconds(1), retryAfter: nil)
        #expect(slow.until == .seconds(2) && slow.level == 1)
        slow.refused(start: .milliseconds(500), now: .seconds(1), retryAfter: nil)
        #expect(slow.level == 1)
        slow.refused(start: .seconds(2), now: .seconds(3), retryAfter: nil)
        #expect(slow.until == .seconds(5))
        slow.refused(start: .seconds(5), now: .seconds(6), retryAfter: .seconds(30))
        #expect(slow.until == .seconds(36) && slow.level == 3)
        for _ in 0..<3 { slow.succeeded(start: .seconds(40)) }
        #expect(slow.level == 0)
        for n in 0..<20 { slow.refused(start: .seconds(100 + n * 100), now: .seconds(100 + n * 100), retryAfter: nil) }
        #expect(slow.until == .seconds(100 + 19 * 100 + 60))
    }

    @Test("a batch of slow methods is kept small enough to end in time")
    func batchSize() async throws {
        let sizes = Mutex<[Int: Int]>([:])
        try await ScriptedPortal.run(
            script: { call in
                if call.isInBatch { sizes.withLock { $0[call.request, default: 0] += 1 } }
                return .timedResult(true, ["duration": 4.0])
            },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account()
                _ = try await client.call(PortalCall("slow"), as: account)
                client.state.withLock { $0.inFlight = PortalState.concurrency }
                await withTaskGroup(of: Void.self) { group in
                    for n in 0..<30 {
                        group.addTask { _ = try? await client.call(PortalCall("slow", lane: "\(n)"), as: account) }
                    }
                    try? await eventually { client.state.withLock { $0.queue.count } == 30 }
                    client.state.withLock { $0.inFlight = 0 }
                    client.sendWaiting()
                }
                #expect(portal.calls.count == 31)
                #expect(sizes.withLock { $0.values.max() } == 5)
            })
    }

    @Test("a call that is cancelled under way ends at once and frees its place")
    func cancelledUnderWay() async throws {
        let gate = Gate()
        try await ScriptedPortal.run(
            script: { _ in
                await gate.pass()
                return .result(true)
            },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account()
                let task = Task { try await client.call(PortalCall("test", lane: "one"), as: account) }
                try await eventually { portal.requests == 1 }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                await gate.open()
                let next = try await client.call(PortalCall("test", lane: "one"), as: account)
                #expect(next == true && client.state.withLock { $0.inFlight == 0 })
            })
    }

    @Test("a private address is refused where only public ones are allowed, for good")
    func guarded() async throws {
        try await ScriptedPortal.run(
            script: { _ in .result(true) },
            body: { portal in
                let client = Portal(
                    http: portal.http, trust: .publicOnly, limit: nil, log: .silent, metrics: Metrics())
                let error = await client.failure(of: PortalCall("test"), as: portal.account())
                #expect(error?.isPassing == false && error?.mayHaveHappened == false && portal.requests == 0)
            })
    }
}
