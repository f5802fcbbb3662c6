import Base
import Foundation
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("A server like OpenAI's is asked and heard")
struct OpenAITests {
    static let options: JSON = ["model": "gpt-4o-mini"]

    private func bot(_ url: String, _ options: JSON = options, key: Secret? = Stage.key) -> OpenAIBot {
        OpenAIBot(
            PlatformConfiguration(
                url: url, key: key, options: options, trust: .privateAllowed, http: Stage.http, clock: .system,
                log: .silent))
    }

    /// Runs a test against a simulated server.
    private func with(
        _ settings: SimulatedOpenAI.Settings = .init(), _ script: @escaping SimulatedOpenAI.Script,
        _ body: (SimulatedOpenAI) async throws -> Void
    ) async throws {
        let server = try await SimulatedOpenAI.start(
            settings: settings, loops: Stage.loops, log: .silent, script: script)
        try await body(server)
        await server.shutdown()
    }

    private func heard(
        _ steps: [SimulatedOpenAI.Step], settings: SimulatedOpenAI.Settings = .init(), question: Question? = nil
    ) async throws -> Heard {
        var heard = Heard()
        let script: SimulatedOpenAI.Script = { _ in steps }
        try await with(settings, script) { server in
            heard = try await bot(server.baseURL).hear(question ?? Stage.question("x"))
        }
        return heard
    }

    @Test("an answer is the same wherever the network cuts it", arguments: [1, 3, 64])
    func pieces(size: Int) async throws {
        var settings = SimulatedOpenAI.Settings()
        settings.pieceBytes = size
        let heard = try await heard(
            [.text("Grüße "), .comment("keep-alive"), .null, .text("👋 \"quoted\"")], settings: settings)
        #expect(heard.error == nil)
        #expect(heard.text == "Grüße 👋 \"quoted\"")
        #expect(heard.session != nil)
    }

    @Test("[DONE], events without choices, null, odd fields and comments are no part of the answer")
    func oddities() async throws {
        let heard = try await heard([
            .raw(": hello\n\n"), .raw("event: ping\n\n"),
            .raw("data: {\"choices\":[],\"usage\":{\"total_tokens\":2}}\n\n"),
            .raw("data: {\"id\":null,\"choices\":null,\"error\":null}\n\n"),
            .raw("data: {\"choices\":[{\"delta\":{\"content\":null,\"tool_calls\":[{\"index\":0}]}}]}\n\n"),
            .raw("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\",\"content\":\"Hi\"}}]}\n\n"),
            .raw("data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"other\"}}]}\n\n"),
            .raw(
                "data: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\" \\\"error\\\"\"}]}}]}\n\n"),
            .raw("data: {\"choices\":[{\"delta\":null,\"finish_reason\":null}]}\n\n"),
        ])
        #expect(heard.error == nil)
        #expect(heard.text == "Hi \"error\"")
    }

    @Test("a stream without [DONE] is whole when it said why it ended, and uncertain else")
    func ends() async throws {
        let server = try await ScriptedDify.start { request, _ in
            let cut = try JSON(parsing: request.body)["messages"]?.array?.last?["content"]?.string == "cut"
            let said = "data: {\"choices\":[{\"delta\":{\"content\":\"Half\"}}]}\n\n"
            return .events(cut ? said : said + "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")
        }
        let whole = try await bot(server.url).hear(Stage.question("whole"))
        #expect(whole.error == nil)
        #expect(whole.text == "Half")
        let cut = try await bot(server.url).hear(Stage.question("cut"))
        #expect(cut.error?.kind == .uncertain)
        #expect(cut.session == nil)
        await server.stop()
    }

    @Test("a connection that breaks after text arrived leaves the outcome open and keeps no history")
    func cut() async throws {
        let heard = try await heard([.text("Half an ans"), .cut])
        #expect(heard.error?.kind == .uncertain)
        #expect(heard.text == "Half an ans")
        #expect(heard.session == nil)
    }

