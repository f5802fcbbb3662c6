import Base
import Foundation
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Events that are fetched")
    struct Fetching {
        /// `BITBOT_SOAK=1`: ten thousand events. `BITBOT_SEED`: the same moments again.
        private static let soak = ProcessInfo.processInfo.environment["BITBOT_SOAK"] == "1"
        private static let events = soak ? 10_000 : 1_000
        private static let kills = soak ? 60 : 8
        private static let dialogs = 20

        @Test("kill -9 at random moments while events are fetched: each is answered exactly once, and in order")
        func kills() async throws {
            let seed =
                ProcessInfo.processInfo.environment["BITBOT_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...99_999)
            print("fetching: BITBOT_SEED=\(seed)")
            let chance = Chance(seed: seed)
            var plan = Stage.Plan()
            plan.byWebhook = true
            plan.portal.operatingLimit = .seconds(1_000_000)
            plan.portal.logEntries = 0
            plan.portal.messagesKept = 100_000
            plan.environment["BITBOT_LOG_LEVEL"] = "warning"
            try await Stage.with(plan) { stage in
                let chats = try (0..<Self.dialogs).map { try stage.customer("C\($0)") }
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        for number in 0..<Self.events {
                            try stage.portal.customerWrites("message \(number)", in: chats[number % Self.dialogs])
                            if number % 50 == 0 { try await Task.sleep(for: chance.milliseconds(0...100)) }
                        }
                    }
                    for _ in 0..<Self.kills {
                        try await Task.sleep(for: chance.milliseconds(0...1_500))
                        stage.bitbot.kill()
                        try await stage.bitbot.start()
                    }
                    try await group.waitForAll()
                }
                let each = Self.events / Self.dialogs
                try await eventually(timeout: .seconds(Self.soak ? 900 : 120)) {
                    chats.allSatisfy { stage.answers(in: $0).count >= each }
                }
                try await stage.untilNothingWaits()
                #expect(try await stage.bitbot.work().isEmpty)
                for chat in chats {
                    let asked = stage.portal.messages(in: chat).filter { $0.text.hasPrefix("message ") }.map(\.text)
                    #expect(asked.count == each)
                    #expect(stage.answers(in: chat) == asked.map { "You said \($0)." })
                }
                let twice = stage.dify.counts.asked.filter { $0.value > 1 }
                #expect(twice.isEmpty, "asked twice: \(twice)")
            }
        }

        @Test(
            "the webhook's code and the bot's token are in no log, no answer, no message and not in the store's bytes")
        func secrets() async throws {
            var plan = Stage.Plan()
            plan.byWebhook = true
            plan.environment["BITBOT_LOG_LEVEL"] = "debug"
            try await Stage.with(plan) { stage in
                let address = stage.portal.addWebhook()
                _ = try await stage.bitbot.create("installations", ["webhook_url": .string(address.reveal())])
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                let code = try #require(address.reveal().split(separator: "/").last.map(String.init))
                stage.portal.removeWebhook(address)
                try stage.portal.customerWrites("more", in: chat)
                try await eventually {
                    try await stage.bitbot.items("installations").contains { $0["status"] == "reauthorize" }
                }
                let wrong = try await stage.bitbot.send(
                    .post, "/api/v1/installations", ["webhook_url": .string(address.reveal())])
                #expect(wrong.status == 422)
                var places = ["the log": Data(stage.bitbot.log.utf8), "the refusal": Data(wrong.body)]
                for path in ["/metrics", "/api/v1/installations", "/api/v1/bots", "/api/v1/work", "/api/v1/portals"] {
                    places[path] = Data(try await stage.bitbot.send(.get, path).body)
                }
                for path in try FileManager.default.contentsOfDirectory(atPath: stage.bitbot.data)
                where path.hasPrefix("bitbot.db") {
                    places[path] = try Data(contentsOf: URL(fileURLWithPath: stage.bitbot.data + "/" + path))
                }
                for (place, bytes) in places { #expect(bytes.range(of: Data(code.utf8)) == nil, "it is in \(place)") }
                #expect(places.values.contains { $0.range(of: Data("You said hello".utf8)) != nil })
            }
        }
    }
}
