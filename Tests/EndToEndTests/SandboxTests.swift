import Base
import Foundation
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The sandbox")
    struct SandboxServed {
        @Test("a customer writes on the page and is answered, also after restarts with the same data")
        func answers() async throws {
            try await Self.withSandbox { bitbot, http in
                for start in 1...3 {
                    let page = try await Page(bitbot, http)
                    try await page.untilReady()
                    try await page.write("number \(start)", as: "customer")
                    try await page.write("number \(start)", as: "employee")
                    for place in ["customer", "employee"] {
                        try await eventually(timeout: .seconds(60)) {
                            try await page.messages(in: place).contains { message in
                                message["from"] == "bot" && message["text"]?.string?.contains("number \(start)") == true
                            }
                        }
                    }
                    let kinds = try await bitbot.items("installations").map { $0["kind"]?.string }
                    #expect(kinds == ["sandbox"])
                    #expect(try await bitbot.items("bots").count == 5)
                    #expect(try await bitbot.items("apps").count == 1)
                    // Once in order, once in the middle of anything.
                    if start == 1 { #expect(try await bitbot.terminate() == 0) } else { bitbot.kill() }
                    if start < 3 { try await bitbot.start() }
                }
            }
        }

        @Test(
            "the webhook way, as the README says it: an address is pasted, a bot is added, and it answers on the page")
        func webhook() async throws {
            try await Self.withSandbox { bitbot, http in
                let page = try await Page(bitbot, http)
                try await page.untilReady()
                let said = "An inbound webhook of its portal: "
                try await eventually { bitbot.log.contains(said) }
                let line = try #require(bitbot.log.split(separator: "\n").first { $0.hasPrefix(said) })
                let address = String(line.dropFirst(said.count))
                let installation = try await bitbot.create("installations", ["webhook_url": .string(address)])
                let connector = try #require(
                    try await bitbot.items("connectors").first { $0["name"] == "Demonstration chatflow" })
                let bot = try await bitbot.create(
                    "bots",
                    [
                        "name": "Helper", "type": "bot", "installation_id": installation["id"] ?? .null,
                        "connector_id": connector["id"] ?? .null,
                    ])
                #expect(bot["delivery"] == "fetch" && bot["status"] == "active", "\(bot.text)")
                try await eventually { try await page.bot(of: "employee") == "Helper" }
                try await page.write("number 7 by webhook", as: "employee")
                try await eventually(timeout: .seconds(60)) {
                    try await page.messages(in: "employee").contains { message in
                        message["from"] == "bot" && message["name"] == "Helper"
                            && message["text"]?.string?.contains("number 7 by webhook") == true
                    }
                }
                #expect(
                    try await bitbot.send(.delete, "/api/v1/installations/\(try #require(installation["id"]?.string))")
                        .status == 204)
                try await eventually { try await page.bot(of: "employee") == "Sandbox assistant" }
            }
        }

        @Test("a person opens the address in Chromium, writes as a customer and sees the answer")
        func browser() async throws {
            try await Self.withSandbox { bitbot, _ in
                let browser = try Chromium()
                defer { browser.stop() }
                try await browser.open("http://localhost:\(bitbot.port)/")
                try await browser.until("document.getElementById('status')?.dataset.state === 'ready'")
                try await browser.until("document.querySelector('#customer textarea')?.disabled === false")
                try await browser.evaluate("document.querySelector('#customer textarea').focus()")
                try await browser.type("Good morning from a browser")
                try await browser.evaluate("document.querySelector('#customer .send').click()")
                try await browser.until(
                    "document.querySelector('#customer .messages').innerText.includes('turn 1')")
                let shown = try await browser.evaluate("document.querySelector('#customer .messages').innerText")
                #expect(shown?.contains("Good morning from a browser") == true)
                #expect(shown?.contains("You wrote:") == true)
                // The calls went over the wire and are shown beside it.
                try await browser.until(
                    "document.getElementById('wire').innerText.includes('imbot.v2.Chat.Message.send')")
            }
        }

        static func withSandbox(
            _ body: (RunningBitBot, HTTPClient) async throws -> Void
        ) async throws {
            let loops = EventLoopGroup(count: 1)
            let http = HTTPClient(loops: loops)
            let bitbot = try RunningBitBot(arguments: ["serve", "--sandbox"], http: http)
            do {
                try await bitbot.start()
                try await body(bitbot, http)
            } catch {
                print("BitBot's log ended:\n\(bitbot.logTail)")
                bitbot.kill()
                await http.shutdown()
                loops.stop()
                throw error
            }
            bitbot.kill()
            await http.shutdown()
            loops.stop()
        }
    }
}

/// The sandbox's page as its script uses it.
private struct Page {
    let origin: String
    let http: HTTPClient

    /// Follows BitBot's front door.
    init(_ bitbot: RunningBitBot, _ http: HTTPClient) async throws {
        let answer = try await http.send(.init(.get, bitbot.url + "/", trust: .privateAllowed))
        guard answer.status == 302, let location = answer.headers["Location"] else {
            throw HarnessError("/ was answered \(answer.status)")
        }
        origin = location.hasSuffix("/") ? String(location.dropLast()) : location
        self.http = http
    }

    func untilReady() async throws {
        try await eventually(timeout: .seconds(60)) {
            let status = try await state()["status"]
            if status?["state"] == "failed" { throw HarnessError("the sandbox: \(status?.text ?? "")") }
            return status?["state"] == "ready"
        }
    }

    func write(_ text: String, as place: String) async throws {
        let body: JSON = ["place": .string(place), "text": .string(text)]
        let answer = try await http.send(
            .init(
                .post, origin + "/sandbox/messages", headers: ["Content-Type": "application/json", "Origin": origin],
                body: body.bytes, trust: .privateAllowed))
        guard answer.status == 204 else {
            throw HarnessError("the page's message was answered \(answer.status)")
        }
    }

    func bot(of place: String) async throws -> String? { try await state()["people"]?[place]?["bot"]?.string }

    func messages(in place: String) async throws -> [JSON] {
        try await state()["messages"]?[place]?.array ?? []
    }

    /// The first event of the page's stream.
    private func state() async throws -> JSON {
        let answer = try await http.stream(.init(.get, origin + "/sandbox/events", trust: .privateAllowed))
        var parser = ServerSentEventParser()
        for try await piece in answer.body {
            if let event = try parser.feed(piece).first(where: { $0.name == "state" }) {
                return try JSON(parsing: event.data.utf8)
            }
        }
        throw HarnessError("the page's stream has no state")
    }
}
