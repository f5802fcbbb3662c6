import Base
import Sandbox
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Trying bots out", .timeLimit(.minutes(1)))
struct PlaygroundTests {
    @Test("a connector that works says so with the bot's answer, one that does not says why in plain words")
    func connectorTest() async throws {
        try await Stage.with { stage in
            let path = "connectors/\(try await stage.connector().field("id"))"
            let well = try await stage.api(.post, path + "/test", [:]).json
            #expect(well["well"] == true && well["answer"] == "You said: Hello" && well["error"] == .null)
            #expect(try await stage.api(.post, path + "/test", ["text": "Hi"]).json["answer"] == "You said: Hi")
            _ = try await stage.api(.patch, path, ["key": "app-wrong-0123456789"])
            let wrong = try await stage.api(.post, path + "/test", [:]).json
            #expect(wrong["well"] == false && wrong["answer"] == .null)
            #expect(wrong["error"]?.string?.isEmpty == false)
            #expect(wrong["error"]?.string?.contains("app-wrong") == false)
        }
    }

    @Test("a conversation goes on with what the last answer gave, always as the same person, and leaves nothing behind")
    func conversation() async throws {
        try await Stage.with { stage in
            let asks = Mutex<[(user: String, turn: Int, inputs: Members<JSON>)]>([])
            stage.dify.change(Stage.key) { app in
                app.script = { ask in
                    asks.withLock { $0.append((ask.user, ask.turn, ask.inputs)) }
                    return [.text("Turn \(ask.turn): \(ask.query)")]
                }
            }
            let connector = try await stage.connector()
            let first = try await stage.play(["connector_id": try #require(connector["id"]), "text": "One"])
            #expect(first.text == "Turn 1: One")
            #expect(first.names.suffix(2) == ["session", "done"])
            let session = try #require(first.last("session")?["session"])
            let second = try await stage.play([
                "connector_id": try #require(connector["id"]), "text": "Two", "session": session,
            ])
            #expect(second.text == "Turn 2: Two")
            let users = asks.withLock { $0.map(\.user) }
            #expect(Set(users).count == 1 && users[0].hasPrefix("playground:"))
            for table in ["dialogs", "events", "outbox"] {
                let count = try await stage.store.database.read { connection in
                    try connection.row("SELECT count(*) FROM \(table)") { $0.integer(0) }
                }
                #expect(count == 0)
            }
        }
    }

    @Test("the label of a choice is the choice, a number is what was said")
    func choices() async throws {
        try await Stage.with { stage in
            stage.dify.change(Stage.key) { $0.suggestedQuestions = ["Where?", "When?"] }
            let id = try #require(try await stage.connector()["id"])
            let offer = try await stage.play(["connector_id": id, "text": "One"])
            #expect(offer.last("choices")?["options"]?.array?.map { $0["label"] } == ["Where?", "When?"])
            let session = try #require(offer.last("session")?["session"])
            for (text, said) in [("2", "2"), ("when?", "When?")] {
                let answer = try await stage.play(["connector_id": id, "text": .string(text), "session": session])
                #expect(answer.text == "You said: \(said)")
            }
        }
    }

    @Test("a session is of use for its own connector alone, and cannot be read or made up")
    func foreignSession() async throws {
        try await Stage.with { stage in
            let id = try #require(try await stage.connector()["id"])
            let session = try #require(
                try await stage.play(["connector_id": id, "text": "One"]).last("session")?["session"]?.string)
            #expect(!session.contains("playground"))
            let other = try #require(try await stage.connector()["id"])
            for (connector, text) in [(other, session), (id, "made up"), (id, session + "AAAA")] {
                let reply = try await stage.api(
                    .post, "playground", ["connector_id": connector, "text": "Two", "session": .string(text)])
                #expect(reply.status == 422 && reply.fields.keys.sorted() == ["session"])
            }
        }
    }

    @Test("a bot is asked through its connector, with the variables that were given")
    func bot() async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed())
            let played = try await stage.play(["bot_id": try #require(bot["id"]), "text": "Hello"])
            #expect(played.text == "You said: Hello")
            let lone = try await stage.bot(of: try await stage.installed(), name: "Lone", isConnected: false)
            for (body, field) in [
                (["bot_id": lone["id"] ?? .null], "bot_id"), (["bot_id": "999"], "bot_id"), ([:], "connector_id"),
                (["connector_id": "999"], "connector_id"),
                (["bot_id": bot["id"] ?? .null, "variables": ["A": 1]], "variables"),
            ] as [(JSON, String)] {
                var body = body
                body["text"] = "Hello"
                let reply = try await stage.api(.post, "playground", body)
                #expect(reply.fields.keys.sorted() == [field], "\(body.text)")
            }
        }
    }

