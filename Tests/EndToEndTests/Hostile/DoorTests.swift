import Base
import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// Every place where somebody who is not the server's administrator names an address to BitBot: by none of them, and by no
    /// kind of address, is anything inside of its network connected to.
    @Suite("Doors to the network inside")
    struct Doors {
        static func with(
            _ plan: Stage.Plan = .init(), _ body: (Stage, Outside) async throws -> Void
        ) async throws {
            try await Outside.with { outside in
                var plan = plan
                plan.environment.merge(outside.environment) { $1 }
                try await Stage.with(plan) { try await body($0, outside) }
            }
        }

        @Test(
            "a connector's address, which a portal's administrator tries, plays with and lets customers ask",
            arguments: ["dify_chatflow", "typebot", "openai", "webhook"])
        func connectors(type: String) async throws {
            try await Self.with { stage, outside in
                let visitor = try await Visitor(stage, type: type)
                for address in outside.addresses(for: "connector") {
                    for error in try await visitor.tries(address.origin) {
                        let isTold = error.contains("private address") == (address.leads == .straight)
                        #expect(isTold && !error.contains(Visitor.key), "\(address.origin): \(error)")
                        #expect(address.isPlain || !error.contains("127.0.0.1"), "\(address.origin): \(error)")
                    }
                    #expect(!outside.trap.isSprung, "\(address.origin)")
                }
                #expect(outside.wasAsked(by: "connector"))
                // An open port looks like a closed one.
                let open = "http://127.0.0.1:\(outside.trap.port)"
                #expect(try await visitor.tries(open) == visitor.tries("http://127.0.0.1:\(try freePort())"))

                try await visitor.puts(bot: stage.bot, on: open)
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                let told = stage.answers(in: chat).joined()
                #expect(!told.contains("127") && !told.contains("private") && !told.contains(Visitor.key))
                #expect(!outside.trap.isSprung)
            }
        }

        @Test("files and pictures in what a bot says; what Typebot asks its client to request is not requested at all")
        func files() async throws {
            try await Outside.with { outside in
                let platforms = try await SayingPlatforms(outside)
                var plan = Stage.Plan()
                plan.environment = outside.environment
                plan.script = { _ in outside.addresses(for: "dify").map { .file(url: $0.origin + "/dify.png") } }
                try await Stage.with(plan) { stage in
                    for (count, bot) in ["dify", "typebot", "webhook"].enumerated() {
                        if let url = platforms.urls[bot] { try await stage.connect(to: bot, provider: url) }
                        let chat = try stage.customer()
                        try stage.portal.customerWrites("hello", in: chat)
                        try await eventually { uploads(stage).count > count }
                        try await stage.untilNothingWaits()
                        #expect(!outside.trap.isSprung && outside.wasAsked(by: bot), "\(bot)")
                        // What is at the changing name's public address is a file like any other; the rest are links.
                        #expect(uploads(stage).count == count + 1)
                        let said = stage.answers(in: chat).joined(separator: "\n").removingPercentEncoding ?? ""
                        for address in outside.addresses(for: bot).dropLast() {
                            #expect(said.contains(address.origin + "/\(bot).png"), "\(bot): \(said)")
                        }
                    }
                }
                #expect(!outside.wasAsked(by: "client"))
                await platforms.stop()
            }
        }

        @Test(
            "a file of a portal's own bot, fetched when the bot has been put on the server's platform inside",
            arguments: [true, false])
        func changedPlatform(byConnector: Bool) async throws {
            try await Self.with { stage, outside in
                let inside = "http://127.0.0.1:\(outside.trap.port)"
                outside.answer { _ in
                    let files: JSON = [["url": .string(inside + "/secret.png"), "name": "x.png"]]
                    return HTTPResponse(
                        status: 200, headers: ["Content-Type": "application/json"],
                        body: .bytes((["text": "Wait", "files": files] as JSON).bytes))
                }
                let visitor = try await Visitor(stage, type: "webhook", provider: inside)
                let connector = try await visitor.puts(bot: stage.bot, on: "http://public.outside.test")
                // The portal takes what is said before the file only when the bot has its other platform.
                for insideBatch in [true, false] {
                    stage.portal.inject(
                        .init(.internalError, method: Self.sending, times: nil, insideBatch: insideBatch))
                }
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await eventually {
                    try await stage.bitbot.work().contains { $0["last_error"]?.string?.contains("INTERNAL") == true }
                }
                if byConnector {
                    try await visitor.change("connectors/\(connector.string ?? "")", ["url": .null])
                } else {
                    try await visitor.puts(bot: stage.bot, on: nil)
                }
                stage.portal.clearFaults()
                try await stage.untilNothingWaits()
                #expect(!outside.trap.isSprung)
                #expect(stage.answers(in: chat).count == 2 && stage.answers(in: chat)[1].contains("/secret.png"))
            }
        }

        private static let sending = "imbot.v2.Chat.Message.send"

        private func uploads(_ stage: Stage) -> [SimulatedPortal.Call] {
            stage.portal.calls.filter { $0.method.hasSuffix("File.upload") && $0.error == nil }
        }
    }
}

