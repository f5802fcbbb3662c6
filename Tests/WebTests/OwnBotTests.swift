import Base
import Sandbox
import Synchronization
import TestSupport
import Testing

@Suite("A bot of somebody's own answers in the portal")
struct OwnBotTests {
    @Test("a question that was put off comes again under the same id, and the session comes back")
    func conversation() async throws {
        let busy = Busy()
        let webhook = try await SimulatedWebhook.start(loops: Stage.loops, log: .silent) { asked in
            guard asked.event == "message" else { return .nothing }
            if busy.isFirst { return .response(.text("Not now", status: 503)) }
            let turn = (asked.session["turn"]?.integer ?? 0) + 1
            return .json(["text": .string("\(turn): \(asked.text)"), "session": ["turn": .integer(turn)]])
        }
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let provider = try await stage.make(
                "providers", ["name": "Own", "type": "webhook", "url": .string(webhook.url)])
            let connector = try await stage.make(
                "connectors", ["name": "Own", "provider_id": try #require(provider["id"]), "key": "signing-key-0123"])
            let bot = try await stage.make(
                "bots",
                [
                    "name": "Helper", "installation_id": .string(installed.id), "type": "bot",
                    "connector_id": try #require(connector["id"]),
                ])
            #expect(try await stage.answered(bot, "Hello").text == "1: Hello")
            #expect(try await stage.answered(bot, "Again").text == "2: Again")
        }
        let ids = webhook.asked.filter { $0.event == "message" }.map { $0.headers["Idempotency-Key"] ?? "" }
        #expect(ids.count == 3)
        #expect(ids[0] == ids[1] && ids[1] != ids[2] && !ids[0].isEmpty)
        #expect(webhook.asked.allSatisfy { $0.headers["X-BitBot-Signature"]?.hasPrefix("t=") == true })
        await webhook.shutdown()
    }

    /// True once.
    private final class Busy: Sendable {
        private let state = Mutex(true)
        var isFirst: Bool {
            state.withLock { first in
                defer { first = false }
                return first
            }
        }
    }
}
