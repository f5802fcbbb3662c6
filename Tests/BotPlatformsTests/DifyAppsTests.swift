import Base
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("Every kind of Dify app answers", .keepsContracts)
struct DifyAppsTests {
    /// A simulated Dify whose app is of this mode.
    private func dify(
        _ mode: SimulatedDify.App.Mode, opening: String? = nil, suggested: [String]? = nil,
        script: @escaping SimulatedDify.Script
    ) async throws -> SimulatedDify {
        let app = SimulatedDify.App(
            key: Stage.key, mode: mode, openingStatement: opening, suggestedQuestions: suggested, script: script)
        var settings = SimulatedDify.Settings()
        settings.watch = Stage.watch
        return try await SimulatedDify.start(apps: [app], settings: settings, loops: Stage.loops, log: .silent)
    }

    @Test("each has a name in the management API and one for people, and Dify's cloud as its address")
    func types() {
        let names = PlatformType.all.map(\.name).filter { $0.hasPrefix("dify_") }
        #expect(
            Set(names) == ["dify_chatflow", "dify_chat", "dify_agent", "dify_workflow", "dify_completion"])
        for name in names {
            let type = PlatformType.named(name)
            #expect(type?.displayName.hasPrefix("Dify ") == true)
            #expect(type?.defaultURL == "https://api.dify.ai/v1")
            #expect(type?.make(Stage.configuration("https://dify.example/v1")) != nil)
        }
        #expect(PlatformType.named("dify_workflow")?.options.map(\.name).sorted() == ["outputs", "response_mode"])
    }

    @Test(
        "a chatbot and both kinds of agents keep their conversation; what an agent thinks is not said",
        arguments: [(SimulatedDify.App.Mode.chat, DifyKind.chat), (.agent, .agent), (.newAgent, .agent)])
    func conversations(mode: SimulatedDify.App.Mode, kind: DifyKind) async throws {
        let dify = try await dify(mode) { ask in
            (mode == .chat ? [] : [.thought("secret plan")]) + [.text("turn \(ask.turn) "), .text("of «\(ask.query)»")]
        }
        let bot = Stage.chat(dify.baseURL, kind)
        let first = try await bot.hear(Stage.question("one"))
        #expect(first.error == nil)
        #expect(first.text == "turn 1 of «one»")
        let second = try await bot.hear(Stage.question("two", session: first.session))
        #expect(second.text == "turn 2 of «two»")
        #expect(second.session?.id == first.session?.id)
        #expect(second.traces.last?.messageID != nil)
        await dify.shutdown()
    }

    @Test(
        "a chatbot's or an agent's answer that was cut is found in the conversation",
        arguments: [(SimulatedDify.App.Mode.chat, DifyKind.chat), (.agent, .agent), (.newAgent, .agent)])
    func outcome(mode: SimulatedDify.App.Mode, kind: DifyKind) async throws {
        let dify = try await dify(mode) { _ in [.text("Half "), .cut, .wait(.milliseconds(200)), .text("and half")] }
        let bot = Stage.chat(dify.baseURL, kind)
        let now = WallClock.system.now
        let heard = try await bot.hear(Stage.question("x"))
        #expect(heard.error?.kind == .uncertain)
        let outcome = try await bot.outcome(of: Stage.question("x"), trace: heard.traces.last, askedAt: now)
        #expect(outcome.heard?.text == "Half and half")
        #expect(outcome.heard?.session?.id == heard.traces.last?.conversationID)
        #expect(dify.runs(user: "member:chat7", query: "x") == 1)
        await dify.shutdown()
    }

    @Test("a text generator answers each message for itself")
    func completion() async throws {
        let dify = try await dify(.completion) { ask in [.text("About "), .text(ask.query)] }
        let bot = Stage.completion(dify.baseURL)
        let heard = try await bot.hear(Stage.question("tea"))
        #expect(heard.error == nil)
        #expect(heard.text == "About tea")
        #expect(heard.session == nil)
        await dify.shutdown()
    }

    @Test("a text generator gets the message as an input and as the query")
    func completionRequest() async throws {
        let server = try await ScriptedDify.answering { _, _ in .events(Wire.message("ok") + Wire.end) }
        let heard = try await Stage.completion(server.url).hear(Stage.question("tea"))
        #expect(heard.text == "ok")
        // The conversation that some versions name is none that could go on.
        #expect(heard.session == nil)
        let body = try JSON(parsing: try #require(server.requests("/completion-messages").first).body)
        #expect(
            body == [
                "inputs": ["query": "tea"], "query": "tea", "user": "member:chat7", "response_mode": "streaming",
                "files": [],
            ])
        await server.stop()
    }

    // MARK: Greeting

    private func greeting(_ parameters: JSON, variables: Members<String> = [:]) async throws -> Heard {
        let server = try await ScriptedDify.start { _, _ in .json(parameters) }
        var question = Stage.question("", variables: variables, tokens: ["access_token": Secret("t0ken-t0ken-t0ken")])
        question.kind = .joined
        var heard = Heard()
        do {
            for try await part in Stage.chatflow(server.url).greeting(for: question) { heard.parts.append(part) }
        } catch let error as PlatformError { heard.error = error }
        await server.stop()
        return heard
    }

    @Test("the opening statement greets, with its variables filled in and its questions as choices")
    func greets() async throws {
        let heard = try await greeting(
            [
                "opening_statement": "Hello {{FIRST_NAME}} of {{ city }}!{{shop}} {{access_token}} {{unknown}}",
                "suggested_questions": ["What for {{FIRST_NAME}}?", "", "Prices"],
                "user_input_form": [
                    ["text-input": ["variable": "city", "default": "Bonn"]], ["text-input": ["variable": "shop"]],
                    ["paragraph": ["variable": "access_token"]],
                ],
            ], variables: ["FIRST_NAME": "Anna"])
        #expect(heard.text == "Hello Anna of Bonn!  {{unknown}}")
        let options = [
            Choice(label: "What for Anna?", value: "What for Anna?"), Choice(label: "Prices", value: "Prices"),
        ]
        #expect(heard.parts.last == .choices(Choices(options, isOptional: true)))
        #expect(heard.parts.count == 2)
    }

    @Test("an app without an opening statement says nothing first")
    func silent() async throws {
        for statement in [JSON.null, "", " \n", 7] {
            let heard = try await greeting(["opening_statement": statement, "suggested_questions": ["Hm?"]])
            #expect(heard.parts.isEmpty)
            #expect(heard.error == nil)
        }
        #expect(try await greeting([:]).parts.isEmpty)
    }

    @Test("a greeting is read once a minute, with the form, and fails in a way that can be tried again")
    func greetingCached() async throws {
        let dify = try await dify(.chat, opening: "Welcome") { _ in [.text("ok")] }
        let bot = Stage.chat(dify.baseURL)
        for _ in 1...3 {
            for try await part in bot.greeting(for: Stage.question("")) { #expect(part == .text("Welcome")) }
        }
        _ = try await bot.hear(Stage.question("x"))
        #expect(dify.counts.requests["GET /parameters"] == 1)
        await dify.shutdown()
        let server = try await ScriptedDify.start { _, _ in .refusal(500, "internal_server_error") }
        do {
            for try await _ in Stage.chatflow(server.url).greeting(for: Stage.question("")) {}
            Issue.record("no error")
        } catch let error as PlatformError { #expect(error.kind == .passing) }
        await server.stop()
    }

    // MARK: Suggestions

    private static let parameters: JSON = [
        "user_input_form": [], "suggested_questions_after_answer": ["enabled": true],
    ]

    /// What is heard of an app that suggests questions, which are answered so.
    private func suggesting(
        _ answer: @escaping @Sendable () async throws -> HTTPResponse, timing: DifyTiming = Stage.timing
    ) async throws -> (Heard, [HTTPRequest]) {
        let path = "/messages/b0000000-0000-4000-8000-000000000001/suggested"
        let server = try await ScriptedDify.start { request, _ in
            switch request.path {
            case "/v1/parameters": .json(Self.parameters)
            case "/v1" + path: try await answer()
            default: .events(Wire.answer("the answer"))
            }
        }
        let heard = try await Stage.chatflow(server.url, timing: timing).hear(Stage.question("x"))
        await server.stop()
        return (heard, server.requests(path))
    }

    @Test("the questions that an app suggests come after its answer, as choices")
    func suggested() async throws {
        let (heard, requests) = try await suggesting { .json(["result": "success", "data": ["Why?", "", 5, "How?"]]) }
        #expect(heard.text == "the answer")
        let options = [Choice(label: "Why?", value: "Why?"), Choice(label: "How?", value: "How?")]
        #expect(heard.parts.last == .choices(Choices(options, isOptional: true)))
        #expect(requests.map(\.query) == ["user=member%3Achat7"])
        let dify = try await dify(.chat, suggested: ["What else?"]) { _ in [.text("ok")] }
        let simulated = try await Stage.chat(dify.baseURL).hear(Stage.question("x"))
        #expect(
            simulated.parts.last
                == .choices(Choices([Choice(label: "What else?", value: "What else?")], isOptional: true)))
        await dify.shutdown()
    }

    @Test("an answer stands whatever becomes of its suggestions")
    func suggestionsFail() async throws {
        var timing = Stage.timing
        timing.suggestions = .seconds(2)
        let answers: [@Sendable () async throws -> HTTPResponse] = [
            { .refusal(400, "bad_request", "Suggested Questions Is Disabled.") }, { .refusal(500, "x") },
            { .text("<html>") }, { .json(["data": nil]) }, { .json(["data": []]) },
            {
                try await Task.sleep(for: .seconds(30))
                return .json([:])
            },
        ]
        for answer in answers {
            let (heard, requests) = try await suggesting(answer, timing: timing)
            #expect(heard.text == "the answer")
            #expect(heard.error == nil)
            #expect(requests.count == 1)
            #expect(!heard.parts.contains { if case .choices = $0 { true } else { false } })
        }
    }

    @Test("an answer that was found later has its suggestions too")
    func suggestedLater() async throws {
        let dify = try await dify(.chatflow, suggested: ["What else?"]) { _ in [.text("Found"), .cut] }
        let bot = Stage.chatflow(dify.baseURL)
        let heard = try await bot.hear(Stage.question("x"))
        let outcome = try await bot.outcome(
            of: Stage.question("x"), trace: heard.traces.last, askedAt: WallClock.system.now)
        #expect(outcome.heard?.text == "Found")
        #expect(
            outcome.heard?.parts.last
                == .choices(Choices([Choice(label: "What else?", value: "What else?")], isOptional: true)))
        await dify.shutdown()
    }

    @Test("the choice that a person took is asked by its value")
    func chosen() async throws {
        let dify = try await dify(.chat) { ask in [.text(ask.query)] }
        var question = Stage.question("2")
        question.chosen = [Choice(label: "How?", value: "How?")]
        #expect(try await Stage.chat(dify.baseURL).hear(question).text == "How?")
        await dify.shutdown()
    }

    // MARK: Ratings

    @Test("likes and dislikes reach the message, and can be taken back")
    func ratings() async throws {
        let dify = try await dify(.chat) { _ in [.text("ok")] }
        let bot = Stage.chat(dify.baseURL)
        let heard = try await bot.hear(Stage.question("x"))
        let message = try #require(heard.traces.last?.messageID)
        for rating in [Rating.like, .dislike, nil] {
            try await bot.take(rating, of: message, by: "member:chat7")
        }
        #expect(dify.counts.requests["POST /messages/{id}/feedbacks"] == 3)
        await dify.shutdown()
    }

    @Test("what is sent for a rating; taking back nothing is fine, and a message that is gone is told")
    func ratingRequests() async throws {
        let message = "b0000000-0000-4000-8000-000000000001"
        let server = try await ScriptedDify.start { request, count in
            switch count {
            case 1: .json(["result": "success"])
            case 2: .refusal(400, "invalid_param", "nothing to revoke")
            default: .refusal(404, "not_found", "Message Not Exists.")
            }
        }
        let bot = Stage.completion(server.url)
        try await bot.take(.like, of: message, by: "u")
        try await bot.take(nil, of: message, by: "u")
        await #expect(throws: PlatformError.self) { try await bot.take(.dislike, of: message, by: "u") }
        let bodies = try server.requests("/messages/\(message)/feedbacks").map { try JSON(parsing: $0.body) }
        #expect(
            bodies == [
                ["rating": "like", "user": "u"], ["rating": nil, "user": "u"], ["rating": "dislike", "user": "u"],
            ])
        await server.stop()
    }

    // MARK: Actions

    @Test("an action in a chatflow's outputs is done, not shown, and is waited for only a moment")
    func action() async throws {
        let outputs = #""data":{"status":"succeeded","outputs":{"answer":"Bye","bitbot_action":"operator:17"}}"#
        let server = try await ScriptedDify.answering { request, count in
            let wire = Wire.started + Wire.message("Bye") + Wire.end
            if count == 1 { return .events(wire + Wire.event("workflow_finished", outputs)) }
            return HTTPResponse(
                status: 200, headers: ["Content-Type": "text/event-stream"],
                body: .stream { write in
                    try await write(Array(wire.utf8))
                    try await Task.sleep(for: .seconds(60))
                })
        }
        let bot = Stage.chatflow(server.url)
        let first = try await bot.hear(Stage.question("x"))
        #expect(first.text == "Bye")
        #expect(first.parts.last == .action(.toUser(17)))
        let second = try await bot.hear(Stage.question("x"))
        #expect(second.text == "Bye")
        #expect(second.error == nil)
        await server.stop()
    }
}
