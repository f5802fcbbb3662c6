import Base
import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Killed at any moment")
    struct Kills {
        /// `BITBOT_SOAK=1`: a thousand kills. `BITBOT_SEED`: the same moments again.
        private static let soak = ProcessInfo.processInfo.environment["BITBOT_SOAK"] == "1"
        private static let kills = soak ? 1_000 : 50
        private static let dialogs = 20

        @Test(
            "kill -9 at random moments under load: every accepted event is answered exactly once, no run starts twice")
        func kills() async throws {
            let seed =
                ProcessInfo.processInfo.environment["BITBOT_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...99_999)
            print("kills: BITBOT_SEED=\(seed)")
            let chance = Chance(seed: seed)
            var plan = Stage.Plan()
            plan.portal.sendDelay = .zero...(.milliseconds(15))
            plan.portal.operatingLimit = .seconds(1_000_000)
            plan.portal.logEntries = 1_000_000
            plan.portal.messagesKept = 100_000
            // A renewal that a kill cuts off can be taken up again only where the former refresh token still lives.
            plan.authorization.usedRefreshTokenDies = false
            plan.environment["BITBOT_LOG_LEVEL"] = "warning"
            plan.script = { ask in
                [
                    .wait(chance.milliseconds(0...30)), .text("You said "), .wait(chance.milliseconds(0...30)),
                    .text(ask.query), .text("."),
                ]
            }
            try await Stage.with(plan) { stage in
                let chats = try (0..<Self.dialogs).map { try stage.customer("C\($0)") }
                try await withThrowingTaskGroup { group in
                    for (number, chat) in chats.enumerated() {
                        group.addTask { try await Self.write(number, chat, stage, chance) }
                    }
                    for kill in 0..<Self.kills {
                        if kill % 5 == 0 { stage.authorization.expireAccessTokens(of: stage.application.clientID) }
                        try await Task.sleep(for: chance.milliseconds(0...400))
                        stage.bitbot.kill()
                        try await stage.bitbot.start()
                    }
                    group.cancelAll()
                    try await group.waitForAll()
                }
                try await stage.untilNothingWaits(timeout: .seconds(Self.soak ? 600 : 120))
                try await Self.check(stage, chats)
            }
        }

        /// Writes until it is cancelled, each text once.
        private static func write(_ number: Int, _ chat: Int, _ stage: Stage, _ chance: Chance) async throws {
            var count = 0
            while !Task.isCancelled {
                count += 1
                try stage.portal.customerWrites("message \(count) of customer \(number)", in: chat)
                try? await Task.sleep(for: chance.milliseconds(50...500))
            }
        }

        private static func check(_ stage: Stage, _ chats: [Int]) async throws {
            #expect(try await stage.bitbot.work().isEmpty)
            let accepted = Set(stage.accepted.compactMap(\.messageID))
            print("kills: \(accepted.count) of \(stage.portal.deliveries.count) events were accepted")
            #expect(accepted.count > kills)
            for chat in chats {
                let messages = stage.portal.messages(in: chat)
                let answers = messages.filter { $0.authorID == stage.botID }.map(\.text)
                let questions = messages.filter { $0.authorID != stage.botID && !$0.isSystem }
                let said = Dictionary(answers.map { ($0, 1) }, uniquingKeysWith: +)
                for question in questions {
                    let count = said["You said \(question.text)."] ?? 0
                    if accepted.contains(question.id) {
                        #expect(count == 1, "\(question.text) was accepted and answered \(count) times")
                    } else {
                        #expect(count <= 1, "\(question.text) was answered \(count) times")
                    }
                }
                let expected = questions.map { "You said \($0.text)." }.filter { said[$0] != nil }
                #expect(answers == expected, "the answers of chat \(chat) are not those, in order")
            }
            let counts = stage.dify.counts
            let twice = counts.asked.filter { $0.value > 1 }
            #expect(twice.isEmpty, "asked twice: \(twice)")
            #expect(counts.conversationsCreated == Set(counts.asked.keys.map(\.user)).count)
        }
    }
}

/// A source of chance that gives the same numbers for the same seed.
final class Chance: Sendable {
    private let state: Mutex<UInt64>

    init(seed: UInt64) { state = Mutex(seed) }

    func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        let number = state.withLock { state in
            // SplitMix64.
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
        return .milliseconds(range.lowerBound + Int(number % UInt64(range.count)))
    }
}
