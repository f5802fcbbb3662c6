import Base
import Foundation
import Synchronization
import Testing

@testable import Bitrix24

@Suite("Messages of bots")
struct MessagesTests {
    private static func message(_ generation: BotGeneration, command: Bool) -> OutgoingMessage {
        OutgoingMessage(
            generation: generation, botID: 39, dialogID: "chat5", text: "Hello", uuid: "796c45aa",
            command: command ? .init(id: "99", messageID: 33871) : nil)
    }

    @Test("each generation's message and command answer is the documented call")
    func calls() {
        #expect(
            Self.message(.second, command: false).call
                == PortalCall(
                    "imbot.v2.Chat.Message.send",
                    ["botId": 39, "dialogId": "chat5", "fields": ["message": "Hello", "templateId": "796c45aa"]],
                    lane: "39/chat5"))
        #expect(
            Self.message(.second, command: true).call.parameters
                == [
                    "botId": 39, "dialogId": "chat5", "commandId": 99, "messageId": 33871,
                    "fields": ["message": "Hello"],
                ])
        #expect(Self.message(.second, command: true).call.method == "imbot.v2.Command.answer")
        #expect(
            Self.message(.first, command: false).call
                == PortalCall(
                    "imbot.message.add", ["BOT_ID": 39, "DIALOG_ID": "chat5", "MESSAGE": "Hello"], lane: "39/chat5"))
        #expect(
            Self.message(.first, command: true).call.parameters
                == ["COMMAND_ID": 99, "MESSAGE_ID": 33871, "MESSAGE": "Hello"])
        #expect(Self.message(.first, command: true).call.method == "imbot.command.answer")
        #expect(
            Self.message(.second, command: false).isRepeatable && !Self.message(.first, command: false).isRepeatable)
        #expect(Self.message(.second, command: false).call.batchCommand != nil)
    }

    @Test("while the first send is under way a repeated one is told to come back soon")
    func underWay() async throws {
        try await ScriptedPortal.run(
            script: { _ in .error("MESSAGE_DUPLICATED_BY_UUID", status: 400) },
            body: { portal in
                do {
                    try await portal.portal(nil).send(Self.message(.second, command: false), as: portal.account())
                    Issue.record("it did not throw")
                } catch let error as PortalError {
                    #expect(error.isPassing && error.retryAfter == .seconds(2))
                }
            })
    }

    @Test("a look at the dialog finds the message, misses it, or is not possible")
    func shows() async throws {
        let shown = Mutex<JSON>([])
        try await ScriptedPortal.run(
            script: { call in
                call.method == "im.dialog.messages.get"
                    ? .result(["messages": shown.withLock { $0 }]) : .error("BOT_TYPE_NOT_ALLOWED", status: 400)
            },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account()
                let moment = Timestamp(rawValue: 1_772_606_606_000)
                func look(_ message: OutgoingMessage) async throws -> Bool? {
                    try await client.shows(message, since: moment, as: account)
                }
                var found = try await look(Self.message(.first, command: false))
                #expect(found == false)
                shown.withLock {
                    $0 = [["id": 1, "author_id": "39", "date": "2026-03-04T09:43:26+03:00", "text": "Hello "]]
                }
                found = try await look(Self.message(.first, command: false))
                #expect(found == true)
                shown.withLock {
                    $0 = [["id": 1, "author_id": 39, "date": "2026-03-04T09:40:00+03:00", "text": "Hello"]]
                }
                found = try await look(Self.message(.first, command: false))
                #expect(found == false)
                found = try await look(Self.message(.first, command: true))
                #expect(found == nil)
                var alone = Self.message(.first, command: false)
                alone.dialogID = "27"
                found = try await look(alone)
                #expect(found == nil)
            })
    }

    @Test("typing is shown by each generation's method, and its failure is nobody's concern")
    func typing() async throws {
        try await ScriptedPortal.run(
            script: { _ in .error("BOT_NOT_FOUND", status: 400) },
            body: { portal in
                let client = portal.portal(nil)
                for generation in [BotGeneration.first, .second] {
                    await client.showTyping(botID: 39, dialogID: "27", generation: generation, as: portal.account())
                }
                #expect(portal.calls.map(\.method) == ["imbot.chat.sendTyping", "imbot.v2.Chat.InputAction.notify"])
            })
    }
}

