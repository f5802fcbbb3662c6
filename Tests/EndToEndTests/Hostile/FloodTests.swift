import Base
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    /// `BITBOT_SOAK=1`: by the thousand, and until every deadline has passed.
    @Suite("Slow clients and floods", .serialized)
    struct Floods {
        private static let few = TestRun.isSoak ? 1_000 : 30
        private static let many = TestRun.isSoak ? 9_000 : 300

        @Test("slow clients of every kind hold nobody up; those that go past their deadline are told, or cut")
        func slowClients() async throws {
            try await Self.besides { stage in
                let port = stage.bitbot.port
                let heads = try Crowd(of: Self.few, port: port)
                heads.send("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")
                let bodies = try Crowd(of: Self.few, port: port)
                bodies.send("POST \(stage.eventsPath) HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n")
                let chunks = try Crowd(of: Self.few, port: port)
                chunks.send("POST \(stage.eventsPath) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n")
                // So much is asked that no system's buffers hold the answers.
                let readers = try Crowd(of: Self.few, port: port, window: 2_048)
                readers.send(String(repeating: "GET /api/v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n", count: 200))
                let senders = [heads, bodies, chunks]
                try await Self.whileServing(stage) {
                    for sender in senders { sender.send("x") }
                }
                guard TestRun.isSoak else { return }
                try await eventually(timeout: .seconds(90)) {
                    for sender in senders {
                        sender.send("x")
                        sender.read()
                    }
                    return senders.allSatisfy { $0.ended == Self.few }
                }
                #expect(senders.allSatisfy { $0.answered(408) == Self.few })
            }
        }

        @Test("connections that say nothing hold nobody up, and are closed when their time is over")
        func idleConnections() async throws {
            try await Self.besides { stage in
                let silent = try Crowd(of: Self.many / 2, port: stage.bitbot.port)
                let served = try Crowd(of: Self.many / 2, port: stage.bitbot.port)
                served.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                try await Self.whileServing(stage) { served.read() }
                try await eventually {
                    served.read()
                    return served.answered(200) == Self.many / 2
                }
                guard TestRun.isSoak else { return }
                try await eventually(timeout: .seconds(120)) {
                    silent.read()
                    served.read()
                    return silent.ended + served.ended == Self.many
                }
                #expect(silent.answered(408) == 0)
            }
        }

        @Test("a flood of connections that come and go holds nobody up and leaves nothing behind")
        func connectionFlood() async throws {
            try await Self.besides { stage in
                try await Self.whileServing(stage) {
                    let crowd = try Crowd(of: Self.few, port: stage.bitbot.port)
                    crowd.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /hea")
                    crowd.leave(rudely: true)
                    try Crowd(of: Self.few, port: stage.bitbot.port).leave()
                }
            }
        }

        @Test("a flood of requests without an end, whose answers nobody reads, holds nobody up")
        func pipeliningFlood() async throws {
            try await Self.besides { stage in
                let packet = String(repeating: "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", count: 500)
                let crowd = try Crowd(of: Self.few, port: stage.bitbot.port)
                crowd.send(packet)
                try await Self.whileServing(stage) {}
                // Whoever reads gets every answer, one for each request.
                let reader = try RawClient(port: stage.bitbot.port)
                try reader.send(packet)
                for _ in 0..<500 { #expect(try await reader.answer().status == 200) }
            }
        }

        @Test(
            "one connection over the bound is told so, those that are open are served, and there is room when others leave",
            .enabled(if: TestRun.isSoak))
        func bound() async throws {
            try await Self.besides { stage in
                let regular = try RawClient(port: stage.bitbot.port)
                try regular.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await regular.answer().status == 200)
                let crowd = try Crowd(of: 10_000, port: stage.bitbot.port)
                crowd.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                try await eventually {
                    crowd.read()
                    return crowd.answered(200) + crowd.ended == 10_000
                }
                #expect(crowd.answered(200) > 9_900)
                let late = try RawClient(port: stage.bitbot.port)
                #expect(try await late.answer().status == 503)
                try regular.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await regular.answer().status == 200)
                crowd.leave()
                try await eventually { await stage.bitbot.isReady() }
                try await Self.whileServing(stage) {}
            }
        }

        @Test("a flood leaves BitBot the files that it needs for its own connections, where it may open few")
        func fewFiles() async throws {
            var plan = Stage.Plan()
            plan.openFiles = 1_024
            plan.script = { ask in [.wait(.milliseconds(800)), .text("You said \(ask.query).")] }
            try await Stage.with(plan) { stage in
                let chats = try (0..<20).map { try stage.customer("C\($0)") }
                for chat in chats { try stage.portal.customerWrites("hello", in: chat) }
                await stage.portal.settle()
                let crowd = try Crowd(of: 1_200, port: stage.bitbot.port)
                crowd.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                try await eventually {
                    crowd.read()
                    return crowd.answered(200) + crowd.ended == 1_200
                }
                for chat in chats { try await stage.untilAnswers(1, in: chat) }
                #expect(!stage.bitbot.log.contains("http_accept_failed"))
                crowd.leave()
                try await eventually { await stage.bitbot.isReady() }
            }
        }

        /// Runs an attack, and holds the program to the descriptors that it had before.
        private static func besides(_ attack: (Stage) async throws -> Void) async throws {
            try await Stage.with { stage in
                try await whileServing(stage) {}
                let before = stage.bitbot.openDescriptors
                try await attack(stage)
                // Some more may be kept connections to the portal and the platform.
                try await eventually { stage.bitbot.openDescriptors <= before + 8 }
                try await whileServing(stage) {}
            }
        }

        /// A customer asks and is answered, ten times, with a piece of an attack before each.
        private static func whileServing(_ stage: Stage, _ attack: () throws -> Void) async throws {
            let chat = try stage.customer()
            let clock = ContinuousClock()
            var longest = Duration.zero
            for turn in 1...10 {
                try attack()
                let start = clock.now
                try stage.portal.customerWrites("hello \(turn)", in: chat)
                try await stage.untilAnswers(turn, in: chat)
                longest = max(longest, clock.now - start)
            }
            #expect(stage.answers(in: chat) == (1...10).map { "You said hello \($0)." })
            if TestRun.isSoak { print("floods: the slowest of ten answers took \(longest)") }
        }
    }
}

extension Stage {
    fileprivate var eventsPath: String { application.installURL.replacing(bitbot.url, with: "") }
}