    @Test("an error inside a 200 is told, not said, and does not make a second request")
    func errorInside() async throws {
        let script: SimulatedOpenAI.Script = { _ in
            [.text("So "), .error(type: "server_error", code: nil, message: "The engine died")]
        }
        try await with(.init(), script) { server in
            let heard = try await bot(server.baseURL).hear(Stage.question("x"))
            #expect(heard.error?.kind == .final)
            #expect(heard.error?.message.contains("The engine died") == true)
            #expect(server.asked.count == 1)
        }
        let plain = try await heard([.raw("data: {\"error\":\"no memory\"}\n\n")])
        #expect(plain.error?.message.contains("no memory") == true)
        let top = try await heard([
            .raw("data: {\"object\":\"error\",\"message\":\"too \\\"error\\\"\",\"error\":{}}\n\n")
        ])
        #expect(top.error?.kind == .final)
    }

    @Test("a server that cannot stream is understood")
    func whole() async throws {
        var settings = SimulatedOpenAI.Settings()
        settings.cannotStream = true
        let heard = try await heard([.text("All "), .text("at once")], settings: settings)
        #expect(heard.error == nil)
        #expect(heard.text == "All at once")
    }

    @Test("too many requests pass, with the server's pause; a quota that is used up does not")
    func tooMany() async throws {
        let limit = try await heard([
            .refuse(
                status: 429, type: "requests", code: "rate_limit_exceeded", message: "Slow down", retryAfter: 7)
        ])
        #expect(limit.error?.kind == .passing)
        #expect(limit.error?.retryAfter == .seconds(7))
        let quota = try await heard([
            .refuse(
                status: 429, type: "insufficient_quota", code: "insufficient_quota", message: "You exceeded it")
        ])
        #expect(quota.error?.kind == .final)
        #expect(quota.error?.message.contains("billing") == true)
        for error in [#"{"code":429,"message":"Slow down"}"#, #"{"code":"rate_limit_exceeded","message":"Slow down"}"#]
        {
            let late = SimulatedOpenAI.Step.raw("data: {\"error\":\(error)}\n\n")
            #expect(try await heard([late]).error?.kind == .passing)
            // Once something was said, a second try would say it again.
            #expect(try await heard([.text("So "), late]).error?.kind == .final)
        }
        let used = #"{"error":{"code":"insufficient_quota","message":"You exceeded it"}}"#
        #expect(try await heard([.raw("data: \(used)\n\n")]).error?.kind == .final)
    }

    @Test(
        "what the server refuses is sorted by what may have been done",
        arguments: [
            (400, PlatformError.Kind.final), (401, .final), (403, .final), (408, .uncertain), (422, .final),
            (500, .uncertain), (502, .uncertain), (503, .passing), (504, .uncertain), (529, .passing),
        ])
    func statuses(status: Int, kind: PlatformError.Kind) async throws {
        let own = try await heard([.refuse(status: status, type: "t", code: "word", message: "As it says")])
        #expect(own.error?.kind == kind)
        #expect(own.error?.message.contains("As it says") == true)
        let server = try await ScriptedDify.start { _, _ in .text("<html>", status: status, type: "text/html") }
        #expect(try await bot(server.url).hear(Stage.question("x")).error?.kind == kind)
        await server.stop()
    }

    @Test("a page with status 200, JSON of another kind and an empty answer are failures that say so")
    func notOurs() async throws {
        for answer in [HTTPResponse.text("<html>Welcome", type: "text/html"), .json(["hello": 1]), .json([])] {
            let server = try await ScriptedDify.start { _, _ in answer }
            let heard = try await bot(server.url).hear(Stage.question("x"))
            #expect(heard.error?.kind == .final)
            #expect(heard.error?.message.contains("interface") == true)
            await server.stop()
        }
        let filtered = try await heard([.finish("content_filter")])
        #expect(filtered.error?.message.contains("filter") == true)
        let tools = try await heard([.finish("tool_calls")])
        #expect(tools.error?.message.contains("tool_calls") == true)
        #expect(try await heard([.text("Long"), .finish("length")]).error == nil)
    }

    @Test("an answer larger than allowed fails instead of filling memory")
    func tooLarge() async throws {
        let piece = "data: {\"choices\":[{\"delta\":{\"content\":\"\(String(repeating: "x", count: 60_000))\"}}]}\n\n"
        let heard = try await heard(Array(repeating: .raw(piece), count: 500))
        #expect(heard.error?.kind == .uncertain)
        #expect(heard.error?.message.contains("large") == true)
    }

    // MARK: Address

    @Test(
        "an address is taken with and without /v1",
        arguments: [
            ("/v1", "/v1"), ("/v1", ""), ("/v1", "/"), ("", ""), ("", "/v1"), ("/api/v3", "/api/v3/"),
            ("/api/v1", "/api"), ("/v1beta/openai", "/v1beta/openai"), ("/v1", "/v1/chat/completions"),
        ])
    func addresses(server prefix: String, given: String) async throws {
        var settings = SimulatedOpenAI.Settings()
        settings.prefix = prefix
        let script: SimulatedOpenAI.Script = { _ in [.text("Found")] }
        try await with(settings, script) { server in
            let asker = bot(server.origin + given)
            for _ in 1...2 {
                let heard = try await asker.hear(Stage.question("x"))
                #expect(heard.text == "Found")
                #expect(asker.connection.address.candidates.count == 1)
            }
            #expect(server.asked.count == 2)
        }
    }

    @Test("an address where nothing is found under either form is said to be wrong; a missing model is not")
    func notFound() async throws {
        let script: SimulatedOpenAI.Script = { _ in [] }
        try await with(.init(), script) { server in
            let lost = try await bot(server.origin + "/nowhere").hear(Stage.question("x"))
            #expect(lost.error?.kind == .final)
            #expect(lost.error?.message.contains("404") == true)
            let model = try await bot(server.origin, ["model": "gpt-9"]).hear(Stage.question("x"))
            #expect(model.error?.message.contains("gpt-9") == true)
            #expect(model.error?.message.contains("option model") == true)
        }
    }

    @Test("the query of an address stays where it is")
    func query() {
        let azure = OpenAIAddress("https://x.example/openai/deployments/a/chat/completions?api-version=1")
        #expect(azure.forms == ["https://x.example/openai/deployments/a/chat/completions?api-version=1"])
        #expect(OpenAIAddress("https://x.example/v1?a=b").forms[0] == "https://x.example/v1/chat/completions?a=b")
    }

    // MARK: What is asked

    @Test("model, temperature and a system prompt with variables go with the question; tokens only where allowed")
    func request() async throws {
        let script: SimulatedOpenAI.Script = { _ in [.text("Ok")] }
        try await with(.init(), script) { server in
            var options: JSON = [
                "model": "gpt-4o-mini", "temperature": 0.5,
                "system_prompt": "Serve {{ FIRST_NAME }}{{missing}} of {{CHAT_TITLE}}: {{access_token}} {{ open",
            ]
            let question = Stage.question(
                "Hello", variables: ["FIRST_NAME": "Ann", "CHAT_TITLE": "{{FIRST_NAME}}"],
                tokens: ["access_token": Secret("token-of-the-portal")])
            _ = try await bot(server.baseURL, options).hear(question)
            options["send_tokens"] = true
            _ = try await bot(server.baseURL, options, key: nil).hear(question)
            let asked = server.asked
            #expect(asked[0].temperature == 0.5)
            #expect(asked[0].messages.map(\.role) == ["system", "user"])
            #expect(asked[0].messages[0].text == "Serve Ann of {{FIRST_NAME}}:  {{ open")
            #expect(asked[1].messages[0].text == "Serve Ann of {{FIRST_NAME}}: token-of-the-portal {{ open")
        }
        let none = try await bot("http://127.0.0.1:1", [:]).hear(Stage.question("x"))
        #expect(none.error?.kind == .final)
        #expect(none.error?.message.contains("model") == true)
    }

    @Test("the conversation goes on: former messages are told, as many as the option says")
    func history() async throws {
        let script: SimulatedOpenAI.Script = { [.text("Answer to \($0.query)")] }
        try await with(.init(), script) { server in
            let asker = bot(server.baseURL, ["model": "gpt-4o-mini", "history": 3])
            var session: PlatformSession?
            for turn in 1...4 {
                let heard = try await asker.hear(Stage.question("Q\(turn)", session: session))
                if let session { #expect(heard.session?.id == session.id) }
                session = heard.session
            }
            #expect(server.asked[1].messages.map(\.text) == ["Q1", "Answer to Q1", "Q2"])
            // Three fit, and a conversation does not begin with an answer.
            #expect(server.asked[3].messages.map(\.text) == ["Q3", "Answer to Q3", "Q4"])
        }
    }

    @Test("the history is bounded in bytes, and what was stored oddly is left out")
    func bounds() {
        let long = String(repeating: "ж", count: 20_000)
        var session: PlatformSession?
        for _ in 0..<20 {
            session = OpenAIHistory(session, count: 200).session(adding: long, answer: long, count: 200)
        }
        let bytes = session?.data.bytes.count ?? 0
        #expect(bytes > 16_000 && bytes <= 64 * 1024)
        let odd = PlatformSession(
            id: "s", data: ["messages": [1, ["role": "system", "content": "x"], ["role": "user"], .null]])
        #expect(OpenAIHistory(odd, count: 20).messages.isEmpty)
        #expect(OpenAIHistory(PlatformSession(id: "s", data: "text"), count: 20).messages.isEmpty)
    }

    @Test("images are shown to a model that sees; other files, and images it cannot take, are named")
    func vision() async throws {
        let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 1, 2, 3]
        let files = [
            TestFile("photo.png", png), TestFile("plan.pdf", [1]), TestFile("drawing.svg", Array("<svg/>".utf8)),
            TestFile("gone.jpg", nil),
        ].map(\.file)
        let script: SimulatedOpenAI.Script = { _ in [.text("Nice")] }
        try await with(.init(), script) { server in
            var question = Stage.question("Look")
            question.files = files
            let heard = try await bot(server.baseURL, ["model": "gpt-4o-mini", "vision": true]).hear(question)
            let seen = try #require(server.asked.last?.messages.last)
            #expect(seen.images == ["data:image/png;base64,\(Data(png).base64EncodedString())"])
            #expect(seen.text == "Look\n[Image: photo.png]\n[File: plan.pdf]\n[File: drawing.svg]\n[File: gone.jpg]")
            #expect(heard.session?.data.text.contains("base64") == false)
            _ = try await bot(server.baseURL).hear(question)
            #expect(server.asked.last?.messages.last?.images.isEmpty == true)
        }
    }

    @Test("a picture that cannot be fetched now puts the question off: nothing was asked")
    func unfetched() async throws {
        let script: SimulatedOpenAI.Script = { _ in [.text("Nice")] }
        try await with(.init(), script) { server in
            var question = Stage.question("Look")
            question.files = [TestFile("photo.png", nil, failing: .uncertain).file]
            let heard = try await bot(server.baseURL, ["model": "gpt-4o-mini", "vision": true]).hear(question)
            #expect(heard.error?.kind == .passing)
            #expect(server.asked.isEmpty)
        }
    }

    @Test("neither the key nor a token is in an error's text")
    func secrets() async throws {
        let token = Secret("portal-token-abcdef-123456")
        let heard = try await heard(
            [.refuse(status: 400, type: "t", code: nil, message: "bad \(Stage.key.reveal()) \(token.reveal())")],
            question: Stage.question("x", tokens: ["access_token": token]))
        let message = try #require(heard.error?.message)
        #expect(message.contains("bad ••••"))
        #expect(!message.contains(Stage.key.reveal()) && !message.contains(token.reveal()))
        var settings = SimulatedOpenAI.Settings()
        settings.key = Secret("another")
        let refused = try await self.heard([], settings: settings)
        #expect(refused.error?.message.contains("key is refused") == true)
    }
}

/// A file that a person sent.
struct TestFile: FileAccess {
    var name: String
    var bytes: [UInt8]?
    var kind: PlatformError.Kind

    init(_ name: String, _ bytes: [UInt8]?, failing kind: PlatformError.Kind = .final) {
        self.name = name
        self.bytes = bytes
        self.kind = kind
    }

    var file: QuestionFile {
        QuestionFile(
            id: "7", name: name, mediaType: MediaType(ofFileNamed: name), size: bytes?.count, access: self)
    }

    func link() async throws -> String {
        guard bytes != nil else { throw PlatformError(kind, "It is gone") }
        return "https://portal.example/rest/download.json?token=secret"
    }

    func content(atMost limit: Int) async throws -> [UInt8] {
        guard let bytes, bytes.count <= limit else { throw PlatformError(kind, "It cannot be had") }
        return bytes
    }
}
