import Base
import Bitrix24
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("The readers of events", .timeLimit(.minutes(1)))
struct EventReaderTests {
    @Test("events are confirmed by the next poll, once they are stored; what cannot be read is passed over")
    func confirmation() async throws {
        let script = FetchScript { poll in
            switch poll.offset {
            case nil:
                FetchScript.page(
                    [
                        FetchScript.message(1, event: 10), ["eventId": 11, "type": "ONIMBOTV2MESSAGEADD", "data": []],
                        ["eventId": 12, "type": "ONIMBOTV2MESSAGEADD", "data": ["bot": ["id": 1], "message": nil]],
                        ["nothing": true], ["eventId": 13, "type": "ONSOMETHINGNEW", "data": false],
                        FetchScript.message(2, event: 14),
                    ], next: 15)
            default: FetchScript.page([], next: 15)
            }
        }
        try await script.run { reader in
            try await eventually { script.polls.contains { $0.offset == 15 } }
            #expect(try await reader.count("events") == 2)
            #expect(try await reader.bot().offset == 15)
            #expect(script.polls.first?.offset == nil)
        }
    }

    @Test("an answer that comes again is not taken again, not even a joining after its ten seconds")
    func repeated() async throws {
        let join: JSON = [
            "eventId": 20, "type": "ONIMBOTV2JOINCHAT", "date": "2026-01-01T00:00:00+00:00",
            "data": ["bot": ["id": 456], "dialogId": "chat5", "chat": ["id": 5, "dialogId": "chat5"]],
        ]
        let script = FetchScript { _ in FetchScript.page([FetchScript.message(1, event: 10), join], next: nil) }
        try await script.run { reader in
            try await eventually { script.polls.count > 2 }
            try await reader.store.database.write {
                _ = try $0.run("UPDATE events SET received_at = 0 WHERE kind = 'joined'")
            }
            let before = script.polls.count
            try await eventually { script.polls.count > before + 2 }
            #expect(try await reader.count("events") == 2)
            // A portal that names no next offset is told what was seen.
            #expect(script.polls.last?.offset == 21)
        }
    }

    @Test("what cannot be stored is not confirmed, and taken when it can")
    func storeFails() async throws {
        let script = FetchScript { poll in
            (poll.offset ?? 0) > 10
                ? FetchScript.page([], next: 11) : FetchScript.page([FetchScript.message(1, event: 10)], next: 11)
        }
        let fault = "CREATE TRIGGER fault BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END"
        try await script.run(before: fault) { reader in
            try await eventually { script.polls.count > 1 }
            #expect(script.polls.allSatisfy { $0.offset == nil })
            #expect(try await reader.bot().offset == nil)
            try await reader.store.database.write { _ = try $0.run("DROP TRIGGER fault") }
            try await eventually { try await reader.bot().offset == 11 }
            #expect(try await reader.count("events") == 1)
        }
    }

    @Test("an answer that is too large is asked for again in smaller pieces")
    func tooLarge() async throws {
        let script = FetchScript { poll in
            poll.limit > 100 ? FetchScript.tooLarge : FetchScript.page([FetchScript.message(1, event: 10)], next: 11)
        }
        try await script.run { reader in
            try await eventually { try await reader.count("events") == 1 }
            #expect(script.polls.map(\.limit).prefix(5) == [1000, 500, 250, 125, 62])
        }
    }

    @Test("polls take half of the portal's limit at most, however many installations it has")
    func half() async throws {
        let script = FetchScript { _ in FetchScript.page([], next: nil) }
        try await script.run(perSecond: 20, installations: 3) { _ in
            try await eventually { script.polls.count >= 12 }
            let times = script.polls.map(\.time)
            // Without the pace all three would be polled each hundredth of a second.
            #expect(times[11] - times[0] >= .milliseconds(1_000))
        }
    }
}

/// A portal that answers `imbot.v2.Event.get` as a test says.
private final class FetchScript: Sendable {
    struct Poll: Sendable {
        var offset: Int64?
        var limit: Int64
        var time: ContinuousClock.Instant
    }
    private let answer: @Sendable (Poll) -> JSON
    private let seen = Mutex<[Poll]>([])

    /// An answer larger than may be.
    static let tooLarge = JSON.string("too large")

    init(_ answer: @escaping @Sendable (Poll) -> JSON) { self.answer = answer }

    var polls: [Poll] { seen.withLock { $0 } }

    static func message(_ id: Int64, event: Int64) -> JSON {
        [
            "eventId": .integer(event), "type": "ONIMBOTV2MESSAGEADD", "date": "2026-01-01T00:00:00+00:00",
            "data": [
                "bot": ["id": 456, "code": "bot"],
                "message": ["id": .integer(id), "chatId": 5, "authorId": 7, "text": "Hello", "isSystem": false],
                "chat": ["id": 5, "dialogId": "chat5", "entityType": "", "owner": nil],
                "user": ["id": 7, "bot": false, "firstName": "Ann"], "language": "en",
            ],
        ]
    }

