import Base
import Foundation
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Secrets")
    struct Secrets {
        @Test("no secret is in the log, in the store's bytes, in a message, in the metrics or read back from the API")
        func leaks() async throws {
            let key = Secret("app-" + Vault.randomToken())
            var plan = Stage.Plan()
            plan.key = key
            plan.environment["BITBOT_LOG_LEVEL"] = "debug"
            plan.script = { ask in
                switch ask.query {
                case "fail": [.failRun("broke with \(key.reveal())")]
                case "refuse": [.refuse(status: 401, code: "unauthorized", message: "bad key \(key.reveal())")]
                default: [.text("You said \(ask.query).")]
                }
            }
            try await Stage.with(plan) { stage in
                var secrets = stage.authorization.knownTokens
                try await Self.live(stage)
                secrets.formUnion(stage.authorization.knownTokens)
                secrets.formUnion([key.reveal(), plan.clientSecret.reveal(), plan.adminToken.reveal()])
                secrets.insert(try #require(stage.portal.applicationToken(of: stage.application.clientID)))
                #expect(secrets.count > 6)
                let metrics = try await stage.bitbot.send(.get, "/metrics").body
                var places = [
                    "the log": Data(stage.bitbot.log.utf8), "the metrics": Data(metrics),
                    "the messages": Data(
                        stage.portal.dialogs.flatMap { stage.portal.messages(in: $0.id) }
                            .map(\.text).joined(separator: "\n").utf8),
                ]
                for collection in ["apps", "portals", "installations", "connectors", "bots", "dialogs", "work"] {
                    let answer = try await stage.bitbot.send(.get, "/api/v1/\(collection)")
                    #expect(answer.status == 200)
                    places["/api/v1/\(collection)"] = Data(answer.body)
                }
                for path in try FileManager.default.contentsOfDirectory(atPath: stage.bitbot.data)
                where path.hasPrefix("bitbot.db") {
                    places[path] = try Data(contentsOf: URL(fileURLWithPath: stage.bitbot.data + "/" + path))
                }
                #expect(places["bitbot.db"] != nil && places["bitbot.db-wal"] != nil)
                for (place, bytes) in places {
                    let found = secrets.filter { bytes.range(of: Data($0.utf8)) != nil }
                    #expect(found.isEmpty, "\(found.count) secrets are in \(place)")
                }
                // What is looked for would be found: the transcript is there.
                #expect(places.values.contains { $0.range(of: Data("You said hello".utf8)) != nil })
                try await stage.bitbot.terminate()
                let stored = try Data(contentsOf: URL(fileURLWithPath: stage.bitbot.data + "/bitbot.db"))
                #expect(secrets.allSatisfy { stored.range(of: Data($0.utf8)) == nil })
            }
        }

        /// A bit of everything that handles a secret.
        private static func live(_ stage: Stage) async throws {
            let chat = try stage.customer()
            let chatBot = try stage.portal.privateChat(of: 2, with: stage.botID).id
            try stage.portal.customerWrites("hello", in: chat)
            try stage.portal.employeeWrites("hello", as: 2, in: chatBot)
            try stage.portal.customerWrites("fail", in: chat)
            try stage.portal.customerWrites("refuse", in: chat)
            try await stage.untilAnswers(3, in: chat)
            stage.authorization.expireAccessTokens(of: stage.application.clientID)
            stage.portal.inject(.init(.page(status: 502)))
            stage.portal.inject(.init(.connectionLost))
            try stage.portal.customerWrites("after", in: chat)
            try await stage.untilAnswers(4, in: chat)
            stage.bitbot.kill()
            try await stage.bitbot.start()
            // A stranger's posts and a wrong token are logged without what they brought.
            let known = try await stage.firstAccepted()
            _ = try await stage.repost(known, auth: ["application_token": "wrong"])
            _ = try await stage.portal.install(stage.application)
            try stage.portal.customerWrites("again", in: chat)
            try await stage.untilAnswers(5, in: chat)
        }
    }
}
