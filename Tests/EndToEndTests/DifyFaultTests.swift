import Base
import Sandbox
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A Dify with faults")
    struct DifyFaults {
        static let apology = "The bot cannot answer right now. Please try again later."

        /// How one question goes wrong for good.
        struct Failure: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var steps: @Sendable (Secret) -> [SimulatedDify.Step]
            /// What the administrator must be able to read.
            var reason: String
        }

        static let failures: [Failure] = [
            Failure(
                testDescription: "an error event",
                steps: {
                    [
                        .text("half"),
                        .error(status: 500, code: "internal_server_error", message: "broke with \($0.reveal())"),
                    ]
                },
                reason: "internal_server_error"),
            Failure(
                testDescription: "a failed run",
                steps: { [.text("half"), .failRun("node LLM broke with \($0.reveal())")] },
                reason: "node LLM broke"),
            Failure(
                testDescription: "429 rate_limit_error",
                steps: { _ in [.refuse(status: 429, code: "rate_limit_error", message: "The plan's quota is used up")]
                },
                reason: "rate_limit_error"),
            Failure(
                testDescription: "400 provider_not_initialize",
                steps: {
                    [.refuse(status: 400, code: "provider_not_initialize", message: "No credentials \($0.reveal())")]
                },
                reason: "provider_not_initialize"),
            Failure(
                testDescription: "401 unauthorized",
                steps: {
                    [.refuse(status: 401, code: "unauthorized", message: "Access token \($0.reveal()) is invalid")]
                },
                reason: "401"),
        ]

        @Test(
            "the person is told in plain words, the admin sees why, and the next question is answered",
            arguments: failures)
        func told(_ failure: Failure) async throws {
            let key = Secret("app-" + Vault.randomToken())
            var plan = Stage.Plan()
            plan.key = key
            plan.script = { $0.query == "fail" ? failure.steps(key) : [.text("You said \($0.query).")] }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("fail", in: chat)
                try await stage.untilAnswers(1, in: chat)
                #expect(stage.answers(in: chat) == [Self.apology])
                let reason = try await stage.failedWork()["last_error"]?.string ?? ""
                #expect(reason.contains(failure.reason), "the admin reads: \(reason)")
                #expect(!reason.contains(key.reveal()) && !stage.bitbot.log.contains(key.reveal()))
                try stage.portal.customerWrites("next", in: chat)
                try await stage.untilAnswers(2, in: chat)
                #expect(stage.answers(in: chat).last == "You said next.")
            }
        }

        @Test(
            "what failed is asked again when the administrator has mended it and says so",
            arguments: [failures[1], failures[3]])
        func retry(_ failure: Failure) async throws {
            let gate = Gate()
            var plan = Stage.Plan()
            plan.script = { gate.isOpen ? [.text("You said \($0.query).")] : failure.steps(Secret("k")) }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                let id = try #require(try await stage.failedWork()["id"]?.string)
                gate.open()
                #expect(try await stage.bitbot.send(.post, "/api/v1/work/\(id)/retry").status == 202)
                try await stage.untilAnswers(2, in: chat)
                #expect(stage.answers(in: chat) == [Self.apology, "You said hello."])
                try await stage.untilNoWork()
            }
        }

        /// How one question goes wrong and is answered all the same.
        struct Trouble: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var steps: [SimulatedDify.Step]
        }

        static let troubles = [
            Trouble(
                testDescription: "a stream that is cut",
                steps: [.text("first "), .cut, .wait(.milliseconds(300)), .text("second")]),
            Trouble(
                testDescription: "a connection that breaks before the answer's header",
                steps: [.reset, .wait(.milliseconds(300)), .text("first second")]),
            Trouble(
                testDescription: "a stream that stays silent for longer than is waited",
                steps: [.text("first "), .silence(.seconds(63)), .text("second")]),
            Trouble(
                testDescription: "a long answer that only pings for a while",
                steps: [.text("first "), .ping, .wait(.seconds(4)), .ping, .text("second")]),
            Trouble(
                testDescription: "a replaced answer and events that no version knows",
                steps: [.raw("data: {\"event\":\"brand_new\"}\n\n"), .text("bad"), .replace("first second")]),
        ]

        @Test("the whole answer arrives once, from one run", arguments: troubles)
        func whole(_ trouble: Trouble) async throws {
            var plan = Stage.Plan()
            plan.script = {
                $0.query == "trouble" ? trouble.steps : [.text("You said \($0.query) in turn \($0.turn).")]
            }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("trouble", in: chat)
                try stage.portal.customerWrites("next", in: chat)
                try await stage.untilAnswers(2, in: chat, timeout: .seconds(150))
                #expect(stage.answers(in: chat) == ["first second", "You said next in turn 2."])
                #expect(stage.dify.counts.runs == 2)
                #expect(stage.dify.counts.conversationsCreated == 1)
                try await stage.untilNoWork()
            }
        }

        @Test("a conversation that Dify has deleted or ended is begun anew without anybody noticing")
        func forgotten() async throws {
            var plan = Stage.Plan()
            let conversations = Mutex<[String]>([])
            plan.script = { ask in
                conversations.withLock { $0.append(ask.conversationID) }
                return [.text("Turn \(ask.turn): \(ask.query)")]
            }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                func ask(_ text: String, _ expected: String) async throws {
                    let count = stage.answers(in: chat).count
                    try stage.portal.customerWrites(text, in: chat)
                    try await stage.untilAnswers(count + 1, in: chat)
                    #expect(stage.answers(in: chat).last == expected)
                }
                try await ask("one", "Turn 1: one")
                try await ask("two", "Turn 2: two")
                stage.dify.forgetConversations()
                try await ask("three", "Turn 1: three")
                try await ask("four", "Turn 2: four")
                stage.dify.completeConversation(try #require(conversations.withLock { $0.last }))
                try await ask("five", "Turn 1: five")
                #expect(stage.answers(in: chat).count == 5)
                #expect(stage.dify.counts.runs == 5)
            }
        }

        @Test("429 too_many_requests and 503 are waited for, as long as Dify says")
        func tooMany() async throws {
            let refusals = Mutex(0)
            var plan = Stage.Plan()
            plan.script = { ask in
                let count = refusals.withLock { count in
                    count += 1
                    return count
                }
                return switch count {
                case 1: [.refuse(status: 429, code: "too_many_requests", message: "Too many", retryAfter: 1)]
                case 2: [.refuse(status: 503, code: "busy", message: "Busy")]
                default: [.text("You said \(ask.query).")]
                }
            }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                #expect(stage.answers(in: chat) == ["You said hello."])
                #expect(stage.dify.counts.runs == 1)
                try await stage.untilNoWork()
            }
        }

        @Test("a Dify that cannot be reached for a while is asked when it is back")
        func away() async throws {
            try await Stage.with { stage in
                let connector = try #require(try await stage.bitbot.items("connectors").first?["id"]?.string)
                let nowhere = "http://127.0.0.1:\(try freePort())/v1"
                _ = try await stage.bitbot.send(.patch, "/api/v1/connectors/\(connector)", ["url": .string(nowhere)])
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await eventually {
                    try await stage.bitbot.work().contains { $0["attempts"]?.integer ?? 0 >= 2 }
                }
                _ = try await stage.bitbot.send(.patch, "/api/v1/connectors/\(connector)", ["url": nil])
                try await stage.untilAnswers(1, in: chat)
                #expect(stage.answers(in: chat) == ["You said hello."])
                #expect(stage.dify.counts.runs == 1)
            }
        }
    }
}
