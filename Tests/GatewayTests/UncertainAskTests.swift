import Base
import BotPlatforms
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("Questions whose outcome cannot be told", .timeLimit(.minutes(1)))
struct UncertainAskTests {
    @Test("the administrator reads what the platform said last, not only that the outcome is unknown")
    func reason() async throws {
        let platform = ScriptedPlatform { _ in
            throw PlatformError(.uncertain, "The bot's URL answered 500: out of disk")
        }
        try await Stage.with(platform: platform) { stage, _ in
            try await stage.say("Hello", id: 10)
            try await eventually(timeout: .seconds(30)) {
                try await stage.count("events WHERE state = 'failed'") == 1
            }
            // Beside it the apology may still be on its way.
            let work = try await stage.store.work(limit: 9, after: nil).items
            let reason = try #require(work.compactMap(\.lastError).first)
            #expect(reason.contains("The bot's URL answered 500: out of disk"))
            #expect(reason.contains("whether it answered cannot be told"))
            #expect(platform.questions.count == 1)
        }
    }

    @Test("what an earlier attempt met is not taken for the reason of the last")
    func formerReason() async throws {
        let platform = ScriptedPlatform { question in
            if question.text == "Hello" { throw PlatformError(.passing, "busy") }
            return []
        }
        try await Stage.with(platform: platform) { stage, _ in
            try await stage.say("Hello", id: 10)
            try await eventually { try await stage.count("events WHERE last_error = 'busy'") == 1 }
            await stage.gateway.stop(grace: .zero)
            // As a kill leaves it while it is asked once more.
            let isBegun = try await stage.store.database.write { connection in
                guard let row = try connection.row("SELECT id FROM events", [], { $0.integer(0) }) else { return false }
                let claim = AskClaim(event: ID(rawValue: row), kind: .message, edits: 0)
                return try connection.beginAsking(claim, now: WallClock.system.now)
            }
            #expect(isBegun)
            #expect(try await stage.count("events WHERE last_error IS NULL") == 1)
        }
    }
}
