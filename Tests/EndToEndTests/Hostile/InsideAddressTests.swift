import Base
import Foundation
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    /// Nobody who only knows BitBot makes it ask a server inside of its own network, by whatever door and spelling.
    @Suite("Addresses inside")
    struct InsideAddresses {
        /// Of those that lead to this machine for sure.
        private static let certain = ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"]

        @Test("files of a bot's answer, at once or after a redirect: the link is shown, nothing is fetched")
        func files() async throws {
            let trap = try Trap()
            let urls = trap.urls("/x.png").filter { $0.lowercased().hasPrefix("http:") }
            try await Self.withWebhookBot(leadingTo: urls) { stage, origin in
                let targets = urls + urls.indices.map { "\(origin)/jump/\($0)" }
                let chats = try targets.map { target in
                    let chat = try stage.customer()
                    try stage.portal.customerWrites(target, in: chat)
                    return chat
                }
                // A dialog each: names that nobody knows are tried again for a while.
                try await eventually(timeout: .seconds(60)) {
                    let untold = try await stage.bitbot.work().filter { $0["last_error"]?.string != nil }
                    return chats.filter { !stage.answers(in: $0).isEmpty }.count + untold.count >= chats.count
                }
                let answers = chats.flatMap { stage.answers(in: $0) }
                #expect(answers.count > Self.certain.count * 2 && answers.allSatisfy { $0.contains("x.png") })
                #expect(!stage.portal.calls.contains { $0.method.hasSuffix("File.upload") && $0.error == nil })
                #expect(!trap.isSprung)
                // The same way leads somewhere when the bot's own server has the file.
                let chat = try stage.customer()
                try stage.portal.customerWrites("\(origin)/own.png", in: chat)
                try await eventually {
                    stage.portal.calls.contains { $0.method.hasSuffix("File.upload") && $0.error == nil }
                }
            }
        }

        @Test("a provider's address, and a portal's own connector, where the operator allows nothing private")
        func platforms() async throws {
            let trap = try Trap()
            var plan = Stage.Plan()
            plan.environment["BITBOT_PRIVATE_UPSTREAMS"] = "deny"
            try await Stage.with(plan) { stage in
                for type in ["dify_chatflow", "typebot", "openai", "webhook"] {
                    for host in Self.certain {
                        let url = "http://\(host):\(trap.port)/v1"
                        try await Self.ask(stage, type: type, provider: url, connector: nil, portal: nil)
                    }
                }
                #expect(!trap.isSprung)
            }
        }

        @Test("a portal's own connector may not lead inside, though the server's may")
        func connectors() async throws {
            let trap = try Trap()
            try await Stage.with { stage in
                let portal = try await stage.bitbot.items("portals").first?["id"]
                for host in Self.certain {
                    let url = "http://\(host):\(trap.port)/v1"
                    try await Self.ask(
                        stage, type: "dify_chatflow", provider: stage.dify.baseURL, connector: url, portal: portal)
                }
                #expect(!trap.isSprung)
            }
        }

        @Test("a webhook's address that an administrator pastes")
        func webhooks() async throws {
            let trap = try Trap()
            try await Stage.with { stage in
                for scheme in ["https", "http"] {
                    for url in trap.urls("/rest/1/abcdefgh/", scheme: scheme) {
                        let answer = try await stage.bitbot.send(
                            .post, "/api/v1/installations", ["webhook_url": .string(url)])
                        #expect((400..<600).contains(answer.status) && answer.status != 500, "\(url)")
                    }
                }
                #expect(!trap.isSprung)
                #expect(try await stage.bitbot.items("installations").count == 1)
            }
        }

        @Test("what an event, an installation or an installer's page says of its portal's and server's address")
        func claims() async throws {
            let trap = try Trap()
            try await Stage.with { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                let known = try await stage.firstAccepted()
                for (number, url) in trap.urls("/rest/").enumerated() {
                    var data = known.data
                    data["message"]?["id"] = .integer(Int64(900_000 + number))
                    let auth: JSON = [
                        "client_endpoint": .string(url), "server_endpoint": .string(url),
                        "domain": .string("127.0.0.1:\(trap.port)"),
                    ]
                    #expect(try await stage.repost(known, data: data, auth: auth.object ?? [:]) == 200, "\(url)")
                    // One a second is looked into.
                    guard number < 3 else { continue }
                    let claim = auth.object?.merging(["access_token": "x", "refresh_token": "y"]) ?? [:]
                    let installed = SimulatedPortal.Delivery.installing(known, at: stage.application.installURL)
                    #expect(try await stage.repost(installed, data: [:], auth: claim) == 403, "\(url)")
                    try await Self.openInstaller(stage, naming: url, trap)
                }
                try await stage.untilAnswers(trap.urls("").count + 1, in: chat)
                #expect(!trap.isSprung)
            }
        }
    }
}

