import Base
import Sandbox
import TestSupport
import Testing

@Suite("The sandbox's page and how it connects")
struct PageTests {
    // MARK: Connecting

    @Test("connecting makes an application, an installation, and bots of each platform by public routes")
    func connects() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            #expect(bench.bot.items("apps").count == 1)
            #expect(bench.bot.items("apps")[0]["bitbot"] == true)
            #expect(bench.bot.items("installations").map { $0["status"] } == ["active"])
            #expect(
                bench.bot.items("providers").map { $0["type"] } == ["dify_chatflow", "typebot", "dify_workflow"])
            #expect(bench.bot.items("providers")[0]["url"]?.string == bench.sandbox.dify.baseURL)
            #expect(bench.bot.items("connectors").count == 4)
            #expect(bench.bot.items("bots").prefix(2).compactMap { $0["type"]?.string } == ["openline", "bot"])
            #expect(bench.bot.items("bots").count == 5)
            let state = try await bench.state()
            #expect(state["status"] == ["state": "ready"])
            #expect(
                state["offers"]?.array?.map { $0["id"] } == ["chatflow", "typebot", "files", "workflow"])
            #expect(state["people"]?["customer"]?["choice"] == "chatflow")
            #expect(state["people"]?["employee"]?["choice"] == "chatflow")
        }
    }

    @Test("a second start leaves one application and no bots of the first")
    func restarts() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            let second = try await Sandbox.start(
                bitbot: bench.bot.url, adminToken: StandInBot.token, settings: PageBench.settings,
                loops: bench.loops, log: .silent)
            try await second.connect()
            #expect(bench.bot.items("apps").count == 1)
            #expect(bench.bot.items("portals").count == 1)
            #expect(bench.bot.items("bots").count == 5)
            #expect(bench.bot.items("connectors").count == 4)
            #expect(
                bench.bot.items("providers").map { $0["url"]?.string }
                    == [second.dify.baseURL, second.typebot.origin, second.dify.baseURL])
            await second.stop()
        }
    }

    @Test("what keeps it from connecting is told, on the page too")
    func failsToConnect() async throws {
        try await PageBench.with { bench in
            bench.bot.state.withLock { $0.confirms = false }
            await #expect(throws: SandboxError.notInstalled(status: "missing")) {
                try await bench.sandbox.connect(patience: .milliseconds(200))
            }
            let status = try await bench.state()["status"]
            #expect(status?["state"] == "failed")
            #expect(status?["reason"]?.string?.contains("installation") == true)
            let early = try await bench.post("/sandbox/messages", ["place": "customer", "text": "hi"])
            #expect(early.status == 409)
        }
    }

    // MARK: Playing

    @Test("a customer's message appears, then typing, then the bot's answer with its buttons, and every call")
    func customer() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            let events = try await bench.events(until: { $0.contains { $0.isAnswer(in: "customer") } }) {
                try await bench.post("/sandbox/messages", ["place": "customer", "text": "Hello <b>you</b>"])
            }
            let messages = events.filter { $0.name == "message" }.compactMap { $0.data["message"] }
            #expect(messages.first?["from"] == "me" && messages.first?["text"] == "Hello <b>you</b>")
            #expect(events.contains { $0.name == "typing" && $0.data["place"] == "customer" })
            let answer = try #require(messages.last)
            #expect(answer["from"] == "bot" && answer["name"] == "Sandbox support")
            #expect(answer["text"]?.string?.contains("demonstration bot") == true)
            #expect(
                answer["buttons"] == [
                    [["text": "More", "link": nil]], [["text": "Site", "link": "https://example.com"]],
                ])
            let calls = events.filter { $0.name == "call" }.map(\.data)
            #expect(calls.contains { $0["kind"] == "event" && $0["target"] == "ONIMBOTV2MESSAGEADD" })
            #expect(calls.contains { $0["kind"] == "platform" && $0["target"] == "/v1/chat-messages" })
            let later = try await bench.state()
            #expect(later["messages"]?["customer"]?.array?.last?["from"] == "bot")
            #expect(later["messages"]?["employee"]?.array?.contains { $0["from"] == "me" } == false)
        }
    }

    @Test("an employee speaks with the bot in a private chat")
    func employee() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            let events = try await bench.events(until: { $0.contains { $0.isAnswer(in: "employee") } }) {
                try await bench.post("/sandbox/messages", ["place": "employee", "text": "What now?"])
            }
            let answer = try #require(events.last { $0.isAnswer(in: "employee") }?.data["message"])
            #expect(answer["name"] == "Sandbox assistant")
            #expect(answer["text"]?.string?.contains("turn 1") == true)
        }
    }

    @Test("no token, key or secret address is shown among the calls")
    func masks() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            _ = try await bench.events(until: { $0.contains { $0.isAnswer(in: "customer") } }) {
                try await bench.post("/sandbox/messages", ["place": "customer", "text": "Hello"])
            }
            let shown = try await bench.state()["calls"]?.text ?? ""
            #expect(shown.contains("access_token"))
            #expect(shown.contains("webhookUrl") && !shown.contains(StandInBot.eventSecret.reveal()))
            #expect(!shown.contains(bench.bot.state.withLock { $0.accessToken }))
            #expect(!shown.contains(bench.bot.items("connectors")[0]["key"]?.string ?? "none"))
            #expect(!shown.contains(bench.bot.items("apps")[0]["client_secret"]?.string ?? "none"))
        }
    }

    @Test("a pressed button reaches the bot as a message")
    func buttons() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            let events = try await bench.events(until: { $0.contains { $0.isAnswer(in: "employee") } }) {
                try await bench.post("/sandbox/messages", ["place": "employee", "text": "Hello"])
            }
            let answer = try #require(events.last { $0.isAnswer(in: "employee") }?.data["message"]?["id"])
            let pressed = try await bench.post(
                "/sandbox/buttons", ["place": "employee", "message": answer, "text": "More"])
            #expect(pressed.status == 204)
            try await eventually {
                let texts = try await bench.state()["messages"]?["employee"]?.array?.map { $0["text"]?.string }
                return texts?.contains("More") == true
            }
            let none = try await bench.post(
                "/sandbox/buttons", ["place": "employee", "message": answer, "text": "Nothing"])
            #expect(none.status == 404)
        }
    }

    @Test("a person may send a file, with words or without")
    func sendsFiles() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            let files: JSON = [["name": "note.txt", "content": "SGVsbG8="]]
            let sent = try await bench.post("/sandbox/messages", ["place": "customer", "files": files])
            #expect(sent.status == 204)
            let all = bench.sandbox.portal.dialogs.flatMap { bench.sandbox.portal.messages(in: $0.id) }
            let file = all.flatMap(\.files).first
            #expect(file?.name == "note.txt" && file?.content == Array("Hello".utf8))
            for wrong: JSON in [[["name": "a"]], [["name": "", "content": ""]], [["name": "a", "content": "?"]]] {
                let reply = try await bench.post("/sandbox/messages", ["place": "customer", "files": wrong])
                #expect(reply.status == 400)
            }
        }
    }

    @Test("a new conversation is another customer in another dialog")
    func newConversation() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            _ = try await bench.post("/sandbox/messages", ["place": "customer", "text": "Hello"])
            let first = try await bench.state()["people"]?["customer"]?["name"]
            #expect(try await bench.post("/sandbox/conversations", [:]).status == 204)
            let state = try await bench.state()
            #expect(state["messages"]?["customer"] == [])
            #expect(state["people"]?["customer"]?["name"] != first)
        }
    }

    @Test("another bot is chosen on either side: a dialog of its own, and what was said stays")
    func choice() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            try await bench.post("/sandbox/messages", ["place": "employee", "text": "Hello"])
            let customer = try await bench.state()["people"]?["customer"]?["name"]
            for side in ["customer", "employee"] {
                #expect(
                    try await bench.post("/sandbox/choices", ["place": .string(side), "id": "files"]).status == 204)
            }
            var state = try await bench.state()
            #expect(state["messages"] == ["customer": [], "employee": []])
            #expect(state["people"]?["customer"]?["choice"] == "files")
            #expect(state["people"]?["customer"]?["name"] != customer)
            #expect(state["people"]?["employee"]?["bot"] == "Price list")
            try await bench.post("/sandbox/choices", ["place": "employee", "id": "chatflow"])
            state = try await bench.state()
            #expect(state["messages"]?["employee"]?.array?.first?["text"] == "Hello")
            #expect(try await bench.post("/sandbox/choices", ["place": "customer", "id": "operator"]).status == 404)
            #expect(try await bench.post("/sandbox/choices", ["place": "both", "id": "files"]).status == 400)
        }
    }

    @Test("a file is shown, and kept as it is; only pictures are shown in the browser")
    func files() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            let files = [
                (name: "photo.png", type: "image/png", way: "inline"),
                (name: "page.html", type: "application/octet-stream", way: "attachment"),
                (name: "drawing.svg", type: "application/octet-stream", way: "attachment"),
            ]
            for file in files {
                let sent: JSON = [["name": .string(file.name), "content": "PGI+"]]
                try await bench.post("/sandbox/messages", ["place": "employee", "files": sent])
                let shown = try await bench.state()["messages"]?["employee"]?.array?.last { $0["from"] == "me" }
                let kept = try #require(shown?["files"]?.array?.first)
                #expect(kept["name"]?.string == file.name && kept["size"] == 3)
                let path = "/sandbox/files/\(try #require(kept["id"]?.integer))/\(file.name)"
                let answer = try await bench.http.send(bench.request(.get, path))
                #expect(answer.body == Array("<b>".utf8))
                #expect(answer.headers["Content-Type"] == file.type)
                #expect(answer.headers["Content-Disposition"] == file.way)
                #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
            }
            try await bench.expect(404, bench.request(.get, "/sandbox/files/99/photo.png"))
        }
    }

    @Test("an operator sees the customer's dialog, takes it, writes, and gives it back")
    func operates() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            let early = try await bench.post("/sandbox/operator", ["act": "take"])
            #expect(early.status == 409)
            try await bench.post("/sandbox/choices", ["place": "employee", "id": "operator"])
            try await bench.post("/sandbox/messages", ["place": "customer", "text": "Is anybody there?"])
            func session() async throws -> JSON? { try await bench.state()["people"]?["employee"]?["session"] }
            #expect(try await session() == "bot")
            let words: JSON = ["place": "employee", "text": "I am here."]
            #expect(try await bench.post("/sandbox/messages", words).status == 409)
            #expect(try await bench.post("/sandbox/operator", ["act": "take"]).status == 204)
            #expect(try await session() == "operator")
            #expect(try await bench.post("/sandbox/messages", words).status == 204)
            let seen = try await bench.state()["messages"]
            #expect(seen?["customer"]?.array?.last { $0["text"] == "I am here." }?["from"] == "other")
            #expect(seen?["employee"]?.array?.last { $0["text"] == "I am here." }?["from"] == "me")
            #expect(seen?["employee"]?.array?.first?["from"] == "other")
            #expect(try await bench.post("/sandbox/operator", ["act": "return"]).status == 204)
            #expect(try await session() == "bot")
            try await bench.post("/sandbox/operator", ["act": "take"])
            try await bench.post("/sandbox/operator", ["act": "finish"])
            #expect(try await session() == "none")
            #expect(try await bench.post("/sandbox/operator", ["act": "sleep"]).status == 400)
        }
    }

    // MARK: Who may ask

    @Test("the page is served with a policy that lets no other origin in")
    func policy() async throws {
        try await PageBench.with { bench in
            for path in [
                "/", "/page.css", "/main.js", "/chat.js", "/message.js", "/wire.js", "/bbcode.js", "/texts.js",
                "/icon.svg",
            ] {
                let answer = try await bench.http.send(bench.request(.get, path))
                #expect(answer.status == 200 && !answer.body.isEmpty)
                #expect(answer.headers["Content-Security-Policy"]?.contains("default-src 'none'") == true)
            }
            try await bench.expect(404, bench.request(.get, "/../Package.swift"))
        }
    }

    @Test("a host that is not this machine's is refused, whatever it asks")
    func foreignHosts() async throws {
        try await PageBench.with { bench in
            for host in ["example.com", "127.0.0.1.example.com", "localhost.example.com:80"] {
                var request = bench.request(.get, "/")
                request.headers["Host"] = host
                try await bench.expect(403, request)
            }
            var request = bench.request(.get, "/")
            request.headers["Host"] = "localhost:9999"
            try await bench.expect(200, request)
        }
    }

    @Test("a post from another page is refused")
    func foreignPosts() async throws {
        try await PageBench.with { bench in
            try await bench.sandbox.connect()
            let body: JSON = ["place": "customer", "text": "hi"]
            var request = bench.request(.post, "/sandbox/messages", body)
            request.headers["Sec-Fetch-Site"] = "cross-site"
            try await bench.expect(403, request)
            request.headers["Sec-Fetch-Site"] = nil
            try await bench.expect(403, request)
            request.headers["Origin"] = "http://example.com"
            try await bench.expect(403, request)
            request.headers["Origin"] = "http://" + bench.sandbox.page.origin.dropFirst("http://".count)
            request.headers["Host"] = String(bench.sandbox.page.origin.dropFirst("http://".count))
            try await bench.expect(204, request)
            request.headers["Content-Type"] = "text/plain"
            try await bench.expect(415, request)
        }
    }
}

