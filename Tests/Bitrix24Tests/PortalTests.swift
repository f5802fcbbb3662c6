import Base
import Synchronization
import TestSupport
import Testing

@testable import Bitrix24

@Suite("Calls to a portal")
struct PortalTests {
    @Test("a call is posted as JSON with its token in the body, and its result comes back")
    func single() async throws {
        try await ScriptedPortal.run(
            script: { .result(["echo": $0.parameters["x"] ?? nil]) },
            body: { portal in
                let metrics = Metrics()
                let result = try await portal.portal(.init(), metrics: metrics)
                    .call(PortalCall("profile", ["x": "ü"]), as: portal.account())
                #expect(result["echo"] == "ü")
                #expect(portal.calls[0].token == "access-0" && portal.calls[0].method == "profile")
                let calls = metrics.counter("bitbot_portal_calls_total", help: "")
                #expect(calls.value(["method": "profile", "outcome": "ok"]) == 1)
            })
    }

    @Test("calls that wait go together, one of each lane, and each gets its own answer")
    func batched() async throws {
        let gate = Gate()
        try await ScriptedPortal.run(
            script: { call in
                await gate.pass()
                return .result(call.parameters["n"] ?? nil)
            },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for n in 0..<48 {
                        group.addTask {
                            let call = PortalCall("test", ["n": .string("\(n)")], lane: "lane \(n % 24)")
                            let result = try await client.call(call, as: account)
                            #expect(result == .string("\(n)"))
                        }
                    }
                    // Eight requests are under way, the rest waits.
                    try await eventually { client.state.withLock { $0.queue.count } == 40 }
                    await gate.open()
                    try await group.waitForAll()
                }
                #expect(portal.calls.count == 48)
                #expect(portal.requests < 40)
                for request in Set(portal.calls.map(\.request)) {
                    let lanes = portal.calls.filter { $0.request == request }.map {
                        (Int($0.parameters["n"]?.string ?? "") ?? 0) % 24
                    }
                    #expect(Set(lanes).count == lanes.count)
                }
            })
    }

    @Test("the portal's limit is never passed, whatever comes, and everything is answered")
    func limited() async throws {
        let time = JumpingTime()
        let limit = Portal.Limit(burst: 10, perSecond: 2)
        let level = Mutex((value: 5.0, at: 0.0, worst: 0.0))
        try await ScriptedPortal.run(
            beforeRequest: {
                let now = (time.now / .seconds(1)).rounded(.down)
                return level.withLock { level in
                    level.value = max(0, level.value - (now - level.at) * limit.perSecond) + 1
                    level.at = now
                    level.worst = max(level.worst, level.value)
                    return level.value > 10 ? .error("QUERY_LIMIT_EXCEEDED", status: 503) : nil
                }
            },
            script: { _ in .result(true) },
            body: { portal in
                let client = portal.portal(limit, time: time.time)
                let accounts = [portal.account(), portal.account()]
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for n in 0..<300 {
                        group.addTask {
                            _ = try await client.call(PortalCall("test", lane: "\(n % 70)"), as: accounts[n % 2])
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(portal.calls.count == 300)
                // Two applications share the bucket.
                #expect(level.withLock { $0.worst } <= 10)
                #expect(portal.requests < 100)
            })
    }

    @Test("the next call of a lane goes when the former's outcome is known, whatever the outcomes are")
    func order() async throws {
        let time = JumpingTime()
        let order = Mutex<[String: [Int64]]>([:])
        try await ScriptedPortal.run(
            script: { call in
                switch Int.random(in: 0..<6) {
                case 0: return .error("QUERY_LIMIT_EXCEEDED", status: 503)
                case 1 where call.token.hasSuffix("0"): return .error("expired_token", status: 401)
                default:
                    let lane = call.parameters["lane"]?.string ?? ""
                    order.withLock { $0[lane, default: []].append(call.parameters["n"]?.looseInteger ?? -1) }
                    return Int.random(in: 0..<4) == 0 ? .error("BOT_NOT_FOUND", status: 400) : .result(true)
                }
            },
            body: { portal in
                let client = portal.portal(.init(burst: 20, perSecond: 10), time: time.time)
                let account = portal.account()
                // Nothing goes until everything is in, in the order of the numbers.
                client.state.withLock { $0.inFlight = PortalState.concurrency }
                await withTaskGroup(of: Void.self) { group in
                    for n in 0..<60 {
                        let lane = "\(n % 6)"
                        let call = PortalCall("test", ["lane": .string(lane), "n": .integer(Int64(n))], lane: lane)
                        group.addTask { _ = try? await client.call(call, as: account) }
                        try? await eventually { client.state.withLock { $0.queue.count } == n + 1 }
                    }
                    client.state.withLock { $0.inFlight = 0 }
                    client.sendWaiting()
                }
                let seen = order.withLock { $0 }
                #expect(seen.count == 6)
                for (_, numbers) in seen { #expect(numbers.count == 10 && numbers == numbers.sorted()) }
            })
    }

    @Test("a failure in a batch concerns its own call alone")
    func partialFailure() async throws {
        try await ScriptedPortal.run(
            script: { call in
                call.parameters["n"] == "2"
                    ? .error("ACCESS_DENIED", status: 403) : .result(call.parameters["n"] ?? nil)
            },
            body: { portal in
                let results = await portal.inOneBatch(["1", "2", "3"].map { PortalCall("test", ["n": .string($0)]) })
                let (first, last) = (try results[0].get(), try results[2].get())
                #expect(first == "1" && last == "3")
                #expect(results[1].failure?.code == "ACCESS_DENIED" && results[1].failure?.isPassing == false)
                #expect(results[1].failure?.concernsInstallation == false)
                #expect(portal.calls.filter { $0.method == "test" && $0.isInBatch }.count == 3)
            })
    }

    @Test("of a batch of fifty three calls fail, each in its own way, and the others are done")
    func threeOfFifty() async throws {
        let refusals = ["7": "BOT_NOT_FOUND", "20": "INTERNAL_SERVER_ERROR", "49": "EMPTY_MESSAGE"]
        try await ScriptedPortal.run(
            script: { call in
                let number = call.parameters["n"]?.string ?? ""
                return refusals[number].map { .error($0, status: 400) } ?? .result(.string(number))
            },
            body: { portal in
                let results = await portal.inOneBatch((0..<50).map { PortalCall("test", ["n": .string("\($0)")]) })
                for (number, result) in results.enumerated() {
                    if let code = refusals["\(number)"] {
                        #expect(result.failure?.code == code)
                        #expect(result.failure?.isPassing == (code == "INTERNAL_SERVER_ERROR"))
                    } else {
                        #expect((try? result.get()) == .string("\(number)"))
                    }
                }
                #expect(portal.requests == 1 && portal.calls.count == 50)
            })
    }

    @Test("an expired token inside a batch is renewed once, and only what failed is repeated")
    func expiredInBatch() async throws {
        try await ScriptedPortal.run(
            script: { call in
                let isOdd = (Int(call.parameters["n"]?.looseText ?? "") ?? 0) % 2 == 1
                return isOdd && call.token == "access-0" ? .error("expired_token", status: 401) : .result(true)
            },
            body: { portal in
                let results = await portal.inOneBatch((0..<6).map { PortalCall("test", ["n": .integer($0)]) })
                #expect(results.allSatisfy { $0.failure == nil })
                #expect(portal.renewals == ["refresh-0"])
                #expect(portal.calls.filter { $0.token == "access-0" }.count == 6)
                #expect(portal.calls.filter { $0.token == "access-1" }.count == 3)
            })
    }

    @Test("what would mean something else in a batch goes alone")
    func notBatchable() {
        #expect(PortalCall("m", ["a": "say $result[x][y]"]).batchCommand == nil)
        #expect(PortalCall("m", ["a": ["b": true]]).batchCommand == nil)
        #expect(PortalCall("m", ["a": []]).batchCommand == nil)
        #expect(PortalCall("m", ["a": nil]).batchCommand == nil)
        #expect(PortalCall("m").batchCommand == "m")
        #expect(
            PortalCall("m", ["a": ["b": "1 & 2 = 3? #é"]]).batchCommand
                == "m?a%5Bb%5D=1%20%26%202%20%3D%203%3F%20%23%C3%A9"
                || PortalCall("m", ["a": ["b": "1 & 2 = 3? #é"]]).batchCommand
                    == "m?a%5Bb%5D=1+%26+2+%3D+3%3F+%23%C3%A9"
        )
    }

    @Test("a batch that is refused as a whole is tried call by call")
    func batchRefused() async throws {
        try await ScriptedPortal.run(
            script: { call in
                call.isInBatch ? .response(.text("<html>too large</html>", status: 413)) : .result(true)
            },
            body: { portal in
                let results = await portal.inOneBatch((0..<3).map { PortalCall("test", ["n": .integer($0)]) })
                #expect(results.allSatisfy { $0.failure == nil })
                #expect(portal.calls.filter { !$0.isInBatch }.count == 3)
            })
    }

    @Test(
        "a call that is refused because it stands in a batch goes alone, once, and nothing else is repeated",
        arguments: ["ERROR_BATCH_METHOD_NOT_ALLOWED", "ERROR_BATCH_LENGTH_EXCEEDED"])
    func refusedInBatch(code: String) async throws {
        try await ScriptedPortal.run(
            script: { call in
                let number = call.parameters["n"]?.looseText ?? ""
                return call.isInBatch && number == "1" ? .error(code, status: 400) : .result(.string(number))
            },
            body: { portal in
                let results = await portal.inOneBatch((0..<3).map { PortalCall("test", ["n": .integer($0)]) })
                #expect(results.compactMap { try? $0.get().string } == ["0", "1", "2"])
                #expect(portal.requests == 2 && portal.calls.count == 4)
                #expect(portal.calls.filter { !$0.isInBatch }.map { $0.parameters["n"]?.looseText } == ["1"])
            })
    }

    @Test("however many calls wait, a batch holds fifty at most")
    func atMostFifty() async throws {
        try await ScriptedPortal.run(
            script: { .result($0.parameters["n"] ?? nil) },
            body: { portal in
                let results = await portal.inOneBatch((0..<120).map { PortalCall("test", ["n": .string("\($0)")]) })
                #expect(results.enumerated().allSatisfy { (try? $1.get()) == .string("\($0)") })
                let sizes = Dictionary(grouping: portal.calls, by: \.request).values.map(\.count)
                #expect(sizes.sorted() == [20, 50, 50])
            })
    }

    @Test("a call that broke inside a batch with a fault of the portal's own may have happened")
    func brokenInBatch() async throws {
        try await ScriptedPortal.run(
            script: { call in
                call.parameters["n"]?.looseInteger == 1 ? .error("INTERNAL_SERVER_ERROR", status: 500) : .result(true)
            },
            body: { portal in
                let results = await portal.inOneBatch((0..<2).map { PortalCall("test", ["n": .integer($0)]) })
                #expect(results[0].failure == nil)
                #expect(results[1].failure?.mayHaveHappened == true && results[1].failure?.isPassing == true)
            })
    }

    @Test("a call that the batch's answer does not mention may have happened")
    func missingInBatch() async throws {
        try await ScriptedPortal.run(
            script: { _ in
                .response(ScriptedPortal.json(["result": ["result": ["c0": true], "result_error": []]]))
            },
            body: { portal in
                let results = await portal.inOneBatch((0..<2).map { PortalCall("test", ["n": .integer($0)]) })
                #expect(results[0].failure == nil)
                #expect(results[1].failure?.mayHaveHappened == true && results[1].failure?.isPassing == true)
            })
    }

    @Test("calls over the limit go again, slower, and nothing is lost", arguments: [503, 429])
    func refusedAsTooMany(status: Int) async throws {
        let time = JumpingTime()
        let refusals = Mutex(3)
        let moments = Mutex<[Duration]>([])
        try await ScriptedPortal.run(
            beforeRequest: {
                moments.withLock { $0.append(time.now) }
                let isRefused = refusals.withLock { left in
                    left -= 1
                    return left >= 0
                }
                return isRefused ? .error("QUERY_LIMIT_EXCEEDED", status: status) : nil
            },
            script: { _ in .result(true) },
            body: { portal in
                let metrics = Metrics()
                let client = portal.portal(.init(), time: time.time, metrics: metrics)
                _ = try await client.call(PortalCall("test"), as: portal.account())
                let pauses = moments.withLock { zip($0, $0.dropFirst()).map { $1 - $0 } }
                #expect(pauses.count == 3)
                #expect(pauses[0] >= .seconds(1) && pauses[1] >= .seconds(2) && pauses[2] >= .seconds(4))
                #expect(metrics.counter("bitbot_portal_limited_total", help: "").value() == 3)
            })
    }

    @Test("a method that has used up its running time pauses until the known reset; others go on")
    func operationTimeLimit() async throws {
        let now = Mutex(Timestamp(rawValue: 1_000_000))
        let isExhausted = Mutex(false)
        try await ScriptedPortal.run(
            script: { call in
                if call.method == "slow", isExhausted.withLock({ $0 }) {
                    return .error("OPERATION_TIME_LIMIT", status: 429)
                }
                return .timedResult(true, ["operating": 500, "operating_reset_at": 1_300])
            },
            body: { portal in
                let account = portal.account(clock: WallClock { now.withLock { $0 } })
                let client = portal.portal(.init())
                _ = try await client.call(PortalCall("slow"), as: account)
                isExhausted.withLock { $0 = true }
                for _ in 0..<3 {
                    let error = await client.failure(of: PortalCall("slow"), as: account)
                    #expect(error?.code == "OPERATION_TIME_LIMIT" && error?.isPassing == true)
                    #expect(error?.retryAfter == .seconds(300))
                    #expect(error?.mayHaveHappened == false)
                }
                // The portal was asked once; the rest failed at once.
                #expect(portal.calls.filter { $0.method == "slow" }.count == 2)
                _ = try await client.call(PortalCall("quick"), as: account)
                isExhausted.withLock { $0 = false }
                now.withLock { $0 = Timestamp(rawValue: 1_301_000) }
                _ = try await client.call(PortalCall("slow"), as: account)
            })
    }

    @Test("a portal that has moved is called again at its new address, which is kept")
    func moved() async throws {
        try await ScriptedPortal.run(
            script: { _ in .result("new") },
            body: { new in
                let location = new.endpoint + "profile"
                try await ScriptedPortal.run(
                    script: { _ in
                        .response(HTTPResponse(status: 302, headers: ["Location": location]))
                    },
                    body: { old in
                        let keeper = MemoryKeeper([MemoryKeeper.credential()])
                        let account = old.account(keeper: keeper)
                        let result = try await old.portal(.init()).call(PortalCall("profile", ["a": "b"]), as: account)
                        #expect(result == "new" && account.endpoint == new.endpoint)
                        #expect(new.calls[0].parameters["a"] == "b" && new.calls[0].token == "access-0")
                        #expect(keeper.state.withLock { $0.endpoints } == [new.endpoint])
                    })
            })
    }

    @Test(
        "a redirect to somewhere that is no REST call of that method is not followed",
        arguments: [
            "http://evil.example/rest/profile", "https://evil.example/", "https://evil.example/rest/other",
            "https://user@evil.example/rest/profile", "https://evil.example\\@x/rest/profile", "/rest/profile",
            "https://evil.example/rest/../profile", "ftp://a.example/rest/profile",
        ])
    func implausibleMove(location: String) {
        #expect(PortalAddress.moved(to: location, from: "https://a.bitrix24.com/rest/", method: "profile") == nil)
    }

    @Test("a move keeps the user and code of a webhook's path")
    func webhookMove() {
        let moved = PortalAddress.moved(
            to: "https://New.bitrix24.com/rest/1/abc/profile.json?x=1", from: "https://old.bitrix24.com/rest/1/abc/",
            method: "profile")
        #expect(moved == "https://new.bitrix24.com/rest/1/abc/")
    }

    @Test("cancelling a waiting call takes it out; its lane goes on")
    func cancelled() async throws {
        let gate = Gate()
        try await ScriptedPortal.run(
            script: { call in
                await gate.pass()
                return .result(call.parameters["n"] ?? nil)
            },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account()
                func task(_ n: Int64) -> Task<JSON, any Error> {
                    Task { try await client.call(PortalCall("test", ["n": .integer(n)], lane: "one"), as: account) }
                }
                let first = task(1)
                try await eventually { portal.requests == 1 }
                let second = task(2)
                try await eventually { client.state.withLock { $0.queue.count } == 1 }
                let third = task(3)
                try await eventually { client.state.withLock { $0.queue.count } == 2 }
                second.cancel()
                await #expect(throws: CancellationError.self) { try await second.value }
                await gate.open()
                let (one, three) = (try await first.value, try await third.value)
                #expect(one == 1 && three.looseInteger == 3)
                #expect(portal.calls.count == 2)
                #expect(
                    client.state.withLock { $0.queue.count == 0 && $0.inFlight == 0 && !$0.queue.isOccupied("one") })
            })
    }
}

