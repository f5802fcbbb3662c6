import Base
import TestSupport
import Testing

@testable import Storage

@Suite struct RedisSessionTests {
    /// A store with one dialog, and a Redis beside it.
    private struct Fixture {
        let store: Store
        let server: RedisServer
        /// What another tool uses.
        let tool: Redis
        let sessions: RedisSessionStore
        let metrics: Metrics
        let dialog: ID<DialogRecord>
        let connector: ID<ConnectorRecord>
        let bot: BotRecord
        let key = SessionKey(memberID: "member-1", botID: 77, dialogID: "chat1")
        static let name = "bitbot:member-1:77:chat1"

        init() async throws {
            let test = try await TestStore()
            store = test.store
            metrics = test.metrics
            server = try await RedisServer.start()
            let address = try Redis.Address(server.url)
            tool = Redis(address, log: .silent)
            sessions = RedisSessionStore(
                redis: Redis(address, log: .silent), store: store, clock: .system, log: .silent, metrics: metrics)
            bot = try await store.addBot()
            dialog = try await store.addDialog(of: bot)
            connector = try #require(bot.connectorID)
            let tool = tool
            try await eventually { (try? await tool.ping()) != nil }
            let sessions = sessions
            try await eventually {
                await sessions.repair()
                return sessions.trouble == nil
            }
        }

        func session(_ id: String, lasting: Duration = .seconds(3600)) -> SessionRecord {
            SessionRecord(
                dialogID: dialog, connectorID: connector, platformID: id, data: ["history": [.string(id)]],
                expiresAt: WallClock.system.now + lasting)
        }

        /// What the gateway does with a reply.
        func save(_ session: SessionRecord) async throws {
            try await store.database.write { try $0.save(session) }
            await sessions.committed(session, key: key)
        }

        func end() async throws {
            try await store.database.write { [dialog] in try $0.endSession(of: dialog) }
            await sessions.committed(nil, key: key)
        }

        /// What the gateway does with a message.
        func current() async throws -> SessionRecord? {
            let stored = try await store.database.read { [dialog, connector] in
                try $0.session(of: dialog, connector: connector, now: WallClock.system.now)
            }
            return await sessions.current(stored, key: key)
        }

        func noted() async throws {
            try await eventually {
                try await store.database.read { [dialog] in
                    try $0.mirroredSession(of: dialog)?.isMirrored(at: WallClock.system.now)
                } == true
            }
        }

        /// Waits for the trouble to be noticed or to be over.
        func trouble(_ expected: Bool) async throws {
            let sessions = sessions
            try await eventually { (sessions.trouble != nil) == expected }
        }

        var up: Bool { metrics.render().contains("bitbot_redis_up 1") }
    }

    @Test("the id stands in Redis as a plain string and goes with the session")
    func plainString() async throws {
        let f = try await Fixture()
        #expect(f.up && f.sessions.trouble == nil)
        try await f.save(f.session("one"))
        #expect(try await f.tool.get(Fixture.name) == "one")
        let session = f.session("two")
        try await f.save(session)
        #expect(try await f.tool.get(Fixture.name) == "two")
        #expect(try await f.current() == session)
        try await f.end()
        #expect(try await f.tool.get(Fixture.name) == nil)
        #expect(try await f.current() == nil)
    }

    @Test("the key lives as long as the session")
    func timeToLive() async throws {
        let f = try await Fixture()
        try await f.save(f.session("one", lasting: .milliseconds(300)))
        let tool = f.tool
        try await eventually { try await tool.get(Fixture.name) == nil }
        try await eventually { try await f.current() == nil }
    }

    @Test("a key that another tool changed wins at the next message", arguments: [false, true])
    func changedByTool(_ afterNoting: Bool) async throws {
        let f = try await Fixture()
        let session = f.session("one")
        try await f.save(session)
        if afterNoting { try await f.noted() }
        try await f.tool.set(Fixture.name, "theirs", expiresIn: .seconds(60))
        let current = try #require(try await f.current())
        #expect(current.platformID == "theirs" && current.data == [:] && current.dialogID == f.dialog)
        #expect(current.connectorID == f.connector && current.expiresAt == session.expiresAt)
        try await f.save(f.session("theirs"))
        #expect(try await f.current()?.platformID == "theirs")
    }

