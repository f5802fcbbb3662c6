import Base
import BotPlatforms
import TestSupport
import Testing

@testable import Gateway

@Suite("Quick messages collected into one question", .timeLimit(.minutes(1)))
struct CollectingTests {
    /// Longer than a test lasts: what is asked was not waited for.
    private static let long: JSON = ["collect_ms": 60_000]
    private static let short: JSON = ["collect_ms": 300]

    @Test("several quick messages of one person are one question, with its variables")
    func collected() async throws {
        let platform = FakePlatform()
        try await Stage.with(settings: Self.short, platform: platform) { stage in
            for (number, text) in ["Hello,", "I have", "a question"].enumerated() {
                try await stage.write(text, id: 10 + number)
            }
            await stage.gateway.start()
            try await eventually { stage.sends == ["You said: Hello,\nI have\na question"] }
            let variables = try #require(platform.questions.first).variables
            #expect(variables["MESSAGE"] == "Hello,\nI have\na question")
            #expect(variables["MESSAGE_ID"] == "12")
            #expect(variables["MESSAGE_BATCH"] == #"["Hello,","I have","a question"]"#)
            #expect(variables["MESSAGE_BATCH_SIZE"] == "3")
            #expect(platform.questions.count == 1)
            #expect(try await stage.said() == ["Hello,", "I have", "a question"])
            try await eventually { try await stage.count("events WHERE state <> 'done'") == 0 }
            #expect(try await stage.count("event_bodies") == 0)
        }
    }

    @Test("a single message is a question like any other")
    func single() async throws {
        let platform = FakePlatform()
        try await Stage.with(settings: Self.short, platform: platform) { stage in
            await stage.gateway.start()
            try await stage.write("Hello", id: 10)
            try await eventually { stage.sends == ["You said: Hello"] }
            #expect(platform.questions.first?.variables["MESSAGE_BATCH"] == nil)
            #expect(platform.questions.first?.variables["MESSAGE_BATCH_SIZE"] == nil)
        }
    }

    @Test("a file goes at once, with what was collected before it")
    func file() async throws {
        let platform = FakePlatform()
        try await Stage.with(settings: Self.long, platform: platform) { stage in
            await stage.gateway.start()
            try await stage.write("Look", id: 10)
            try await stage.write("at this", id: 11)
            try await stage.write("", id: 12, file: "cat.png")
            try await eventually { platform.texts == ["Look\nat this\nFile sent: cat.png"] }
            #expect(platform.questions.first?.variables["file_id"] == "77")
        }
    }

    @Test("a command goes at once, after what was collected before it")
    func command() async throws {
        let platform = FakePlatform()
        try await Stage.with(settings: Self.long, platform: platform) { stage in
            await stage.gateway.start()
            try await stage.write("Well", id: 10)
            try await stage.write("then", id: 11)
            try await stage.command("help", 13, id: 12)
            try await eventually { platform.questions.count == 2 }
            #expect(platform.texts == ["Well\nthen", "/help"])
            #expect(platform.questions.last?.variables["COMMAND"] == "help")
        }
    }

    @Test("what another person says in between stays apart, and in order")
    func otherPerson() async throws {
        let platform = FakePlatform()
        try await Stage.with(settings: Self.short, platform: platform) { stage in
            try await stage.write("a1", id: 10, by: 1)
            try await stage.write("a2", id: 11, by: 1)
            try await stage.write("b1", id: 12, by: 2)
            try await stage.write("a3", id: 13, by: 1)
            await stage.gateway.start()
            try await eventually { platform.questions.count == 3 }
            #expect(platform.texts == ["a1\na2", "b1", "a3"])
        }
    }

    @Test("edits and deletions of what is being collected count")
    func changed() async throws {
        let platform = FakePlatform()
        try await Stage.with(settings: Self.long, platform: platform) { stage in
            await stage.gateway.start()
            for number in 10...13 { try await stage.write("m\(number)", id: number) }
            try await stage.delete(10)
            try await stage.edit("new", id: 12)
            try await stage.write("end", id: 14, file: "a.png")
            try await eventually { platform.texts == ["m11\nnew\nm13\nend"] }
        }
    }

    @Test("a restart while they are collected, or while they are asked, neither loses nor doubles them")
    func restarted() async throws {
        let platform = FakePlatform()
        platform.hold("one\ntwo")
        try await Stage.with(settings: Self.short, platform: platform) { stage in
            try await stage.write("one", id: 10)
            try await stage.write("two", id: 11)
            await stage.gateway.start()
            try await eventually { platform.isAsked("one\ntwo") }
            await stage.restart()
            // It says that the question never arrived, so it is asked again, and is the same.
            try await eventually { platform.questions.count == 2 }
            try await stage.write("three", id: 12)
            platform.say(.text("Answer"), to: "one\ntwo")
            platform.end("one\ntwo")
            try await eventually { stage.sends == ["Answer", "You said: three"] }
            #expect(platform.texts == ["one\ntwo", "one\ntwo", "three"])
            #expect(platform.questions[1].variables["MESSAGE_BATCH_SIZE"] == "2")
            try await eventually { try await stage.count("events WHERE state <> 'done'") == 0 }
        }
    }

    @Test("a passing fault puts the whole question off, and what comes meanwhile joins it")
    func putOff() async throws {
        let platform = FakePlatform()
        platform.fail(with: PlatformError(.passing, "busy"))
        try await Stage.with(settings: Self.short, platform: platform) { stage in
            try await stage.write("one", id: 10)
            try await stage.write("two", id: 11)
            await stage.gateway.start()
            try await eventually { platform.questions.count == 1 }
            try await stage.write("three", id: 12)
            try await eventually { stage.sends == ["You said: one\ntwo\nthree"] }
            try await eventually { try await stage.count("events WHERE state <> 'done'") == 0 }
        }
    }

    @Test("a question that fails for good is one piece of failed work; done again, it is whole")
    func failed() async throws {
        let platform = FakePlatform()
        platform.fail(with: PlatformError(.final, "wrong key"))
        try await Stage.with(settings: Self.short, platform: platform) { stage in
            try await stage.write("one", id: 10)
            try await stage.write("two", id: 11)
            await stage.gateway.start()
            try await eventually { try await stage.store.work(limit: 9, after: nil).items.first?.state == "failed" }
            try await stage.write("Next", id: 12, file: "a.png")
            try await eventually { stage.sends.last == "You said: Next" }
            let work = try await stage.store.work(limit: 9, after: nil).items.filter { $0.state == "failed" }
            #expect(work.count == 1)
            #expect(try await stage.gateway.retry(try #require(work.first).key))
            try await eventually { stage.sends.last == "You said: one\ntwo" }
            try await eventually { try await stage.count("events WHERE state <> 'done'") == 0 }
        }
    }
}
