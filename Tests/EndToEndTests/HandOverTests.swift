import Base
import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Hand-over to an operator")
    struct HandOver {
        /// Answers, hands over or fails as it is told, and says what it was told of an operator.
        private static let script: SimulatedDify.Script = { ask in
            switch ask.query {
            case "fail": [.refuse(status: 400, code: "invalid_param", message: "no")]
            case "I give up": [.text("Somebody will help you.\n\n[[operator]]")]
            case "to 999": [.text("Ask him.\n\n[[operator:999]]")]
            case "bye": [.text("Goodbye.\n\n[[finish]]")]
            default:
                [.text("You said \(ask.query).")]
                    + (ask.inputs["OPERATOR_TRANSCRIPT"]?.string.map { [.text(" I know: \($0)")] } ?? [])
            }
        }

        private static func with(
            settings: JSON = [:], api: String = "v2", leave: SimulatedPortal.BotLeave = .close, lead: Int? = nil,
            _ body: (Stage, _ chat: Int) async throws -> Void
        ) async throws {
            var plan = Stage.Plan()
            plan.script = script
            plan.api = api
            try await Stage.with(plan) { stage in
                stage.dify.change(stage.key) { $0.form = [.init("OPERATOR_TRANSCRIPT", .paragraph(maximum: nil))] }
                let answer = try await stage.bitbot.send(.patch, "/api/v1/bots/\(stage.bot)", ["settings": settings])
                #expect(answer.status == 200)
                let line = stage.portal.createOpenChannel("Help", bot: stage.botID, leave: leave)
                try await body(stage, try stage.portal.startDialog(line: line, customer: "Carla", lead: lead).id)
            }
        }

        private static func dialog(_ stage: Stage, _ chat: Int) async throws -> JSON? {
            try await stage.bitbot.items("dialogs").first { $0["chat_id"]?.string == "\(chat)" }
        }

        private static func untilState(_ state: String, _ stage: Stage, _ chat: Int) async throws {
            try await eventually { try await dialog(stage, chat)?["state"]?.string == state }
        }

        private static func operatorOf(_ chat: Int, _ stage: Stage) -> Int? {
            stage.portal.dialogs.first { $0.id == chat }?.operatorID
        }

        private static func handOvers(_ stage: Stage) -> Int {
            stage.portal.calls.count { $0.method == "imopenlines.bot.session.operator" }
        }

        @Test(
            "a customer asks for an operator: the bot is silent until the next session, and then knows what was said",
            arguments: ["v1", "v2"], [SimulatedPortal.BotLeave.close, .queue])
        func wholeWay(api: String, leave: SimulatedPortal.BotLeave) async throws {
            try await Self.with(api: api, leave: leave) { stage, chat in
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                try stage.portal.customerWrites("Operator!", in: chat)
                try await eventually { Self.operatorOf(chat, stage) == 2 }
                try stage.portal.employeeWrites("How can I help?", as: 2, in: chat)
                try stage.portal.customerWrites("My order is late", in: chat)
                try stage.portal.employeeWrites("It comes tomorrow", as: 2, in: chat)
                try await stage.untilNothingWaits()
                #expect(stage.answers(in: chat) == ["You said hello."])
                try await Self.untilState("operator", stage, chat)
                try stage.portal.finishSession(chat: chat)
                try stage.portal.customerWrites("hello again", in: chat)
                try await stage.untilAnswers(2, in: chat)
                let told = "Operator: How can I help? Customer: My order is late Operator: It comes tomorrow"
                #expect(
                    stage.answers(in: chat)[1].split(whereSeparator: \.isNewline).joined(separator: " ")
                        == "You said hello again. I know: \(told)")
                try stage.portal.customerWrites("and", in: chat)
                try await stage.untilAnswers(3, in: chat)
                #expect(stage.answers(in: chat)[2] == "You said and.")
                try await Self.untilState("bot", stage, chat)
            }
        }

        @Test("the bot hands over by itself: its words first, then the operator")
        func directive() async throws {
            try await Self.with { stage, chat in
                try stage.portal.customerWrites("I give up", in: chat)
                try await eventually { Self.operatorOf(chat, stage) == 2 }
                #expect(stage.answers(in: chat) == ["Somebody will help you."])
                try stage.portal.customerWrites("Hello?", in: chat)
                try await stage.untilNothingWaits()
                #expect(stage.answers(in: chat).count == 1)
            }
        }

        @Test("a transfer to nobody goes to any free operator, and waits for the administrator")
        func refusedTransfer() async throws {
            try await Self.with { stage, chat in
                try stage.portal.customerWrites("to 999", in: chat)
                try await eventually { Self.operatorOf(chat, stage) == 2 }
                let work = try await stage.failedWork()
                #expect(work["last_error"]?.string?.contains("OPERATOR_WRONG") == true)
                try await Self.untilState("operator", stage, chat)
            }
        }

        @Test("the bot ends the session; the next message begins another")
        func finish() async throws {
            try await Self.with { stage, chat in
                try stage.portal.customerWrites("bye", in: chat)
                try await eventually { stage.portal.dialogs.first { $0.id == chat }?.sessionID == nil }
                try await Self.untilState("closed", stage, chat)
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(2, in: chat)
                #expect(stage.answers(in: chat) == ["Goodbye.", "You said hello."])
                try await Self.untilState("bot", stage, chat)
            }
        }

        @Test("an operator takes the dialog unasked and gives it back to a bot that stayed", arguments: ["v1", "v2"])
        func unasked(api: String) async throws {
            try await Self.with(api: api) { stage, chat in
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                try stage.portal.operatorJoins(2, chat: chat)
                try stage.portal.employeeWrites("I take this", as: 2, in: chat)
                try await Self.untilState("operator", stage, chat)
                try stage.portal.customerWrites("thanks", in: chat)
                try await stage.untilNothingWaits()
                #expect(stage.answers(in: chat).count == 1)
                try stage.portal.operatorReturns(chat: chat)
                try stage.portal.customerWrites("bot?", in: chat)
                try await stage.untilAnswers(2, in: chat)
                #expect(stage.answers(in: chat)[1].hasPrefix("You said bot?. I know: Operator: I take this"))
            }
        }

        @Test(
            "an operator takes the dialog without a word: a bot that stayed is silent, also after a kill",
            arguments: ["v1", "v2"])
        func takenSilently(api: String) async throws {
            try await Self.with(api: api) { stage, chat in
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                try await stage.untilNothingWaits()
                stage.bitbot.kill()
                try await stage.bitbot.start()
                try stage.portal.operatorJoins(2, chat: chat)
                try stage.portal.customerWrites("is a human there?", in: chat)
                try await Self.untilState("operator", stage, chat)
                stage.bitbot.kill()
                try await stage.bitbot.start()
                try stage.portal.customerWrites("hello?", in: chat)
                try await stage.untilNothingWaits()
                #expect(stage.answers(in: chat).count == 1)
                try stage.portal.operatorReturns(chat: chat)
                try stage.portal.customerWrites("bot?", in: chat)
                try await stage.untilAnswers(2, in: chat)
                #expect(stage.answers(in: chat)[1].hasPrefix("You said bot?."))
                try stage.portal.operatorJoins(2, chat: chat)
                try stage.portal.customerWrites("and again?", in: chat)
                try await Self.untilState("operator", stage, chat)
                try stage.portal.finishSession(chat: chat)
                try stage.portal.customerWrites("new", in: chat)
                try await stage.untilAnswers(3, in: chat)
                #expect(stage.answers(in: chat)[2].hasPrefix("You said new."))
            }
        }

        @Test("a bot that fails, comes back and fails again is silent: the queue has the dialog")
        func loop() async throws {
            try await Self.with(settings: ["failure_handover": true]) { stage, chat in
                try stage.portal.customerWrites("fail", in: chat)
                try await eventually { Self.operatorOf(chat, stage) == 2 }
                #expect(stage.answers(in: chat).count == 1)
                try stage.portal.finishSession(chat: chat)
                try stage.portal.customerWrites("fail", in: chat)
                try await eventually { Self.handOvers(stage) == 2 }
                try stage.portal.operatorReturns(chat: chat)
                try stage.portal.customerWrites("fail", in: chat)
                try await stage.untilNothingWaits()
                #expect(stage.answers(in: chat).count == 1 && Self.handOvers(stage) == 2)
            }
        }

        @Test("the administrator gives a dialog back to the bot")
        func resume() async throws {
            try await Self.with { stage, chat in
                try stage.portal.customerWrites("operator", in: chat)
                try await Self.untilState("operator", stage, chat)
                let id = try #require(try await Self.dialog(stage, chat)?["id"]?.string)
                let answer = try await stage.bitbot.send(.post, "/api/v1/dialogs/\(id)/resume")
                #expect(answer.status == 200)
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
            }
        }

        /// A customer calls an operator, and the bot leaves the chat; then the administrator gives the dialog back.
        private static func resumeAfterLeaving(_ stage: Stage, _ chat: Int) async throws -> (status: Int, json: JSON) {
            try stage.portal.customerWrites("operator", in: chat)
            try await eventually { operatorOf(chat, stage) == 2 }
            try await untilState("operator", stage, chat)
            #expect(stage.portal.dialogs.first { $0.id == chat }?.members.contains(stage.botID) == false)
            let id = try #require(try await dialog(stage, chat)?["id"]?.string)
            let answer = try await stage.bitbot.send(.post, "/api/v1/dialogs/\(id)/resume")
            return (answer.status, try JSON(parsing: answer.body))
        }

        @Test("a bot that left the chat is put back into it where the customer is in the CRM", arguments: ["v1", "v2"])
        func bringBack(api: String) async throws {
            try await Self.with(api: api, leave: .queue, lead: 17) { stage, chat in
                let answer = try await Self.resumeAfterLeaving(stage, chat)
                #expect(answer.status == 200, "\(answer.json.text)")
                #expect(answer.json["state"] == "bot")
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                #expect(stage.answers(in: chat) == ["You said hello."])
            }
        }

        @Test("where a bot that has left cannot be put back, that is said, and the dialog stays the operator's")
        func cannotBringBack() async throws {
            try await Self.with(leave: .queue) { stage, chat in
                let answer = try await Self.resumeAfterLeaving(stage, chat)
                #expect(answer.status == 409)
                for words in ["has left the chat", "transfer the dialog"] {
                    #expect(answer.json.text.contains(words))
                }
                try await Self.untilState("operator", stage, chat)
                try stage.portal.finishSession(chat: chat)
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
            }
            try await Self.with(leave: .queue, lead: 17) { stage, chat in
                stage.portal.inject(
                    .init(
                        .error(status: 403, code: "ACCESS_DENIED", description: "No access to the lead"),
                        method: "imopenlines.crm.chat.user.add", times: nil))
                let answer = try await Self.resumeAfterLeaving(stage, chat)
                #expect(answer.status == 409 && answer.json.text.contains("No access to the lead"))
                try await Self.untilState("operator", stage, chat)
                #expect(try await stage.bitbot.items("installations").first?["status"] == "active")
            }
        }

        @Test("killed at any moment, the customer gets one operator and no second word")
        func kills() async throws {
            try await Self.with { stage, chat in
                let seed =
                    ProcessInfo.processInfo.environment["BITBOT_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...99_999)
                print("hand-over kills: BITBOT_SEED=\(seed)")
                let chance = Chance(seed: seed)
                for round in 1...6 {
                    try stage.portal.customerWrites("I give up", in: chat)
                    try await eventually { stage.accepted.count == round }
                    try await Task.sleep(for: chance.milliseconds(0...60))
                    stage.bitbot.kill()
                    try await stage.bitbot.start()
                    try await eventually { Self.operatorOf(chat, stage) == 2 }
                    try await stage.untilNothingWaits()
                    try stage.portal.finishSession(chat: chat)
                }
                #expect(stage.answers(in: chat).count == 6)
            }
        }
    }
}
