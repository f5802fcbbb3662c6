import Base
import BotPlatforms
import TestSupport
import Testing

@testable import Gateway

@Suite("Greetings", .timeLimit(.minutes(1)))
struct GreetingTests {
    @Test("a bot that joins a dialog greets once, and goes on with the session that it began")
    func greets() async throws {
        let platform = FakePlatform()
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            for _ in 1...3 { try await stage.join() }
            try await eventually { stage.sends == ["Welcome!"] }
            try await stage.write("Hello", id: 10)
            try await eventually { stage.sends == ["Welcome!", "You said: Hello"] }
            let greeting = try #require(platform.questions.first)
            #expect(greeting.kind == .joined && greeting.text.isEmpty && greeting.session == nil)
            #expect(greeting.variables["event"] == "ONIMBOTJOINCHAT")
            #expect(greeting.variables["DIALOG_ID"] == "chat5")
            #expect(greeting.variables["MESSAGE"] == nil)
            #expect(platform.questions.last?.session?.id == "greeted")
            #expect(platform.questions.count == 2)
        }
    }

    @Test("a greeting that waits with the first message comes before it, also after a restart")
    func order() async throws {
        let platform = FakePlatform()
        try await Stage.with(platform: platform) { stage in
            try await stage.write("Hello", id: 10)
            try await stage.join()
            await stage.gateway.start()
            try await eventually { stage.sends == ["Welcome!", "You said: Hello"] }
        }
    }

    @Test("there is no greeting once something was asked")
    func late() async throws {
        let platform = FakePlatform()
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            try await stage.write("Hello", id: 10)
            try await eventually { stage.sends == ["You said: Hello"] }
            try await stage.run("DELETE FROM sessions")
            try await stage.join()
            try await eventually { try await stage.count("events WHERE kind = 'joined' AND state = 'done'") == 1 }
            #expect(stage.sends == ["You said: Hello"])
            #expect(platform.questions.count == 1)
        }
    }

    @Test(
        "the setting greet decides; without it there is a greeting everywhere but in open channels",
        arguments: [(JSON.null, true, false), (true, true, true), (false, false, false), (.null, false, true)])
    func setting(greet: JSON, openChannel: Bool, greets: Bool) async throws {
        let platform = FakePlatform()
        try await Stage.with(settings: greet.isNull ? [:] : ["greet": greet], platform: platform) { stage in
            await stage.gateway.start()
            try await stage.join(openChannel: openChannel)
            try await eventually { try await stage.count("events WHERE kind = 'joined' AND state = 'done'") == 1 }
            #expect(platform.questions.count == (greets ? 1 : 0))
        }
    }

    @Test("a greeting that fails waits for the administrator; the person is told nothing and is answered")
    func fails() async throws {
        let platform = FakePlatform()
        platform.fail(with: PlatformError(.final, "wrong key"))
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            try await stage.join()
            try await stage.write("Hello", id: 10)
            try await eventually { stage.sends == ["You said: Hello"] }
            #expect(try await stage.count("events WHERE kind = 'joined' AND state = 'failed'") == 1)
            #expect(stage.faults == 1)
        }
    }

    @Test("a bot with nothing to say first says nothing")
    func nothing() async throws {
        let platform = FakePlatform()
        platform.greet(with: [])
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            try await stage.join()
            try await eventually { try await stage.count("events WHERE state = 'done'") == 1 }
            #expect(stage.sends.isEmpty)
            #expect(try await stage.count("outbox") == 0)
        }
    }
}
