import Base
import Sandbox
import Storage
import TestSupport
import Testing

@Suite("Events")
struct EventTests {
    @Test(
        "an event with a wrong application token is refused and not stored, the administrator reads of it, the next right one ends that"
    )
    func wrongToken() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            var told: String?
            for token in ["made-up", nil] {
                var event = stage.message(to: bot, "Forged", id: 900_001)
                event["auth"] = ["member_id": .string(stage.portal.settings.memberID)]
                if let token { event["auth"]?["application_token"] = .string(token) }
                #expect(try await stage.post(event, to: bot.url).status == 403)
                #expect(try await stage.storedEvents() == 0)
                let notice = try await stage.notice(of: installed)
                #expect(notice?.contains("wrong application token") == true)
                // Whoever sends many makes us write once.
                #expect(told == nil || notice == told)
                told = notice
            }
            #expect(try await stage.post(stage.message(to: bot, "Real", id: 900_002), to: bot.url).status == 200)
            #expect(try await stage.status(of: installed) == "active")
            #expect(try await stage.notice(of: installed) == nil)
            #expect(
                try await stage.send(.get, "/metrics").text.contains(
                    "bitbot_refused_events_total{reason=\"application_token\"} 2"))
        }
    }

    @Test(
        "what a stranger sends takes nothing away: the installation stays active, and check, channels and doctor find it well",
        arguments: ["ONAPPTEST", "ONAPPUNINSTALL"])
    func forged(name: String) async throws {
        try await Stage.with { stage in
            let (installed, _) = try await stage.ready()
            let auth: JSON = ["member_id": .string(stage.portal.settings.memberID), "application_token": "x"]
            let event: JSON = ["event": .string(name), "auth": auth]
            #expect(try await stage.post(event, to: installed.eventsURL).status == 403)
            #expect(try await stage.status(of: installed) == "active")
            let portal = try #require(try await stage.read("portals")["items"]?.array?.first).field("id")
            let check = try await stage.read("portals/\(portal)/check")
            #expect(check["well"] == true, "\(check.text)")
            #expect(try await stage.api(.get, "portals/\(portal)/channels").status == 200)
            let findings = try await stage.command(.get, "/doctor")["findings"]?.array ?? []
            #expect(findings.count > 3 && findings.allSatisfy { $0["trouble"] == .null }, "\(findings)")
        }
    }

    @Test("what a stranger sends does not take the place of another notice")
    func otherNotice() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            try await stage.store.setStatus(
                .active, notice: "Read me", of: try await stage.record(installed), now: WallClock.system.now)
            var event = stage.message(to: bot, "Forged", id: 900_001)
            event["auth"]?["application_token"] = "made-up"
            #expect(try await stage.post(event, to: bot.url).status == 403)
            #expect(try await stage.notice(of: installed) == "Read me")
            #expect(try await stage.post(stage.message(to: bot, "Real", id: 900_002), to: bot.url).status == 200)
            #expect(try await stage.notice(of: installed) == "Read me")
        }
    }

    @Test("an installation that a former version took out of use for a wrong token comes back with the next right one")
    func formerlyTakenOut() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            try await stage.store.setStatus(
                .reauthorize,
                notice: "An event came with an unknown application token: open the application in Bitrix24 once",
                of: try await stage.record(installed), now: WallClock.system.now)
            #expect(try await stage.post(stage.message(to: bot, "Real", id: 900_001), to: bot.url).status == 200)
            #expect(try await stage.status(of: installed) == "active")
            #expect(try await stage.notice(of: installed) == nil)
        }
    }

    @Test("the application token counts at the top of an event only, not inside the bot's own tokens")
    func tokenInside() async throws {
        try await Stage.with { stage in
            let (_, bot) = try await stage.ready()
            var event = stage.message(to: bot, "Forged", id: 900_001)
            let auth = event["auth"]
            event["data"]?["bot"]?["auth"] = auth
            event["auth"] = ["member_id": .string(stage.portal.settings.memberID)]
            #expect(try await stage.post(event, to: bot.url).status == 403)
            event["auth"]?["application_token"] = "made-up"
            #expect(try await stage.post(event, to: bot.url).status == 403)
            #expect(try await stage.storedEvents() == 0)
        }
    }

    @Test("an installation that needs new permission for another reason stays so when an event comes")
    func otherReason() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            let record = try await stage.record(installed)
            try await stage.store.setStatus(
                .reauthorize, notice: "No credential is accepted", of: record, now: WallClock.system.now)
            #expect(try await stage.post(stage.message(to: bot, "Hello", id: 900_001), to: bot.url).status == 200)
            #expect(try await stage.status(of: installed) == "reauthorize")
            #expect(try await stage.notice(of: installed) == "No credential is accepted")
        }
    }

    @Test("the right token at a wrong address is refused")
    func wrongAddress() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            let other = try await stage.address(of: try await stage.bot(of: installed, name: "Other"))
            let event = stage.message(to: bot, "Hello", id: 900_001)
            for url in [installed.eventsURL, other.url, stage.origin + "/api/bitrix/bots/unknown"] {
                #expect(try await stage.post(event, to: url).status == 403)
            }
            let first = stage.firstGeneration(to: [bot.id], "Hello", id: 900_002)
            #expect(try await stage.post(first, to: bot.url).status == 403)
            var uninstall = event
            uninstall["event"] = "ONAPPUNINSTALL"
            #expect(try await stage.post(uninstall, to: bot.url).status == 403)
            #expect(try await stage.storedEvents() == 0)
            #expect(try await stage.status(of: installed) == "active")
        }
    }

    @Test("an event of a portal is not taken for another one's")
    func otherPortal() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            var event = stage.message(to: bot, "Hello", id: 900_001)
            event["auth"]?["member_id"] = "another"
            #expect(try await stage.post(event, to: bot.url).status == 403)
            #expect(try await stage.post(event, to: installed.eventsURL).status == 403)
            #expect(try await stage.status(of: installed) == "active")
        }
    }

    @Test("the same event five times is answered once")
    func fiveTimes() async throws {
        try await Stage.with { stage in
            let (_, bot) = try await stage.ready()
            var plan = SimulatedPortal.DeliveryPlan()
            plan.copies = 5
            stage.portal.deliver(by: plan)
            let answer = try await stage.answered(bot.json, "Only once")
            await stage.portal.settle()
            #expect(
                stage.portal.deliveries.filter { $0.event == "ONIMBOTV2MESSAGEADD" }.map(\.status) == [
                    200, 200, 200, 200, 200,
                ])
            try await stage.quiet()
            #expect(stage.portal.messages(in: answer.chatID).filter { $0.text == answer.text }.count == 1)
            #expect(stage.dify.counts.runs == 1)
        }
    }

    @Test("the second generation is read from JSON as from a form")
    func asJSON() async throws {
        try await Stage.with { stage in
            let (_, bot) = try await stage.ready()
            var plan = SimulatedPortal.DeliveryPlan()
            plan.jsonForSecondGeneration = true
            stage.portal.deliver(by: plan)
            _ = try await stage.answered(bot.json, "In JSON")
        }
    }

    @Test("first generation events come to the application's address and may name several bots")
    func firstGeneration() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let one = try await stage.address(of: try await stage.bot(of: installed, name: "One", api: "v1"))
            let two = try await stage.address(of: try await stage.bot(of: installed, name: "Two", api: "v1"))
            #expect(one.url == installed.eventsURL)
            #expect(two.url == installed.eventsURL)
            var event = stage.firstGeneration(to: [one.id, two.id, 987_654], "Both of you", id: 900_001)
            event["data"]?["BOT"]?["x"] = ["BOT_ID": "nobody"]
            #expect(try await stage.post(event, to: installed.eventsURL).status == 200)
            #expect(try await stage.storedEvents() == 2)
            _ = try await stage.answered(one.json, "You alone")
        }
    }

    @Test(
        "on a portal that is too old for the second generation a bot is registered with the first, at the application's address"
    )
    func oldPortal() async throws {
        var options = Stage.Options()
        options.portal.hasSecondGeneration = false
        try await Stage.with(options) { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            #expect(bot["api"] == "v1")
            #expect(try await stage.address(of: bot).url == installed.eventsURL)
            _ = try await stage.answered(bot, "Good old days")
        }
    }

    @Test("what cannot be read is a clear 4xx, and the next event is taken")
    func malformed() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            let good = Form.encode(stage.message(to: bot, "Hello", id: 900_001))
            let deep = String(repeating: "[a]", count: 2_000)
            let bodies: [(String, String)] = [
                ("", "form"), ("=&=&=&", "form"), ("event=", "form"), ("event[]=x", "form"),
                ("event=ONAPPINSTALL", "form"),
                ("event=ONAPPINSTALL&auth[member_id]=m", "form"), (good + "&data\(deep)=1", "form"),
                ((1...6_000).map { "data[\($0)]=x" }.joined(separator: "&"), "form"),
                (good + "&data[bot][id]=99999999999999999999999", "form"), (good + "&data[bot][id]=-1", "form"),
                (good + "&data[bot]=x", "form"), (good + "&data[message]=x", "form"), (good + "&data=x", "form"),
                (good + "&data[message][id]=1e400", "form"), (good + "&data[message][id]=0", "form"),
                (good + "&data[message][id]=", "form"), (good + "&auth=x", "form"),
                ("{", "json"), ("[]", "json"), ("null", "json"), ("{}", "json"), ("{\"event\":5}", "json"),
                (String(repeating: "[", count: 100_000), "json"),
                ("{\"event\":\"ONIMBOTV2MESSAGEADD\",\"data\":[],\"auth\":{\"member_id\":\"m\"}}", "json"),
            ]
            for url in [bot.url, installed.eventsURL, try installed.app.field("install_url")] {
                for (body, kind) in bodies {
                    let type = kind == "json" ? "application/json" : "application/x-www-form-urlencoded"
                    let reply = try await stage.post(body, to: url, type: type)
                    #expect((400...403).contains(reply.status), "\(reply.status) for \(body.prefix(200))")
                }
            }
            let tooLarge = try await stage.post(String(repeating: "a", count: 9_000_000), to: bot.url)
            #expect(tooLarge.status == 413)
            #expect(try await stage.storedEvents() == 0)
            #expect(try await stage.post(good, to: bot.url).status == 200)
            #expect(try await stage.storedEvents() == 1)
        }
    }

    @Test("invalid UTF-8 and control characters in a text do not lose the message")
    func oddText() async throws {
        try await Stage.with { stage in
            let (_, bot) = try await stage.ready()
            let good = Form.encode(stage.message(to: bot, "TEXT", id: 900_001))
            let odd = good.split(separator: "TEXT").joined(separator: "%FF%FE%00broken%C3")
            #expect(try await stage.post(odd, to: bot.url).status == 200)
            #expect(try await stage.storedEvents() == 1)
        }
    }

    @Test("an event that BitBot does not know is accepted if it is Bitrix24's")
    func unknownEvent() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            var event = stage.message(to: bot, "Hello", id: 900_001)
            event["event"] = "ONSOMETHINGNEW"
            #expect(try await stage.post(event, to: bot.url).status == 200)
            #expect(try await stage.post(event, to: installed.eventsURL).status == 200)
            #expect(try await stage.storedEvents() == 0)
        }
    }

    @Test("an address answers when Bitrix24 looks whether it is there")
    func head() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            for url in [bot.url, installed.eventsURL, stage.origin + "/api/bitrix/anything/at/all"] {
                let reply = try await stage.send(.head, url)
                #expect(reply.status == 200)
                #expect(reply.text.isEmpty)
            }
            #expect(try await stage.send(.get, bot.url).status == 405)
        }
    }

    @Test("an event that cannot be stored is answered 503, so is an installation")
    func storeAway() async throws {
        try await Stage.with { stage in
            let (installed, bot) = try await stage.ready()
            let event = stage.message(to: bot, "Hello", id: 900_001)
            await stage.database.close()
            #expect(try await stage.post(event, to: bot.url).status == 503)
            #expect(try await stage.post(event, to: stage.origin + "/api/bitrix/bots/unknown").status == 503)
            #expect(try await stage.portal.install(installed.simulated).status == 503)
            #expect(try await stage.send(.get, "/readyz").status == 503)
            #expect(try await stage.send(.get, "/healthz").status == 200)
            let reply = try await stage.api(.get, "bots")
            #expect(reply.status == 503)
            #expect(reply.code == "store_unavailable")
        }
    }

    @Test("an event for which the disk has no room is answered 503, and the next one is taken when there is room again")
    func full() async throws {
        try await Stage.with { stage in
            let (_, bot) = try await stage.ready()
            try await stage.limitStore(to: 1)
            let large = stage.message(to: bot, String(repeating: "long ", count: 100_000), id: 900_001)
            #expect(try await stage.post(large, to: bot.url).status == 503)
            #expect(try await stage.storedEvents() == 0)
            try await stage.limitStore(to: 1_000_000)
            #expect(try await stage.post(large, to: bot.url).status == 200)
            #expect(try await stage.storedEvents() == 1)
        }
    }

    @Test("a portal's last_seen_at follows its events")
    func lastSeen() async throws {
        try await Stage.with { stage in
            let (_, bot) = try await stage.ready()
            let memberID = stage.portal.settings.memberID
            let portal = try #require(try await stage.store.portal(memberID: memberID))
            let long = WallClock.system.now - .seconds(7200)
            try await stage.store.update(portal.id) { $0.lastSeenAt = long }
            #expect(try await stage.post(stage.message(to: bot, "Hello", id: 900_001), to: bot.url).status == 200)
            let seen = try #require(try await stage.store.portal(memberID: memberID)?.lastSeenAt)
            #expect(seen - long > .seconds(7000))
        }
    }
}
