import Base
import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Secrets")
    struct Secrets {
        @Test(
            """
            after successes and failures of every party no secret is in the log, the store's bytes, a message, the \
            metrics, a page, an error or anything that the management API shows
            """)
        func leaks() async throws {
            let redis = try await RedisServer.start(password: "redis-" + Vault.randomToken())
            defer { redis.stop() }
            let parrot = try await Parrot.start()
            let planted = PlantedSecrets()
            var plan = Stage.Plan()
            plan.environment["BITBOT_LOG_LEVEL"] = "debug"
            plan.environment["BITBOT_REDIS_URL"] = redis.url
            let sealing = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
            plan.environment["BITBOT_SECRET_KEY"] = sealing
            planted.add("the key that seals the store", sealing)
            planted.add("Redis's password", String(redis.url.split(separator: ":")[2].prefix { $0 != "@" }))
            planted.add("the platform's key", plan.key.reveal())
            planted.add("the application's secret", plan.clientSecret.reveal())
            planted.add("the administrator's token", plan.adminToken.reveal())
            plan.script = { [key = plan.key] ask in
                switch ask.query {
                case "fail": [.failRun("broke with \(key.reveal()) and \(ask.inputs["access_token"]?.text ?? "")")]
                case "refuse": [.refuse(status: 401, code: "unauthorized", message: "bad key \(key.reveal())")]
                case "garble": [.raw("data: {\"answer\": \"\(key.reveal())\n\n"), .cut]
                default: [.text("You said \(ask.query).")]
                }
            }
            try await Stage.with(plan) { stage in
                stage.dify.change(stage.key) { $0.form = [.init("access_token")] }
                let witness = Witness(stage: stage, planted: planted)
                try await witness.live(parrot: parrot.origin)
                redis.stop()
                try await witness.livesOn()
                try await witness.lookEverywhere()
                try await stage.bitbot.terminate()
                try witness.lookIntoFiles()
            }
            await parrot.stop()
        }
    }
}

/// Secrets by what they are.
final class PlantedSecrets: Sendable {
    private let known = Mutex<[String: String]>([:])

    func add(_ name: String, _ secret: String) { known.withLock { $0[secret] = name } }

    var count: Int { known.withLock { $0.count } }

    /// What is found in some bytes, also cut off: the beginning of a secret is enough.
    func found(in bytes: Data) -> Set<String> {
        Set(known.withLock { $0 }.filter { bytes.range(of: Data($0.key.utf8.prefix(16))) != nil }.values)
    }
}
