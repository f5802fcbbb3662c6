import Base
import Bitrix24
import Sandbox
import Storage
import TestSupport
import Testing

@Suite("Inbound webhooks")
struct WebhookTests {
    @Test("a pasted address becomes an installation; its code is shown nowhere")
    func install() async throws {
        try await Stage.with { stage in
            let address = stage.portal.addWebhook(scope: ["imbot", "im", "imopenlines", "disk"])
            let installation = try await stage.webhook(address)
            #expect(installation["kind"] == "webhook" && installation["status"] == "active")
            #expect(installation["notice"] == .null && installation["app_id"] == .null)
            let portal = try #require(try await stage.read("portals")["items"]?.array?.first)
            #expect(portal["member_id"]?.string == "webhook:\(stage.portal.domain)")
            let id = try #require(ID<InstallationRecord>(try installation.field("id")))
            let record = try #require(try await stage.store.installation(id))
            #expect(record.clientEndpoint == stage.portal.clientEndpoint)
            let code = try #require(address.reveal().split(separator: "/").last.map(String.init))
            #expect(!stage.lines.contains(code))
            #expect(!(try await stage.read("installations").text.contains(code)))
            // As Bitrix24 shows it beside the address, with a method.
            #expect(try await stage.webhook(Secret(address.reveal() + "profile.json"))["id"] == installation["id"])
        }
    }

    @Test("what a webhook may not do is said: without imbot it is refused, without the rest there is a notice")
    func scopes() async throws {
        try await Stage.with { stage in
            let useless = try await stage.api(
                .post, "installations",
                ["webhook_url": .string(stage.portal.addWebhook(scope: ["im", "crm"]).reveal())])
            #expect(useless.status == 422 && useless.fields["webhook_url"]?.string?.contains("imbot") == true)
            #expect(try await stage.read("portals")["items"]?.array == [])
            let small = try await stage.webhook(stage.portal.addWebhook(scope: ["imbot", "im"]))
            let notice = try small.field("notice")
            #expect(notice.contains("imopenlines") && notice.contains("operators") && notice.contains("disk"))
            #expect(!notice.contains("im ("))
        }
    }

    @Test(
        "an address that is no webhook's is refused without being repeated or called",
        arguments: [
            "https://portal.example/rest/1/", "https://portal.example/rest/x/abcdefgh0123/",
            "https://portal.example/rest/1/abcdefgh0123/profile/more",
            "https://user@portal.example/rest/1/abcdefgh0123/",
            "https://portal.example/rest/1/abcdefgh0123/?a=b", "https://portal.example/other/1/abcdefgh0123/",
            "ftp://portal.example/rest/1/abcdefgh0123/", "http://portal.example/rest/1/abcdefgh0123/",
            "https://portal.example/rest/1/abc%2Fdefgh0123/", "abcdefgh0123", "https://a b/rest/1/abcdefgh0123/",
        ])
    func malformed(address: String) async throws {
        try await Stage.with { stage in
            let reply = try await stage.api(.post, "installations", ["webhook_url": .string(address)])
            #expect(reply.status == 422 && reply.fields.keys.contains("webhook_url"))
            #expect(!reply.text.contains("abcdefgh0123"))
        }
    }

    @Test("a private address is refused until the administrator has allowed that portal")
    func privateAddress() async throws {
        try await Stage.with { stage in
            let reply = try await stage.api(
                .post, "installations", ["webhook_url": "https://127.0.0.1:1/rest/1/abcdefgh0123/"])
            #expect(reply.status == 422 && reply.text.contains("private network"))
            _ = try await stage.make(
                "portals", ["member_id": "mine", "domain": "127.0.0.1:1", "allow_private": true])
            for scheme in ["http", "https"] {
                let allowed = try await stage.api(
                    .post, "installations", ["webhook_url": .string("\(scheme)://127.0.0.1:1/rest/1/abcdefgh0123/")])
                #expect(allowed.status == 503 && allowed.text.contains("cannot be connected"))
            }
        }
    }

    @Test("a bot of a webhook fetches its events and answers messages and commands, with tokens that nobody sees")
    func conversation() async throws {
        try await Stage.with { stage in
            let bot = try await stage.webhookBot()
            #expect(bot["delivery"] == "fetch")
            _ = try await stage.make(
                "bots/\(try bot.field("id"))/commands",
                ["command": "help", "translations": [["language": "en", "title": "Help"]]])
            _ = try await stage.answered(bot, "Hello")
            _ = try await stage.answered(bot, "/help me")
            #expect(stage.portal.deliveries.isEmpty)
        }
    }