@Suite("Bots and commands")
struct BotsTests {
    private static let bot = BotRegistration(
        code: "support_bot", name: "Support", kind: .openline, webhookURL: "https://bot.example/api/bitrix/x")

    @Test("a second generation bot is registered for webhooks, then brought up to date")
    func second() async throws {
        try await ScriptedPortal.run(
            script: { _ in .result(["bot": ["id": "456"], "users": []]) },
            body: { portal in
                let (id, generation) = try await portal.portal(nil)
                    .registerBot(Self.bot, generation: .second, as: portal.account())
                #expect(id == 456 && generation == .second)
                #expect(portal.calls.map(\.method) == ["imbot.v2.Bot.register", "imbot.v2.Bot.update"])
                let fields = portal.calls[0].parameters["fields"]
                #expect(fields?["eventMode"] == "webhook" && fields?["webhookUrl"] == .string(Self.bot.webhookURL))
                #expect(fields?["type"] == "openline" && fields?["code"] == "support_bot")
            })
    }

    @Test("a portal without the second generation gets a bot of the first")
    func fallback() async throws {
        try await ScriptedPortal.run(
            script: { call in
                switch call.method {
                case "imbot.bot.list": .result([])
                case "imbot.register": .result(39)
                default: .error("ERROR_METHOD_NOT_FOUND", status: 404)
                }
            },
            body: { portal in
                let (id, generation) = try await portal.portal(nil)
                    .registerBot(Self.bot, generation: .second, as: portal.account())
                #expect(id == 39 && generation == .first)
                #expect(portal.calls.last?.parameters["TYPE"] == "O")
            })
    }

    @Test("a first generation bot of the same code is taken over, not made twice")
    func takenOver() async throws {
        try await ScriptedPortal.run(
            script: { call in
                call.method == "imbot.bot.list"
                    ? .result(["39": ["ID": 39, "NAME": "Old", "CODE": "support_bot", "OPENLINE": "N"]]) : .result(true)
            },
            body: { portal in
                let (id, _) = try await portal.portal(nil)
                    .registerBot(Self.bot, generation: .first, as: portal.account())
                #expect(id == 39 && portal.calls.map(\.method) == ["imbot.bot.list", "imbot.update"])
            })
    }

    @Test("what is gone already counts as unregistered", arguments: [BotGeneration.first, .second])
    func unregister(generation: BotGeneration) async throws {
        try await ScriptedPortal.run(
            script: { call in
                .error(call.method.contains("ommand") ? "COMMAND_NOT_FOUND" : "BOT_NOT_FOUND", status: 400)
            },
            body: { portal in
                let client = portal.portal(nil)
                try await client.unregisterBot(39, generation: generation, as: portal.account())
                try await client.unregisterCommand(99, botID: 39, generation: generation, as: portal.account())
            })
    }

    @Test("a command is registered as each generation wants it")
    func commands() async throws {
        try await ScriptedPortal.run(
            script: { call in
                call.method == "imbot.command.register" ? .result(99) : .result(["command": ["id": 78]])
            },
            body: { portal in
                let client = portal.portal(nil)
                let command = CommandRegistration(
                    command: "help", common: true, hidden: false, extranet: false,
                    translations: [.init(language: "en", title: "Show help", params: "query")])
                let first = try await client.registerCommand(
                    command, bot: Self.bot, botID: 39, generation: .first, as: portal.account())
                let second = try await client.registerCommand(
                    command, bot: Self.bot, botID: 39, generation: .second, as: portal.account())
                #expect(first == 99 && second == 78)
                #expect(
                    portal.calls[0].parameters["LANG"] == [
                        ["LANGUAGE_ID": "en", "TITLE": "Show help", "PARAMS": "query"]
                    ])
                #expect(portal.calls[0].parameters["COMMON"] == "Y")
                #expect(portal.calls[1].parameters["fields"]?["title"] == ["en": "Show help"])
                #expect(portal.calls.map(\.method).last == "imbot.v2.Command.update")
            })
    }

    @Test("only the application events that are not bound yet are bound")
    func events() async throws {
        try await ScriptedPortal.run(
            script: { call in
                call.method == "event.get"
                    ? .result([
                        ["event": "ONAPPUPDATE", "handler": "https://bot.example/e", "auth_type": "0", "offline": 0]
                    ])
                    : .error("ERROR_CORE", status: 400)
            },
            body: { portal in
                let client = portal.portal(nil)
                await #expect(throws: PortalError.self) {
                    try await client.bindApplicationEvents(to: "https://bot.example/e", as: portal.account())
                }
                #expect(portal.calls.map(\.method) == ["event.get", "event.bind"])
                #expect(portal.calls[1].parameters["event"] == "ONAPPUNINSTALL")
            })
    }
}