    @Test("an answer is told as it comes, and one that fails ends with the reason")
    func streaming() async throws {
        let (wasTold, told) = AsyncStream.makeStream(of: Void.self)
        let platform = try await Self.platform { write in
            try await write(Array(#"data: {"event":"message","answer":"Wait"}"#.utf8) + Array("\n\n".utf8))
            for await _ in wasTold { break }
            let failure = #"data: {"event":"error","status":400,"code":"provider_quota","message":"No credit"}"#
            try await write(Array(failure.utf8) + Array("\n\n".utf8))
        }
        try await Stage.with { stage in
            let id = try await Self.connector(of: stage, to: platform)
            let stream = try await stage.stream(.post, "playground", ["connector_id": id, "text": "Hello"])
            var events = EventReader(stream)
            #expect(try await events.next()?.data == (["text": "Wait"] as JSON).text)
            told.yield()
            var last: ServerSentEvent?
            while let event = try await events.next() { last = event }
            #expect(last?.name == "failed" && last?.data.contains("No credit") == true, "\(last?.data ?? "")")
        }
        await platform.shutdown(grace: .zero)
    }

    /// A Dify whose answers are what `answer` writes.
    private static func platform(
        _ answer: @escaping @Sendable (_ write: @escaping HTTPBodyWriter) async throws -> Void
    ) async throws -> HTTPServer {
        try await HTTPServer.start(on: .tcp(host: "127.0.0.1", port: 0), loops: Stage.loops, log: .silent) { request in
            guard request.path.hasSuffix("/chat-messages") else {
                return HTTPResponse(
                    status: 200, headers: ["Content-Type": "application/json"], body: .bytes(Array("{}".utf8)))
            }
            return HTTPResponse(status: 200, headers: ["Content-Type": "text/event-stream"], body: .stream(answer))
        }
    }

    private static func connector(of stage: Stage, to platform: HTTPServer) async throws -> JSON {
        let provider = try await stage.make(
            "providers",
            ["name": "Slow", "type": "dify_chat", "url": .string("http://127.0.0.1:\(platform.port)/v1")])
        let connector = try await stage.make(
            "connectors", ["name": "Slow", "provider_id": try #require(provider["id"]), "key": "app-0123456789"])
        return try #require(connector["id"])
    }

    @Test("whoever leaves ends the request to the bot platform, and at most twenty are served at once")
    func leaving() async throws {
        let asked = Mutex(0)
        let open = Mutex(0)
        let platform = try await Self.platform { write in
            asked.withLock { $0 += 1 }
            open.withLock { $0 += 1 }
            defer { open.withLock { $0 -= 1 } }
            try await write(Array(": \n\n".utf8))
            try await Task.sleep(for: .seconds(60))
        }
        try await Stage.with { stage in
            let body: JSON = ["connector_id": try await Self.connector(of: stage, to: platform), "text": "Hello"]
            var streams: [HTTPClient.StreamedAnswer] = []
            for _ in 1...20 { streams.append(try await stage.stream(.post, "playground", body)) }
            try await eventually { asked.withLock { $0 } == 20 }
            let refused = try await stage.api(.post, "playground", body)
            #expect(refused.status == 429 && refused.code == "slow_down")
            streams = []
            try await eventually { open.withLock { $0 } == 0 }
            // The places are free again.
            try await eventually {
                let stream = try? await stage.stream(.post, "playground", body)
                return stream?.status == 200
            }
        }
        await platform.shutdown(grace: .zero)
    }
}

/// What the playground told.
struct Played {
    var events: [ServerSentEvent]
    var names: [String] { events.map(\.name) }
    /// All the text.
    var text: String {
        events.filter { $0.name == "text" }.compactMap { (try? JSON(parsing: $0.data.utf8))?["text"]?.string }.joined()
    }
    func last(_ name: String) -> JSON? {
        events.last { $0.name == name }.flatMap { try? JSON(parsing: $0.data.utf8) }
    }
}

/// Reads a stream's events one by one.
struct EventReader {
    private var pieces: HTTPClient.StreamedAnswer.Body.AsyncIterator
    private var parser = ServerSentEventParser()
    private var waiting: [ServerSentEvent] = []

    init(_ answer: HTTPClient.StreamedAnswer) { pieces = answer.body.makeAsyncIterator() }

    mutating func next() async throws -> ServerSentEvent? {
        while waiting.isEmpty {
            guard let piece = try await pieces.next() else { return nil }
            waiting += try parser.feed(piece)
        }
        return waiting.removeFirst()
    }
}

extension Stage {
    func stream(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil) async throws -> HTTPClient.StreamedAnswer {
        try await http.stream(
            HTTPClient.Request(
                method, origin + "/api/v1/" + path, headers: signedIn, body: body?.bytes ?? [], trust: .privateAllowed))
    }

    func play(_ body: JSON) async throws -> Played {
        let reply = try await api(.post, "playground", body)
        try #require(reply.status == 200, "\(reply.text)")
        #expect(reply.headers["Content-Type"] == "text/event-stream")
        var parser = ServerSentEventParser()
        return Played(events: try parser.feed(Array(reply.text.utf8)))
    }
}