    @Test("several bots of a portal are polled by one request, and offsets confirm what was stored")
    func together() async throws {
        try await Stage.with { stage in
            let first = try await stage.webhookBot()
            let second = try await stage.webhookBot("Second", of: try first.field("installation_id"))
            _ = try await stage.answered(first, "One")
            _ = try await stage.answered(second, "Two")
            try await eventually {
                let polls = stage.portal.calls.filter { $0.method == "imbot.v2.Event.get" && $0.isInsideBatch }
                let confirmed = polls.filter { ($0.parameters["offset"]?.string).flatMap { Int($0) } ?? 0 > 0 }
                return Set(confirmed.compactMap { $0.parameters["botId"]?.string }).count == 2
            }
        }
    }

    @Test(
        "a webhook that is taken back is told to the administrator; a new address takes its place and nothing is lost")
    func rotation() async throws {
        try await Stage.with { stage in
            let old = stage.portal.addWebhook()
            let bot = try await stage.webhookBot(by: old)
            let path = "installations/\(try bot.field("installation_id"))"
            stage.portal.removeWebhook(old)
            try await eventually { try await stage.read(path)["status"] == "reauthorize" }
            #expect(try await stage.read(path).field("notice").contains("inbound webhook"))
            let number = Int(try #require(bot["bot_id"]?.integer))
            let chat = try stage.portal.privateChat(of: 2, with: number)
            try stage.portal.employeeWrites("Are you there?", as: 2, in: chat.id)
            let renewed = try await stage.webhook(stage.portal.addWebhook())
            #expect(renewed["id"] == bot["installation_id"] && renewed["status"] == "active")
            try await eventually {
                stage.portal.messages(in: chat.id).contains { $0.text == "You said: Are you there?" }
            }
            #expect(try await stage.read("installations")["items"]?.array?.count == 1)
        }
    }

    @Test("deleting the installation takes its bots out of Bitrix24")
    func deletion() async throws {
        try await Stage.with { stage in
            let bot = try await stage.webhookBot()
            #expect(stage.portal.bots.count == 1)
            let reply = try await stage.api(.delete, "installations/\(try bot.field("installation_id"))")
            #expect(reply.status == 204 && stage.portal.bots.isEmpty)
        }
    }

    @Test("a bot that was deleted in Bitrix24 is marked and not polled any more, its neighbour is")
    func deletedThere() async throws {
        try await Stage.with { stage in
            let gone = try await stage.webhookBot()
            let other = try await stage.webhookBot("Other", of: try gone.field("installation_id"))
            try stage.portal.deleteBot(Int(try #require(gone["bot_id"]?.integer)))
            try await eventually { try await stage.read("bots/\(try gone.field("id"))")["status"] == "deleted" }
            _ = try await stage.answered(other, "Still here?")
        }
    }

    @Test("an application that is installed on the portal gives it its lasting name; both share one portal")
    func application() async throws {
        var options = Stage.Options()
        options.isSandbox = true
        try await Stage.with(options) { stage in
            let webhook = try await stage.webhookBot()
            let (_, simulated) = try await stage.application()
            #expect(try await stage.portal.install(simulated).status == 200)
            let portals = try #require(try await stage.read("portals")["items"]?.array)
            #expect(portals.map { $0["member_id"]?.string } == [stage.portal.settings.memberID])
            #expect(try await stage.read("installations")["items"]?.array?.count == 2)
            _ = try await stage.answered(webhook, "Still me?")
        }
    }

    @Test("a webhook's bot may have its events posted; the first one tells its token, another token is refused")
    func posted() async throws {
        try await Stage.with { stage in
            let bot = try await stage.webhookBot(delivery: "webhook")
            _ = try await stage.answered(bot, "Hello")
            #expect(
                try await stage.read("portals")["items"]?.array?.first?["member_id"]?.string
                    == stage.portal.settings.memberID)
            await stage.portal.settle()
            let real = try #require(stage.portal.deliveries.last { $0.event == "ONIMBOTV2MESSAGEADD" })
            var data = real.data
            data["message"]?["id"] = 999_999
            let forged: JSON = [
                "event": "ONIMBOTV2MESSAGEADD", "data": data,
                "auth": ["member_id": .string(stage.portal.settings.memberID), "application_token": "another"],
            ]
            #expect(try await stage.post(forged, to: real.url).status == 403)
        }
    }

    @Test("a first generation bot cannot fetch; by a webhook it has its events posted")
    func firstGeneration() async throws {
        try await Stage.with { stage in
            let installation = try await stage.webhook(stage.portal.addWebhook())
            var body: JSON = [
                "name": "Old", "api": "v1", "type": "bot", "installation_id": installation["id"] ?? .null,
                "connector_id": .string(try await stage.connector().field("id")),
            ]
            let refused = try await stage.api(.post, "bots", body)
            #expect(refused.status == 422 && refused.fields["delivery"]?.string?.contains("first generation") == true)
            body["delivery"] = "webhook"
            let bot = try await stage.make("bots", body)
            #expect(bot["status"] == "active", "\(bot.text)")
            _ = try await stage.answered(bot, "Hello")
        }
    }
}

@Suite("Switching a bot between webhook and fetch")
struct DeliverySwitchTests {
    @Test("a bot that is switched there and back answers all that was written meanwhile, once")
    func thereAndBack() async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed())
            let path = "bots/\(try bot.field("id"))"
            let number = Int(try #require(bot["bot_id"]?.integer))
            let chat = try stage.portal.privateChat(of: 2, with: number)
            var written: [String] = []
            for (round, delivery) in ["fetch", "webhook", "fetch", "webhook"].enumerated() {
                let texts = (0..<6).map { "round \(round) number \($0)" }
                written += texts
                async let switched = stage.api(.patch, path, ["delivery": .string(delivery)])
                for text in texts { try stage.portal.employeeWrites(text, as: 2, in: chat.id) }
                let reply = try await switched
                #expect(reply.status == 200 && reply.json["delivery"]?.string == delivery)
                #expect(reply.json["status_reason"] == .null, "\(reply.text)")
            }
            let expected = Set(written.map { "You said: \($0)" })
            let answers = { stage.portal.messages(in: chat.id).filter { $0.authorID == number }.map(\.text) }
            try await eventually { expected.isSubset(of: answers()) }
            #expect(answers().count == expected.count)
            // What was left has been fetched, and then the polls end.
            let id = try #require(ID<BotRecord>(try bot.field("id")))
            try await eventually { try await stage.store.fetchingBots().allSatisfy { $0.id != id } }
        }
    }

