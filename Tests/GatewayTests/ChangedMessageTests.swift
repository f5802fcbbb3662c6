import Base
import BotPlatforms
import TestSupport
import Testing

@testable import Gateway

@Suite("Messages that are edited or deleted while they wait", .timeLimit(.minutes(1)))
struct ChangedMessageTests {
    /// A first question is under way; what the body does happens to messages behind it.
    private func behindAnother(_ body: (Stage, FakePlatform) async throws -> Void) async throws {
        let platform = FakePlatform()
        platform.hold("First")
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            try await stage.write("First", id: 10)
            try await eventually { platform.isAsked("First") }
            try await body(stage, platform)
        }
    }

    @Test("a message edited while it waits is answered in its new form, and the transcript has that")
    func edited() async throws {
        try await behindAnother { stage, platform in
            try await stage.write("Helo", id: 11)
            try await stage.edit("Hello", id: 11)
            #expect(try await stage.said() == ["First", "Hello"])
            platform.end("First")
            try await eventually { stage.sends.last == "You said: Hello" }
            #expect(platform.texts == ["First", "Hello"])
        }
    }

    @Test("the last edit counts; one that is delivered again later does not bring its text back")
    func editedTwice() async throws {
        try await behindAnother { stage, platform in
            try await stage.write("one", id: 11)
            try await stage.edit("two", id: 11)
            try await stage.edit("three", id: 11)
            try await stage.edit("two", id: 11)
            platform.end("First")
            try await eventually { stage.sends.last == "You said: three" }
        }
    }

    @Test("an edit of a message that is being answered changes nothing")
    func tooLate() async throws {
        try await behindAnother { stage, platform in
            try await stage.edit("Another first", id: 10)
            platform.say(.text("Answer"), to: "First")
            platform.end("First")
            try await eventually { stage.sends == ["Answer"] }
            #expect(try await stage.said() == ["First"])
            #expect(platform.texts == ["First"])
        }
    }

    @Test("a message deleted while it waits is not answered, and is not in the transcript")
    func deleted() async throws {
        try await behindAnother { stage, platform in
            try await stage.write("Oops", id: 11)
            try await stage.write("Last", id: 12)
            try await stage.delete(11)
            try await stage.delete(11)
            try await stage.edit("Back again", id: 11)
            platform.end("First")
            try await eventually { stage.sends.last == "You said: Last" }
            #expect(platform.texts == ["First", "Last"])
            #expect(try await stage.said() == ["First", "Last"])
            #expect(try await stage.count("event_bodies") == 0)
        }
    }

    @Test("a deletion that comes before its message counts all the same")
    func deletedBefore() async throws {
        try await behindAnother { stage, platform in
            try await stage.delete(11)
            try await stage.write("Oops", id: 11)
            try await stage.command("help", 13, id: 11)
            try await stage.write("Last", id: 12)
            platform.end("First")
            try await eventually { stage.sends.last == "You said: Last" }
            #expect(platform.texts == ["First", "Last"])
        }
    }

    @Test("an edit that comes before its message counts all the same, and a deletion after it")
    func editedBefore() async throws {
        try await behindAnother { stage, platform in
            try await stage.edit("Hello", id: 11)
            try await stage.write("Helo", id: 11)
            try await stage.write("Helo", id: 11)
            try await stage.edit("Gone", id: 12)
            try await stage.delete(12)
            try await stage.write("Going", id: 12)
            platform.end("First")
            try await eventually { stage.sends.last == "You said: Hello" }
            #expect(try await stage.said() == ["First", "Hello"])
            #expect(platform.texts == ["First", "Hello"])
        }
    }

    @Test("edits and deletions hold after a restart")
    func restarted() async throws {
        let platform = FakePlatform()
        try await Stage.with(platform: platform) { stage in
            try await stage.write("Helo", id: 11)
            try await stage.write("Oops", id: 12)
            try await stage.edit("Hello", id: 11)
            try await stage.delete(12)
            await stage.gateway.start()
            try await eventually { stage.sends == ["You said: Hello"] }
            #expect(try await stage.count("events WHERE state <> 'done'") == 0)
            #expect(platform.texts == ["Hello"])
        }
    }

    @Test("what a bot, or the portal, does to its own messages is nobody's question")
    func ownEdits() async throws {
        try await behindAnother { stage, platform in
            try await stage.edit("Mine", id: 900, by: 456)
            #expect(try await stage.count("events") == 1)
            platform.end("First")
        }
    }

    @Test("each command of a message is answered once, whichever comes first")
    func severalCommands() async throws {
        let platform = FakePlatform()
        try await Stage.with(platform: platform) { stage in
            for _ in 1...2 {
                try await stage.command("help", 13, id: 11)
                try await stage.command("price", 14, id: 11)
                try await stage.write("/help", id: 11)
            }
            await stage.gateway.start()
            try await eventually { try await stage.count("events WHERE state <> 'done'") == 0 }
            #expect(platform.questions.compactMap { $0.variables["COMMAND"] } == ["help", "price"])
            #expect(platform.questions.count == 2)
        }
    }
}
