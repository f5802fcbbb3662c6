import Base
import TestSupport
import Testing

@testable import Sandbox

/// What the simulated portal tells applications, held against the documentation's examples.
@Suite struct PortalEventTests {
    struct Example: Sendable {
        var event: String
        /// `private`, `group`, `none`, `application` or `second`.
        var place: String
        var body: JSON
    }

    static let examples = Examples.load("portal-events").map { json in
        Example(event: json["event"]?.string ?? "", place: json["place"]?.string ?? "", body: json["body"] ?? .null)
    }

    /// The keys of a documented event that a delivered one lacks; all values arrive as text.
    private func differences(_ example: Example, _ post: EventSink.Post) -> [String] {
        missing(example.body, post.form, at: "") + texts(post.form, at: "")
    }

    private func missing(_ documented: JSON, _ actual: JSON?, at path: String) -> [String] {
        guard let members = documented.object else { return actual == nil ? [path] : [] }
        // A form has no empty maps.
        if members.isEmpty { return [] }
        guard let found = actual?.object else { return [path] }
        if members.keys.allSatisfy({ Int($0) != nil }), let first = members.first {
            return missing(first.value, found.first?.value, at: path + ".{id}")
        }
        return members.sorted { $0.key < $1.key }.flatMap { missing($0.value, found[$0.key], at: path + "." + $0.key) }
    }

    private func texts(_ value: JSON, at path: String) -> [String] {
        switch value {
        case .string: []
        case .object(let members): members.flatMap { texts($0.value, at: path + "." + $0.key) }
        default: ["\(path) is no text"]
        }
    }