    @Test("a key that another tool made where there was no session wins at the next message")
    func madeByTool() async throws {
        let f = try await Fixture()
        try await f.tool.set(Fixture.name, "theirs", expiresIn: .seconds(60))
        let current = try #require(try await f.current())
        #expect(current.platformID == "theirs" && current.dialogID == f.dialog && current.connectorID == f.connector)
    }

    @Test("a key that another tool removed ends the session", arguments: [false, true])
    func removedByTool(_ afterNoting: Bool) async throws {
        let f = try await Fixture()
        try await f.save(f.session("one"))
        if afterNoting { try await f.noted() }
        try await f.tool.delete(Fixture.name)
        #expect(try await f.current() == nil)
        #expect(try await f.current() == nil)
        // A start in between does not bring it back.
        try await f.noted()
        await f.sessions.repair()
        #expect(try await f.tool.get(Fixture.name) == nil)
    }

    @Test("an id that never reached Redis is not taken for removed, and is written")
    func notYetWritten() async throws {
        let f = try await Fixture()
        let session = f.session("one")
        try await f.store.database.write { try $0.save(session) }
        #expect(try await f.current() == session)
        #expect(try await f.tool.get(Fixture.name) == "one")
    }

    @Test("an id that was stored but not written yet wins over the former one in Redis")
    func formerInRedis() async throws {
        let f = try await Fixture()
        try await f.save(f.session("one"))
        try await f.noted()
        let session = f.session("two")
        try await f.store.database.write { try $0.save(session) }
        #expect(try await f.current() == session)
        #expect(try await f.tool.get(Fixture.name) == "two")
    }

    @Test("at start what Redis lacks is written and what has ended is removed")
    func repairAtStart() async throws {
        let f = try await Fixture()
        var keys: [String] = []
        for n in 1...250 {
            let dialog = try await f.store.addDialog(of: f.bot, "repair\(n)")
            var session = f.session("session-\(n)")
            session.dialogID = dialog
            let saved = session
            try await f.store.database.write { try $0.save(saved) }
            keys.append("bitbot:member-1:77:repair\(n)")
        }
        try await f.save(f.session("one"))
        try await f.noted()
        try await f.store.database.write { try $0.endSession(of: f.dialog) }
        await f.sessions.repair()
        for (n, key) in zip(1..., keys) { #expect(try await f.tool.get(key) == "session-\(n)") }
        #expect(try await f.tool.get(Fixture.name) == nil)
        try await eventually { try await f.store.count("sessions WHERE connector_id = 0") == 0 }
    }

    @Test("with Redis away the store's copy serves and this is said; afterwards Redis has it again")
    func awayAndBack() async throws {
        let f = try await Fixture()
        try await f.save(f.session("one"))
        f.server.stop()
        let session = f.session("two")
        try await f.save(session)
        #expect(try await f.current() == session)
        try await f.trouble(true)
        #expect(!f.up)
        try await f.server.restart()
        try await f.trouble(false)
        #expect(f.up)
        #expect(try await f.tool.get(Fixture.name) == "two")
        #expect(try await f.current() == session)
    }

    @Test("a session that ended while Redis was away does not come back from there")
    func endedWhileAway() async throws {
        let f = try await Fixture()
        try await f.save(f.session("one"))
        try await f.noted()
        f.server.pause()
        try await f.end()
        try await f.trouble(true)
        #expect(try await f.current() == nil)
        f.server.resume()
        try await f.trouble(false)
        #expect(try await f.current() == nil)
        #expect(try await f.tool.get(Fixture.name) == nil)
    }

    @Test("a Redis that lost its memory is filled again, and no conversation is forgotten")
    func lostMemory() async throws {
        let f = try await Fixture()
        let session = f.session("one")
        try await f.save(session)
        try await f.noted()
        try await f.server.restart()
        // The first questions may still meet the connection that broke.
        #expect(try await f.current() == session)
        let tool = f.tool
        try await eventually {
            guard try await f.current() == session else {
                throw Unexpected("the conversation was forgotten")
            }
            let value = try? await tool.get(Fixture.name)
            return value == "one"
        }
    }
}