    @Test("what was queued before the switch to webhook is fetched afterwards, however long that takes")
    func drained() async throws {
        try await Stage.with { stage in
            let bot = try await stage.webhookBot()
            _ = try await stage.answered(bot, "Before")
            stage.portal.inject(.init(.internalError, method: "imbot.v2.Event.get", times: nil))
            let number = Int(try #require(bot["bot_id"]?.integer))
            let chat = try stage.portal.privateChat(of: 2, with: number)
            try stage.portal.employeeWrites("Queued", as: 2, in: chat.id)
            let reply = try await stage.api(.patch, "bots/\(try bot.field("id"))", ["delivery": "webhook"])
            #expect(reply.json["delivery"] == "webhook", "\(reply.text)")
            _ = try await stage.answered(bot, "Posted")
            #expect(!stage.portal.messages(in: chat.id).contains { $0.text == "You said: Queued" })
            stage.portal.clearFaults()
            try await eventually { stage.portal.messages(in: chat.id).contains { $0.text == "You said: Queued" } }
        }
    }

    @Test("a switch that Bitrix24 could not be told of is shown, and both ways stay open")
    func untold() async throws {
        try await Stage.with { stage in
            let bot = try await stage.webhookBot()
            let path = "bots/\(try bot.field("id"))"
            stage.portal.inject(
                .init(.error(status: 403, code: "ACCESS_DENIED", description: "no"), method: "imbot.v2.Bot.update"))
            let reply = try await stage.api(.patch, path, ["delivery": "webhook"])
            #expect(reply.json["status_reason"]?.string?.contains("ACCESS_DENIED") == true)
            _ = try await stage.answered(bot, "Fetched all the same")
            let again = try await stage.api(.patch, path, [:])
            #expect(again.json["status_reason"] == .null)
            _ = try await stage.answered(bot, "Posted now")
        }
    }
}

extension Stage {
    func webhook(_ address: Secret) async throws -> JSON {
        try await make("installations", ["webhook_url": .string(address.reveal())])
    }

    /// A bot that a webhook has registered, with the simulated Dify behind it.
    func webhookBot(
        _ name: String = "Helper", by address: Secret? = nil, of installation: String? = nil, delivery: String? = nil
    ) async throws -> JSON {
        var id = installation
        if id == nil { id = try await webhook(address ?? portal.addWebhook()).field("id") }
        var body: JSON = [
            "name": .string(name), "type": "bot", "installation_id": .string(try #require(id)),
            "connector_id": .string(try await connector().field("id")),
        ]
        if let delivery { body["delivery"] = .string(delivery) }
        let bot = try await make("bots", body)
        try #require(bot["status"]?.string == "active", "\(bot.text)")
        return bot
    }
}
