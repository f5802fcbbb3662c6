import Base
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A portal with faults")
    struct PortalFaults {
        /// What goes wrong, and how often.
        struct Trouble: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var faults: [SimulatedPortal.Fault]
            /// Calls in the portal's limit: with one, answers go in batches.
            var perSecond = 0.0

            init(_ name: String, _ faults: [SimulatedPortal.Fault], perSecond: Double = 0) {
                testDescription = name
                self.faults = faults
                self.perSecond = perSecond
            }
        }

        static let troubles: [Trouble] = [
            Trouble("503 QUERY_LIMIT_EXCEEDED", [.init(.queryLimit, times: 3)]),
            Trouble(
                "503 QUERY_LIMIT_EXCEEDED inside batches", [.init(.queryLimit, times: 4, insideBatch: true)],
                perSecond: 2),
            Trouble("429 OPERATION_TIME_LIMIT", [.init(.operationTimeLimit)]),
            Trouble("401 expired_token", [.init(.expiredToken, times: 2)]),
            Trouble(
                "401 expired_token inside batches", [.init(.expiredToken, times: 4, insideBatch: true)], perSecond: 2),
            Trouble("500", [.init(.internalError, times: 4)]),
            Trouble("a proxy's pages", [.init(.page(status: 502), times: 3), .init(.page(status: 504), times: 3)]),
            Trouble("connections that break before it is done", [.init(.connectionLost, times: 6)]),
            Trouble("connections that break after it is done", [.init(.answerLost, times: 6)]),
            Trouble("batches whose answers are lost", [.init(.answerLost, method: "batch", times: 3)], perSecond: 2),
            Trouble("slow answers", [.init(.slow(.seconds(2)), times: 4)]),
            Trouble("no answer at all", [.init(.hang, times: 2)]),
        ]

        @Test("every answer arrives exactly once, in order", arguments: troubles)
        func once(_ trouble: Trouble) async throws {
            var plan = Stage.Plan()
            plan.perSecond = trouble.perSecond
            try await Stage.with(plan) { stage in
                for fault in trouble.faults { stage.portal.inject(fault) }
                let chats = try (0..<6).map { try stage.customer("C\($0)") }
                for turn in 0..<3 {
                    for chat in chats { try stage.portal.customerWrites("number \(turn)", in: chat) }
                }
                for chat in chats { try await stage.untilAnswers(3, in: chat, timeout: .seconds(170)) }
                try await stage.untilNothingWaits(timeout: .seconds(170))
                for chat in chats { #expect(stage.answers(in: chat) == (0..<3).map { "You said number \($0)." }) }
                if trouble.perSecond > 0 { #expect(stage.portal.calls.contains { $0.isInsideBatch }) }
                try await stage.untilNoWork()
                #expect(stage.dify.counts.runs == 18)
            }
        }

        @Test("an access token that expires is renewed once, whoever needs it")
        func renewal() async throws {
            try await Stage.with { stage in
                let chats = try (0..<8).map { try stage.customer("C\($0)") }
                for chat in chats { try stage.portal.customerWrites("before", in: chat) }
                for chat in chats { try await stage.untilAnswers(1, in: chat) }
                let before = stage.authorization.renewals
                stage.authorization.expireAccessTokens(of: stage.application.clientID)
                for chat in chats { try stage.portal.customerWrites("after", in: chat) }
                for chat in chats {
                    try await stage.untilAnswers(2, in: chat)
                    #expect(stage.answers(in: chat) == ["You said before.", "You said after."])
                }
                #expect(stage.authorization.renewals == before + 1)
            }
        }

        @Test("a portal that moves to another address in the middle of a burst loses and repeats nothing")
        func moves() async throws {
            var plan = Stage.Plan()
            plan.portal.sendDelay = .milliseconds(10)...(.milliseconds(40))
            plan.perSecond = 10
            plan.burst = 20
            try await Stage.with(plan) { stage in
                let chats = try (0..<10).map { try stage.customer("C\($0)") }
                for turn in 0..<6 {
                    for chat in chats { try stage.portal.customerWrites("number \(turn)", in: chat) }
                    if turn == 2 {
                        try await eventually { stage.portal.sentByBots >= 10 }
                        try await stage.portal.move()
                    }
                }
                for chat in chats { try await stage.untilAnswers(6, in: chat) }
                try await stage.untilNothingWaits()
                for chat in chats { #expect(stage.answers(in: chat) == (0..<6).map { "You said number \($0)." }) }
                try await stage.untilNoWork()
                #expect(stage.authorization.renewals == 0)
                #expect(try await stage.bitbot.items("portals").map { $0["domain"]?.string } == [stage.portal.domain])
                #expect(try await stage.bitbot.items("installations").map { $0["status"] } == ["active"])
                // What was learned outlives the process.
                stage.bitbot.kill()
                try await stage.bitbot.start()
                try stage.portal.customerWrites("after", in: chats[0])
                try await stage.untilAnswers(7, in: chats[0])
            }
        }

        @Test("when all tokens are refused the admin sees it, and opening the application again delivers what waits")
        func reauthorize() async throws {
            try await Stage.with { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("first", in: chat)
                try await stage.untilAnswers(1, in: chat)
                stage.authorization.expireAccessTokens(of: stage.application.clientID)
                stage.authorization.revokeRefreshTokens(of: stage.application.clientID)
                try stage.portal.customerWrites("second", in: chat)
                try await eventually(timeout: .seconds(60)) {
                    try await stage.bitbot.items("installations").first?["status"] == "reauthorize"
                }
                try await eventually { try await stage.bitbot.work().contains { $0["last_error"]?.string != nil } }
                let answer = try await stage.portal.install(stage.application)
                #expect(answer.status == 200)
                #expect(try await stage.bitbot.items("installations").first?["status"] == "active")
                try await stage.untilAnswers(2, in: chat)
                #expect(stage.answers(in: chat) == ["You said first.", "You said second."])
            }
        }

        @Test("questions that wait, questions that are asked and answers that wait survive a kill, and are said once")
        func restart() async throws {
            let gate = Gate()
            var plan = Stage.Plan()
            plan.script = { ask in
                if ask.query.hasPrefix("long") {
                    gate.begun()
                    return [.text("You said "), .wait(.seconds(3)), .text("\(ask.query).")]
                }
                if ask.query.hasPrefix("refused"), !gate.isOpen {
                    return [.refuse(status: 503, code: "busy", message: "later")]
                }
                return [.text("You said \(ask.query).")]
            }
            try await Stage.with(plan) { stage in
                let (waiting, asked, answered) = (
                    try stage.customer("Waiting"), try stage.customer("Asked"), try stage.customer("Answered")
                )
                stage.portal.inject(.init(.connectionLost, times: nil))
                for turn in 0..<3 {
                    try stage.portal.customerWrites("refused \(turn)", in: waiting)
                    try stage.portal.customerWrites("long \(turn)", in: asked)
                    try stage.portal.customerWrites("plain \(turn)", in: answered)
                }
                try await eventually { stage.accepted.count == 9 && gate.hasBegun }
                try await eventually {
                    try await stage.bitbot.work().count { $0["kind"] == "send" && $0["state"] == "waiting" } == 3
                }
                stage.bitbot.kill()
                gate.open()
                try await stage.bitbot.start()
                // The portal stays away a little longer.
                try await eventually { stage.dify.counts.requests["GET /messages", default: 0] > 0 }
                stage.portal.clearFaults()
                for (chat, word) in [(waiting, "refused"), (asked, "long"), (answered, "plain")] {
                    try await stage.untilAnswers(3, in: chat)
                    #expect(stage.answers(in: chat) == (0..<3).map { "You said \(word) \($0)." })
                }
                try await stage.untilNothingWaits()
                let counts = stage.dify.counts
                #expect(counts.asked.allSatisfy { $0.value == 1 } && counts.runs == 9)
                #expect(counts.conversationsCreated == 3)
            }
        }

        @Test("told to stop while a bot thinks for long, it goes all the same, and the answer is found after the start")
        func terminatesInTime() async throws {
            let gate = Gate()
            var plan = Stage.Plan()
            plan.script = { ask in
                gate.begun()
                return [.text("You said "), .wait(.seconds(40)), .text("\(ask.query).")]
            }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await eventually { gate.hasBegun }
                #expect(try await stage.bitbot.terminate() == 0)
                #expect(stage.answers(in: chat).isEmpty)
                try await stage.bitbot.start()
                try await stage.untilAnswers(1, in: chat)
                #expect(stage.answers(in: chat) == ["You said hello."])
                #expect(stage.dify.counts.runs == 1)
            }
        }

        @Test("told to stop, it ends what is under way and leaves nothing behind")
        func terminates() async throws {
            let gate = Gate()
            var plan = Stage.Plan()
            plan.script = { ask in
                gate.begun()
                return [.wait(.seconds(1)), .text("You said \(ask.query).")]
            }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await eventually { gate.hasBegun }
                #expect(try await stage.bitbot.terminate() == 0)
                #expect(stage.answers(in: chat) == ["You said hello."])
                try await stage.bitbot.start()
                try await stage.untilNoWork()
            }
        }
    }
}