extension ScriptedPortal {
    /// Calls all of these in one batch (the portal's queue is held until they are in).
    func inOneBatch(_ calls: [PortalCall]) async -> [Result<JSON, any Error>] {
        let client = portal(nil)
        client.state.withLock { state in
            state.inFlight = PortalState.concurrency
            for call in calls { state.durations.learn(call.method, seconds: 0.01) }
        }
        let account = account()
        return await withTaskGroup(of: (Int, Result<JSON, any Error>).self) { group in
            for (index, call) in calls.enumerated() {
                group.addTask {
                    do {
                        return (index, .success(try await client.call(call, as: account)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
                try? await eventually { client.state.withLock { $0.queue.count } == index + 1 }
            }
            client.state.withLock { $0.inFlight = 0 }
            client.sendWaiting()
            var results: [Int: Result<JSON, any Error>] = [:]
            for await (index, result) in group { results[index] = result }
            return calls.indices.map { results[$0] ?? .failure(CancellationError()) }
        }
    }
}

extension Portal {
    func failure(of call: PortalCall, as account: Account) async -> PortalError? {
        do {
            _ = try await self.call(call, as: account)
            return nil
        } catch {
            return error as? PortalError
        }
    }
}

extension Result {
    var failure: PortalError? { if case .failure(let error) = self { error as? PortalError } else { nil } }
}
