import Base
import Foundation
import Sandbox
import TestSupport
import Testing

/// Lets everything happen that handles a secret, and looks for them in everything that comes of it.
struct Witness: Sendable {
    let stage: Stage
    let planted: PlantedSecrets

    private var bitbot: RunningBitBot { stage.bitbot }

    private func look(_ place: String, _ bytes: some Sequence<UInt8>) {
        for name in planted.found(in: Data(bytes)) { Issue.record("\(name) is in \(place)") }
    }

    /// Tokens come and go; all that were ever known are looked for.
    private func noteTokens() {
        for token in stage.authorization.knownTokens { planted.add("a token of the portal's", token) }
        if let token = stage.portal.applicationToken(of: stage.application.clientID) {
            planted.add("the application token", token)
        }
    }

    // MARK: A bit of everything

    func live(parrot: String) async throws {
        noteTokens()
        let chat = try stage.customer()
        let chatBot = try stage.portal.privateChat(of: 2, with: stage.botID).id
        try stage.portal.customerWrites("hello", in: chat)
        try stage.portal.employeeWrites("hello", as: 2, in: chatBot)
        try stage.portal.customerWrites("a file", files: [("notes.txt", Array("notes".utf8))], in: chat)
        try stage.portal.customerWrites("fail", in: chat)
        try stage.portal.customerWrites("refuse", in: chat)
        try await stage.untilAnswers(4, in: chat)
        let garbled = try stage.customer()
        try stage.portal.customerWrites("garble", in: garbled)
        try await portalFaults(chat)
        try await webhook()
        for type in ["openai", "typebot", "webhook", "dify_chat", "dify_workflow"] {
            try await ask(parrot, type: type)
        }
        try await signIn()
        try await refusals()
        noteTokens()
    }

    private func portalFaults(_ chat: Int) async throws {
        stage.authorization.expireAccessTokens(of: stage.application.clientID)
        stage.portal.inject(.init(.page(status: 502)))
        stage.portal.inject(.init(.connectionLost))
        try stage.portal.customerWrites("after", in: chat)
        try await stage.untilAnswers(5, in: chat)
        noteTokens()
        stage.portal.inject(
            .init(
                .error(status: 400, code: "MESSAGE_TOO_LONG", description: "No"), method: "imbot.v2.Chat.Message.send"))
        let other = try stage.customer()
        try stage.portal.customerWrites("too long", in: other)
        try await eventually {
            try await bitbot.work().contains { $0["last_error"]?.string?.contains("MESSAGE_TOO_LONG") == true }
        }
    }

    /// An inbound webhook that works, then none any more.
    private func webhook() async throws {
        let address = stage.portal.addWebhook()
        planted.add("the webhook's code", String(address.reveal().split(separator: "/").last ?? ""))
        _ = try await bitbot.create("installations", ["webhook_url": .string(address.reveal())])
        let wrong = address.reveal().replacing("/rest/1/", with: "/rest/2/")
        look(
            "the refusal of a webhook",
            try await bitbot.send(
                .post, "/api/v1/installations", ["webhook_url": .string(wrong)]
            ).body)
        stage.portal.removeWebhook(address)
        for portal in try await bitbot.items("portals") {
            let path = "/api/v1/portals/\(portal["id"]?.string ?? "")"
            for act in ["check", "repair"] {
                look("what \(act) answers", try await bitbot.send(.post, "\(path)/\(act)").body)
            }
        }
    }

    /// A connector of its own, whose platform repeats what it is sent.
    private func ask(_ parrot: String, type: String) async throws {
        let key = "key-of-\(type.prefix(4))-" + Vault.randomToken()
        planted.add("the key of \(type)", String(key.dropFirst(7)))
        let provider = try await bitbot.create(
            "providers", ["name": .string(type), "type": .string(type), "url": .string(parrot + "/v1")])
        let options: Members<JSON> = ["openai": ["model": "m"], "webhook": ["send_tokens": true]]
        let connector = try await bitbot.create(
            "connectors",
            [
                "provider_id": provider["id"] ?? .null, "name": "Parrot", "key": .string(key),
                "options": options[type] ?? [:],
            ])
        let answer = try await bitbot.send(
            .patch, "/api/v1/bots/\(stage.bot)", ["connector_id": connector["id"] ?? .null])
        #expect(answer.status == 200)
        let chat = try stage.customer()
        try stage.portal.customerWrites("hello", files: [("notes.txt", Array("notes".utf8))], in: chat)
        try await stage.untilAnswers(1, in: chat)
    }

    private func signIn() async throws {
        let reset = try await run(["admin", "reset"], environment: ["BITBOT_DATA_DIR": bitbot.data])
        let code = String(reset.output.split(separator: "code=").last?.prefix { !$0.isWhitespace } ?? "")
        #expect(code.count > 16)
        let answer = try await bitbot.send(.post, "/api/v1/sign-in", ["code": .string(code)])
        planted.add("a token of the management API", try JSON(parsing: answer.body)["token"]?.string ?? code)
        planted.add("a one-time code", code)
        look(
            "what bitbot doctor prints",
            try await run(
                ["doctor"], environment: ["BITBOT_DATA_DIR": bitbot.data]
            ).output.utf8)
    }

