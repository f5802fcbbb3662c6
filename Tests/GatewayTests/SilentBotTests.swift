import Base
import Synchronization
import TestSupport
import Testing

@testable import BotPlatforms
@testable import Gateway

@Suite("A bot that never answers", .timeLimit(.minutes(1)))
struct SilentBotTests {
    @Test("a webhook has two minutes; then the customer is told in plain words, and it is not asked again")
    func webhook() async throws {
        let asked = Mutex(0)
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: Stage.loops, log: .silent
        ) { _ in
            asked.withLock { $0 += 1 }
            try await Task.sleep(for: .seconds(3600))
            return HTTPResponse(status: 204)
        }
        let http = HTTPClient(loops: Stage.loops)
        var bot = WebhookBot(
            PlatformConfiguration(
                url: "http://127.0.0.1:\(server.port)/", key: nil, options: [:], trust: .privateAllowed, http: http,
                clock: .system, log: .silent))
        #expect(bot.timeouts.firstByte == .seconds(120))
        bot.timeouts.firstByte = .milliseconds(100)
        try await Stage.with { stage in
            try await stage.use(bot)
            await stage.gateway.start()
            try await stage.say("Hello", id: 10)
            try await eventually { stage.sends == [ChatTexts.in("en").failure] }
            try await eventually { try await stage.count("events WHERE state = 'failed'") == 1 }
        }
        #expect(asked.withLock { $0 } == 1)
        await http.shutdown()
        await server.shutdown(grace: .zero)
    }
}
