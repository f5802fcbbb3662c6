import Base
import Sandbox
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Bounds")
    struct Bounds {
        @Test(
            "a portal is never sent more than its limit allows; what waits goes in batches, one call of a dialog in each"
        )
        func limit() async throws {
            var plan = Stage.Plan()
            plan.portal.limit = SimulatedPortal.Limit(burst: 5, perSecond: 4)
            plan.perSecond = 4
            plan.burst = 5
            try await Stage.with(plan) { stage in
                let chats = try (0..<20).map { try stage.customer("C\($0)") }
                for turn in 0..<5 {
                    for chat in chats { try stage.portal.customerWrites("number \(turn)", in: chat) }
                }
                for chat in chats {
                    try await stage.untilAnswers(5, in: chat)
                    #expect(stage.answers(in: chat) == (0..<5).map { "You said number \($0)." })
                }
                let calls = stage.portal.calls
                #expect(!calls.contains { $0.error == "QUERY_LIMIT_EXCEEDED" })
                #expect(calls.contains { $0.isInsideBatch })
            }
        }

        @Test("500 replies to one portal arrive in order within half a minute, and the portal never refuses one")
        func burst() async throws {
            let (dialogs, turns) = (50, 10)
            var plan = Stage.Plan()
            plan.portal.limit = SimulatedPortal.Limit(burst: 50, perSecond: 2)
            plan.portal.sendDelay = .milliseconds(60)...(.milliseconds(120))
            plan.perSecond = 2
            plan.burst = 50
            plan.environment["BITBOT_LOG_LEVEL"] = "warning"
            let lastAnswer = Mutex(Timestamp(rawValue: 0))
            plan.script = { ask in
                lastAnswer.withLock { $0 = WallClock.system.now }
                return [.text("You said \(ask.query).")]
            }
            try await Stage.with(plan) { stage in
                let chats = try (0..<dialogs).map { try stage.customer("C\($0)") }
                for turn in 0..<turns {
                    for chat in chats { try stage.portal.customerWrites("number \(turn)", in: chat) }
                }
                for chat in chats {
                    try await stage.untilAnswers(turns, in: chat, timeout: .seconds(120))
                    #expect(stage.answers(in: chat) == (0..<turns).map { "You said number \($0)." })
                }
                let calls = stage.portal.calls
                #expect(!calls.contains { $0.error == "QUERY_LIMIT_EXCEEDED" })
                #expect(stage.dify.counts.runs == dialogs * turns)
                let sends = calls.filter { $0.method == "imbot.v2.Chat.Message.send" }
                let last = try #require(sends.map { $0.time + $0.duration }.max())
                let answered = lastAnswer.withLock { $0 }
                let seconds = (last - answered) / .seconds(1)
                // What the limit lets through in half a minute, from a bucket that is half full; before the last answer a
                // slow machine may have sent some replies alone.
                let requests = calls.count { !$0.isInsideBatch && $0.time > answered }
                print("500 replies: \(requests) requests, the last \(seconds) s after the last answer")
                #expect(sends.count == dialogs * turns && requests <= 85 && seconds < 30)
            }
        }

        @Test("a bot that hangs does not hold up intake: every event is taken, and survives a kill")
        func intake() async throws {
            let gate = Gate()
            var plan = Stage.Plan()
            plan.environment["BITBOT_LOG_LEVEL"] = "warning"
            plan.script = { ask in
                gate.isOpen
                    ? [.text("You said \(ask.query).")] : [.refuse(status: 503, code: "busy", message: "later")]
            }
            try await Stage.with(plan) { stage in
                let chats = try (0..<20).map { try stage.customer("C\($0)") }
                for turn in 0..<30 {
                    for chat in chats { try stage.portal.customerWrites("number \(turn)", in: chat) }
                }
                await stage.portal.settle()
                #expect(stage.accepted.count == 600)
                #expect(stage.portal.sentByBots == 0)
                stage.bitbot.kill()
                gate.open()
                try await stage.bitbot.start()
                for chat in chats {
                    try await stage.untilAnswers(30, in: chat)
                    #expect(stage.answers(in: chat) == (0..<30).map { "You said number \($0)." })
                }
            }
        }

        @Test("an answer past 20,000 characters arrives whole, in several messages, in order")
        func longAnswer() async throws {
            let paragraphs = (1...900).map { "Paragraph \($0) of a very long answer that a bot has given." }
            var plan = Stage.Plan()
            plan.script = { _ in [.text(paragraphs.joined(separator: "\n\n"))] }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                stage.portal.inject(.init(.answerLost, times: 2))
                try stage.portal.customerWrites("tell me all", in: chat)
                try await stage.untilAnswers(3, in: chat)
                try await stage.untilNothingWaits()
                let answers = stage.answers(in: chat)
                #expect(answers.count == 3 && answers.allSatisfy { $0.count <= 20_000 })
                let found = answers.joined(separator: "\n").split(separator: "\n").filter { !$0.isEmpty }
                #expect(found.map(String.init) == paragraphs)
            }
        }
    }

    @Suite("Erased")
    struct Erased {
        @Test("an erased dialog says nothing more, whatever waited or was asked, and the next message begins anew")
        func erased() async throws {
            let gate = Gate()
            var plan = Stage.Plan()
            plan.script = { ask in
                guard ask.query == "long" else { return [.text("Turn \(ask.turn): \(ask.query)")] }
                gate.begun()
                return [.wait(.seconds(2)), .text("late")]
            }
            try await Stage.with(plan) { stage in
                let (asked, waiting, other) = (try stage.customer(), try stage.customer(), try stage.customer())
                stage.portal.inject(.init(.connectionLost, times: nil))
                try stage.portal.customerWrites("said", in: waiting)
                try stage.portal.customerWrites("kept", in: other)
                try stage.portal.customerWrites("long", in: asked)
                try await eventually {
                    let sends = try await stage.bitbot.work().filter { $0["kind"] == "send" }
                    return gate.hasBegun && sends.count == 2 && sends.allSatisfy { $0["last_error"]?.string != nil }
                }
                for dialog in try await stage.bitbot.items("dialogs")
                where dialog["dialog_id"]?.string != "chat\(other)" {
                    let id = try #require(dialog["id"]?.string)
                    #expect(try await stage.bitbot.send(.delete, "/api/v1/dialogs/\(id)").status == 204)
                }
                stage.portal.clearFaults()
                try await stage.untilAnswers(1, in: other)
                // They take the numbers that come next; nothing of what was erased may touch them.
                for (turn, chat) in [asked, waiting, other, asked, waiting].enumerated() {
                    try stage.portal.customerWrites("new \(turn)", in: chat)
                }
                try await stage.untilAnswers(2, in: asked)
                try await stage.untilAnswers(2, in: waiting)
                try await stage.untilAnswers(2, in: other)
                try await stage.untilNoWork()
                #expect(stage.answers(in: asked) == ["Turn 1: new 0", "Turn 2: new 3"])
                #expect(stage.answers(in: waiting) == ["Turn 1: new 1", "Turn 2: new 4"])
                #expect(stage.answers(in: other) == ["Turn 1: kept", "Turn 2: new 2"])
                #expect(!stage.bitbot.log.contains("it is taken up again"))
                #expect(stage.dify.counts.asked.allSatisfy { $0.value == 1 })
            }
        }
    }

    @Suite("First generation")
    struct FirstGeneration {
        @Test("a bot of the first generation answers in order, and says nothing twice where that can be known")
        func answers() async throws {
            var plan = Stage.Plan()
            plan.api = "v1"
            try await Stage.with(plan) { stage in
                let chats = try (0..<5).map { try stage.customer("C\($0)") }
                var delivery = SimulatedPortal.DeliveryPlan()
                delivery.copies = 3
                stage.portal.deliver(by: delivery)
                stage.portal.inject(.init(.queryLimit))
                stage.portal.inject(.init(.expiredToken))
                for turn in 0..<3 {
                    for chat in chats { try stage.portal.customerWrites("number \(turn)", in: chat) }
                }
                for chat in chats { try await stage.untilAnswers(3, in: chat) }
                try await stage.untilNothingWaits()
                for chat in chats { #expect(stage.answers(in: chat) == (0..<3).map { "You said number \($0)." }) }
                #expect(stage.portal.calls.contains { $0.method == "imbot.message.add" })
                #expect(stage.dify.counts.runs == 15)
            }
        }

        @Test("a send whose outcome is unknown and cannot be looked at is repeated once and counted")
        func uncertain() async throws {
            var plan = Stage.Plan()
            plan.api = "v1"
            try await Stage.with(plan) { stage in
                let chat = try stage.portal.privateChat(of: 2, with: stage.botID).id
                stage.portal.inject(.init(.connectionLost, method: "imbot.message.add"))
                try stage.portal.employeeWrites("hello", as: 2, in: chat)
                try await stage.untilAnswers(1, in: chat)
                try await stage.untilNoWork()
                #expect(stage.answers(in: chat) == ["You said hello."])
                let metrics = String(decoding: try await stage.bitbot.send(.get, "/metrics").body, as: UTF8.self)
                #expect(metrics.contains("\nbitbot_uncertain_sends_total 1"))
            }
        }
    }

    @Suite("Forged installations")
    struct Forged {
        @Test("a stranger, an employee's token and a bot platform's token change nothing")
        func forged() async throws {
            try await Stage.with { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                let event = try await stage.firstAccepted()
                let handedOut = try #require(event.data["bot"]?["auth"]?["access_token"]?.string)
                let employee = stage.portal.tokens(of: stage.application.clientID, as: 2).access
                for token in ["0123456789abcdef", employee, handedOut] {
                    // One sender may ask once a second.
                    try await eventually {
                        let status = try await stage.claim(token, applicationToken: "forged")
                        #expect(status == 403 || status == 429)
                        return status == 403
                    }
                }
                try stage.portal.customerWrites("still there?", in: chat)
                try await stage.untilAnswers(2, in: chat)
                #expect(try await stage.bitbot.items("installations").map { $0["status"] } == ["active"])
                #expect(try await stage.bitbot.items("portals").count == 1)
            }
        }
    }

    @Suite("Sessions in Redis")
    struct RedisSessions {
        @Test(
            "a conversation's id is in Redis too; a key that another tool removes ends it; without Redis the store serves"
        )
        func redis() async throws {
            let redis = try await RedisServer.start()
            defer { redis.stop() }
            var plan = Stage.Plan()
            plan.environment["BITBOT_REDIS_URL"] = redis.url
            plan.script = { [.text("Turn \($0.turn)")] }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                func turn(_ expected: Int) async throws {
                    let count = stage.answers(in: chat).count
                    try stage.portal.customerWrites("number \(count)", in: chat)
                    try await stage.untilAnswers(count + 1, in: chat)
                    #expect(stage.answers(in: chat).last == "Turn \(expected)")
                }
                let client = Redis(try Redis.Address(redis.url), log: .silent)
                let key = "bitbot:\(stage.portal.settings.memberID):\(stage.botID):chat\(chat)"
                try await turn(1)
                try await turn(2)
                try await eventually { try await client.get(key)?.isEmpty == false }
                try await client.delete(key)
                try await turn(1)
                redis.stop()
                try await turn(2)
                let ready = try JSON(parsing: try await stage.bitbot.send(.get, "/readyz").body)
                #expect(ready["sessions"]?.string != "ok")
                await client.shutdown()
            }
        }
    }
}

extension Stage {
    /// Posts an installation as Bitrix24 would, with these tokens.
    /// - Returns: BitBot's status.
    func claim(_ token: String, applicationToken: String) async throws -> Int {
        let auth: JSON = [
            "access_token": .string(token), "refresh_token": "none", "expires_in": "3600",
            "domain": .string(portal.domain), "member_id": .string(portal.settings.memberID),
            "server_endpoint": .string(authorization.serverEndpoint),
            "client_endpoint": .string(portal.clientEndpoint), "application_token": .string(applicationToken),
        ]
        return try await post(
            ["event": "ONAPPINSTALL", "data": ["VERSION": "1"], "auth": auth], to: application.installURL)
    }
}
