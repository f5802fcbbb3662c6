import Base

/// Makes the sandbox's application, connector and bots in BitBot.
struct Connection {
    let sandbox: Sandbox
    let patience: Duration
    let log: Log

    /// By which the next start finds what this one made.
    private static let appName = "BitBot Sandbox"

    private var management: Management { sandbox.management }

    func make() async throws {
        try await waitUntilReady()
        try await removeFormer()
        let installation = try await install()
        var providers: [String: String] = [:]
        for bot in sandbox.bots {
            let provider =
                if let known = providers[bot.provider.name] { known } else { try await provide(bot.provider) }
            providers[bot.provider.name] = provider
            let connector = try await connect(bot, provider)
            let channelBot = try await register(bot.name, type: "openline", installation, connector)
            let line = sandbox.portal.createOpenChannel(bot.channel, bot: channelBot)
            let chatBot =
                if let assistant = bot.assistant {
                    try await register(assistant, type: "bot", installation, connector)
                } else { channelBot }
            try sandbox.page.offer(.init(id: bot.id, bot: chatBot, line: line))
        }
        log.info("sandbox_connected", ["page": .text(sandbox.page.origin)])
    }

    private func waitUntilReady() async throws {
        var reason: String?
        let isReady = try await wait {
            reason = await management.readiness()
            return reason == nil ? true : nil
        }
        if isReady == nil { throw SandboxError.bitbotAway(reason ?? "no answer") }
    }

    /// What an earlier start made names addresses that nobody listens on any more. Its portal goes with its dialogs and
    /// bots; only one that BitBot itself knows as a sandbox is touched.
    private func removeFormer() async throws {
        let apps = try await management.list("apps").filter { $0["name"]?.string == Self.appName }
        let ids = Set(apps.compactMap { $0["id"]?.string })
        let portals = try await management.list("installations")
            .filter { $0["kind"]?.string == "sandbox" && $0["app_id"]?.string.map(ids.contains) == true }
            .compactMap { $0["portal_id"]?.string }
        for portal in Set(portals) { try await management.remove("portals", id: portal) }
        for app in ids { try await management.remove("apps", id: app) }
        let bots = sandbox.bots
        for (collection, names) in [("connectors", bots.map(\.connector)), ("providers", bots.map(\.provider.name))] {
            for item in try await management.list(collection) where item["name"]?.string.map(names.contains) == true {
                try await management.remove(collection, id: try item.text("id", of: "GET /api/v1/\(collection)"))
            }
        }
    }

    /// Adds the application to BitBot, installs it at the portal and waits until BitBot has confirmed it.
    /// - Returns: the installation's id.
    private func install() async throws -> String {
        let clientID = "local.sandbox." + randomHexadecimal(digits: 16)
        let secret = Secret(randomHexadecimal(digits: 48))
        let app = try await management.create(
            "apps",
            [
                "name": .string(Self.appName), "client_id": .string(clientID),
                "client_secret": .string(secret.reveal()), "bitbot": true,
            ])
        let id = try app.text("id", of: "POST /api/v1/apps")
        let application = SimulatedPortal.Application(
            clientID: clientID, clientSecret: secret,
            installURL: try app.text("install_url", of: "POST /api/v1/apps"),
            pageURL: try app.text("settings_url", of: "POST /api/v1/apps"))
        let answer = try await sandbox.portal.install(application)
        guard (200..<300).contains(answer.status) else {
            throw SandboxError.installationRefused(status: answer.status)
        }
        // As the installer's page does it in a browser.
        try sandbox.portal.installFinish(clientID)
        sandbox.page.show(application: sandbox.portal.framePage(of: clientID))
        var status = "missing"
        let installation: String? = try await wait {
            for item in try await management.list("installations") where item["app_id"]?.string == id {
                status = item["status"]?.string ?? "unknown"
                if status == "active" { return try item.text("id", of: "GET /api/v1/installations") }
            }
            return nil
        }
        guard let installation else { throw SandboxError.notInstalled(status: status) }
        return installation
    }

    /// - Returns: the provider's id.
    private func provide(_ provider: SandboxBot.Provider) async throws -> String {
        try await management.create(
            "providers",
            ["name": .string(provider.name), "type": .string(provider.type), "url": .string(provider.url)]
        ).text("id", of: "POST /api/v1/providers")
    }

    /// - Returns: the connector's id.
    private func connect(_ bot: SandboxBot, _ provider: String) async throws -> String {
        var body: JSON = ["provider_id": .string(provider), "name": .string(bot.connector)]
        if let key = bot.key { body["key"] = .string(key.reveal()) }
        if let url = bot.url { body["url"] = .string(url) }
        return try await management.create("connectors", body).text("id", of: "POST /api/v1/connectors")
    }

    /// Adds a bot and waits until it is registered at the portal.
    /// - Returns: its user id there.
    private func register(
        _ name: String, type: String, _ installation: String, _ connector: String
    ) async throws -> Int {
        var bot = try await management.create(
            "bots",
            [
                "name": .string(name), "type": .string(type), "installation_id": .string(installation),
                "connector_id": .string(connector),
            ])
        let id = try bot.text("id", of: "POST /api/v1/bots")
        let registered: Int? = try await wait {
            if let number = bot["bot_id"]?.number { return number }
            if bot["status"]?.string == "failed" {
                let reason = bot["status_reason"]?.string ?? "no reason given"
                throw SandboxError.notRegistered(bot: name, status: "failed: \(reason)")
            }
            bot = try await management.send(.get, "/api/v1/bots/\(Form.percentEncode(id))")
            return bot["bot_id"]?.number
        }
        guard let registered else {
            throw SandboxError.notRegistered(bot: name, status: bot["status"]?.string ?? "unknown")
        }
        return registered
    }

    /// Looks again and again, until there is something or the patience is at its end.
    private func wait<Value>(_ look: () async throws -> Value?) async throws -> Value? {
        let end = ContinuousClock.now + patience
        while true {
            if let value = try await look() { return value }
            guard ContinuousClock.now < end else { return nil }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

extension JSON {
    /// A number that may have been sent as text.
    fileprivate var number: Int? { integer.map { Int($0) } ?? string.flatMap { Int($0) } }
}
