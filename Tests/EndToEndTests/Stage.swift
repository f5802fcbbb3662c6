import Base
import Foundation
import Sandbox
import TestSupport
import Testing

/// All end-to-end tests: the real program against simulated parties that outlive it.
@Suite("End to end") enum EndToEnd {}

/// BitBot connected with a simulated portal and a simulated Dify, which live in this process.
struct Stage: Sendable {
    let authorization: SimulatedAuthorizationServer
    let portal: SimulatedPortal
    let dify: SimulatedDify
    let bitbot: RunningBitBot
    let application: SimulatedPortal.Application
    let key: Secret
    /// The open channel whose bot it is.
    let line: Int
    /// The bot's user id in the portal, and its id in BitBot.
    let botID: Int
    let bot: String

    struct Plan: Sendable {
        var portal = Plan.quickPortal
        var authorization = SimulatedAuthorizationServer.Settings()
        var dify = SimulatedDify.Settings()
        var script: SimulatedDify.Script = { [.text("You said \($0.query).")] }
        /// The portal's limit in BitBot: calls a second (0: no limit), and at once.
        var perSecond = 0.0
        var burst: Int64 = 1
        var api = "v2"
        /// Connected by an inbound webhook: the bot fetches its events.
        var byWebhook = false
        var environment: [String: String] = [:]
        /// Files and connections that BitBot may have open, if not as many as we.
        var openFiles: Int?
        var clientSecret = Secret("client-" + Vault.randomToken())
        var key = Secret("app-" + Vault.randomToken())
        var adminToken = Secret("admin-" + Vault.randomToken())
        init() {}

        /// Without limit, and as fast as it can.
        static var quickPortal: SimulatedPortal.Settings {
            var settings = SimulatedPortal.Settings()
            settings.limit = nil
            settings.sendDelay = .zero...(.zero)
            settings.logEntries = 20_000
            settings.messagesKept = 20_000
            return settings
        }
    }

    /// Runs a test on a stage of its own and takes it down; a failure shows the end of BitBot's log.
    static func with(_ plan: Plan = Plan(), _ body: (Stage) async throws -> Void) async throws {
        let loops = EventLoopGroup(count: 1)
        let http = HTTPClient(loops: loops)
        let authorization = try await SimulatedAuthorizationServer.start(
            settings: plan.authorization, loops: loops, log: .silent)
        let portal = try await SimulatedPortal.start(
            settings: plan.portal, authorization: authorization, loops: loops, http: http, log: .silent)
        let dify = try await SimulatedDify.start(
            apps: [.init(key: plan.key, name: "Bot", script: plan.script)], settings: plan.dify, loops: loops,
            log: .silent)
        let bitbot = try RunningBitBot(
            environment: ["BITBOT_OAUTH_URL": authorization.origin].merging(plan.environment) { $1 }, http: http,
            adminToken: plan.adminToken, openFiles: plan.openFiles)
        do {
            let stage = try await connect(plan, authorization, portal, dify, bitbot)
            try await body(stage)
        } catch {
            print("BitBot's log ended:\n\(bitbot.logTail)")
            bitbot.kill()
            await stop(loops, http, authorization, portal, dify)
            throw error
        }
        bitbot.kill()
        await stop(loops, http, authorization, portal, dify)
    }

    private static func stop(
        _ loops: EventLoopGroup, _ http: HTTPClient, _ authorization: SimulatedAuthorizationServer,
        _ portal: SimulatedPortal, _ dify: SimulatedDify
    ) async {
        await portal.stop()
        await dify.shutdown()
        await authorization.stop()
        await http.shutdown()
        loops.stop()
    }

