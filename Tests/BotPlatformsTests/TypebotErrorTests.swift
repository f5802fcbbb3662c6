import Base
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("What Typebot refuses is told rightly", .keepsContracts)
struct TypebotErrorTests {
    private func error(_ answer: HTTPResponse, session: PlatformSession? = nil) async throws -> PlatformError? {
        let server = try await ScriptedTypebot.start { _, _ in answer }
        let heard = try await server.bot().hear(Stage.question("x", session: session))
        await server.stop()
        return heard.error
    }

    @Test(
        "what the administrator must mend is final and says what to do",
        arguments: [
            (400, "BAD_REQUEST", "This bot is now closed", "again"),
            (400, "BAD_REQUEST", "Input validation failed", ""),
            (401, "UNAUTHORIZED", "You need to be authenticated", "key"),
            (403, "FORBIDDEN", "This bot is now closed", "suspended"),
            (404, "NOT_FOUND", "Typebot not found", "public id"),
        ])
    func final(status: Int, code: String, message: String, advice: String) async throws {
        let error = try await error(Flow.refusal(status, code, message))
        #expect(error?.kind == .final)
        #expect(error?.message.contains(message) == true && error?.message.contains(code) == true)
        #expect(advice.isEmpty || error?.message.contains(advice) == true)
    }

