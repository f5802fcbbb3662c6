import Base
import BotPlatforms
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Watching what happens", .timeLimit(.minutes(1)))
struct LiveTests {
    /// What was told so far.
    private final class Seen: Sendable {
        private let happenings = Mutex<[Happening]>([])
        private let hasEnded = Flag()
        var all: [Happening] { happenings.withLock { $0 } }
        var kinds: [Happening.Kind] { all.map(\.kind) }
        var isOver: Bool { hasEnded.isSet }

        init(_ stream: AsyncStream<Happening>) {
            Task { [self] in
                for await happening in stream { happenings.withLock { $0.append(happening) } }
                hasEnded.set()
            }
        }
    }

    @Test("a message is told when it comes, is answered and arrives; only of the portal that is watched, until the end")
    func message() async throws {
        try await Stage.with(platform: FakePlatform()) { stage in
            await stage.gateway.start()
            let seen = Seen(stage.gateway.live.happenings(on: stage.portal.id))
            let other = Seen(stage.gateway.live.happenings(on: ID(rawValue: 99)))
            let long = String(repeating: "a", count: 300)
            try await stage.say(long, id: 10)
            try await eventually { seen.kinds.count == 3 }
            #expect(seen.kinds == [.event, .answer, .delivery])
            #expect(seen.all[0].text == long.prefix(199) + "…" && seen.all[0].took == nil)
            #expect(seen.all.dropFirst().allSatisfy { $0.text.hasPrefix("You said: aaa") && $0.took != nil })
            #expect(seen.all.allSatisfy { $0.portal == stage.portal.id && $0.bot == stage.bot.id })
            stage.gateway.live.finish()
            try await eventually { seen.isOver && other.isOver }
            #expect(other.kinds == [])
            let late = Seen(stage.gateway.live.happenings())
            try await eventually { late.isOver }
        }
    }

    @Test("failures tell why, and hand-overs are told when they are done")
    func failureAndHandOver() async throws {
        let platform = FakePlatform()
        platform.fail(with: PlatformError(.final, "The key is wrong"))
        try await Stage.with(settings: ["failure_handover": true], platform: platform) { stage in
            await stage.gateway.start()
            let seen = Seen(stage.gateway.live.happenings())
            try await stage.say("Hello", id: 10) {
                $0[path: ["data", "chat", "entityData1"]] = "Y|LEAD|1209|N|N|343|1773682918|0|0|0"
            }
            try await eventually { seen.kinds.contains(.handover) }
            #expect(seen.kinds == [.event, .failure, .delivery, .handover])
            #expect(seen.all[1].text == "The key is wrong")
        }
    }
}