/// A portal's administrator on the application page.
private struct Visitor {
    static let key = "key-of-the-portal"
    let stage: Stage
    let type: String
    private let ticket: String
    private let provider: JSON

    /// - Parameter provider: the address of the server's own platform.
    init(_ stage: Stage, type: String, provider: String? = nil) async throws {
        self.stage = stage
        self.type = type
        ticket = try await stage.ticket()
        let created = try await stage.bitbot.create(
            "providers",
            [
                "name": .string(type), "type": .string(type), "url": .string(provider ?? stage.dify.baseURL),
                "any_address": true,
            ])
        self.provider = created["id"] ?? .null
    }

    /// - Parameter origin: the provider's own if `nil`.
    private func connector(at origin: String?) async throws -> JSON {
        let answer = try await stage.bitbot.send(
            .post, "/api/v1/connectors",
            [
                "provider_id": provider, "name": "Mine", "key": .string(Self.key),
                "url": origin.map { .string($0 + "/api/v1/typebots/bot/startChat") } ?? .null,
                "options": type == "openai" ? ["model": "m"] : [:],
            ], as: ticket)
        return try #require(try JSON(parsing: answer.body)["id"], "\(String(decoding: answer.body, as: UTF8.self))")
    }

    /// What a new connector's test and the playground say.
    func tries(_ origin: String) async throws -> [String] {
        let id = try await connector(at: origin)
        let test = try await stage.bitbot.send(.post, "/api/v1/connectors/\(id.string ?? "")/test", [:], as: ticket)
        let played = try await stage.bitbot.send(
            .post, "/api/v1/playground", ["connector_id": id, "text": "hello"], as: ticket)
        return [
            try #require(try JSON(parsing: test.body)["error"]?.string), String(decoding: played.body, as: UTF8.self),
        ]
    }

    /// Puts a bot on a new connector.
    @discardableResult
    func puts(bot: String, on origin: String?) async throws -> JSON {
        let connector = try await connector(at: origin)
        try await change("bots/\(bot)", ["connector_id": connector])
        return connector
    }

    func change(_ path: String, _ body: JSON) async throws {
        let answer = try await stage.bitbot.send(.patch, "/api/v1/" + path, body, as: ticket)
        #expect(answer.status == 200)
    }
}

/// Bots on platforms of their own that give out files at all addresses of the door that is called as they are.
private struct SayingPlatforms {
    let urls: [String: String]
    private let loops = EventLoopGroup(count: 1)
    private let typebot: SimulatedTypebot
    private let webhook: SimulatedWebhook

    init(_ outside: Outside) async throws {
        func files(_ bot: String) -> [String] { outside.addresses(for: bot).map { $0.origin + "/\(bot).png" } }
        let requests = files("client").map { SimulatedTypebot.Block.requestOnClient($0) }
        let pictures = files("typebot").map { SimulatedTypebot.Block.image($0) }
        typebot = try await SimulatedTypebot.start(
            flows: [.init("bot", requests + pictures)], loops: loops, log: .silent)
        webhook = try await SimulatedWebhook.start(loops: loops, log: .silent) { [files = files("webhook")] _ in
            .json(["files": .array(files.map { ["url": .string($0), "name": "x.png"] })])
        }
        urls = ["typebot": typebot.startURL("bot"), "webhook": webhook.url]
    }

    func stop() async {
        await typebot.shutdown()
        await webhook.shutdown()
        loops.stop()
    }
}