extension EndToEnd.InsideAddresses {
    /// A stage whose bot answers with the file that it is asked for; `/jump/N` of its own server leads to an address.
    private static func withWebhookBot(
        leadingTo urls: [String], _ body: (Stage, String) async throws -> Void
    ) async throws {
        let loops = EventLoopGroup(count: 1)
        let server = try await HTTPServer.start(on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: .silent) {
            if let number = $0.path.split(separator: "/").last.flatMap({ Int($0) }) {
                return HTTPResponse(status: 302, headers: ["Location": urls[number]])
            }
            if $0.path == "/own.png" {
                return HTTPResponse(status: 200, headers: ["Content-Type": "image/png"], body: .bytes([1, 2, 3]))
            }
            let asked = try JSON(parsing: $0.body)["message"]?["text"] ?? ""
            let answer: JSON = ["files": [["url": asked, "name": "x.png"]]]
            return HTTPResponse(
                status: 200, headers: ["Content-Type": "application/json"], body: .bytes(answer.bytes))
        }
        try await Stage.with { stage in
            let origin = "http://127.0.0.1:\(server.port)"
            try await stage.connect(to: "webhook", provider: origin + "/", connector: nil, portal: nil)
            try await body(stage, origin)
        }
        await server.shutdown(grace: .zero)
        loops.stop()
    }

    /// A customer asks a bot at an address, and is told that it does not work.
    private static func ask(
        _ stage: Stage, type: String, provider: String, connector: String?, portal: JSON?
    ) async throws {
        try await stage.connect(to: type, provider: provider, connector: connector, portal: portal)
        let chat = try stage.customer()
        try stage.portal.customerWrites("hello", in: chat)
        try await stage.untilAnswers(1, in: chat)
        let reasons = try await stage.bitbot.work().compactMap { $0["last_error"]?.string }
        #expect(!reasons.isEmpty && reasons.allSatisfy { $0.contains("private") }, "\(type) \(connector ?? provider)")
    }

    private static func openInstaller(_ stage: Stage, naming url: String, _ trap: Trap) async throws {
        let page = stage.application.installURL.replacing("/api/bitrix/apps/", with: "/app-install/")
        let form: JSON = [
            "AUTH_ID": "x", "member_id": .string(stage.portal.settings.memberID), "SERVER_ENDPOINT": .string(url),
        ]
        let client = try RawClient(port: stage.bitbot.port)
        let body = Form.encode(form)
        let path = page.replacing(stage.bitbot.url, with: "")
        try client.send(
            "POST \(path)?DOMAIN=127.0.0.1:\(trap.port)&PROTOCOL=0 HTTP/1.1\r\nHost: a\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let status = try await client.answer().status
        #expect(status == 403 || status == 429, "\(url)")
    }
}

extension Stage {
    /// Puts the bot on another platform.
    func connect(
        to type: String, provider: String, connector: String? = nil, portal: JSON? = nil, options: JSON = [:]
    ) async throws {
        let provider = try await bitbot.create(
            "providers", ["name": .string(type), "type": .string(type), "url": .string(provider)])
        let connector = try await bitbot.create(
            "connectors",
            [
                "provider_id": provider["id"] ?? .null, "name": "Other", "key": .string(key.reveal()),
                "url": connector.map(JSON.string) ?? .null, "portal_id": portal ?? .null,
                "options": type == "openai" ? ["model": "m"] : options,
            ])
        let answer = try await bitbot.send(
            .patch, "/api/v1/bots/\(bot)", ["connector_id": connector["id"] ?? .null])
        #expect(answer.status == 200)
    }
}

extension SimulatedPortal.Delivery {
    /// An installation's event, as a delivery's likeness.
    fileprivate static func installing(_ known: Self, at url: String) -> Self {
        var delivery = known
        delivery.event = "ONAPPINSTALL"
        delivery.url = url
        return delivery
    }
}
