import Base
import Foundation
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("A webhook is asked and heard as documented")
struct WebhookTests {
    private func bot(
        _ url: String, _ options: JSON = [:], key: Secret? = nil, clock: WallClock = .system
    ) -> WebhookBot {
        WebhookBot(
            PlatformConfiguration(
                url: url, key: key, options: options, trust: .privateAllowed, http: Stage.http, clock: clock,
                log: .silent))
    }

    private func with(
        _ settings: SimulatedWebhook.Settings = .init(), _ script: @escaping SimulatedWebhook.Script,
        _ body: (SimulatedWebhook) async throws -> Void
    ) async throws {
        let webhook = try await SimulatedWebhook.start(
            settings: settings, loops: Stage.loops, log: .silent, script: script)
        try await body(webhook)
        await webhook.shutdown()
    }

    private func heard(_ reply: SimulatedWebhook.Reply, session: PlatformSession? = nil) async throws -> Heard {
        var heard = Heard()
        let script: SimulatedWebhook.Script = { _ in reply }
        try await with(.init(), script) { webhook in
            heard = try await bot(webhook.url).hear(Stage.question("x", session: session))
        }
        return heard
    }

    @Test("the bot gets the message, what was chosen, variables, files, session and who asks")
    func question() async throws {
        let script: SimulatedWebhook.Script = { _ in .nothing }
        try await with(.init(), script) { webhook in
            let question = Question(
                kind: .command, text: "/help me", chosen: [Choice(label: "Yes", value: "1")],
                files: [TestFile("a.pdf", [1, 2]).file], user: "member:chat7",
                variables: ["MESSAGE_ID": "12", "COMMAND": "help"], tokens: ["access_token": Secret("t0ken")],
                session: PlatformSession(id: "s", data: ["session": ["step": 2]]), id: "5-99")
            let heard = try await bot(webhook.url).hear(question)
            let asked = try #require(webhook.asked.first)
            #expect(
                asked.body == [
                    "id": "5-99", "event": "command", "message": ["id": "12", "text": "/help me"],
                    "chosen": [["text": "Yes", "value": "1"]],
                    "variables": ["MESSAGE_ID": "12", "COMMAND": "help"],
                    "files": [["id": "7", "name": "a.pdf", "type": "application/pdf", "size": 2]],
                    "session": ["step": 2], "user": "member:chat7",
                ])
            #expect(asked.headers["X-BitBot-Event"] == "5-99")
            #expect(asked.headers["Idempotency-Key"] == "5-99")
            #expect(asked.headers["X-BitBot-Signature"] == nil)
            #expect(heard.error == nil)
            #expect(heard.text.isEmpty)
            #expect(heard.session?.data == ["session": ["step": 2]])
        }
    }

    @Test("tokens, links and contents go only where the options say so")
    func options() async throws {
        var question = Stage.question("x", tokens: ["access_token": Secret("t0ken")])
        question.files = [TestFile("a.txt", Array("Hello".utf8)).file, TestFile("gone.txt", nil).file]
        let script: SimulatedWebhook.Script = { _ in .nothing }
        try await with(.init(), script) { webhook in
            _ = try await bot(webhook.url).hear(question)
            #expect(webhook.asked[0].body.text.contains("t0ken") == false)
            #expect(webhook.asked[0].body.text.contains("portal.example") == false)
            _ = try await bot(webhook.url, ["send_tokens": true, "send_files": true]).hear(question)
            let body = webhook.asked[1].body
            #expect(body["variables"]?["access_token"] == "t0ken")
            #expect(body["files"]?.array?[0]["url"]?.string?.hasPrefix("https://portal.example/") == true)
            #expect(body["files"]?.array?[0]["content"] == "SGVsbG8=")
            #expect(body["files"]?.array?[1]["content"] == nil)
        }
    }

    @Test("the signature is HMAC-SHA256 over time, dot and body, with the connector's key")
    func signature() async throws {
        // RFC 4231, test case 2.
        #expect(
            Signature.hmacSHA256(Array("what do ya want for nothing?".utf8), key: Secret("Jefe"))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        var settings = SimulatedWebhook.Settings()
        settings.key = Secret("the right key")
        let script: SimulatedWebhook.Script = { _ in .text("Genuine") }
        try await with(settings, script) { webhook in
            let right = try await bot(webhook.url, key: Secret("the right key")).hear(Stage.question("x"))
            #expect(right.text == "Genuine")
            let wrong = try await bot(webhook.url, key: Secret("the wrong key")).hear(Stage.question("x"))
            #expect(wrong.error?.kind == .final)
            #expect(wrong.error?.message.contains("401") == true)
            let old = WallClock { WallClock.system.now - .seconds(600) }
            let late = try await bot(webhook.url, key: Secret("the right key"), clock: old).hear(Stage.question("x"))
            #expect(late.error?.kind == .final)
        }
    }

    @Test("messages, buttons, files, session and actions are taken as documented")
    func answer() async throws {
        let heard = try await heard(
            .json([
                "messages": [
                    ["text": "It is **on its way**."],
                    [
                        "text": "Else?", "buttons": [["text": "Cancel", "value": "c"], "No", ["text": 3]],
                        "files": [
                            ["url": "https://example.com/a%20b.pdf?x=1"], ["url": "https://x/y", "name": "n.pdf"],
                        ],
                    ],
                ],
                "session": ["order": 1042], "action": "operator:17",
            ]))
        #expect(
            heard.parts.dropLast() == [
                .text("It is **on its way**."), .nextMessage, .text("Else?"),
                .file(ReplyFile(url: "https://example.com/a%20b.pdf?x=1", name: "a b.pdf")),
                .file(ReplyFile(url: "https://x/y", name: "n.pdf")),
                .choices(
                    Choices(
                        [
                            Choice(label: "Cancel", value: "c"), Choice(label: "No", value: "No"),
                            Choice(label: "3", value: "3"),
                        ], isOptional: true)), .action(.toUser(17)),
            ])
        #expect(heard.session?.data == ["session": ["order": 1042]])
        #expect(heard.session?.id.isEmpty == false)
    }

    @Test("plain text, a bare text, a single message and a list are taken kindly")
    func kindly() async throws {
        #expect(try await heard(.text("{\"text\": 1}")).text == "{\"text\": 1}")
        #expect(try await heard(.json("Hello")).text == "Hello")
        #expect(try await heard(.json(["text": "Hello"])).text == "Hello")
        #expect(try await heard(.json(["messages": "Hello"])).text == "Hello")
        #expect(try await heard(.json(["messages": ["A", ["text": "B"]]])).text == "AB")
        #expect(try await heard(.json(["A", "B"])).text == "AB")
        #expect(try await heard(.response(.text("Hello", type: "text/html"))).text == "Hello")
    }

    @Test("204, an empty body and an empty answer say nothing, and the session stays")
    func nothing() async throws {
        let session = PlatformSession(id: "s", data: ["session": 7])
        for reply in [
            SimulatedWebhook.Reply.nothing, .text(""), .json(.null), .json([:]), .json(["messages": []]),
            .json(["messages": [.null, [:], ["text": "", "buttons": [], "files": [["url": "ftp://x"], 5]], [[]]]]),
        ] {
            let heard = try await heard(reply, session: session)
            #expect(heard.error == nil)
            #expect(heard.parts == [.session(session)])
        }
    }

    @Test("a session ends with null, may be any JSON, and is bounded")
    func sessions() async throws {
        let session = PlatformSession(id: "s", data: ["session": 7])
        #expect(try await heard(.json(["session": .null]), session: session).parts == [.session(nil)])
        let list = try await heard(.json(["session": [1, "a"]]), session: session)
        #expect(list.session == PlatformSession(id: "s", data: ["session": [1, "a"]]))
        let large = JSON.string(String(repeating: "x", count: 70_000))
        let error = try await heard(.json(["session": large])).error
        #expect(error?.kind == .final)
        #expect(error?.message.contains("64 KB") == true)
    }

    @Test("an unknown action is left out, several are taken")
    func actions() async throws {
        #expect(try await heard(.json(["text": "A", "action": "dance"])).parts == [.text("A")])
        let several = try await heard(.json(["action": ["queue:3", 5, "finish"]]))
        #expect(several.parts == [.action(.toQueue(3)), .action(.finish)])
    }

    @Test(
        "only what says \"not now\" is asked again",
        arguments: [
            (400, PlatformError.Kind.final), (302, .final), (404, .final), (408, .uncertain), (429, .passing),
            (500, .uncertain), (502, .uncertain), (503, .passing),
        ])
    func statuses(status: Int, kind: PlatformError.Kind) async throws {
        var response = HTTPResponse.text("What went\n wrong", status: status)
        response.headers["Retry-After"] = "9"
        let error = try await heard(.response(response)).error
        #expect(error?.kind == kind)
        #expect(error?.message.contains("\(status): What went wrong") == true)
        #expect(error?.retryAfter == .seconds(9))
    }

    @Test("a page, broken JSON, a number, a broken connection and a huge answer are failures")
    func faults() async throws {
        let page = try await heard(.response(.text("\n<!doctype html>", type: "text/html")))
        #expect(page.error?.kind == .final)
        let broken = HTTPResponse(
            status: 200, headers: ["Content-Type": "application/json"], body: .bytes(Array("{\"a\":".utf8)))
        #expect(try await heard(.response(broken)).error?.kind == .final)
        #expect(try await heard(.json(5)).error?.kind == .final)
        #expect(try await heard(.reset).error?.kind == .uncertain)
        let huge = HTTPResponse(status: 200, body: .bytes([UInt8](repeating: 0x20, count: 30 * 1024 * 1024)))
        #expect(try await heard(.response(huge)).error?.kind == .uncertain)
        #expect(try await bot("").hear(Stage.question("x")).error?.message.contains("no address") == true)
        let many = try await heard(.json(["messages": .array(Array(repeating: "x", count: 5_000))]))
        #expect(many.text.count == 100)
    }

    @Test("a bot that joins a dialog may greet, or say nothing")
    func greeting() async throws {
        let script: SimulatedWebhook.Script = { $0.event == "joined" ? .text("Welcome") : .nothing }
        try await with(.init(), script) { webhook in
            let joined = Question(kind: .joined, text: "", user: "u", variables: [:], tokens: [:], session: nil)
            var parts: [ReplyPart] = []
            for try await part in bot(webhook.url).greeting(for: joined) { parts.append(part) }
            #expect(parts == [.text("Welcome")])
        }
    }

    @Test("neither the key nor a token is in an error's text")
    func secrets() async throws {
        let (key, token) = (Secret("webhook-key-0123456789"), Secret("portal-token-abcdef-123456"))
        let script: SimulatedWebhook.Script = { _ in .response(.text("\(key.reveal()) \(token.reveal())", status: 400))
        }
        try await with(.init(), script) {
            webhook in
            let heard = try await bot(webhook.url, key: key).hear(Stage.question("x", tokens: ["access_token": token]))
            let message = try #require(heard.error?.message)
            #expect(!message.contains(key.reveal()) && !message.contains(token.reveal()))
        }
    }
}