    /// Sets everything up as an administrator would, by public routes alone.
    private static func connect(
        _ plan: Plan, _ authorization: SimulatedAuthorizationServer, _ portal: SimulatedPortal, _ dify: SimulatedDify,
        _ bitbot: RunningBitBot
    ) async throws -> Stage {
        try await bitbot.start()
        _ = try await bitbot.create(
            "portals",
            [
                "member_id": .string(portal.settings.memberID), "domain": .string(portal.domain),
                "allow_private": true,
                "limit": ["burst": .integer(plan.burst), "per_second": .number(plan.perSecond)],
            ])
        var application = SimulatedPortal.Application(
            clientID: "local." + randomHexadecimal(digits: 12), clientSecret: plan.clientSecret, installURL: "")
        let app = try await bitbot.create(
            "apps",
            [
                "name": "Bot", "client_id": .string(application.clientID),
                "client_secret": .string(plan.clientSecret.reveal()), "bitbot": true,
            ])
        application.installURL = app["events_url"]?.string ?? ""
        let answer = try await portal.install(application)
        guard answer.status == 200, var installation = try await bitbot.items("installations").first else {
            throw HarnessError("the installation was answered \(answer.status)")
        }
        if plan.byWebhook {
            installation = try await bitbot.create(
                "installations", ["webhook_url": .string(portal.addWebhook().reveal())])
        }
        let provider = try await bitbot.create(
            "providers", ["name": "Dify", "type": "dify_chatflow", "url": .string(dify.baseURL)])
        let connector = try await bitbot.create(
            "connectors",
            ["provider_id": provider["id"] ?? .null, "name": "Dify", "key": .string(plan.key.reveal())])
        let bot = try await bitbot.create(
            "bots",
            [
                "name": "Support", "installation_id": installation["id"] ?? .null,
                "connector_id": connector["id"] ?? .null, "type": "openline", "api": .string(plan.api),
            ])
        guard let botID = bot["bot_id"]?.integer, let id = bot["id"]?.string else {
            throw HarnessError("the bot is not registered: \(bot.text)")
        }
        return Stage(
            authorization: authorization, portal: portal, dify: dify, bitbot: bitbot, application: application,
            key: plan.key, line: portal.createOpenChannel("Support", bot: Int(botID)), botID: Int(botID), bot: id)
    }

    // MARK: Acting and seeing

    /// A new customer's chat in the open channel.
    func customer(_ name: String = "Customer") throws -> Int {
        try portal.startDialog(line: line, customer: name).id
    }

    /// What the bot has said in a chat, oldest first.
    func answers(in chat: Int) -> [String] {
        portal.messages(in: chat).filter { $0.authorID == botID }.map(\.text)
    }

    /// Who asks, as Dify is told.
    func user(of chat: Int) -> String { "\(portal.settings.memberID):chat\(chat)" }

    /// Waits until the bot has said so many things in a chat.
    func untilAnswers(_ count: Int, in chat: Int, timeout: Duration = .seconds(60)) async throws {
        try await eventually(timeout: timeout) { answers(in: chat).count >= count }
    }

    /// Waits until nothing waits to be asked or delivered.
    func untilNothingWaits(timeout: Duration = .seconds(60)) async throws {
        await portal.settle()
        try await eventually(timeout: timeout) {
            try await bitbot.work().allSatisfy { $0["state"] == "failed" }
        }
    }

    /// The one piece of work that has failed, once nothing else is left.
    func failedWork() async throws -> JSON {
        var work: [JSON] = []
        try await eventually {
            work = try await bitbot.work()
            return work.count == 1 && work[0]["state"] == "failed"
        }
        return work[0]
    }

    /// Waits until there is no work at all, failed work included.
    func untilNoWork() async throws { try await eventually { try await bitbot.work().isEmpty } }

    /// The first event that BitBot has promised to handle; its answer may be here before that of the post.
    func firstAccepted() async throws -> SimulatedPortal.Delivery {
        try await eventually { !accepted.isEmpty }
        return accepted[0]
    }

    /// Events that BitBot has promised to handle: those it answered 200.
    var accepted: [SimulatedPortal.Delivery] {
        portal.deliveries.filter { $0.status == 200 && $0.event == "ONIMBOTV2MESSAGEADD" }
    }
}
