import Base
import Gateway
import Sandbox
import Storage
import TestSupport
import Testing

@Suite("Checking and repairing a portal")
struct DoctorTests {
    @Test("a portal that works is found well, down to a test event that Bitrix24 really sends")
    func well() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            try await stage.addCommand("help", to: bot)
            let check = try await stage.check()
            #expect(check["well"]?.bool == true, "\(check.text)")
            let names = check["findings"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(names == ["Token", "Scope imbot", "Clock", "Events", "Bot Helper", "Limit"])
        }
    }

    @Test("a bot that is gone in Bitrix24 is named, and repairing registers it again with its commands")
    func missingBot() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            try await stage.addCommand("help", to: bot)
            // Nobody tells us: its event is lost.
            stage.portal.deliver(by: .nothingArrives)
            try stage.portal.deleteBot(Int(try #require(bot["bot_id"]?.integer)))
            await stage.portal.settle()
            stage.portal.deliver(by: .init())
            #expect(try await stage.trouble("Bot Helper") == "is not there in Bitrix24 any more")
            let repaired = try await stage.repair()
            #expect(repaired == ["The bot Helper was missing and is registered again"])
            #expect(try await stage.trouble("Bot Helper") == nil)
            let now = try await stage.read("bots/\(try bot.field("id"))")
            _ = try await stage.answered(now, "Hello")
            #expect(try await stage.repair() == [])
        }
    }

    @Test("a command that is missing in Bitrix24 is named and registered again; one that is not known here is removed")
    func commands() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            let command = try await stage.addCommand("help", to: bot)
            let token = JSON.string(stage.portal.tokens(of: installed.clientID, as: 1).access)
            let number = try #require(bot["bot_id"])
            let root = stage.portal.clientEndpoint
            _ = try await stage.post(
                ["auth": token, "botId": number, "commandId": try #require(command["command_id"])],
                to: root + "imbot.v2.Command.unregister")
            let stray: JSON = ["command": "stray", "title": ["en": "Stray"]]
            _ = try await stage.post(
                ["auth": token, "botId": number, "fields": stray], to: root + "imbot.v2.Command.register")
            #expect(try await stage.trouble("Bot Helper") == "lacks commands in Bitrix24: /help")
            #expect(
                Set(try await stage.repair()) == [
                    "The command /help of Helper is registered again",
                    "The command /stray of Helper, which is not known here, is removed",
                ])
            #expect(try await stage.trouble("Bot Helper") == nil)
            #expect(try await stage.repair() == [])
        }
    }

    @Test("application events that are not bound any more are bound again")
    func bindings() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            try await stage.bound(installed)
            #expect(try await stage.repair() == [])
            let token = JSON.string(stage.portal.tokens(of: installed.clientID, as: 1).access)
            let unbound = try await stage.post(
                ["auth": token, "event": "ONAPPUNINSTALL", "handler": .string(installed.eventsURL)],
                to: stage.portal.clientEndpoint + "event.unbind")
            #expect(unbound.json["result"]?["count"] == 1)
            #expect(
                try await stage.repair() == ["The event ONAPPUNINSTALL of the application Support is bound again"])
            try await stage.bound(installed)
        }
    }

    @Test("a bot that should have come back with its application does so when the portal is repaired")
    func cutOffReturn() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            // As a kill leaves it between the new installation and what follows it.
            let id = try #require(ID<Storage.BotRecord>(try bot.field("id")))
            var record = try #require(try await stage.store.bot(id))
            record.status = .deleted
            record.statusReason = "The application was uninstalled in Bitrix24"
            _ = try await stage.store.setRegistration(of: record, now: WallClock.system.now)
            #expect(try await stage.repair() == ["The bot Helper is registered again"])
            _ = try await stage.answered(try await stage.read("bots/\(try bot.field("id"))"), "Hello")
        }
    }

    @Test("rights that are missing are named with what they are for")
    func scopes() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(scope: ["imbot", "im"])
            _ = try await stage.bot(of: installed, type: "openline")
            let trouble = try await stage.trouble("Scope imopenlines")
            #expect(trouble == "is missing: it is needed for handing a customer over to an operator")
            #expect(try await stage.trouble("Scope imbot") == nil)
        }
    }

    @Test("events that do not arrive are found, and it is said which address Bitrix24 must reach")
    func events() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            stage.portal.deliver(by: .nothingArrives)
            let addresses = Addresses(publicURL: stage.origin)
            let doctor = Doctor(
                store: stage.store, portals: stage.gateway.portals, addresses: addresses, testEvents: TestEvents(),
                patience: .milliseconds(200))
            let record = try #require(try await stage.store.portals(limit: 1, after: nil).items.first)
            let finding = try await doctor.examine(record).first { $0.name == "Events" }
            #expect(finding?.trouble?.contains("did not arrive") == true)
            #expect(finding?.remedy?.contains(installed.eventsURL) == true)
        }
    }

    @Test("a portal that cannot be reached is called that, and nobody is sent to open the application there")
    func unreachable() async throws {
        try await Stage.with { stage in
            _ = try await stage.installed()
            await stage.portal.stop()
            let finding = try #require(try await stage.check()["findings"]?.array?.first)
            #expect(finding["trouble"]?.string?.hasPrefix("Bitrix24 cannot be reached: 127.0.0.1") == true)
            #expect(finding["trouble"]?.string?.contains("Bitrix24 says") == false)
            #expect(finding["remedy"]?.string?.contains("browser") == true, "\(finding)")
        }
    }

    @Test(
        "a connector that cannot work fails in doctor and on the overview, as its test says",
        arguments: [
            ("typebot", "", [:], "start address"), ("openai", "http://127.0.0.1:1/v1", [:], "model"),
            ("webhook", "", [:], "address"), ("webhook", "http://?x", [:], "address"),
            ("dify_chatflow", "http://:0/v1", [:], "address"),
        ] as [(String, String, JSON, String)])
    func connectors(type: String, url: String, options: JSON, word: String) async throws {
        try await Stage.with { stage in
            let provider = try await stage.store.createProvider(
                name: "Platform", type: type, url: url, now: WallClock.system.now)
            var draft = ConnectorDraft(providerID: provider.id, name: "Broken")
            draft.key = Stage.key
            draft.options = options
            let connector = try await stage.store.createConnector(draft, now: WallClock.system.now)
            let tested = try await stage.api(.post, "connectors/\(connector.id)/test")
            let findings = try await stage.command(.get, "/doctor")["findings"]?.array ?? []
            let trouble = findings.first { $0["name"] == "connector Broken" }?["trouble"]?.string
            #expect(trouble?.contains(word) == true, "\(findings)")
            #expect(tested.json["error"]?.string == trouble, "\(tested.text)")
            let light = try await stage.read("overview")["lights"]?.array?.first { $0["name"] == "Broken" }
            #expect(light?["state"] == "trouble" && light?["reason"]?.string == trouble)
        }
    }

    @Test("an installation whose tokens are refused says what the administrator has to do")
    func tokens() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            stage.authorization.revokeRefreshTokens(of: installed.clientID)
            stage.authorization.expireAccessTokens(of: installed.clientID)
            let check = try await stage.check()
            let finding = check["findings"]?.array?.first
            #expect(finding?["trouble"]?.string?.isEmpty == false)
            #expect(finding?["remedy"]?.string == "Open the application in Bitrix24 as an administrator")
            #expect(check["well"]?.bool == false)
        }
    }
}

extension Stage {
    fileprivate func portalID() async throws -> String {
        try #require(try await read("portals")["items"]?.array?.first).field("id")
    }

    fileprivate func check() async throws -> JSON { try await read("portals/\(try await portalID())/check") }

    /// What the check says of one thing.
    fileprivate func trouble(_ name: String) async throws -> String? {
        let findings = try await check()["findings"]?.array ?? []
        let finding = try #require(findings.first { $0["name"]?.string == name }, "no \(name) in \(findings)")
        return finding["trouble"]?.string
    }

    fileprivate func repair() async throws -> [String] {
        let reply = try await api(.post, "portals/\(try await portalID())/repair")
        try #require(reply.status == 200, "\(reply.text)")
        return reply.json["repaired"]?.array?.compactMap(\.string) ?? []
    }

    @discardableResult
    fileprivate func addCommand(_ name: String, to bot: JSON) async throws -> JSON {
        try await make(
            "bots/\(try bot.field("id"))/commands",
            ["command": .string(name), "translations": [["language": "en", "title": "Help"]]])
    }
}

extension SimulatedPortal.DeliveryPlan {
    /// Every event is lost.
    fileprivate static var nothingArrives: Self {
        var plan = Self()
        plan.lost = 1
        return plan
    }
}
