import Base
import Bitrix24
import BotPlatforms
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("Answers shown while they grow", .timeLimit(.minutes(1)))
struct LiveAnswerTests {
    private static let (send, update, delete) = (
        "imbot.v2.Chat.Message.send", "imbot.v2.Chat.Message.update", "imbot.v2.Chat.Message.delete"
    )

    /// The bot is asked, and has said `beginning`, which is shown.
    private func begun(
        _ beginning: String, settings: JSON = ["live": true], _ body: (Stage, FakePlatform) async throws -> Void
    ) async throws {
        let platform = FakePlatform()
        platform.hold("Hello")
        try await Stage.with(settings: settings, platform: platform) { stage in
            await stage.gateway.start()
            try await stage.write("Hello", id: 10)
            try await eventually { platform.isAsked("Hello") }
            platform.say(.text(beginning), to: "Hello")
            try await eventually { stage.deeds.count == 1 }
            try await body(stage, platform)
        }
    }

    private static func texts(_ stage: Stage) -> [String] {
        stage.deeds.map { $0.parameters["fields"]?["message"]?.string ?? "" }
    }

    private func untilDelivered(_ stage: Stage) async throws {
        try await eventually { try await stage.count("outbox WHERE state = 'done'") == 1 }
    }

    @Test("it is one message that gets more text, in BB code, without directives, and its buttons in the end")
    func grows() async throws {
        try await begun("**One**\n[[") { stage, platform in
            #expect(stage.deeds[0].method == Self.send)
            #expect(Self.texts(stage) == ["[b]One[/b]"])
            platform.say(.text("finish]]\ntwo\n [[oper"), to: "Hello")
            try await eventually { stage.deeds.count == 2 }
            platform.say(.text("ator]]"), to: "Hello")
            platform.say(.choices(Choices([Choice(label: "Yes", value: "y")])), to: "Hello")
            platform.end("Hello")
            try await untilDelivered(stage)
            #expect(stage.deeds.map(\.method) == [Self.send, Self.update, Self.update])
            #expect(Self.texts(stage).dropFirst().allSatisfy { $0 == "[b]One[/b]\ntwo" })
            #expect(stage.deeds.dropFirst().allSatisfy { $0.parameters["messageId"] == 1 })
            let keyboards = stage.deeds.map { $0.parameters["fields"]?["keyboard"]?["BUTTONS"]?.array?.count }
            #expect(keyboards == [nil, nil, 1])
            // It can be rated like any other.
            #expect(try await stage.count("outbox WHERE sent_id = 1 AND answer_id IS NOT NULL") == 1)
        }
    }

    @Test("what was shown is taken back when nothing is said after all")
    func silent() async throws {
        try await begun("Well…") { stage, platform in
            platform.say(.text("\n[[silent]]"), to: "Hello")
            platform.end("Hello")
            try await untilDelivered(stage)
            #expect(stage.deeds.map(\.method) == [Self.send, Self.delete])
            #expect(stage.deeds[1].parameters["messageId"] == 1)
        }
    }

    @Test("when the bot fails the failure's text takes the place of what was shown, or nothing does")
    func failed() async throws {
        for text in ["Sorry.", ""] {
            try await begun("Well…", settings: ["live": true, "failure_text": ["en": .string(text)]]) {
                stage, platform in
                platform.end("Hello", with: PlatformError(.final, "broken"))
                try await untilDelivered(stage)
                #expect(stage.deeds.map(\.method) == [Self.send, text.isEmpty ? Self.delete : Self.update])
                #expect(Self.texts(stage).last == text)
            }
        }
    }

    @Test("an answer whose beginning somebody has deleted is said anew")
    func deleted() async throws {
        try await begun("Well…") { stage, platform in
            stage.refuse(Self.update, "ACCESS_DENIED", status: 403)
            platform.end("Hello")
            try await untilDelivered(stage)
            // In between Bitrix24 is asked whether it lets the application in at all.
            let methods = stage.deeds.map(\.method).filter { $0 != "scope" }
            #expect(methods == [Self.send, Self.update, Self.send])
            let uuids = stage.deeds.compactMap { $0.parameters["fields"]?["templateId"]?.string }
            #expect(Set(uuids).count == 2)
        }
    }

    @Test("after a restart the same message goes on, though its id is not known any more")
    func restarted() async throws {
        try await begun("One") { stage, platform in
            await stage.restart()
            try await eventually { platform.questions.count == 2 }
            platform.say(.text("One two"), to: "Hello")
            try await eventually { stage.deeds.count == 2 }
            platform.end("Hello")
            try await untilDelivered(stage)
            #expect(stage.deeds.map(\.method) == [Self.send, Self.send, Self.update])
            let uuids = stage.deeds.compactMap { $0.parameters["fields"]?["templateId"]?.string }
            #expect(uuids.count == 2 && Set(uuids).count == 1)
            #expect(stage.deeds[2].parameters["fields"]?["message"] == "One two")
        }
    }

    @Test("not in open channels, and not before what was said earlier in the dialog")
    func elsewhere() async throws {
        let platform = FakePlatform()
        for question in ["First", "Second", "Customer", "Other"] { platform.hold(question) }
        try await Stage.with(settings: ["live": true], platform: platform) { stage in
            await stage.gateway.start()
            try await stage.say("First", id: 1, in: "chat6", isInternal: true)
            try await eventually { platform.isAsked("First") }
            for part: ReplyPart in [.text("A"), .pause(.seconds(60)), .text("B")] { platform.say(part, to: "First") }
            platform.end("First")
            try await eventually { try await stage.count("outbox WHERE state = 'waiting'") == 1 }
            try await stage.say("Second", id: 2, in: "chat6", isInternal: true)
            try await stage.say("Customer", id: 3, in: "chat7")
            try await stage.say("Other", id: 4, in: "chat8", isInternal: true)
            for question in ["Second", "Customer", "Other"] {
                try await eventually { platform.isAsked(question) }
                platform.say(.text(question), to: question)
            }
            // Asked last, and shown twice: the others had time enough.
            try await eventually { stage.sends.contains("Other") }
            platform.say(.text("!"), to: "Other")
            try await eventually { stage.sends.contains("Other!") }
            #expect(!stage.sends.contains { $0 == "Second" || $0 == "Customer" })
        }
    }
}

@Suite("Failed work that is put back", .timeLimit(.minutes(1)))
struct RetryTests {
    @Test("it is done again, also at once")
    func atOnce() async throws {
        let platform = FakePlatform()
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            for number in 1...5 {
                platform.fail(with: PlatformError(.final, "broken"))
                try await stage.write("Question \(number)", id: number)
                while !(try await stage.gateway.retry(.event(ID(rawValue: Int64(number))))) {}
                try await eventually { stage.sends.contains("You said: Question \(number)") }
            }
        }
    }
}
