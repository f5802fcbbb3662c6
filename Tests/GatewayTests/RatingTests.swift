import Base
import BotPlatforms
import TestSupport
import Testing

@testable import Gateway

@Suite("Reactions as ratings", .timeLimit(.minutes(1)))
struct RatingTests {
    /// The bot has given an answer, which Bitrix24 calls 1.
    private func answered(_ platform: FakePlatform, _ body: (Stage) async throws -> Void) async throws {
        try await Stage.with(platform: platform) { stage in
            await stage.gateway.start()
            try await stage.write("Hello", id: 10)
            try await eventually { try await stage.count("outbox WHERE sent_id = 1") == 1 }
            try await body(stage)
        }
    }
    private let user = "bac1cd5c8940947a75e0d71b1a84e348:chat5"

    @Test("a like goes to the platform once, and is taken back, and given again")
    func like() async throws {
        let platform = FakePlatform()
        try await answered(platform) { stage in
            for _ in 1...3 { try await stage.react("like", to: 1, at: 100) }
            try await stage.react("like", to: 1, add: false, at: 105)
            try await stage.react("like", to: 1, at: 110)
            try await eventually { platform.ratings.count == 3 }
            #expect(
                platform.ratings == [
                    .init(rating: .like, answer: "answer-1", user: user),
                    .init(rating: nil, answer: "answer-1", user: user),
                    .init(rating: .like, answer: "answer-1", user: user),
                ])
            #expect(stage.sends == ["You said: Hello"])
        }
    }

    @Test("a like that becomes a dislike is one, in whichever order that is heard of")
    func changed() async throws {
        let platform = FakePlatform()
        try await answered(platform) { stage in
            try await stage.react("like", to: 1, at: 100)
            try await stage.react("angry", to: 1, at: 105)
            try await stage.react("like", to: 1, add: false, at: 105)
            try await eventually { platform.ratings.count == 2 }
            try await eventually { try await stage.count("events WHERE state <> 'done'") == 0 }
            #expect(platform.ratings.map(\.rating) == [.like, .dislike])
        }
    }

    @Test("reactions that neither praise nor blame, and reactions to other messages, are not told")
    func others() async throws {
        let platform = FakePlatform()
        try await answered(platform) { stage in
            try await stage.react("thinkingFace", to: 1)
            #expect(try await stage.count("events WHERE kind = 'reaction'") == 0)
            try await stage.react("like", to: 2)
            try await eventually { try await stage.count("events WHERE kind = 'reaction' AND state = 'done'") == 1 }
            #expect(platform.ratings.isEmpty)
        }
    }

    @Test("a rating that cannot be told now is told later, and holds up no answer")
    func passing() async throws {
        let platform = FakePlatform()
        platform.failRating(with: PlatformError(.passing, "busy"), PlatformError(.uncertain, "cut"))
        try await answered(platform) { stage in
            try await stage.react("dislike", to: 1)
            try await stage.write("Next", id: 11)
            try await eventually { stage.sends.count == 2 }
            try await eventually { platform.ratings.map(\.rating) == [.dislike] }
        }
    }

    @Test("a rating that is refused waits for the administrator, and nobody is told")
    func refused() async throws {
        let platform = FakePlatform()
        platform.failRating(with: PlatformError(.final, "unknown message"))
        try await answered(platform) { stage in
            try await stage.react("like", to: 1)
            try await eventually { try await stage.count("events WHERE state = 'failed'") == 1 }
            // Answered only when the rating is out of the way.
            try await stage.write("Next", id: 11)
            try await eventually { stage.sends == ["You said: Hello", "You said: Next"] }
            let work = try #require(
                try await stage.store.work(limit: 9, after: nil).items.first { $0.state == "failed" })
            #expect(try await stage.gateway.retry(work.key))
            try await eventually { platform.ratings.map(\.rating) == [.like] }
        }
    }
}
