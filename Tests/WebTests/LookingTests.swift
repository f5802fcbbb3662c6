import Base
import Sandbox
import Storage
import TestSupport
import Testing

@Suite("Looking at what happens", .timeLimit(.minutes(1)))
struct LookingTests {
    @Test("a dialog's lines tell what became of them, and lead to what the bot was asked and answered")
    func exchange() async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed())
            _ = try await stage.answered(bot, "Hello")
            let dialog = try #require(try await stage.read("dialogs?q=2")["items"]?.array?.first)
            #expect(dialog["bot_name"] == "Helper" && dialog["failed"] == false)
            #expect(dialog["portal_domain"]?.string == stage.portal.domain)
            #expect(dialog["last_text"] == "You said: Hello")
            let path = "dialogs/\(try dialog.field("id"))/messages"
            try await eventually {
                let event = try await stage.read(path)["items"]?.array?.last?["event"]
                return event?["finished_at"] != .null
            }
            let lines = try #require(try await stage.read(path)["items"]?.array)
            #expect(lines.map { $0["author"] } == ["bot", "customer"])
            #expect(lines[0]["event"] == .null && lines[0]["event_id"] == lines[1]["event_id"])
            #expect(lines[1]["event"]?["state"] == "done" && lines[1]["event"]?["attempts"] == 1)
            let line = "\(path)/\(try lines[0].field("id"))/exchange"
            try await eventually { try await stage.read(line)["deliveries"]?.array?.first?["state"] == "done" }
            let exchange = try await stage.read(line)
            #expect(exchange["provider"] == "Dify (Dify Chatflow)" && exchange["error"] == .null)
            #expect(exchange["asked"]?["text"] == "Hello" && exchange["asked"]?["variables"]?["MESSAGE"] == "Hello")
            #expect(exchange["answered"]?["text"] == "You said: Hello")
            #expect(exchange["answered"]?["trace"]?["conversation_id"]?.string?.isEmpty == false)
            #expect(try await stage.read("\(path)/\(try lines[1].field("id"))/exchange") == exchange)
            let tokens = stage.portal.tokens(
                of: try await stage.read("apps")["items"]?.array?[0].field("client_id") ?? "", as: 1)
            #expect(!exchange.text.contains(tokens.access) && !exchange.text.contains(Stage.key.reveal()))
            #expect(try await stage.api(.get, "\(path)/999/exchange").status == 404)
            #expect(try await stage.api(.get, "dialogs/999/messages/1/exchange").status == 404)
        }
    }

    @Test("dialogs and work are filtered by what the query says, and a word that is none is refused")
    func filters() async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed(), isConnected: false)
            let chat = try stage.portal.privateChat(of: 2, with: Int(try #require(bot["bot_id"]?.integer)))
            try stage.portal.employeeWrites("Hello?", as: 2, in: chat.id)
            try await eventually {
                try await stage.read("work")["items"]?.array?.contains { $0["state"] == "failed" } == true
            }
            let portal = try #require(try await stage.read("portals")["items"]?.array?.first).field("id")
            func count(_ path: String) async throws -> Int? { try await stage.read(path)["items"]?.array?.count }
            let dialog = try #require(
                try await stage.read("dialogs?portal_id=\(portal)&state=bot")["items"]?.array?.first)
            #expect(dialog["failed"] == true)
            for nothing in ["portal_id=999", "bot_id=999", "state=operator", "q=nobody"] {
                #expect(try await count("dialogs?\(nothing)") == 0, "\(nothing)")
            }
            #expect(try await count("dialogs?bot_id=\(try bot.field("id"))") == 1)
            #expect(try await count("work?portal_id=\(portal)") ?? 0 > 0)
            #expect(try await count("work?portal_id=999") == 0)
            for (query, field) in [("state=open", "state"), ("portal_id=x", "portal_id"), ("bot_id=x", "bot_id")] {
                #expect(try await stage.api(.get, "dialogs?\(query)").fields.keys.sorted() == [field])
            }
        }
    }

    @Test("the overview turns a light for each thing that is wrong, and says how to mend it")
    func overview() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            func light(_ kind: String, _ name: String) async throws -> JSON? {
                try await stage.read("overview")["lights"]?.array?.first {
                    $0["kind"]?.string == kind && $0["name"]?.string == name
                }
            }
            let well = try await stage.read("overview")
            #expect(
                well["lights"]?.array?.allSatisfy { $0["state"] == "well" && $0["reason"] == .null } == true,
                "\(well.text)")
            #expect(
                well["lights"]?.array?.map { $0["kind"] } == ["store", "sessions", "app", "portal", "connector", "bot"])
            #expect(well["counts"] == ["portals": 1, "bots": 1, "connectors": 1, "dialogs": 0])
            #expect(well["queue"]?["failed"] == 0 && well["queue"]?["oldest_waiting_at"] == .null)

            _ = try await stage.make("apps", ["name": "New"])
            #expect(try await light("app", "New")?["state"] == "warning")
            let connector = "connectors/\(try bot.field("connector_id"))"
            _ = try await stage.api(.patch, connector, ["key": .null])
            #expect(try await light("connector", "Flow")?["reason"] == "Has no key")
            let lone = try await stage.bot(of: installed, name: "Lone", isConnected: false)
            #expect(try await light("bot", "Lone")?["state"] == "trouble")
            let chat = try stage.portal.privateChat(of: 2, with: Int(try #require(lone["bot_id"]?.integer)))
            try stage.portal.employeeWrites("Hello?", as: 2, in: chat.id)
            try await eventually { try await stage.read("overview")["queue"]?["failed"]?.integer ?? 0 > 0 }
            let id = try #require(ID<InstallationRecord>(installed.id))
            let record = try #require(try await stage.store.installation(id))
            try await stage.store.setStatus(
                .denied, notice: "The plan has ended", of: record, now: WallClock.system.now)
            let portal = try await light("portal", stage.portal.domain)
            #expect(portal?["state"] == "trouble" && portal?["reason"] == "The plan has ended")
            #expect(portal?["remedy"] == "Open the application in Bitrix24 as an administrator")
        }
    }

    @Test("statistics count what was answered, in steps without gaps")
    func statistics() async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed())
            _ = try await stage.answered(bot, "Hello")
            for (period, step, count) in [("hour", 60, 60), ("day", 900, 96), ("week", 3600, 168)]
                as [(String, Int64, Int)]
            {
                try await eventually {
                    let points = try await stage.read("statistics?period=\(period)")["points"]?.array ?? []
                    return points.compactMap { $0["messages"]?.integer }.reduce(0, +) == 1
                }
                let found = try await stage.read("statistics?period=\(period)")
                #expect(found["step_seconds"]?.integer == step && found["points"]?.array?.count == count)
                #expect(found["points"]?.array?.contains { $0["p50"] != .null && $0["messages"] == 1 } == true)
            }
            #expect(try await stage.api(.get, "statistics?period=year").fields.keys.sorted() == ["period"])
        }
    }

    @Test("whoever watches is told of a message at once, and is let go when the server stops")
    func live() async throws {
        let stage = try await Stage.start()
        do {
            let bot = try await stage.bot(of: try await stage.installed())
            var events = EventReader(try await stage.stream(.get, "live"))
            _ = try await stage.answered(bot, "Hello")
            var kinds: [String] = []
            while kinds.count < 3, let event = try await events.next() {
                let happened = try JSON(parsing: event.data.utf8)
                #expect(event.name == "happened" && happened["bot_name"] == "Helper")
                #expect(happened["portal_domain"]?.string == stage.portal.domain)
                if happened["text"]?.string?.hasSuffix("Hello") == true { kinds.append(try happened.field("kind")) }
            }
            #expect(kinds == ["event", "answer", "delivery"])
            // As a stop does it first. To its proper end: a connection that is cut throws.
            stage.gateway.live.finish()
            while try await events.next() != nil {}
            await stage.stop()
        } catch {
            await stage.stop()
            throw error
        }
    }

    @Test("a portal's open channels are listed with their bots and settings; a missing right is named")
    func channels() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed, type: "openline")
            let number = try #require(bot["bot_id"]?.integer)
            let line = stage.portal.createOpenChannel("Support", bot: Int(number))
            let off = stage.portal.createOpenChannel("Old", isActive: false)
            let portal = try #require(try await stage.read("portals")["items"]?.array?.first).field("id")
            let found = try await stage.read("portals/\(portal)/channels")
            #expect(found["missing_scope"] == .null)
            let url = "https://\(stage.portal.domain)/contact_center/lines_edit/?ID=\(line)&SIDE=Y"
            let items = found["items"]?.array?.filter { ["Support", "Old"].contains($0["name"]?.string) }
            #expect(
                items == [
                    [
                        "id": .string("\(line)"), "name": "Support", "active": true, "bot_id": .integer(number),
                        "settings_url": .string(url),
                    ],
                    [
                        "id": .string("\(off)"), "name": "Old", "active": false, "bot_id": .null,
                        "settings_url": .string(url.replacing("ID=\(line)", with: "ID=\(off)")),
                    ],
                ])
        }
        try await Stage.with { stage in
            _ = try await stage.installed(scope: ["imbot", "im"])
            let portal = try #require(try await stage.read("portals")["items"]?.array?.first).field("id")
            let found = try await stage.read("portals/\(portal)/channels")
            #expect(found == ["items": [], "missing_scope": "imopenlines"])
            let empty = try await stage.make("portals", ["member_id": "m", "domain": "m.bitrix24.com"]).field("id")
            #expect(try await stage.api(.get, "portals/\(empty)/channels").status == 409)
        }
    }
}