    /// Requests that hold a secret and are refused.
    private func refusals() async throws {
        let secret = "pass-word-like-" + Vault.randomToken()
        planted.add("a value that was refused", String(secret.dropFirst(10)))
        let wrong: JSON = .string(secret + "\u{1}")
        let bodies: [(String, JSON)] = [
            ("apps", ["name": "A", "client_secret": wrong]), ("connectors", ["name": "A", "key": wrong]),
            ("connectors", ["name": "A", "provider_id": "1", "key": .string(secret), "options": ["x": true]]),
            ("providers", ["name": "A", "type": "webhook", "url": .string("https://user:\(secret)@example.com/")]),
            ("installations", ["webhook_url": .string("https://portal.example/rest/1/\(secret)/x/y/z/")]),
            (
                "installations",
                ["webhook_url": .string("https://127.0.0.1:1/rest/1/" + secret.filter { $0 != "-" } + "/")]
            ),
            ("sign-in", ["code": .string(secret)]), ("sign-in", ["password": .string(secret)]),
        ]
        planted.add("a code that was refused", String(secret.filter { $0 != "-" }.dropFirst(12)))
        for (collection, body) in bodies {
            let answer = try await bitbot.send(.post, "/api/v1/\(collection)", body)
            #expect(answer.status >= 400)
            look("the refusal of \(collection)", answer.body)
        }
        let known = try await stage.firstAccepted()
        _ = try await stage.repost(known, auth: ["application_token": .string(secret)])
        let client = try RawClient(port: bitbot.port)
        try client.send(
            "GET /api/v1/apps?token=\(secret) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(secret)\r\n\r\n")
        look("a 401", try await client.answer().body)
        try client.send("GET /\(secret)/%zz?\(secret) HTTP/1.1\r\nHost: \(secret)\r\nX-\(secret): \(secret)\r\n\r\n")
        look("a 400", try await client.answer().body)
    }

    /// After a kill, an application token that is new, and without Redis.
    func livesOn() async throws {
        bitbot.kill()
        try await bitbot.start()
        _ = try await stage.portal.install(stage.application)
        noteTokens()
        let connectors = try await bitbot.items("connectors")
        let own = connectors.first { $0["name"] == "Dify" }
        _ = try await bitbot.send(.patch, "/api/v1/bots/\(stage.bot)", ["connector_id": own?["id"] ?? .null])
        let chat = try stage.customer()
        try stage.portal.customerWrites("again", in: chat)
        try await stage.untilAnswers(1, in: chat)
    }

    // MARK: Everything that came of it

    func lookEverywhere() async throws {
        noteTokens()
        #expect(planted.count > 20)
        let log = bitbot.log
        #expect(log.contains("an event could not be answered"))
        look("the log", log.utf8)
        let said = stage.portal.dialogs.flatMap { stage.portal.messages(in: $0.id) }.map(\.text)
        look("the messages", said.joined(separator: "\n").utf8)
        for page in ["/", "/admin/", "/admin/sign-in.js", "/bitbot/", "/bitbot/installer.js", "/healthz", "/readyz"] {
            look(page, try await bitbot.send(.get, page).body)
        }
        look("the metrics", try await bitbot.send(.get, "/metrics").body)
        look("the command line", bitbot.commandLine.utf8)
        let shown = try await everythingShown()
        for (path, body) in shown { look(path, body) }
        // What is looked for would be found: the transcripts and the failures are there.
        let all = shown.values.map { String(decoding: $0, as: UTF8.self) }.joined()
        #expect(all.contains("You said hello") && all.contains("MESSAGE_TOO_LONG") && all.contains("••••"))
        try lookIntoFiles()
    }

    /// What every GET of the OpenAPI document answers, for every record that there is.
    private func everythingShown() async throws -> [String: [UInt8]] {
        let document = try JSON(parsing: try await bitbot.send(.get, "/api/v1/openapi.json").body)
        var shown: [String: [UInt8]] = ["the OpenAPI document": document.bytes]
        for (pattern, operations) in document["paths"]?.object ?? [:] where isRead(operations["get"]) {
            let paths = try await expanded(pattern)
            for path in paths {
                let answer = try await bitbot.send(.get, path)
                #expect(answer.status == 200, "\(path)")
                shown[path] = answer.body
            }
        }
        #expect(shown.count > 20)
        return shown
    }

    /// A stream of events has no end.
    private func isRead(_ operation: JSON?) -> Bool {
        operation?["responses"]?["200"]?["content"]?["application/json"] != nil
    }

    /// The paths of all records that a pattern means.
    private func expanded(_ pattern: String) async throws -> [String] {
        guard let open = pattern.firstIndex(of: "{"), let close = pattern.firstIndex(of: "}") else { return [pattern] }
        let name = pattern[pattern.index(after: open)..<close]
        let list = name == "id" ? String(pattern[..<open].dropLast()) : "/api/v1/\(name.dropLast(3))s"
        let answer = try JSON(parsing: try await bitbot.send(.get, list + "?limit=100").body)
        var paths: [String] = []
        for id in (answer["items"]?.array ?? []).prefix(20).compactMap({ $0["id"]?.string }) {
            paths += try await expanded(pattern[..<open] + id + pattern[pattern.index(after: close)...])
        }
        return paths
    }

    /// Names and bytes of all files in the data folder.
    func lookIntoFiles() throws {
        let files = try FileManager.default.subpathsOfDirectory(atPath: bitbot.data)
        #expect(files.contains("bitbot.db"))
        look("the names of files", files.joined(separator: "\n").utf8)
        for file in files {
            let url = URL(fileURLWithPath: bitbot.data + "/" + file)
            guard let bytes = try? Data(contentsOf: url) else { continue }
            look(file, bytes)
            let mode = try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
            #expect(mode.map { $0 & 0o077 } == 0, "\(file) can be read by others")
        }
    }
}