    @Test("events of the first generation are posted as documented")
    func firstGeneration() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let registered = try await fixture.call(
                "imbot.register",
                [
                    "CODE": "first", "TYPE": "S", "EVENT_HANDLER": .string(fixture.sink.url("/bot")),
                    "PROPERTIES": ["NAME": "First"],
                ], token: token)
            let bot = Int(try #require(registered.result?.integer))
            let command: JSON = [
                "BOT_ID": JSON(bot), "COMMAND": "echo", "EVENT_COMMAND_ADD": .string(fixture.sink.url("/command")),
                "LANG": [["LANGUAGE_ID": "en", "TITLE": "Echo"]],
            ]
            #expect(try await fixture.call("imbot.command.register", command, token: token).outcome == "200")
            let places = [
                ("private", try fixture.portal.privateChat(of: 2, with: bot).id),
                ("group", try fixture.portal.createGroup("Group", members: [2, bot]).id),
            ]
            for (place, chat) in places {
                let text = place == "group" ? "[USER=\(bot)]First[/USER], what now?" : "What now?"
                let message = try fixture.portal.employeeWrites(text, as: 2, in: chat)
                try fixture.portal.edit(message, to: text + "!")
                try fixture.portal.delete(message)
                try fixture.portal.employeeWrites("/echo test", as: 2, in: chat)
                await fixture.portal.settle()
                let posts = fixture.sink.posts.filter {
                    ($0.data["PARAMS"]?["CHAT_TYPE"] == "P") == (place == "private")
                }
                for example in Self.examples where example.place == place {
                    let post = try #require(posts.last { $0.event == example.event })
                    #expect(differences(example, post) == [], "\(example.event) \(place)")
                    let isCommand = example.event == "ONIMCOMMANDADD"
                    #expect(!isCommand || post.data["PARAMS"]?["COMMAND_CONTEXT"] == nil)
                }
            }
            try fixture.portal.deleteBot(bot)
            let deleted = try await fixture.sink.first("ONIMBOTDELETE")
            #expect(deleted.data == ["BOT_ID": .text(bot), "BOT_CODE": "first"])
        }
    }

    @Test("events of the second generation are posted as documented, with the bot's short form and two authorizations")
    func secondGeneration() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "personal")
            let command: JSON = ["botId": JSON(bot), "fields": ["command": "help", "title": ["en": "Help"]]]
            #expect(try await fixture.call("imbot.v2.Command.register", command, token: token).outcome == "200")
            let chat = try fixture.portal.createGroup("Group", members: [2, bot]).id
            let asked = try fixture.portal.employeeWrites("Hello", as: 2, in: chat)
            try fixture.portal.edit(asked, to: "Hello!")
            try fixture.portal.delete(asked)
            try fixture.portal.employeeWrites("/help topic", as: 2, in: chat)
            try fixture.portal.open(
                chat: chat, as: 2, context: ["entityId": 164, "entityType": "task", "source": "link"])
            let sent = try await fixture.call(
                "imbot.v2.Chat.Message.send",
                ["botId": JSON(bot), "dialogId": .string("chat\(chat)"), "fields": ["message": "Hi"]], token: token)
            let reply = Int(try #require(sent.result?["id"]?.integer))
            try fixture.portal.react(to: reply, as: 2)
            await fixture.portal.settle()
            try fixture.portal.deleteBot(bot)
            await fixture.portal.settle()
            for example in Self.examples where example.place == "second" {
                let post = try await fixture.sink.first(example.event)
                let absent = differences(example, post).filter { !$0.hasPrefix(".data.bot.") }
                #expect(absent == [], "\(example.event)")
                #expect(Set(post.data["bot"]?.object?.keys.map { $0 } ?? []) == ["id", "code", "auth"])
                #expect(post.type == "application/x-www-form-urlencoded")
                let applicationToken = fixture.portal.applicationToken(of: PortalFixture.clientID)
                #expect(post.form["auth"]?["application_token"]?.string == applicationToken)
                #expect(post.data["bot"]?["auth"]?["user_id"] == .text(bot))
            }
            let message = try #require(fixture.sink.posts(of: "ONIMBOTV2MESSAGEADD").first?.data["message"])
            #expect(message["isSystem"] == "0")
            #expect(message["forward"] == "")
            #expect(message["params"] == nil)
            let called = try #require(fixture.sink.posts(of: "ONIMBOTV2COMMANDADD").first?.data["command"])
            #expect(called["command"] == "/help" && called["params"] == "topic" && called["context"] == "textarea")
            #expect(fixture.sink.posts(of: "ONIMBOTV2MESSAGEUPDATE").count == 1)
            #expect(fixture.sink.posts(of: "ONIMBOTV2MESSAGEDELETE").first?.data["messageId"] == .text(asked))
        }
    }

    @Test(
        "installation and update are told as documented", arguments: ["ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL"])
    func application(_ event: String) async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            for bound in ["ONAPPUPDATE", "ONAPPUNINSTALL"] where bound == event {
                let binding: JSON = ["event": .string(bound), "handler": .string(fixture.sink.url("/events"))]
                _ = try await fixture.call("event.bind", binding, token: token)
            }
            if event == "ONAPPUPDATE" { try fixture.portal.update(PortalFixture.clientID, to: 2) }
            if event == "ONAPPUNINSTALL" { try fixture.portal.uninstall(PortalFixture.clientID) }
            let post = try await fixture.sink.first(event)
            let example = try #require(Self.examples.first { $0.event == event })
            #expect(differences(example, post) == [])
        }
    }

    @Test("an external client's message carries no token at the top, and the bot's own below")
    func customers() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token)
            let line = fixture.portal.createOpenChannel(bot: bot)
            let dialog = try fixture.portal.startDialog(line: line, customer: "Carla")
            let id = try fixture.portal.customerWrites("Hello", in: dialog.id)
            await fixture.portal.settle()
            #expect(fixture.sink.posts.dropFirst().map(\.event) == ["ONIMBOTV2JOINCHAT", "ONIMBOTV2MESSAGEADD"])
            let post = try await fixture.sink.first("ONIMBOTV2MESSAGEADD")
            #expect(post.form["auth"]?["access_token"] == nil)
            #expect(post.form["auth"]?["application_token"] != nil)
            #expect(post.data["bot"]?["auth"]?["access_token"] != nil)
            #expect(post.data["message"]?["id"] == .text(id))
            let chat = try #require(post.data["chat"])
            #expect(chat["entityType"] == "LINES" && chat["messageType"] == "L")
            #expect(chat["entityId"]?.string == "livechat|\(line)|\(dialog.id)|\(dialog.owner)")
            #expect(chat["dialogId"]?.string == "chat\(dialog.id)")
            #expect(chat["entityData1"]?.string?.split(separator: "|")[5] == "1")
            #expect(post.data["user"]?["connector"] == "1")
        }
    }

    @Test("a handler's error is not followed by another try")
    func noRetries() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let refusing = fixture.sink.url("/").replacing("127.0.0.1:", with: "127.0.0.1:1")
            let bot = try await fixture.registerBot(token: token, fields: ["webhookUrl": .string(refusing)])
            let dialog = try fixture.portal.startDialog(line: fixture.portal.createOpenChannel(bot: bot))
            try fixture.portal.customerWrites("Hello", in: dialog.id)
            await fixture.portal.settle()
            #expect(fixture.portal.deliveries.count == 2)
            #expect(fixture.portal.deliveries.allSatisfy { $0.status == nil })
        }
    }

    @Test("the plan says how often, in which form and in which order events are posted")
    func plans() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token)
            let dialog = try fixture.portal.startDialog(line: fixture.portal.createOpenChannel(bot: bot))
            for number in 1...20 { try fixture.portal.customerWrites("\(number)", in: dialog.id) }
            await fixture.portal.settle()
            let texts = fixture.sink.posts(of: "ONIMBOTV2MESSAGEADD").map { $0.data["message"]?["text"]?.string }
            #expect(texts == (1...20).map { String($0) })

            var plan = SimulatedPortal.DeliveryPlan()
            plan.copies = 5
            plan.jsonForSecondGeneration = true
            fixture.portal.deliver(by: plan)
            let id = try fixture.portal.customerWrites("Five times", in: dialog.id)
            await fixture.portal.settle()
            let copies = fixture.sink.posts.filter { $0.data["message"]?["id"] == JSON(id) }
            #expect(copies.count == 5)
            #expect(copies.allSatisfy { $0.type == "application/json" })
        }
    }

    @Test("a fetching bot gets its events until it confirms them")
    func fetching() async throws {
        try await PortalFixture.run { fixture in
            let hook = fixture.portal.addWebhook()
            let fields: JSON = [
                "code": "fetcher", "botToken": "my token", "type": "openline", "properties": ["name": "Fetcher"],
            ]
            let registered = try await fixture.call("imbot.v2.Bot.register", ["fields": fields], webhook: hook)
            let bot = Int(try #require(registered.result?["bot"]?["id"]?.integer))
            let dialog = try fixture.portal.startDialog(line: fixture.portal.createOpenChannel(bot: bot))
            for number in 1...3 { try fixture.portal.customerWrites("\(number)", in: dialog.id) }
            func get(_ more: Members<JSON>) async throws -> JSON {
                var parameters: Members<JSON> = ["botId": JSON(bot), "botToken": "my token"]
                parameters.merge(more)
                let answer = try await fixture.call("imbot.v2.Event.get", .object(parameters), webhook: hook)
                return try #require(answer.result)
            }
            let first = try await get(["limit": 2])
            #expect(first["events"]?.array?.compactMap { $0["type"] } == ["ONIMBOTV2JOINCHAT", "ONIMBOTV2MESSAGEADD"])
            #expect(first["hasMore"] == true)
            #expect(first["events"]?.array?.last?["data"]?["message"]?["isSystem"] == false)
            #expect(first["events"]?.array?.last?["data"]?["bot"]?["eventMode"] == "fetch")
            #expect(try await get(["limit": 2])["events"]?.array?.count == 2)
            let offset = try #require(first["nextOffset"])
            let second = try await get(["offset": offset])
            #expect(second["events"]?.array?.count == 2)
            let last = try #require(second["nextOffset"])
            let empty = try await get(["offset": last])
            #expect(empty["events"] == [] && empty["nextOffset"] == last && empty["hasMore"] == false)
            #expect(fixture.portal.deliveries.isEmpty)
        }
    }
}
