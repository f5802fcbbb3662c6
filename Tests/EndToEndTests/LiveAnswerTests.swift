import Base
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Answers shown while they grow")
    struct LiveAnswers {
        /// Shows an answer live, does something in the midst of it, and gives the messages of the bot that are left.
        private static func answer(
            _ end: String, meanwhile: @escaping @Sendable (Stage) async throws -> Void
        ) async throws -> [SimulatedPortal.Message] {
            var plan = Stage.Plan()
            plan.script = { _ in
                [.text("One "), .wait(.milliseconds(1_500)), .text("two "), .wait(.milliseconds(1_500)), .text(end)]
            }
            var left: [SimulatedPortal.Message] = []
            try await Stage.with(plan) { stage in
                let change = try await stage.bitbot.send(
                    .patch, "/api/v1/bots/\(stage.bot)", ["settings": ["live": true]])
                try #require(change.status == 200)
                let chat = try stage.portal.privateChat(of: 2, with: stage.botID).id
                try stage.portal.employeeWrites("count", as: 2, in: chat)
                try await stage.untilAnswers(1, in: chat)
                #expect(stage.answers(in: chat)[0].hasPrefix("One"))
                try await meanwhile(stage)
                try await stage.untilNothingWaits()
                try await stage.untilNoWork()
                #expect(stage.dify.counts.runs == 1)
                left = stage.portal.messages(in: chat).filter { $0.authorID == stage.botID && !$0.isDeleted }
            }
            return left
        }

        @Test("what grows becomes the answer")
        func whole() async throws {
            let messages = try await Self.answer("**three**") { _ in }
            #expect(messages.map(\.text) == ["One two [b]three[/b]"])
        }

        @Test("a kill -9 in the midst of it ends with one message that holds the whole text")
        func killed() async throws {
            let messages = try await Self.answer("three") { stage in
                stage.bitbot.kill()
                try await stage.bitbot.start()
            }
            #expect(messages.map(\.text) == ["One two three"])
        }

        @Test("after a kill -9 what was shown of an answer that ends in silence is taken back")
        func killedAndSilent() async throws {
            let messages = try await Self.answer("\n[[silent]]") { stage in
                stage.bitbot.kill()
                try await stage.bitbot.start()
            }
            #expect(messages.isEmpty)
        }

        @Test("after kills at random moments each question has one message, with the whole answer, in order")
        func killedAtRandom() async throws {
            let seed = UInt64.random(in: 1...99_999)
            let chance = Chance(seed: seed)
            var plan = Stage.Plan()
            plan.portal.sendDelay = .zero...(.milliseconds(100))
            plan.authorization.usedRefreshTokenDies = false
            plan.script = { ask in
                [
                    .text("You "), .wait(chance.milliseconds(900...1_400)), .text("said "),
                    .wait(chance.milliseconds(0...1_200)), .text("\(ask.query)."),
                ]
            }
            try await Stage.with(plan) { stage in
                let change = try await stage.bitbot.send(
                    .patch, "/api/v1/bots/\(stage.bot)", ["settings": ["live": true]])
                try #require(change.status == 200)
                let people = (0..<5).map { stage.portal.addEmployee("Colleague \($0)") }
                let chats = try people.map { try stage.portal.privateChat(of: $0, with: stage.botID).id }
                let questions = ["one", "two", "three"]
                for (person, chat) in zip(people, chats) {
                    for question in questions { try stage.portal.employeeWrites(question, as: person, in: chat) }
                }
                await stage.portal.settle()
                for _ in 1...8 {
                    try await Task.sleep(for: chance.milliseconds(0...1_500))
                    stage.bitbot.kill()
                    try await stage.bitbot.start()
                }
                try await stage.untilNothingWaits()
                try await stage.untilNoWork()
                for chat in chats {
                    let left = stage.portal.messages(in: chat).filter { $0.authorID == stage.botID && !$0.isDeleted }
                    #expect(left.map(\.text) == questions.map { "You said \($0)." }, "seed \(seed)")
                }
                #expect(stage.dify.counts.asked.values.allSatisfy { $0 == 1 }, "seed \(seed)")
            }
        }
    }

    @Suite("What is said of itself, and about it")
    struct GreetingsAndRatings {
        @Test("in a chat of the portal's own a bot greets first, in an open channel it does not")
        func greeting() async throws {
            try await Stage.with { stage in
                stage.dify.change(stage.key) { $0.openingStatement = "Good day! What can I do for you?" }
                let inside = try stage.portal.privateChat(of: 2, with: stage.botID).id
                try await stage.untilAnswers(1, in: inside)
                let outside = try stage.customer()
                try stage.portal.customerWrites("hello", in: outside)
                try await stage.untilAnswers(1, in: outside)
                try stage.portal.employeeWrites("hello", as: 2, in: inside)
                try await stage.untilAnswers(2, in: inside)
                #expect(stage.answers(in: inside) == ["Good day! What can I do for you?", "You said hello."])
                #expect(stage.answers(in: outside) == ["You said hello."])
            }
        }

        @Test("a like of an answer reaches Dify, and so does that it is taken back")
        func rating() async throws {
            try await Stage.with { stage in
                let chat = try stage.portal.privateChat(of: 2, with: stage.botID).id
                try stage.portal.employeeWrites("hello", as: 2, in: chat)
                try await stage.untilAnswers(1, in: chat)
                let answer = try #require(stage.portal.messages(in: chat).last { $0.authorID == stage.botID })
                let user = "\(stage.portal.settings.memberID):2"
                try stage.portal.react("like", to: answer.id, as: 2)
                try await eventually { stage.dify.ratings(by: user) == ["like"] }
                try stage.portal.react("like", to: answer.id, as: 2, add: false)
                try await eventually { stage.dify.ratings(by: user) == [] }
                try await stage.untilNoWork()
            }
        }
    }
}
