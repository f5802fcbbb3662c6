import Base
import Bitrix24
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("When the store fails, or something is erased on the way", .timeLimit(.minutes(1)))
struct StoreFaultTests {
    @Test("a reply that cannot be stored is stored later; the bot is not asked again")
    func reply() async throws {
        try await Stage.with { stage in
            await stage.gateway.start()
            try await stage.run(
                "CREATE TRIGGER fault BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no room'); END")
            try await stage.say("Hello", id: 1)
            try await eventually { stage.faults > 0 }
            try await stage.run("DROP TRIGGER fault")
            try await eventually { stage.sends == ["You said: Hello"] }
            #expect(stage.questions == ["Hello"])
            #expect(try await stage.count("sessions WHERE platform_id <> ''") == 1)
        }
    }

    @Test("that a message was sent cannot be stored: it is not sent again", arguments: [BotGeneration.first, .second])
    func sent(generation: BotGeneration) async throws {
        try await Stage.with(generation: generation) { stage in
            await stage.gateway.start()
            try await stage.run(
                """
                CREATE TRIGGER fault BEFORE UPDATE ON outbox WHEN NEW.state = 'done'
                BEGIN SELECT RAISE(ABORT, 'no room'); END
                """)
            try await stage.say("Hello", id: 1, in: "27")
            try await eventually { stage.faults > 0 }
            try await stage.run("DROP TRIGGER fault")
            try await eventually { try await stage.count("outbox WHERE state = 'done'") == 1 }
            #expect(stage.sends.filter { !$0.isEmpty } == ["You said: Hello"])
        }
    }

    @Test("a dialog that is erased while its bot is asked is not answered, and its bot not asked again")
    func erasedWhileAsked() async throws {
        try await Stage.with(holding: ["Hello"]) { stage in
            await stage.gateway.start()
            try await stage.say("Hello", id: 1)
            try await stage.say("And?", id: 2)
            try await eventually { stage.questions == ["Hello"] }
            let dialogs = try await stage.store.dialogs(limit: 1, after: nil)
            try await stage.store.eraseDialog(try #require(dialogs.items.first).dialog.id)
            // The next event must not be taken for the erased one.
            try await stage.say("Somebody else", id: 3, in: "chat6")
            try await eventually { stage.sends == ["You said: Somebody else"] }
            stage.release("Hello")
            try await stage.say("Thanks", id: 4, in: "chat6")
            try await eventually { stage.sends.count == 2 }
            #expect(stage.sends == ["You said: Somebody else", "You said: Thanks"])
            #expect(stage.questions == ["Hello", "Somebody else", "Thanks"])
            #expect(stage.faults == 0)
            #expect(try await stage.count("dialogs") == 1)
        }
    }

    @Test("a connector that got another key while its bot was asked begins a new conversation")
    func changedWhileAsked() async throws {
        try await Stage.with(holding: ["Hello"]) { stage in
            await stage.gateway.start()
            try await stage.say("Hello", id: 1)
            try await eventually { stage.questions == ["Hello"] }
            let id = try #require(stage.bot.connectorID)
            try await stage.store.update(id, now: WallClock.system.now) { connector, _ in
                connector.key = Secret("another-key")
            }
            stage.release("Hello")
            try await eventually { stage.sends == ["You said: Hello"] }
            #expect(try await stage.count("sessions") == 0)
        }
    }
}