/// A sandbox, the server in BitBot's place, and a client that does what the page does.
struct PageBench {
    let sandbox: Sandbox
    let bot: StandInBot
    let http: HTTPClient
    let loops: EventLoopGroup

    static var settings: Sandbox.Settings {
        var settings = Sandbox.Settings()
        settings.portal.sendDelay = .zero ... .zero
        settings.portal.limit = nil
        return settings
    }

    static func with(_ body: (PageBench) async throws -> Void) async throws {
        let loops = EventLoopGroup(count: 1)
        let http = HTTPClient(loops: loops)
        let bot = StandInBot(http: http)
        try await bot.start(loops: loops)
        let sandbox = try await Sandbox.start(
            bitbot: bot.url, adminToken: StandInBot.token, settings: settings, loops: loops, log: .silent)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(PageBench(sandbox: sandbox, bot: bot, http: http, loops: loops)))
        } catch { result = .failure(error) }
        await sandbox.stop()
        await bot.stop()
        await http.shutdown()
        loops.stop()
        try result.get()
    }

    func request(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil) -> HTTPClient.Request {
        var headers: HTTPHeaders = ["Sec-Fetch-Site": "same-origin"]
        if body != nil { headers["Content-Type"] = "application/json" }
        let origin = sandbox.page.origin.replacing("localhost", with: "127.0.0.1")
        return HTTPClient.Request(
            method, origin + path, headers: headers, body: body?.bytes ?? [], trust: .privateAllowed)
    }

    /// Checks how a request is answered.
    func expect(_ status: Int, _ request: HTTPClient.Request, location: SourceLocation = #_sourceLocation) async throws
    {
        let answer = try await http.send(request)
        #expect(answer.status == status, sourceLocation: location)
    }

    @discardableResult
    func post(_ path: String, _ body: JSON) async throws -> HTTPClient.Answer {
        try await http.send(request(.post, path, body))
    }

    struct Event: Sendable {
        var name: String
        var data: JSON

        func isAnswer(in place: String) -> Bool {
            name == "message" && data["place"]?.string == place && data["message"]?["from"] == "bot"
        }
    }

    /// The live events from now on, the first one left out, until there are enough; `act` is done when they flow.
    func events(
        until isEnough: ([Event]) -> Bool, _ act: () async throws -> Void
    ) async throws -> [Event] {
        var parser = ServerSentEventParser()
        var events: [Event] = []
        var hasBegun = false
        let stream = try await http.stream(request(.get, "/sandbox/events"))
        #expect(stream.headers["Content-Type"] == "text/event-stream")
        for try await piece in stream.body {
            for event in try parser.feed(piece) {
                if hasBegun { events.append(Event(name: event.name, data: try JSON(parsing: event.data.utf8))) }
                if !hasBegun, event.name == "state" {
                    hasBegun = true
                    try await act()
                }
            }
            if isEnough(events) { break }
        }
        return events
    }

    /// What a page gets first.
    func state() async throws -> JSON {
        var parser = ServerSentEventParser()
        let stream = try await http.stream(request(.get, "/sandbox/events"))
        for try await piece in stream.body {
            if let event = try parser.feed(piece).first(where: { $0.name == "state" }) {
                return try JSON(parsing: event.data.utf8)
            }
        }
        throw NoState()
    }
}

private struct NoState: Error {}
