import Base
import Bitrix24
import BotPlatforms
import Storage
import Synchronization

@testable import Gateway

/// A bot platform that answers as the test says.
final class ScriptedPlatform: BotPlatform, TakesRatings {
    private let script: @Sendable (Question) throws -> [ReplyPart]
    private let asked = Mutex<[Question]>([])

    init(_ script: @escaping @Sendable (Question) throws -> [ReplyPart]) { self.script = script }

    var questions: [Question] { asked.withLock { $0 } }

    func reply(to question: Question) -> ReplyParts {
        asked.withLock { $0.append(question) }
        return ReplyParts(
            AsyncThrowingStream { continuation in
                do {
                    for part in try script(question) { continuation.yield(part) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            })
    }

    func take(_ rating: Rating?, of answer: String, by user: String) async throws {}
}

extension Stage {
    /// A stage whose bot is on `platform`; the gateway runs.
    static func with(
        generation: BotGeneration = .second, settings: JSON = [:],
        platform: ScriptedPlatform, _ body: (Stage, ScriptedPlatform) async throws -> Void
    ) async throws {
        try await with(generation: generation) { stage in
            try await stage.use(platform, settings: settings)
            await stage.gateway.start()
            try await body(stage, platform)
        }
    }

    func use(_ platform: any BotPlatform, settings: JSON = [:]) async throws {
        try await store.update(bot.id, now: WallClock.system.now) { $0.settings = settings }
        guard let id = bot.connectorID, let connector = try await store.connector(id),
            let provider = try await store.provider(connector.providerID)
        else { throw StoreError.missing("connectors") }
        gateway.platforms.keep(platform, for: connector, provider)
    }

    /// Calls of methods that say or do something, without looks and typing.
    var deeds: [(method: String, parameters: JSON)] {
        calls.filter {
            !$0.method.hasPrefix("im.") && !$0.method.lowercased().contains("typing")
                && !$0.method.contains("InputAction")
        }
    }
}
