import Base
import BotPlatforms
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("What a bot was asked and answered", .timeLimit(.minutes(1)))
struct ExchangeTests {
    /// The exchange of the line that holds `text`.
    private func exchange(_ stage: Stage, _ text: String) async throws -> (record: ExchangeRecord, content: Exchange?) {
        let dialog = try #require(try await stage.store.dialogs(limit: 1, after: nil).items.first).dialog.id
        let lines = try await stage.store.messages(of: dialog, limit: 99, after: nil).items
        let line = try #require(lines.first { $0.text == text }, "\(lines.map(\.text))")
        let record = try #require(try await stage.store.exchange(of: line.id, in: dialog))
        return (record, Exchange(record))
    }

    @Test("question, variables, answer and deliveries are kept with both lines, without any token")
    func answered() async throws {
        let platform = ScriptedPlatform { question in
            [
                .trace(AskTrace(conversationID: "c1", messageID: "m1")), .text("**You** said: \(question.text)"),
                .choices(Choices([Choice(label: "Yes", value: "y")])), .session(PlatformSession(id: "s1")),
            ]
        }
        try await Stage.with(platform: platform) { stage, platform in
            try await stage.say("Hello", id: 10)
            try await eventually { try await stage.count("outbox WHERE state = 'done'") == 1 }
            try await stage.say("Again", id: 11)
            try await eventually { try await stage.count("outbox WHERE state = 'done'") == 2 }
            let (record, content) = try await exchange(stage, "Again")
            let found = try #require(content)
            #expect(found.connector == "Support" && found.provider == "Dify (Dify Chatflow)")
            #expect(found.asked.text == "Again" && found.asked.session == "s1")
            #expect(found.asked.variables["DIALOG_ID"] == "chat5")
            #expect(found.answered?.text == "**You** said: Again")
            #expect(found.answered?.trace?.messageID == "m1")
            #expect(found.answered?.choices == [Choice(label: "Yes", value: "y")])
            #expect(record.deliveries.map(\.state) == [.done])
            #expect(record.event?.state == .done && record.event?.lastError == nil)
            // The bot's line tells the same.
            let lines = try await stage.store.messages(of: try await dialog(stage), limit: 9, after: nil).items
            let own = try await exchange(stage, try #require(lines.first { $0.author == .bot }).text)
            #expect(own.content == found)

            let tokens = platform.questions.flatMap { $0.tokens.values.map { $0.reveal() } }
            #expect(tokens.contains("access-token"))
            let kept = try await stage.store.database.read {
                try $0.rows("SELECT exchange FROM messages WHERE exchange IS NOT NULL") { $0.text(0) }
            }
            #expect(kept.count == 2)
            for token in tokens + ["app-key"] { #expect(!kept.contains { $0.contains(token) }) }
            // What the lines say already is not there twice.
            #expect(!kept.contains { $0.contains(#""text":"Again""#) })
        }
    }

    @Test("of an event that failed it is kept what was asked, and why it failed; asked again, what was answered then")
    func failed() async throws {
        let platform = FakePlatform()
        platform.fail(with: PlatformError(.final, "The key is wrong"))
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            try await stage.say("Hello", id: 10)
            try await eventually { try await stage.count("events WHERE state = 'failed'") == 1 }
            let (record, content) = try await exchange(stage, "Hello")
            #expect(content?.asked.text == "Hello" && content?.answered == nil)
            #expect(record.event?.lastError == "The key is wrong" && record.event?.state == .failed)
            #expect(try await stage.gateway.retry(.event(try #require(record.event?.id))))
            try await eventually { try await stage.count("events WHERE state = 'done'") == 1 }
            let again = try await exchange(stage, "Hello")
            #expect(again.content?.answered?.text == "You said: Hello")
            #expect(again.record.event?.lastError == nil)
        }
    }

    @Test("what is asked again after a passing fault is asked with the same variables and tokens, and is kept")
    func again() async throws {
        let platform = FakePlatform()
        platform.fail(with: PlatformError(.passing, "busy"))
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            try await stage.say("Hello", id: 10)
            try await eventually { try await stage.count("events WHERE state = 'done'") == 1 }
            let asked = platform.questions
            #expect(asked.count == 2 && asked.first?.tokens.isEmpty == false)
            #expect(asked.first?.tokens == asked.last?.tokens && asked.first?.variables == asked.last?.variables)
            #expect(try await exchange(stage, "Hello").content?.asked.variables == asked.last?.variables)
        }
    }

    @Test("where the bot says nothing it is kept with the customer's line, and messages asked as one share it")
    func silent() async throws {
        let platform = FakePlatform()
        platform.hold("One\nTwo")
        try await Stage.with(settings: ["collect_ms": 50], platform: platform) { stage in
            try await stage.say("One", id: 10)
            try await stage.say("Two", id: 11)
            // From here on: both are there to be collected.
            await stage.gateway.start()
            try await eventually { platform.isAsked("One\nTwo") }
            platform.say(.text("not said"), to: "One\nTwo")
            platform.say(.action(.silent), to: "One\nTwo")
            platform.end("One\nTwo")
            try await eventually { try await stage.count("events WHERE state = 'done'") == 2 }
            let (_, content) = try await exchange(stage, "Two")
            #expect(content?.asked.text == "One\nTwo")
            #expect(content?.answered?.text == "not said")
            #expect(try await exchange(stage, "One").content == content)
        }
    }

    @Test("it goes with the dialog")
    func erased() async throws {
        try await Stage.with(platform: FakePlatform()) { stage in
            await stage.gateway.start()
            try await stage.say("Hello", id: 10)
            try await eventually { try await stage.count("messages WHERE exchange IS NOT NULL") == 1 }
            try await stage.store.eraseDialog(try await dialog(stage))
            #expect(try await stage.count("messages") == 0)
        }
    }

    @Test("texts that are larger than any chat shows are cut")
    func large() async throws {
        let platform = ScriptedPlatform { _ in [.text("# " + String(repeating: "long ", count: 20_000))] }
        try await Stage.with(platform: platform) { stage, _ in
            try await stage.say("Hello", id: 10)
            try await eventually { try await stage.count("messages WHERE exchange IS NOT NULL") == 1 }
            let content = try await exchange(stage, "Hello").content
            #expect(content?.answered?.text?.count == 20_000)
        }
    }

    private func dialog(_ stage: Stage) async throws -> ID<DialogRecord> {
        try #require(try await stage.store.dialogs(limit: 1, after: nil).items.first).dialog.id
    }
}
