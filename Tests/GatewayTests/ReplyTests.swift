import Base
import Bitrix24
import BotPlatforms
import Storage
import TestSupport
import Testing

@testable import Gateway

private func choices(_ labels: String..., several: Bool = false) -> ReplyPart {
    .choices(Choices(labels.map { Choice(label: $0, value: "value of \($0)") }, several: several))
}

@Suite("What a reply becomes in the chat", .timeLimit(.minutes(1)))
struct ReplyTests {
    @Test("texts are one message, unless the bot's setting says that they are apart", arguments: [false, true])
    func texts(separate: Bool) async throws {
        let parts: [ReplyPart] = [
            .text("**One**"), .nextMessage, .text("two"), .nextMessage, .text("  \n"), .nextMessage, .text("three"),
        ]
        try await Stage.with(settings: ["separate": .bool(separate)], platform: ScriptedPlatform({ _ in parts })) {
            stage, _ in
            try await stage.say("Hello", id: 1)
            let wanted = separate ? ["[b]One[/b]", "two", "three"] : ["[b]One[/b]\n\ntwo\n\nthree"]
            try await eventually { stage.sends == wanted }
        }
    }

    @Test("a pause, a file and choices keep their place between texts; a pause puts off what follows")
    func places() async throws {
        let parts: [ReplyPart] = [
            .text("A"), .nextMessage, .file(ReplyFile(url: "data:text/plain,hello", name: "a.txt")), .text("B"),
            .nextMessage, .text("C"), choices("Yes", "No"), .nextMessage, .text("D"),
            .pause(.seconds(500)), .text("E"), .pause(.seconds(40)), .action(.toOperator),
        ]
        try await Stage.with(platform: ScriptedPlatform({ _ in parts })) { stage, _ in
            try await stage.say("Hello", id: 1)
            try await eventually { stage.deeds.count == 4 }
            #expect(
                stage.deeds.map(\.method) == [
                    "imbot.v2.Chat.Message.send", "imbot.v2.File.upload", "imbot.v2.Chat.Message.send",
                    "imbot.v2.Chat.Message.send",
                ])
            #expect(stage.sends == ["A", "", "B\n\nC\n\n1. Yes\n2. No", "D"])
            // What was said is marked so after it was said.
            try await eventually {
                let waiting = try await stage.store.database.read {
                    try $0.rows("SELECT not_before - created_at FROM outbox WHERE state = 'waiting' ORDER BY id") {
                        $0.integer(0)
                    }
                }
                return waiting == [60_000, 100_000]
            }
        }
    }

    @Test(
        "in a portal's own chats choices are buttons that say their label", arguments: [BotGeneration.second, .first])
    func keyboard(generation: BotGeneration) async throws {
        try await Stage.with(
            generation: generation,
            platform: ScriptedPlatform({ _ in [.text("Well?"), choices("Yes", "[b]No[/b]\nnever")] })
        ) { stage, _ in
            try await stage.say("Hello", id: 1, in: "27", isInternal: true)
            try await eventually { stage.sends == ["Well?"] }
            let parameters = stage.deeds[0].parameters
            let keyboard = parameters["KEYBOARD"] ?? parameters["fields"]?["keyboard"]
            #expect(keyboard?["BOT_ID"]?.integer == (generation == .first ? 567 : 456))
            #expect(
                keyboard?["BUTTONS"] == [
                    ["TEXT": "Yes", "ACTION": "SEND", "ACTION_VALUE": "Yes", "DISPLAY": "LINE"],
                    [
                        "TEXT": "[b]No[/b] never", "ACTION": "SEND", "ACTION_VALUE": "[b]No[/b] never",
                        "DISPLAY": "LINE",
                    ],
                ])
        }
    }

    @Test("in a group a button mentions the bot, which would not hear it else; the answer is understood")
    func group() async throws {
        try await Stage.with(platform: ScriptedPlatform({ _ in [.text("Well?"), choices("Yes", "No")] })) {
            stage, platform in
            try await stage.say("Hello", id: 1, in: "chat7", isInternal: true)
            try await eventually { stage.sends == ["Well?"] }
            let button = stage.deeds[0].parameters["fields"]?["keyboard"]?["BUTTONS"]?.array?.first
            let says = try #require(button?["ACTION_VALUE"]?.string)
            #expect(says == "[USER=456]Bot[/USER] Yes")
            try await stage.say(says, id: 2, in: "chat7", isInternal: true)
            try await eventually { platform.questions.count == 2 }
            #expect(platform.questions[1].text == "Yes")
        }
    }

    @Test("choices without a text have a short one; several are explained; both in the person's language")
    func words() async throws {
        try await Stage.with(
            platform: ScriptedPlatform({
                $0.text == "one" ? [choices("Yes", "No")] : [choices("A", "B", "C", several: true)]
            })
        ) { stage, _ in
            try await stage.say("one", id: 1)
            try await stage.say("many", id: 2)
            try await eventually { stage.sends.count == 2 }
            #expect(stage.sends[0] == "Please choose:\n\n1. Yes\n2. No")
            #expect(
                stage.sends[1] == "Please choose:\n\n1. A\n2. B\n3. C\n\nYou can choose several, for example: 1, 3")
        }
        #expect(ChatTexts.in("ru").choose == "Выберите вариант:")
        #expect(ChatTexts.in("xx").choose == ChatTexts.in(nil).choose)
    }

    @Test("more choices than buttons are of use for are a numbered list", arguments: [41, 30])
    func tooMany(count: Int) async throws {
        let long = String(repeating: "ж", count: count == 41 ? 1 : 120)
        let options = (1...count).map { Choice(label: "\(long)\($0)", value: "\($0)") }
        try await Stage.with(platform: ScriptedPlatform({ _ in [.text("Well?"), .choices(Choices(options))] })) {
            stage, platform in
            try await stage.say("Hello", id: 1, in: "27", isInternal: true)
            try await eventually { stage.sends.count == 1 }
            #expect(stage.sends[0].hasPrefix("Well?\n\n1. \(long)1\n2. "))
            #expect(stage.deeds[0].parameters["fields"]?["keyboard"] == nil)
            try await stage.say("30", id: 2, in: "27", isInternal: true)
            try await eventually { platform.questions.count == 2 }
            #expect(platform.questions[1].chosen == [options[29]])
        }
    }

    @Test("an answer by number reaches the bot as what it chose, with the words as they were written beside it")
    func chosen() async throws {
        try await Stage.with(
            platform: ScriptedPlatform({
                $0.text == "menu" ? [.text("What?"), choices("Pizza", "Soup")] : [.text("ok")]
            })
        ) { stage, platform in
            try await stage.say("menu", id: 1)
            try await stage.say("№2", id: 2)
            // The offer is over: the same number is only a number now.
            try await stage.say("2", id: 3)
            try await eventually { platform.questions.count == 3 }
            let questions = platform.questions
            #expect(questions.map(\.text) == ["menu", "Soup", "2"])
            #expect(questions[1].chosen == [Choice(label: "Soup", value: "value of Soup")])
            #expect(questions[1].variables["MESSAGE"] == "№2")
            #expect(questions[0].chosen.isEmpty && questions[2].chosen.isEmpty)
        }
    }

    @Test("a number beside buttons reaches the bot as it is")
    func numberBesideButtons() async throws {
        try await Stage.with(platform: ScriptedPlatform({ _ in [.text("How many?"), choices("Cancel", "Prices")] })) {
            stage, platform in
            for (index, text) in ["boxes", "2", "prices"].enumerated() {
                try await stage.say(text, id: index + 1, in: "27", isInternal: true)
            }
            try await eventually { platform.questions.count == 3 }
            #expect(platform.questions.map(\.text) == ["boxes", "2", "Prices"])
            #expect(platform.questions.map(\.chosen.count) == [0, 0, 1])
        }
    }

    @Test("choices that take no numbers are shown without them in an open channel")
    func withoutNumbers() async throws {
        let approval = Choices(
            ["Approve", "Reject"].map { Choice(label: $0, value: $0) }, isOptional: true, takesNumbers: false)
        try await Stage.with(platform: ScriptedPlatform({ _ in [.text("How many days?"), .choices(approval)] })) {
            stage, platform in
            for (index, text) in ["leave", "2", "Rejekt", "reject"].enumerated() {
                try await stage.say(text, id: index + 1)
            }
            try await eventually { platform.questions.count == 4 && !stage.sends.isEmpty }
            #expect(platform.questions.map(\.text) == ["leave", "2", "Rejekt", "Reject"])
            #expect(stage.sends.first == "How many days?\n\n• Approve\n• Reject")
        }
    }

    @Test("the choices of one reply are numbered together, buttons and lists alike")
    func numberedTogether() async throws {
        let many = (3...43).map { Choice(label: "Dish \($0)", value: "\($0)") }
        try await Stage.with(
            settings: ["separate": true],
            platform: ScriptedPlatform({ _ in
                [.text("Hungry?"), choices("Yes", "No"), .nextMessage, .text("What?"), .choices(Choices(many))]
            })
        ) { stage, platform in
            try await stage.say("menu", id: 1, in: "27", isInternal: true)
            try await eventually { stage.sends.count == 2 }
            let buttons = stage.deeds[0].parameters["fields"]?["keyboard"]?["BUTTONS"]?.array
            #expect(buttons?.map { $0["TEXT"] } == ["1. Yes", "2. No"])
            #expect(buttons?.map { $0["ACTION_VALUE"] } == ["Yes", "No"])
            #expect(stage.sends[1].hasPrefix("What?\n\n3. Dish 3\n"))
            try await stage.say("2", id: 2, in: "27", isInternal: true)
            try await eventually { platform.questions.count == 2 }
            #expect(platform.questions[1].text == "No")
        }
    }

    @Test("an answer that is none of the choices reaches the bot as it is")
    func notChosen() async throws {
        try await Stage.with(platform: ScriptedPlatform({ _ in [.text("What?"), choices("Pizza", "Soup")] })) {
            stage, platform in
            try await stage.say("menu", id: 1)
            try await stage.say("What is in the soup?", id: 2)
            try await eventually { platform.questions.count == 2 }
            #expect(platform.questions[1].text == "What is in the soup?")
            #expect(platform.questions[1].chosen.isEmpty)
        }
    }

    @Test("what was offered ends with the session, and with a change of the connector")
    func ended() async throws {
        try await Stage.with(
            platform: ScriptedPlatform({
                $0.text == "bye"
                    ? [.text("bye"), .session(nil)]
                    : [.text("What?"), choices("Pizza", "Soup"), .session(PlatformSession(id: "s"))]
            })
        ) { stage, _ in
            for id in 1...2 { try await stage.say("menu", id: id, in: "chat\(4 + id)") }
            try await eventually { try await stage.count("dialogs WHERE offered IS NOT NULL") == 2 }
            try await stage.say("bye", id: 3, in: "chat6")
            try await eventually { try await stage.count("dialogs WHERE offered IS NOT NULL") == 1 }
            let id = try #require(stage.bot.connectorID)
            try await stage.store.update(id, now: WallClock.system.now) { connector, _ in
                connector.key = Secret("another")
            }
            #expect(try await stage.count("dialogs WHERE offered IS NOT NULL") == 0)
        }
    }

    @Test("in an open channel actions are done after all was said, in order, directives and typed ones alike")
    func actions() async throws {
        let parts: [ReplyPart] = [
            .text("[[queue:3]]\nOne moment."), .action(.finish), .action(.toQueue(3)), .text(" Bye"),
        ]
        try await Stage.with(platform: ScriptedPlatform({ _ in parts })) { stage, _ in
            try await stage.say("Hello", id: 1)
            try await eventually { stage.deeds.count == 3 }
            #expect(
                stage.deeds.map(\.method) == [
                    "imbot.v2.Chat.Message.send", "imopenlines.bot.session.transfer", "imopenlines.bot.session.finish",
                ])
            #expect(stage.sends[0] == "One moment. Bye")
            #expect(stage.deeds[1].parameters["QUEUE_ID"]?.integer == 3)
            #expect(stage.deeds[1].parameters["CHAT_ID"]?.integer == 5)
        }
    }

    @Test("elsewhere nothing is done, and nothing of it is shown; a silent bot says nothing anywhere")
    func nothingDone() async throws {
        try await Stage.with(
            platform: ScriptedPlatform({
                $0.text == "hush"
                    ? [.text("Secret\n[[silent]]\n[[operator]]"), choices("A")] : [.text("Hi\n[[finish]]")]
            })
        ) { stage, _ in
            try await stage.say("Hello", id: 1, in: "27", isInternal: true)
            try await eventually { stage.deeds.count == 1 }
            try await stage.say("hush", id: 2)
            try await eventually { stage.deeds.count == 2 }
            #expect(stage.sends == ["Hi", ""])
            #expect(stage.deeds[1].method == "imopenlines.bot.session.operator")
            #expect(try await stage.count("messages WHERE author = 'bot'") == 1)
            #expect(try await stage.count("dialogs WHERE offered IS NOT NULL") == 0)
        }
    }

    @Test("a bot that fails says what its settings say, and hands over where they want that")
    func failure() async throws {
        let settings: JSON = ["failure_text": ["en": "Sorry.", "ru": "Увы."], "failure_handover": true]
        try await Stage.with(
            settings: settings,
            platform: ScriptedPlatform({ _ in throw PlatformError(.final, "The key is wrong: key-123") })
        ) { stage, _ in
            try await stage.say("Hello", id: 1)
            try await eventually { stage.deeds.count == 2 }
            #expect(stage.sends == ["Sorry.", ""])
            #expect(stage.deeds[1].method == "imopenlines.bot.session.operator")
            try await stage.say("Hello", id: 2, in: "27", isInternal: true)
            try await eventually { stage.deeds.count == 3 }
        }
        let own: Members<String> = ["en": "Sorry.", "uk": "Шкода."]
        #expect(ChatTexts.failure(in: "ru", own: ["ru": "Увы."]) == "Увы.")
        #expect(ChatTexts.failure(in: "ua", own: own) == "Шкода.")
        #expect(ChatTexts.failure(in: "de", own: own) == "Sorry.")
        #expect(ChatTexts.failure(in: "ru", own: [:]).hasPrefix("Бот"))
        #expect(ChatTexts.failure(in: nil, own: [:]).hasPrefix("The bot"))
    }

    @Test("a message of an answer is found by Bitrix24's id of it")
    func answers() async throws {
        try await Stage.with(
            platform: ScriptedPlatform({ _ in [.trace(AskTrace(messageID: "m-7")), .text("Hi")] })
        ) { stage, _ in
            try await stage.say("Hello", id: 1)
            try await eventually { try await stage.count("outbox WHERE state = 'done'") == 1 }
            let (answer, other) = try await stage.store.database.read {
                let dialog = ID<DialogRecord>(rawValue: 1)
                return (try $0.answer(sentAs: 1, in: dialog), try $0.answer(sentAs: 2, in: dialog))
            }
            #expect(answer == "m-7")
            #expect(other == nil)
        }
    }

    @Test("an answer that is larger than any chat shows is cut, and takes no more memory or time than that")
    func cut() {
        var reply = Reply()
        for _ in 0..<40_000 { reply.take(.text(String(repeating: "ä", count: 400))) }
        guard case .text(let text)? = reply.items.first else { return #expect(Bool(false), "no text") }
        #expect(reply.isCut && reply.items.count == 1)
        #expect(text.utf8.count <= Reply.mostText + 3 && text.hasSuffix("…"))
        reply.take(.replaceText("short"))
        #expect(reply.items == [.text("short")])
        for index in 0..<5_000 {
            reply.take(.file(ReplyFile(url: "https://a.example/\(index)", name: "a")))
            reply.take(.pause(.seconds(1)))
            reply.take(.text("x"))
            reply.take(.action(.finish))
        }
        #expect(reply.items.count == Reply.mostItems && reply.actions == [.finish])
        let files = reply.items.filter { if case .file = $0 { true } else { false } }
        #expect(files.count == Reply.mostFiles)
        let many = (0..<5_000).map { Choice(label: "\($0)", value: "") }
        var offering = Reply()
        offering.take(.choices(Choices(many)))
        #expect(ReplyBlocks(offering, separate: false).offered?.options.count == 200)
    }
}