@Suite("Keyboards and files of bots")
struct KeyboardAndFileTests {
    private static func message(_ generation: BotGeneration, command: Bool = false) -> OutgoingMessage {
        OutgoingMessage(
            generation: generation, botID: 39, dialogID: "chat5", text: "Hello", uuid: "796c45aa",
            command: command ? .init(id: "99", messageID: 33871) : nil)
    }

    @Test("buttons go with messages and command answers of both generations, and may go in a batch")
    func keyboards() {
        let keyboard: JSON = [
            "BOT_ID": 39,
            "BUTTONS": [["TEXT": "Yes", "ACTION": "SEND", "ACTION_VALUE": "Yes, please", "DISPLAY": "LINE"]],
        ]
        for generation in [BotGeneration.first, .second] {
            for command in [false, true] {
                var message = Self.message(generation, command: command)
                message.keyboard = Keyboard([.init(text: "Yes", says: "Yes, please")])
                let parameters = message.call.parameters
                #expect((parameters["KEYBOARD"] ?? parameters["fields"]?["keyboard"]) == keyboard)
                #expect(message.call.batchCommand != nil)
            }
        }
    }

    @Test("a keyboard of more than 30 KB, or of more buttons than people look through, is not used")
    func limits() {
        func keyboard(_ count: Int, _ text: String) -> Keyboard {
            Keyboard((0..<count).map { _ in .init(text: text, says: text) })
        }
        #expect(keyboard(40, "Yes").isUsable)
        #expect(!keyboard(41, "Yes").isUsable && !keyboard(0, "").isUsable)
        #expect(keyboard(30, String(repeating: "a", count: 300)).isUsable)
        #expect(!keyboard(30, String(repeating: "ж", count: 300)).isUsable)
    }

    @Test("a message that is stored by a version without buttons can be read")
    func formerPayload() throws {
        let stored = #"{"generation":"v2","botID":39,"dialogID":"chat5","text":"Hello","uuid":"796c45aa"}"#
        #expect(try JSONDecoder().decode(OutgoingMessage.self, from: Data(stored.utf8)) == Self.message(.second))
    }

    @Test("a file is uploaded by a call of its own, never in a batch, and is found again by its name")
    func upload() async throws {
        let file = OutgoingFile(url: "https://x.example/a[1].pdf", name: "report.pdf", to: Self.message(.second))
        #expect(file.substitute.text == "[URL=https://x.example/a%5B1%5D.pdf]report.pdf[/URL]")
        let shown = Mutex("other.pdf")
        try await ScriptedPortal.run(
            script: { call in
                guard call.method == "im.dialog.messages.get" else {
                    return .result(["file": ["id": 138], "messageId": 123, "chatId": 5, "dialogId": "chat5"])
                }
                return .result([
                    "messages": [
                        [
                            "id": 123, "author_id": 39, "date": "2026-03-04T09:43:26+03:00", "text": "",
                            "params": ["FILE_ID": [138]],
                        ]
                    ], "files": [["id": 138, "name": .string(shown.withLock { $0 })]],
                ])
            },
            body: { portal in
                let client = portal.portal(nil)
                let id = try await client.upload(file, named: "report.pdf", content: [1, 2, 3], as: portal.account())
                #expect(id == 123)
                let call = try #require(portal.calls.first)
                #expect(call.method == "imbot.v2.File.upload")
                #expect(PortalCall(call.method, ["botId": 39]).batchCommand == nil)
                let moment = Timestamp(rawValue: 1_772_606_606_000)
                for (name, isThere) in [("other.pdf", false), ("report.pdf", true), ("report (1).pdf", true)] {
                    shown.withLock { $0 = name }
                    let found = try await client.shows(file, since: moment, as: portal.account())
                    #expect(found == isThere)
                }
                // The message of a file of the same name that was sent just before.
                let former = try await client.shows(file, since: moment, after: 123, as: portal.account())
                #expect(former == false)
                var alone = file
                alone.substitute.dialogID = "27"
                let found = try await client.shows(alone, since: moment, as: portal.account())
                #expect(found == nil)
            })
    }
}
