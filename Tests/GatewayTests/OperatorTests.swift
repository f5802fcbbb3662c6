import Base
import Bitrix24
import BotPlatforms
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("Operators", .timeLimit(.minutes(1)))
struct OperatorTests {
    private static let toOperator = "imopenlines.bot.session.operator"
    private static let send = "imbot.v2.Chat.Message.send"

    private static func session(_ id: Int) -> (inout JSON) -> Void {
        { $0[path: ["data", "chat", "entityData1"]] = .string("Y|LEAD|1209|N|N|\(id)|1773682918|0|0|0") }
    }

    /// An employee, as the documentation's example has one.
    private static func employee(session id: Int) -> (inout JSON) -> Void {
        {
            session(id)(&$0)
            $0[path: ["data", "user", "connector"]] = "0"
            $0[path: ["data", "user", "id"]] = "27"
            $0[path: ["data", "message", "authorId"]] = "27"
        }
    }

    private func state(_ stage: Stage) async throws -> DialogRecord.State? {
        try await stage.store.dialogs(limit: 1, after: nil).items.first?.dialog.state
    }

    /// All that was said, oldest first.
    private func transcript(_ stage: Stage) async throws -> [String] {
        let dialogs = try await stage.store.dialogs(limit: 1, after: nil).items
        let messages = try await stage.store.messages(of: try #require(dialogs.first).dialog.id, limit: 50, after: nil)
        return messages.items.reversed().map { "\($0.author): \($0.text)" }
    }

    @Test("what was still to be said when an operator took the dialog is not said any more")
    func takenDuringPause() async throws {
        try await Stage.with { stage in
            try await stage.say("Hello", id: 10, Self.session(343))
            await stage.gateway.start()
            try await eventually { try await stage.count("outbox WHERE state = 'done'") == 1 }
            try await stage.store.database.write {
                _ = try $0.run(
                    """
                    INSERT INTO outbox (portal_id, bot_id, dialog_id, payload, state, created_at, not_before)
                    SELECT portal_id, bot_id, dialog_id, ?, 'waiting', created_at, created_at + 1 FROM outbox
                    """,
                    [.text(#"{"generation":"v2","botID":456,"dialogID":"chat5","text":"Late","uuid":"u"}"#)])
            }
            try await stage.say("I am here", id: 11, Self.employee(session: 343))
            try await eventually { try await state(stage) == .operator }
            await stage.restart()
            try await eventually { try await stage.count("outbox WHERE state = 'done'") == 2 }
            #expect(stage.sends == ["You said: Hello"])
        }
    }

    @Test("a customer who asks for an operator does not wait for what the bot still had to say")
    func askedDuringPause() async throws {
        let parts: [ReplyPart] = [.text("A"), .pause(.seconds(60)), .text("B"), .pause(.seconds(60)), .text("C")]
        try await Stage.with(platform: ScriptedPlatform({ _ in parts })) { stage, _ in
            try await stage.say("Hello", id: 10, Self.session(343))
            try await eventually { stage.deeds.count == 1 }
            try await stage.say("Operator", id: 11, Self.session(343))
            try await eventually { stage.deeds.count == 2 }
            #expect(stage.deeds.map(\.method) == [Self.send, Self.toOperator])
            #expect(stage.sends == ["A", ""])
        }
    }

    @Test("a customer who asks for an operator gets one, and is not answered until the next session")
    func customersWord() async throws {
        try await Stage.with { stage in
            await stage.gateway.start()
            try await stage.say("Operator!", id: 10, Self.session(343))
            try await eventually { stage.methods == [Self.toOperator] }
            try await stage.say("Hello?", id: 11, Self.session(343))
            try await stage.say("I see", id: 12, Self.employee(session: 343))
            try await stage.say("Thanks", id: 13, Self.session(343))
            try await stage.say("Next", id: 20, Self.session(344))
            try await eventually { stage.sends.last == "You said: Next" }
            #expect(stage.questions == ["Next"])
            #expect(stage.transcripts == ["Operator: I see\nCustomer: Thanks"])
            try await stage.say("And", id: 21, Self.session(344))
            try await eventually { stage.sends.last == "You said: And" }
            #expect(stage.transcripts.last == .some(nil))
            #expect(try await state(stage) == .bot)
            #expect(
                try await transcript(stage) == [
                    "customer: Operator!", "customer: Hello?", "operator: I see", "customer: Thanks", "customer: Next",
                    "bot: You said: Next", "customer: And", "bot: You said: And",
                ])
        }
    }

    @Test("an operator who takes the dialog unasked is noticed, even while the bot is thinking")
    func unasked() async throws {
        try await Stage.with(holding: ["Hello"]) { stage in
            await stage.gateway.start()
            try await stage.say("Hello", id: 10, Self.session(343))
            try await eventually { stage.questions == ["Hello"] }
            try await stage.say("Let me", id: 11, Self.employee(session: 343))
            #expect(try await state(stage) == .operator)
            stage.release("Hello")
            try await stage.say("Yes?", id: 12, Self.session(343))
            try await eventually { try await stage.count("events WHERE state = 'done'") == 3 }
            #expect(stage.questions == ["Hello"] && !stage.methods.contains(Self.send))
            #expect(
                try await transcript(stage) == ["customer: Hello", "operator: Let me", "customer: Yes?"])
        }
    }

    /// A customer's message in the open channel's chat.
    /// - Parameter owner: who has the chat, as the event tells.
    private func write(
        _ stage: Stage, _ text: String, id: Int, session: Int? = 343, owner: String?
    ) async throws {
        let data = session.map { JSON.string("N|NONE|0|N|N|\($0)|1773682918|0|0|0") }
        let owner = owner.map(JSON.string)
        try await stage.say(text, id: id) {
            let chat: [String: JSON?] =
                stage.bot.api == "v1"
                ? [
                    "CHAT_AUTHOR_ID": owner, "CHAT_ENTITY_DATA_1": data, "CHAT_ENTITY_TYPE": "LINES",
                    "CHAT_ENTITY_ID": "livechat|22|1761|587", "CHAT_TYPE": "L", "AUTHOR_ID": "587",
                ]
                : ["owner": owner, "entityData1": data, "entityId": "livechat|22|1761|587"]
            for (name, value) in chat {
                $0[path: stage.bot.api == "v1" ? ["data", "PARAMS", name] : ["data", "chat", name]] = value
            }
            if stage.bot.api == "v1" {
                $0[path: ["data", "USER", "ID"]] = "587"
                $0[path: ["data", "USER", "IS_CONNECTOR"]] = "Y"
            } else {
                $0[path: ["data", "message", "authorId"]] = "587"
                $0[path: ["data", "user", "id"]] = "587"
            }
        }
    }

    @Test(
        "an operator who takes the dialog without a word is not talked over, whatever restarts between",
        arguments: [BotGeneration.first, .second])
    func takenSilently(generation: BotGeneration) async throws {
        try await Stage.with(generation: generation) { stage in
            let bot = "\(try #require(stage.bot.botID))"
            await stage.gateway.start()
            try await write(stage, "Hello", id: 10, owner: bot)
            try await eventually { stage.sends == ["You said: Hello"] }
            await stage.restart()
            try await write(stage, "Is a human there?", id: 12, owner: "27")
            try await eventually { try await stage.count("events WHERE state = 'done'") == 2 }
            #expect(try await state(stage) == .operator)
            await stage.restart()
            try await write(stage, "Hello?", id: 13, owner: "27")
            try await write(stage, "Bot?", id: 14, owner: bot)
            try await eventually { stage.sends.last == "You said: Bot?" }
            #expect(stage.questions == ["Hello", "Bot?"])
            #expect(stage.transcripts == [nil, "Operator: I see\nCustomer: Thanks"])
            #expect(try await stage.count("events WHERE state <> 'done'") == 0)
            #expect(
                try await transcript(stage) == [
                    "customer: Hello", "bot: You said: Hello", "customer: Is a human there?", "customer: Hello?",
                    "customer: Bot?", "bot: You said: Bot?",
                ])
        }
    }

    @Test("the next session is the bot's, though the operator of the last one is the owner still")
    func nextSession() async throws {
        try await Stage.with { stage in
            await stage.gateway.start()
            try await write(stage, "Hello", id: 10, owner: "456")
            try await write(stage, "Human?", id: 12, owner: "27")
            try await write(stage, "Next", id: 20, session: 344, owner: "27")
            try await write(stage, "And", id: 21, session: 344, owner: "27")
            try await eventually { stage.sends.last == "You said: And" }
            #expect(stage.questions == ["Hello", "Next", "And"])
        }
    }

    @Test(
        "a customer is answered where nothing shows that an operator took the dialog",
        arguments: [
            ("27", "27"), ("0", "27"), ("587", "27"), (nil, "27"), ("456", nil), ("456", "0"), ("456", "587"),
            ("456", ""),
        ] as [(String?, String?)])
    func notTaken(_ first: String?, _ second: String?) async throws {
        try await Stage.with { stage in
            await stage.gateway.start()
            try await write(stage, "Hello", id: 10, owner: first)
            try await write(stage, "Hello?", id: 12, owner: second)
            try await eventually { stage.sends == ["You said: Hello", "You said: Hello?"] }
            #expect(try await state(stage) == .bot)
        }
    }

    @Test("what tells nothing of the session tells nothing of who has the dialog")
    func noSession() async throws {
        try await Stage.with { stage in
            await stage.gateway.start()
            try await write(stage, "Hello", id: 10, session: nil, owner: "456")
            try await write(stage, "Hello?", id: 12, session: nil, owner: "27")
            try await eventually { stage.sends == ["You said: Hello", "You said: Hello?"] }
        }
    }

    @Test("outside open channels a chat's owner does not matter")
    func ownersElsewhere() async throws {
        try await Stage.with { stage in
            await stage.gateway.start()
            for (id, owner) in [(10, "456"), (12, "27")] {
                try await stage.say("Hello \(id)", id: id, isInternal: true) {
                    Self.session(343)(&$0)
                    $0[path: ["data", "chat", "owner"]] = .string(owner)
                }
            }
            try await eventually { stage.sends == ["You said: Hello 10", "You said: Hello 12"] }
        }
    }

    @Test("of messages that make one question the last one tells who has the dialog")
    func takenWhileCollecting() async throws {
        try await Stage.with(settings: ["collect_ms": 1]) { stage in
            try await write(stage, "Hello", id: 8, owner: "456")
            await stage.gateway.start()
            try await eventually { stage.sends == ["You said: Hello"] }
            await stage.gateway.stop(grace: .zero)
            try await write(stage, "Is", id: 10, owner: "456")
            try await write(stage, "a human there?", id: 12, owner: "27")
            await stage.restart()
            try await eventually { try await stage.count("events WHERE state = 'done'") == 3 }
            #expect(stage.questions == ["Hello"])
            #expect(try await state(stage) == .operator)
        }
    }

    @Test("a bot that fails apologises and hands over; failing again within a minute it says nothing")
    func failure() async throws {
        try await Stage.with(settings: ["failure_handover": true]) { stage in
            await stage.gateway.start()
            try await stage.say("Fail", id: 10, Self.session(343))
            try await eventually { stage.methods.contains(Self.toOperator) }
            #expect(stage.methods.filter { $0 == Self.send }.count == 1)
            try await stage.say("Fail", id: 20, Self.session(344))
            try await eventually { stage.methods.filter { $0 == Self.toOperator }.count == 2 }
            try await stage.say("Hello?", id: 21, Self.session(344))
            try await eventually { try await stage.count("events WHERE state = 'done'") == 1 }
            #expect(stage.methods.filter { $0 == Self.send }.count == 1)
            #expect(stage.questions == ["Fail", "Fail"])
        }
    }

    @Test("the second failure in a row hands over where the bot's settings say so")
    func turns() async throws {
        try await Stage.with(settings: ["operator_after_turns": 2]) { stage in
            await stage.gateway.start()
            try await stage.say("Fail", id: 10, Self.session(343))
            try await eventually { stage.methods == [Self.send] }
            try await stage.say("Fail", id: 11, Self.session(343))
            try await eventually { stage.methods == [Self.send, Self.send, Self.toOperator] }
            #expect(try await state(stage) == .operator)
        }
    }

    @Test("outside office hours the bot says so, and answers on")
    func officeHours() async throws {
        let hours: JSON = ["timezone": "UTC", "days": [:], "text": ["en": "Come back tomorrow."]]
        try await Stage.with(settings: ["office_hours": hours]) { stage in
            await stage.gateway.start()
            try await stage.say("operator", id: 10, Self.session(343))
            try await eventually { stage.sends == ["Come back tomorrow."] }
            try await stage.say("Hello", id: 11, Self.session(343))
            try await eventually { stage.sends.last == "You said: Hello" }
            #expect(!stage.methods.contains(Self.toOperator))
        }
    }

    @Test("the word means nothing outside open channels")
    func privateDialog() async throws {
        try await Stage.with(generation: .first) { stage in
            await stage.gateway.start()
            try await stage.say("operator", id: 10, in: "27")
            try await eventually { stage.sends.contains("You said: operator") }
        }
    }

    @Test("a bot without a connector says nothing to an operator's customer")
    func noConnector() async throws {
        try await Stage.with { stage in
            try await stage.store.update(stage.bot.id, now: WallClock.system.now) { $0.connectorID = nil }
            await stage.gateway.start()
            try await stage.say("Let me", id: 11, Self.employee(session: 343))
            try await stage.say("Yes?", id: 12, Self.session(343))
            try await eventually { try await stage.count("events WHERE state = 'done'") == 2 }
            #expect(stage.methods.isEmpty)
        }
    }

    @Test("the administrator gives the dialog back, and the bot is told what was said")
    func resume() async throws {
        try await Stage.with { stage in
            await stage.gateway.start()
            try await stage.say("Let me", id: 12, Self.employee(session: 343))
            let dialog = try #require(try await stage.store.dialogs(limit: 1, after: nil).items.first?.dialog)
            #expect(try await stage.gateway.resume(dialog.id))
            try await stage.say("Bot?", id: 20, Self.session(343))
            try await eventually { stage.sends.last == "You said: Bot?" }
            #expect(stage.transcripts == ["Operator: I see\nCustomer: Thanks"])
            #expect(try await !stage.gateway.resume(ID(rawValue: 999)))
        }
    }

    // MARK: Groups

    private static func group(_ stage: Stage, _ text: String, id: Int, mentioned: Bool) throws -> JSON {
        let isFirst = stage.bot.api == "v1"
        var tree = try (isFirst ? Example.firstGroup : .second).tree()
        let whole = "[USER=\(mentioned ? stage.bot.botID ?? 0 : 5)]Name[/USER], \(text)"
        if isFirst {
            tree[path: ["data", "PARAMS", "MESSAGE"]] = .string(mentioned ? ", " + text : whole)
            tree[path: ["data", "PARAMS", "MESSAGE_ORIGINAL"]] = mentioned ? .string(whole) : nil
            tree[path: ["data", "PARAMS", "MENTIONED_LIST"]] = mentioned ? ["567": "567"] : ["5": "5"]
            tree[path: ["data", "PARAMS", "MESSAGE_ID"]] = .string("\(id)")
        } else {
            tree[path: ["data", "message", "text"]] = .string(whole)
            tree[path: ["data", "message", "id"]] = .string("\(id)")
            tree[path: ["data", "chat", "dialogId"]] = "chat7"
            tree[path: ["data", "chat", "type"]] = "chat"
        }
        return tree
    }

    @Test(
        "in a group a bot answers what is meant for it, without the mention", arguments: [BotGeneration.first, .second])
    func mentioned(generation: BotGeneration) async throws {
        try await Stage.with(generation: generation) { stage in
            await stage.gateway.start()
            try await stage.take(Self.group(stage, "among us", id: 10, mentioned: false))
            try await stage.take(Self.group(stage, "hello", id: 11, mentioned: true))
            try await eventually { stage.sends.contains("You said: hello") }
            #expect(stage.questions == ["hello"])
            #expect(try await stage.count("events") == 1)
        }
    }

    @Test("a supervisor sees all", arguments: [BotGeneration.first, .second])
    func supervisor(generation: BotGeneration) async throws {
        try await Stage.with(generation: generation, type: "supervisor") { stage in
            await stage.gateway.start()
            try await stage.take(Self.group(stage, "among us", id: 10, mentioned: false))
            try await eventually { stage.questions.first?.hasSuffix("among us") == true }
        }
    }
}
