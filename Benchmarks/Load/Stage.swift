import Base
import Sandbox

/// BitBot as a child, connected to parties simulated here whose limits are off.
struct Stage: Sendable {
    struct Chat: Sendable {
        var portal: SimulatedPortal
        var id: Int
    }

    let bitbot: MeasuredProcess
    let portals: [SimulatedPortal]
    /// For each bot the dialogs with it.
    let chats: [[Chat]]
    private let redis: MeasuredProcess?
    private let place: TemporaryPlace

    /// - Parameters:
    ///   - program: BitBot's.
    ///   - bots: each has an open channel in every portal, with so many dialogs.
    ///   - certificates: a file of the authorities that BitBot trusts.
    static func start(
        _ program: String, bots: [(bot: SimulatedBot, dialogs: Int)], portals count: Int, usesRedis: Bool = false,
        certificates: String? = nil, parties: Parties
    ) async throws -> Stage {
        let place = try TemporaryPlace()
        let port = try await freePort(loops: parties.loops)
        var environment = [
            "BITBOT_LISTEN": "127.0.0.1:\(port)", "BITBOT_ADMIN_TOKEN": parties.token.reveal(),
            "BITBOT_OAUTH_URL": parties.authorization.origin, "BITBOT_LOG_LEVEL": "warning",
            "BITBOT_DATA_DIR": place.path + "/data",
        ]
        environment["SSL_CERT_FILE"] = certificates
        var redis: MeasuredProcess?
        if usesRedis {
            let port = try await freePort(loops: parties.loops)
            redis = try MeasuredProcess(
                "/usr/bin/redis-server",
                [
                    "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", place.path, "--loglevel",
                    "warning",
                ])
            environment["BITBOT_REDIS_URL"] = "redis://127.0.0.1:\(port)"
        }
        let bitbot = try MeasuredProcess(program, ["serve"], environment)
        let management = Management(url: "http://127.0.0.1:\(port)", token: parties.token, http: parties.http)
        try await management.waitUntilReady()
        let connection = try await Connection.make(bots: bots.map(\.bot), parties: parties, management: management)
        var portals: [SimulatedPortal] = []
        var chats: [[Chat]] = bots.map { _ in [] }
        for _ in 0..<count {
            let portal = try await parties.startPortal()
            for (index, line) in try await connection.install(at: portal, byWebhook: count > 10).enumerated() {
                for number in 0..<bots[index].dialogs {
                    let dialog = try portal.startDialog(line: line, customer: "C\(number)")
                    chats[index].append(Chat(portal: portal, id: dialog.id))
                }
            }
            portals.append(portal)
        }
        return Stage(bitbot: bitbot, portals: portals, chats: chats, redis: redis, place: place)
    }

    /// Messages that bots have sent.
    var answered: Int { portals.reduce(0) { $0 + $1.sentByBots } }

    func stop() async {
        bitbot.stop()
        redis?.stop()
        for portal in portals { await portal.stop() }
    }
}

/// What all stages share.
struct Parties: Sendable {
    let loops = EventLoopGroup(count: 1)
    let log = Log(level: .error)
    let http: HTTPClient
    let authorization: SimulatedAuthorizationServer
    let token = Secret(Vault.randomToken())
    let application = SimulatedPortal.Application(
        clientID: "local.load", clientSecret: Secret("load-secret"), installURL: "")
    let seen = SeenRequests()

    init() async throws {
        http = HTTPClient(loops: loops, alwaysAllowed: [])
        authorization = try await SimulatedAuthorizationServer.start(loops: loops, log: log)
    }

    func startPortal() async throws -> SimulatedPortal {
        var settings = SimulatedPortal.Settings()
        settings.limit = nil
        settings.sendDelay = .zero...(.zero)
        settings.messagesKept = 4
        settings.logEntries = 0
        let memberID = settings.memberID
        settings.observe = { seen.note($0, of: memberID) }
        return try await SimulatedPortal.start(
            settings: settings, authorization: authorization, loops: loops, http: http, log: log)
    }
}

/// What BitBot's administrator sets up.
struct Connection: Sendable {
    private let management: Management
    private let connectors: [JSON]
    private let application: SimulatedPortal.Application

    static func make(bots: [SimulatedBot], parties: Parties, management: Management) async throws -> Connection {
        var application = parties.application
        let app = try await management.create(
            "apps",
            [
                "name": "Load", "client_id": .string(application.clientID),
                "client_secret": .string(application.clientSecret.reveal()), "bitbot": true,
            ])
        application.installURL = app["events_url"]?.string ?? ""
        var connectors: [JSON] = []
        for bot in bots {
            let provider = try await management.create(
                "providers",
                ["name": "Load", "type": .string(bot.providerType), "url": .string(bot.providerURL)])
            var connector: JSON = [
                "provider_id": provider["id"] ?? .null, "name": "Load", "options": bot.options,
            ]
            if let key = bot.key { connector["key"] = .string(key.reveal()) }
            if let url = bot.url { connector["url"] = .string(url) }
            connectors.append(try await management.create("connectors", connector)["id"] ?? .null)
        }
        return Connection(management: management, connectors: connectors, application: application)
    }

    /// - Parameter byWebhook: instead of an application, of which BitBot takes one in a second from each sender.
    /// - Returns: for each bot an open channel that it answers in.
    func install(at portal: SimulatedPortal, byWebhook: Bool) async throws -> [Int] {
        _ = try await management.create(
            "portals",
            [
                "member_id": .string(byWebhook ? "webhook:\(portal.domain)" : portal.settings.memberID),
                "domain": .string(portal.domain), "allow_private": true, "limit": ["burst": 50, "per_second": 0],
            ])
        let installation: JSON
        if byWebhook {
            installation = try await management.create(
                "installations", ["webhook_url": .string(portal.addWebhook().reveal())])
        } else {
            _ = try await portal.install(application)
            installation = try await management.newest("installations")
        }
        var lines: [Int] = []
        for connector in connectors {
            let bot = try await management.create(
                "bots",
                [
                    "name": "Load", "installation_id": installation["id"] ?? .null, "connector_id": connector,
                    "type": "openline", "delivery": "webhook",
                ])
            guard let id = bot["bot_id"]?.integer else {
                throw LoadError(message: "the bot is not registered: \(bot.text)")
            }
            lines.append(portal.createOpenChannel("Load", bot: Int(id)))
        }
        return lines
    }
}
