import Base
import Foundation
import Storage
import TestSupport
import Testing

@Suite("Health")
struct HealthTests {
    @Test("a healthy server says so, and shows its figures")
    func healthy() async throws {
        try await Stage.with { stage in
            #expect(try await stage.send(.get, "/healthz").json == ["status": "ok"])
            let ready = try await stage.send(.get, "/readyz")
            #expect(ready.status == 200)
            #expect(ready.json == ["store": "ok", "sessions": "ok"])
            let metrics = try await stage.send(.get, "/metrics")
            #expect(metrics.status == 200)
            #expect(metrics.headers["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(metrics.text.contains("# TYPE bitbot_refused_events_total counter"))
            #expect(ready.headers["X-Content-Type-Options"] == "nosniff")
        }
    }

    @Test("with Redis away the server stays ready and says what is wrong")
    func redisAway() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let folder = try TemporaryFolder()
        let metrics = Metrics()
        let database = try await Database.open(path: folder.file("store.db"), log: .silent, metrics: metrics)
        let store = try await Store(database: database, vault: try Vault(key: Vault.randomBytes(32)))
        let redis = Redis(try Redis.Address(server.url), log: .silent)
        var options = Stage.Options()
        options.sessions = RedisSessionStore(
            redis: redis, store: store, clock: .system, log: .silent, metrics: metrics)
        try await Stage.with(options) { stage in
            try await eventually { try await stage.send(.get, "/readyz").json["sessions"] == "ok" }
            server.stop()
            let someone = SessionKey(memberID: "m", botID: 1, dialogID: "chat1")
            try await eventually {
                _ = await options.sessions?.current(nil, key: someone)
                return try await stage.send(.get, "/readyz").json["sessions"] != "ok"
            }
            let ready = try await stage.send(.get, "/readyz")
            #expect(ready.status == 200)
            #expect(ready.json["store"] == "ok")
            #expect(ready.json["sessions"] != "ok")
            let findings = try await stage.command(.get, "/doctor")["findings"]?.array ?? []
            #expect(findings.first { $0["name"] == "sessions" }?["trouble"]?.string != nil)
        }
        await redis.shutdown()
        await database.close()
    }

    @Test("bitbot doctor finds what is well and what is not, one line each")
    func doctor() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            _ = try await stage.bot(of: installed)
            func troubles() async throws -> Members<JSON> {
                let findings = try #require(try await stage.command(.get, "/doctor")["findings"]?.array)
                return Members(try findings.map { (try $0.field("name"), $0["trouble"] ?? .null) })
            }
            let domain = stage.portal.domain
            // A platform that needs no key is well without one.
            let flow = try await stage.make("providers", ["name": "Typebot", "type": "typebot"])
            _ = try await stage.make(
                "connectors",
                [
                    "name": "Order", "provider_id": try #require(flow["id"]),
                    "url": "https://typebot.io/api/v1/typebots/order/startChat",
                ])
            let well = try await troubles()
            #expect(well.values.allSatisfy({ $0.isNull }), "\(well)")
            #expect(
                Set(well.keys).isSuperset(of: [
                    "store", "sessions", "\(domain): Token", "\(domain): Bot Helper", "connector Flow",
                ]))
            _ = try await stage.make("bots", ["name": "Idle", "installation_id": .string(installed.id)])
            await stage.portal.stop()
            let found = try await troubles()
            #expect(found["\(domain): Bot Idle"]?.string?.contains("connector") == true)
            #expect(found["\(domain): Token"]?.string?.contains("cannot be reached") == true)
        }
    }

    @Test("a browser is led from / to the admin panel, and /bitbot/ says how to get there")
    func pages() async throws {
        try await Stage.with { stage in
            let front = try await stage.send(.get, "/")
            #expect(front.status == 302)
            let page = try await stage.send(.get, try #require(front.headers["Location"]))
            #expect(page.text.contains("/pages/admin/main.js"))
            #expect(page.headers["Content-Security-Policy"]?.contains("frame-ancestors 'none'") == true)
            #expect(try await stage.send(.get, "/bitbot/").text.contains(#""notice":"elsewhere""#))
        }
    }
}
