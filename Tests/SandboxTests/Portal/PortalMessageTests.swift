import Base
import TestSupport
import Testing

@testable import Sandbox

@Suite struct PortalMessageTests {
    private let uuid = "6d0eef7c-12b4-41e7-b709-887ba410ded3"

    @Test("a repeated UUID brings the first message's id and no second message")
    func deduplication() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "bot")
            let first = try await fixture.send("Hello", to: "1", by: bot, token, uuid: uuid)
            let second = try await fixture.send("Hello again", to: "1", by: bot, token, uuid: uuid)
            #expect(first.result?["id"] != nil)
            #expect(first.result?["id"] == second.result?["id"])
            let free = try await fixture.send("No UUID", to: "1", by: bot, token, uuid: "template 5")
            #expect(free.result?["id"] != first.result?["id"])
            let chat = try #require(fixture.portal.dialogs.first)
            #expect(fixture.portal.messages(in: chat.id).map(\.text) == ["Hello", "No UUID"])
        }
    }

    @Test("only who is in a chat can look at its messages, and sees them with their UUIDs, the newest first")
    func looking() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "bot")
            _ = try await fixture.send("First", to: "1", by: bot, token)
            _ = try await fixture.send("Second", to: "1", by: bot, token, uuid: uuid)
            let look: JSON = ["DIALOG_ID": JSON(bot), "LIMIT": 1]
            let seen = try await fixture.call("im.dialog.messages.get", look, token: token)
            #expect(seen.result?["messages"]?.array?.count == 1)
            #expect(seen.result?["messages"]?.array?.first?["uuid"]?.string == uuid)
            let stranger = fixture.portal.tokens(of: PortalFixture.clientID, as: 2).access
            #expect(
                try await fixture.call("im.dialog.messages.get", look, token: stranger).outcome == "403 ACCESS_ERROR")
            let own = fixture.portal.tokens(of: PortalFixture.clientID, as: bot).access
            let answer = try await fixture.call("im.dialog.messages.get", ["DIALOG_ID": "1"], token: own)
            #expect(answer.result?["messages"]?.array?.compactMap { $0["text"]?.string } == ["Second", "First"])
        }
    }

    @Test("a UUID whose first send is under way is refused")
    func sendUnderWay() async throws {
        var settings = SimulatedPortal.Settings.quick
        settings.sendDelay = .seconds(5) ... .seconds(5)
        try await PortalFixture.run(settings: settings) { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "bot")
            async let first = fixture.send("Hello", to: "1", by: bot, token, uuid: uuid)
            try await eventually { fixture.portal.state.withLock { $0.sends[uuid] != nil } }
            let second = try await fixture.send("Hello", to: "1", by: bot, token, uuid: uuid)
            #expect(second.outcome == "400 MESSAGE_DUPLICATED_BY_UUID")
            #expect(try await first.outcome == "200")
            #expect(fixture.portal.sentByBots == 1)
        }
    }

    @Test("a text is cut at 20,000 characters, an empty one refused, a foreign chat closed")
    func refusals() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "bot")
            let long = String(repeating: "ä", count: 20_001)
            _ = try await fixture.send(long, to: "1", by: bot, token)
            let chat = try #require(fixture.portal.dialogs.first)
            let text = try #require(fixture.portal.messages(in: chat.id).first?.text)
            #expect(text == String(repeating: "ä", count: 20_000) + " (...)")
            #expect(try await fixture.send("", to: "1", by: bot, token).outcome == "400 EMPTY_MESSAGE")
            let group = try fixture.portal.createGroup("Group", members: [2])
            let foreign = try await fixture.send("Hello", to: group.dialogID, by: bot, token)
            #expect(foreign.outcome == "403 ACCESS_DENIED")
            #expect(try await fixture.send("Hello", to: "1", by: 9999, token).outcome == "400 BOT_NOT_FOUND")
            #expect(try await fixture.send("Hello", to: "999", by: bot, token).outcome == "403 ACCESS_DENIED")
        }
    }

    @Test("registering a code again changes nothing, another application's code and bot stay its own")
    func registration() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token)
            let again = try await fixture.registerBot(
                token: token, fields: ["properties": ["name": "Other"], "webhookUrl": "https://example.com/x"])
            #expect(again == bot)
            #expect(fixture.portal.bots.map(\.name) == ["Helper"])
            #expect(fixture.portal.bots.first?.handlerURL == fixture.sink.url("/bot"))
            var other = fixture.application
            other.clientID = "local.other"
            try await fixture.portal.install(other)
            let foreign = fixture.portal.tokens(of: "local.other", as: 1).access
            #expect(try await fixture.send("Hello", to: "1", by: bot, foreign).outcome == "403 BOT_OWNERSHIP_ERROR")
            let update: JSON = ["botId": JSON(bot), "fields": ["webhookUrl": .string(fixture.sink.url("/new"))]]
            #expect(try await fixture.call("imbot.v2.Bot.update", update, token: token).outcome == "200")
            #expect(fixture.portal.bots.first?.handlerURL == fixture.sink.url("/new"))
        }
    }

    @Test("an application's second bot keeps a changed bot's former address subscribed")
    func formerAddresses() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token)
            let chat = try fixture.portal.startDialog(line: fixture.portal.createOpenChannel(bot: bot)).id
            func move(to path: String) async throws {
                let update: JSON = ["botId": JSON(bot), "fields": ["webhookUrl": .string(fixture.sink.url(path))]]
                #expect(try await fixture.call("imbot.v2.Bot.update", update, token: token).outcome == "200")
            }
            func paths(of text: String) async throws -> Set<String> {
                try fixture.portal.customerWrites(text, in: chat)
                await fixture.portal.settle()
                return Set(fixture.sink.posts.filter { $0.data["message"]?["text"]?.string == text }.map(\.path))
            }
            try await move(to: "/second")
            #expect(try await paths(of: "alone") == ["/second"])
            _ = try await fixture.registerBot(token: token, code: "neighbour")
            try await move(to: "/third")
            #expect(try await paths(of: "with a neighbour") == ["/second", "/third"])
        }
    }

    @Test("an old portal has the first generation only")
    func oldPortal() async throws {
        var settings = SimulatedPortal.Settings.quick
        settings.hasSecondGeneration = false
        try await PortalFixture.run(settings: settings) { fixture in
            let token = try await fixture.install().access
            let fields: JSON = ["fields": ["code": "a", "properties": ["name": "A"]]]
            let answer = try await fixture.call("imbot.v2.Bot.register", fields, token: token)
            #expect(answer.outcome == "404 ERROR_METHOD_NOT_FOUND")
            #expect(try await fixture.call("imbot.bot.list", token: token).result == [])
        }
    }

    @Test("the first generation's faulty keyboards, attachments and repeated likes have their own errors")
    func firstGeneration() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let registered = try await fixture.call(
                "imbot.register",
                ["CODE": "a", "EVENT_HANDLER": .string(fixture.sink.url("/bot")), "PROPERTIES": ["NAME": "A"]],
                token: token)
            let bot = try #require(registered.result)
            func add(_ more: Members<JSON>) async throws -> RESTAnswer {
                var parameters: Members<JSON> = ["BOT_ID": bot, "DIALOG_ID": "2", "MESSAGE": "Hello"]
                parameters.merge(more)
                return try await fixture.call("imbot.message.add", .object(parameters), token: token)
            }
            let id = try #require(try await add([:]).result)
            #expect(try await add(["KEYBOARD": "{broken"]).outcome == "400 KEYBOARD_ERROR")
            let long = JSON.string(String(repeating: "x", count: 31_000))
            #expect(try await add(["ATTACH": [["MESSAGE": long]]]).outcome == "400 ATTACH_OVERSIZE")
            #expect(try await add(["MESSAGE": "  "]).outcome == "400 MESSAGE_EMPTY")
            #expect(try await add(["DIALOG_ID": ""]).outcome == "400 DIALOG_ID_EMPTY")
            let like: JSON = ["BOT_ID": bot, "MESSAGE_ID": id, "ACTION": "plus"]
            #expect(try await fixture.call("imbot.message.like", like, token: token).result == true)
            #expect(try await fixture.call("imbot.message.like", like, token: token).outcome == "400 WITHOUT_CHANGES")
            let emptied: JSON = ["BOT_ID": bot, "MESSAGE_ID": id, "MESSAGE": ""]
            #expect(try await fixture.call("imbot.message.update", emptied, token: token).outcome == "200")
            #expect(
                try await fixture.call("imbot.message.update", emptied, token: token).outcome
                    == "400 CANT_EDIT_MESSAGE")
        }
    }

    @Test("a session ends, the next message opens another; after the hand-over a leaving bot hears no more")
    func sessions() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token)
            let line = fixture.portal.createOpenChannel(bot: bot)
            let chat = try fixture.portal.startDialog(line: line).id
            func state() -> SimulatedPortal.Dialog? { fixture.portal.dialogs.first { $0.id == chat } }
            try fixture.portal.customerWrites("Hello", in: chat)
            #expect(state()?.sessionID == 1)
            let parameters: JSON = ["CHAT_ID": JSON(chat)]
            #expect(
                try await fixture.call("imopenlines.bot.session.operator", parameters, token: token).result == true)
            #expect(state()?.operatorID == 2)
            #expect(state()?.members.contains(bot) == false)
            #expect(
                try await fixture.call("imopenlines.bot.session.operator", parameters, token: token).outcome
                    == "400 WRONG_CHAT")
            try fixture.portal.customerWrites("Anybody?", in: chat)
            await fixture.portal.settle()
            #expect(fixture.sink.posts(of: "ONIMBOTV2MESSAGEADD").count == 1)
            try fixture.portal.finishSession(chat: chat)
            try fixture.portal.customerWrites("Once more", in: chat)
            await fixture.portal.settle()
            #expect(state()?.sessionID == 2)
            #expect(fixture.sink.posts(of: "ONIMBOTV2JOINCHAT").count == 2)
            #expect(fixture.sink.posts(of: "ONIMBOTV2MESSAGEADD").count == 2)
        }
    }

    @Test("with WELCOME_BOT_LEFT=close the bot stays and hears the operator too")
    func stayingBot() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token)
            let line = fixture.portal.createOpenChannel(bot: bot, leave: .close)
            let chat = try fixture.portal.startDialog(line: line).id
            try fixture.portal.customerWrites("Hello", in: chat)
            try fixture.portal.operatorJoins(2, chat: chat)
            try fixture.portal.employeeWrites("I am here", as: 2, in: chat)
            await fixture.portal.settle()
            let heard = fixture.sink.posts(of: "ONIMBOTV2MESSAGEADD").map { $0.data["message"]?["authorId"]?.string }
            #expect(heard.count == 2)
            #expect(heard.last == "2")
        }
    }

    @Test("an operator gives the dialog back: a bot that left joins anew, one that stayed is the chat's owner again")
    func handedBack() async throws {
        for leave in [SimulatedPortal.BotLeave.queue, .close] {
            try await PortalFixture.run { fixture in
                let token = try await fixture.install().access
                let bot = try await fixture.registerBot(token: token)
                let line = fixture.portal.createOpenChannel(bot: bot, leave: leave)
                let chat = try fixture.portal.startDialog(line: line).id
                try fixture.portal.customerWrites("Hello", in: chat)
                try fixture.portal.operatorJoins(2, chat: chat)
                try fixture.portal.customerWrites("Operator?", in: chat)
                try fixture.portal.operatorReturns(chat: chat)
                try fixture.portal.customerWrites("Bot?", in: chat)
                await fixture.portal.settle()
                #expect(fixture.sink.posts(of: "ONIMBOTV2JOINCHAT").count == (leave == .queue ? 2 : 1))
                let heard = fixture.sink.posts(of: "ONIMBOTV2MESSAGEADD").map { $0.data["chat"]?["owner"]?.string }
                #expect(heard == (leave == .queue ? ["\(bot)", "\(bot)"] : ["\(bot)", "2", "\(bot)"]))
            }
        }
    }

    @Test("after a transfer the bot stays until the operator confirms by speaking, or leaves at once if it wants to")
    func transfers() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token)
            let line = fixture.portal.createOpenChannel(bot: bot)
            for leave in ["N", "Y"] {
                let chat = try fixture.portal.startDialog(line: line).id
                func hasBot() -> Bool? { fixture.portal.dialogs.first { $0.id == chat }?.members.contains(bot) }
                try fixture.portal.customerWrites("Hello", in: chat)
                let transfer: JSON = ["CHAT_ID": JSON(chat), "USER_ID": 2, "LEAVE": .string(leave)]
                let answer = try await fixture.call("imopenlines.bot.session.transfer", transfer, token: token)
                #expect(answer.result == true)
                #expect(hasBot() == (leave == "N"))
                try fixture.portal.employeeWrites("I am here", as: 2, in: chat)
                #expect(hasBot() == false)
            }
        }
    }

    @Test("a pressed button makes a command event, and everything can be followed as it happens")
    func buttonsAndChanges() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "bot")
            let changes = fixture.portal.changes()
            let command: JSON = ["botId": JSON(bot), "fields": ["command": "choose", "hidden": true]]
            #expect(try await fixture.call("imbot.v2.Command.register", command, token: token).outcome == "200")
            let sent = try await fixture.call(
                "imbot.v2.Chat.Message.send",
                [
                    "botId": JSON(bot), "dialogId": "2",
                    "fields": [
                        "message": "Which?",
                        "keyboard": [["TEXT": "One", "COMMAND": "choose", "COMMAND_PARAMS": "1"]],
                    ],
                ], token: token)
            let message = Int(try #require(sent.result?["id"]?.integer))
            try fixture.portal.press(button: "One", of: message, as: 2)
            let post = try await fixture.sink.first("ONIMBOTV2COMMANDADD")
            #expect(post.data["command"]?["params"] == "1")
            #expect(post.data["command"]?["context"] == "keyboard")
            #expect(post.data["message"]?["id"] == .text(message))
            for await change in changes {
                if case .messageAdded(let added) = change {
                    #expect(added.id == message && added.keyboard != nil)
                    break
                }
            }
            let methods = fixture.portal.calls.map(\.method)
            #expect(
                methods == ["imbot.v2.Bot.register", "imbot.v2.Command.register", "imbot.v2.Chat.Message.send"])
        }
    }

    @Test("a file reaches the bot by its id and is served by its link alone")
    func files() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token)
            let dialog = try fixture.portal.startDialog(line: fixture.portal.createOpenChannel(bot: bot))
            try fixture.portal.customerWrites("", files: [("photo.png", [1, 2, 3])], in: dialog.id)
            let post = try await fixture.sink.first("ONIMBOTV2MESSAGEADD")
            let file = try #require(post.data["message"]?["params"]?["FILE_ID"]?["0"])
            let answer = try await fixture.call(
                "imbot.v2.File.download", ["botId": JSON(bot), "fileId": file], token: token)
            let url = try #require(answer.result?["downloadUrl"]?.string)
            let request = HTTPClient.Request(.get, url, trust: .privateAllowed)
            let download = try await PortalFixture.http.send(request)
            #expect(download.body == [1, 2, 3])
            #expect(download.headers["Content-Disposition"]?.contains("filename=\"photo.png\"") == true)
            // It worked once.
            #expect(try await PortalFixture.http.send(request).status == 404)
            let next = try await fixture.call(
                "imbot.v2.File.download", ["botId": JSON(bot), "fileId": file], token: token)
            fixture.portal.expireFileLinks()
            let late = HTTPClient.Request(
                .get, try #require(next.result?["downloadUrl"]?.string), trust: .privateAllowed)
            #expect(try await PortalFixture.http.send(late).status == 404)
        }
    }
}

extension PortalFixture {
    fileprivate func send(
        _ text: String, to dialogID: String, by bot: Int, _ token: String, uuid: String? = nil
    ) async throws -> RESTAnswer {
        var fields: JSON = ["message": .string(text)]
        fields["templateId"] = uuid.map { .string($0) }
        return try await call(
            "imbot.v2.Chat.Message.send",
            ["botId": JSON(bot), "dialogId": .string(dialogID), "fields": fields], token: token)
    }
}