    @Test("too many at once and 503 pass, with the pause that is asked for; other faults leave the outcome open")
    func passing() async throws {
        let session = PlatformSession.waiting(for: Flow.asksText)
        for session in [nil, session] {
            let busy = try await error(
                Flow.refusal(429, "TOO_MANY_REQUESTS", "Slow down", headers: ["Retry-After": "17"]), session: session)
            #expect(busy?.kind == .passing && busy?.retryAfter == .seconds(17))
            #expect(
                try await error(.text("<html>", status: 503, type: "text/html"), session: session)?.kind == .passing)
            for status in [500, 502, 504] {
                #expect(try await error(.text("<html>", status: status), session: session)?.kind == .uncertain)
            }
            let slow = Flow.refusal(408, "TIMEOUT", "15 seconds timeout reached")
            #expect(try await error(slow, session: session)?.kind == .uncertain)
        }
    }

    @Test("an address that is not Typebot's is said to be one")
    func notTypebot() async throws {
        let moved = HTTPResponse(status: 301, headers: ["Location": "https://elsewhere.example/"])
        let answers = [
            HTTPResponse.text("<html>Welcome", type: "text/html"), .text("Not found", status: 404), moved,
            .json(["ok": true]), .json([]), .json(["messages": []]), .json(["messages": [], "sessionId": 7]),
        ]
        for answer in answers {
            let error = try await error(answer)
            #expect(error?.kind == .final)
            #expect(error?.message.contains("address") == true)
        }
    }

    @Test("a server that is not there was not asked; a connection that breaks leaves the outcome open")
    func network() async throws {
        let port = try freePort()
        let bot = Typebot(
            PlatformConfiguration(
                url: "http://127.0.0.1:\(port)/my-bot", key: nil, options: [:], trust: .privateAllowed,
                http: Stage.http,
                clock: .system, log: .silent))
        #expect(try await bot.hear(Stage.question("x")).error?.kind == .passing)
        struct Cut: Error {}
        let cut = HTTPResponse(
            status: 200, headers: ["Content-Type": "application/json"],
            body: .stream { write in
                try await write(Array(#"{"messages":["#.utf8))
                throw Cut()
            })
        #expect(try await error(cut)?.kind == .uncertain)
        let slow = try await ScriptedTypebot.start { _, _ in
            try await Task.sleep(for: .seconds(30))
            return .json(Flow.next())
        }
        let heard = try await slow.bot(answer: .milliseconds(100)).hear(Stage.question("x"))
        #expect(heard.error?.kind == .uncertain)
        await slow.stop()
    }

    @Test("an answer above 8 MB is refused, not held in memory")
    func huge() async throws {
        let huge = Flow.start([Flow.says(String(repeating: "x", count: 9 * 1024 * 1024))])
        #expect(try await error(.json(huge))?.message.contains("too large") == true)
    }

    @Test("once the flow has moved on a passing fault is waited for, and in the end the outcome is open")
    func halfway() async throws {
        let server = try await ScriptedTypebot.start { request, count in
            if request.path.hasSuffix("/startChat") { return .json(Flow.start(input: Flow.asksText)) }
            return count < 3 ? .text("busy", status: 503) : .json(Flow.next([Flow.says("ok")], input: Flow.asksText))
        }
        let heard = try await server.bot().hear(Stage.question("Ann"))
        #expect(heard.texts == ["ok"])
        #expect(server.starts.count == 1 && server.continued.count == 3)
        await server.stop()
        let dead = try await ScriptedTypebot.start { request, _ in
            request.path.hasSuffix("/startChat") ? .json(Flow.start(input: Flow.asksText)) : .text("busy", status: 503)
        }
        #expect(try await dead.bot().hear(Stage.question("Ann")).error?.kind == .uncertain)
        #expect(dead.starts.count == 1)
        await dead.stop()
    }

    @Test("the key goes as bearer, to Typebot alone; no Origin is sent, for a bot may allow only some")
    func headers() async throws {
        let server = try await ScriptedTypebot.playing(Flow.start(input: Flow.asksText), Flow.next())
        _ = try await server.bot(key: Stage.key).hear(Stage.question("x"))
        #expect(server.requests.allSatisfy { $0.headers["Authorization"] == "Bearer \(Stage.key.reveal())" })
        _ = try await server.bot(key: Secret("")).hear(Stage.question("x"))
        #expect(server.requests.last?.headers["Authorization"] == nil)
        #expect(server.requests.allSatisfy { $0.headers["Origin"] == nil })
        await server.stop()
    }

    @Test("neither the key nor a token is in an error's text")
    func secrets() async throws {
        let token = Secret("portal-token-abcdef-123456")
        let server = try await ScriptedTypebot.start { _, _ in
            Flow.refusal(400, "BAD_REQUEST", "bad \(Stage.key.reveal()) and \(token.reveal())")
        }
        let heard = try await server.bot(key: Stage.key).hear(Stage.question("x", tokens: ["access_token": token]))
        let message = try #require(heard.error?.message)
        #expect(!message.contains(Stage.key.reveal()) && !message.contains(token.reveal()))
        #expect(message.contains("bad ••••"))
        await server.stop()
    }
}

@Suite("A Typebot flow is found by the addresses that people have of it")
struct TypebotAddressTests {
    @Test(
        "start addresses, a preview's, and the page's",
        arguments: [
            ("https://typebot.io/api/v1/typebots/my-bot/startChat", "https://typebot.io/api", "my-bot/startChat"),
            (
                " https://typebot.io/api/v1/typebots/my-bot/startChat/?a=1 ", "https://typebot.io/api",
                "my-bot/startChat"
            ),
            ("https://h.example:8443/tb/api/v1/typebots/a%20b", "https://h.example:8443/tb/api", "a%20b/startChat"),
            ("http://h.example/api/v1/typebots/x1/preview/startChat", "http://h.example/api", "x1/preview/startChat"),
            ("https://typebot.io/my-bot", "https://typebot.io/api", "my-bot/startChat"),
            ("https://bots.example/my-bot/#x", "https://bots.example/api", "my-bot/startChat"),
        ])
    func taken(url: String, api: String, path: String) {
        let address = TypebotAddress(url)
        #expect(address?.api == api)
        #expect(address?.startChat == "\(api)/v1/typebots/\(path)")
        let page = api.dropLast("/api".count) + "/" + path.dropLast("/startChat".count)
        #expect(address?.page == (path.contains("/preview/") ? nil : String(page)))
    }

    @Test(
        "an address that does not name one flow is refused, and no one is asked",
        arguments: [
            "", "https://typebot.io", "https://typebot.io/", "my-bot", "https://", "https://typebot.io/api",
            "https://app.typebot.io/typebots/x/edit", "https://typebot.io/startChat",
            "https://h.example/v1/typebots/startChat",
            "https://h.example/api/v1/sessions/s/continueChat",
        ])
    func refused(url: String) async throws {
        let bot = Typebot(
            PlatformConfiguration(
                url: url, key: nil, options: [:], trust: .privateAllowed, http: Stage.http, clock: .system, log: .silent
            ))
        let heard = try await bot.hear(Stage.question("x"))
        #expect(heard.error?.kind == .final)
        #expect(heard.error?.message.contains("/startChat") == true)
    }

    @Test("a provider may be a Typebot")
    func listed() {
        #expect(PlatformType.named("typebot")?.displayName == "Typebot")
        #expect(PlatformType.named("typebot")?.defaultURL == "https://typebot.io")
    }
}