    static func page(_ events: [JSON], next: Int64?) -> JSON {
        ["events": .array(events), "nextOffset": next.map(JSON.integer) ?? .null, "hasMore": false]
    }

    struct Reader {
        var store: Store
        var botID: ID<BotRecord>
        func count(_ rows: String) async throws -> Int64 {
            try await store.database.read { try $0.row("SELECT count(*) FROM \(rows)") { $0.integer(0) } } ?? 0
        }
        func bot() async throws -> FetchingBot { try #require(try await store.fetchingBots().first { $0.id == botID }) }
    }

    func run(
        before sql: String? = nil, perSecond: Double = 0, installations: Int = 1,
        _ body: (Reader) async throws -> Void
    ) async throws {
        let loops = EventLoopGroup(count: 1)
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: .silent, handler: { try self.handle($0) })
        let folder = try TemporaryFolder()
        let metrics = Metrics()
        let database = try await Database.open(path: folder.file("bitbot.db"), log: .silent, metrics: metrics)
        let store = try await Store(database: database, vault: Vault(key: [UInt8](repeating: 7, count: 32)))
        let origin = "http://127.0.0.1:\(server.port)"
        let http = HTTPClient(loops: loops, alwaysAllowed: [origin])
        let portals = Portals(
            store: store, http: http, authorization: AuthorizationServer(url: origin, http: http), clock: .system,
            log: .silent, metrics: metrics)
        var settings = Gateway.Settings()
        settings.polling = .init(idle: .milliseconds(10), more: .milliseconds(5))
        let gateway = Gateway(
            store: store, sessions: OwnSessionStore(), portals: portals,
            platforms: Platforms(http: http, privateUpstreams: .admin, clock: .system, log: .silent),
            settings: settings, loops: loops, log: .silent, metrics: metrics)
        var outcome: Result<Void, any Error>
        do {
            var bots: [ID<BotRecord>] = []
            for number in 1...installations {
                bots.append(try await Self.bot(store, origin, number: number, perSecond: perSecond))
            }
            if let sql { try await database.write { _ = try $0.run(sql) } }
            await gateway.start()
            outcome = .success(try await body(Reader(store: store, botID: bots[0])))
        } catch {
            outcome = .failure(error)
        }
        await gateway.stop(grace: .zero)
        await http.shutdown()
        await server.shutdown(grace: .zero)
        await database.close()
        loops.stop()
        try outcome.get()
    }

    private static func bot(
        _ store: Store, _ origin: String, number: Int, perSecond: Double
    ) async throws -> ID<BotRecord> {
        let now = WallClock.system.now
        let app = try await store.createApp(
            name: "App", clientID: "local.\(number)", clientSecret: Secret("client-secret"), bitbot: true,
            pageURL: nil, sandbox: false, now: now)
        let installation = try await store.saveInstallation(
            ConfirmedInstallation(
                memberID: "member", domain: "some-domain.bitrix24.com", appID: app.id, sandbox: false, scope: "imbot",
                clientEndpoint: origin + "/rest/", serverEndpoint: origin + "/rest/", applicationToken: nil,
                userID: "1", admin: true, accessToken: Secret("access-token"), refreshToken: nil,
                expiresAt: now + .seconds(3600)), now: now)
        try await store.update(installation.portalID) { $0.limitPerSecond = perSecond }
        var draft = BotDraft(installationID: installation.id, name: "Bot", code: "bot\(number)")
        draft.delivery = "fetch"
        return try await store.update(try await store.createBot(draft, now: now).id, now: now) { bot in
            bot.botID = number == 1 ? 456 : 456 + Int64(number)
            bot.status = .active
            return bot.id
        }
    }

    private func handle(_ request: HTTPRequest) throws -> HTTPResponse {
        guard request.path.lowercased().hasSuffix("imbot.v2.event.get") else {
            return HTTPResponse(
                status: 200, headers: ["Content-Type": "application/json"],
                body: .bytes((["result": true] as JSON).bytes))
        }
        let parameters = try JSON(parsing: request.body)
        let poll = Poll(
            offset: parameters["offset"]?.integer, limit: parameters["limit"]?.integer ?? 100, time: .now)
        seen.withLock { $0.append(poll) }
        let result = answer(poll)
        let body =
            result == Self.tooLarge
            ? [UInt8](repeating: UInt8(ascii: " "), count: 17 * 1024 * 1024) : (["result": result] as JSON).bytes
        return HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: .bytes(body))
    }
}
