import Base
import TestSupport
import Testing

@testable import Storage

@Suite struct PurgeTests {
    private let now = TestStore.now
    private func days(_ count: Int) -> Timestamp { now - .seconds(86400 * count) }

    private func purge(_ store: Store) async throws -> Int {
        var rounds = 1
        while try await store.purge(now: now, keepDays: 30) { rounds += 1 }
        return rounds
    }

    @Test("transcripts go after the days to keep, in small steps, and the dialogs with nothing left")
    func transcripts() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let old = try await store.addDialog(of: bot, "old", at: days(31))
        let active = try await store.addDialog(of: bot, "active", at: days(1))
        try await store.database.write { [now] connection in
            for n: Int64 in 1...1200 {
                try connection.addMessage(
                    dialog: n % 2 == 0 ? old : active, event: nil, author: .customer, text: "old",
                    at: now - .seconds(86400 * 31))
            }
            try connection.addMessage(dialog: active, event: nil, author: .bot, text: "new", at: now)
        }
        #expect(try await purge(store) > 2)
        let kept = try await store.messages(of: active, limit: 9, after: nil).items
        #expect(kept.map(\.text) == ["new"])
        #expect(try await store.count("messages") == 1)
        #expect(try await store.dialogs(limit: 9, after: nil).items.map(\.dialog.id) == [active])
    }

    @Test("finished work is known for seven days, unfinished work stays, failed work goes after the days to keep")
    func work() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let dialog = try await store.addDialog(of: bot, at: days(40))
        let portal = try #require(try await store.portal(memberID: "member-1")).id
        try await store.database.write { connection in
            for (state, age, finished) in [
                // As they came: ids grow with time.
                ("waiting", 40, false), ("failed", 31, false), ("failed", 29, false), ("done", 8, true),
                ("done", 6, true),
            ] {
                let at = SQLValue(days(age))
                let values: [SQLValue] = [SQLValue(portal), SQLValue(bot.id), SQLValue(dialog), .text(state), at, at]
                let finishedAt = finished ? at : .null
                try connection.run(
                    """
                    INSERT INTO events (portal_id, bot_id, dialog_id, state, received_at, not_before, finished_at, known_as,
                        kind)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'message')
                    """, values + [finishedAt, .text("\(state) \(age)")])
                try connection.run(
                    """
                    INSERT INTO outbox (portal_id, bot_id, dialog_id, state, created_at, not_before, finished_at, payload)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """, values + [finishedAt, .text("\(state) \(age)")])
            }
        }
        _ = try await purge(store)
        let (events, outbox) = try await store.database.read { connection in
            (
                try connection.rows("SELECT known_as FROM events ORDER BY id") { $0.text(0) },
                try connection.rows("SELECT payload FROM outbox ORDER BY id") { $0.text(0) }
            )
        }
        #expect(events == ["waiting 40", "failed 29", "done 6"])
        #expect(outbox == events)
        #expect(try await store.dialog(dialog) != nil)
    }

    @Test("expired sessions and access tokens go")
    func expired() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let connector = try #require(bot.connectorID)
        for (n, expiry) in [(1, days(1)), (2, now + .seconds(5))] {
            let dialog = try await store.addDialog(of: bot, "chat\(n)")
            try await store.database.write { connection in
                try connection.save(
                    SessionRecord(dialogID: dialog, connectorID: connector, platformID: "\(n)", expiresAt: expiry))
            }
            _ = try await store.createAPIToken(.token, name: "x", expiresAt: expiry, now: days(2))
        }
        _ = try await store.createAPIToken(.token, name: "for ever", expiresAt: nil, now: days(2))
        #expect(try await purge(store) == 1)
        #expect(try await store.count("sessions") == 1)
        #expect(try await store.count("api_tokens") == 2)
    }

    @Test("an erased dialog leaves nothing behind")
    func erase() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let dialog = try await store.addDialog(of: bot)
        let connector = try #require(bot.connectorID)
        try await store.database.write { [now] connection in
            try connection.addMessage(dialog: dialog, event: nil, author: .customer, text: "Hello", at: now)
            try connection.save(
                SessionRecord(dialogID: dialog, connectorID: connector, platformID: "1", expiresAt: now))
        }
        try await store.eraseDialog(dialog)
        for table in ["dialogs", "messages", "sessions"] { #expect(try await store.count(table) == 0) }
        await #expect(throws: StoreError.missing("dialogs")) { try await store.eraseDialog(dialog) }
    }

    @Test("the id of something that was erased is never given again")
    func idsAreNotReused() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let former = try await store.addDialog(of: bot, "former")
        try await store.eraseDialog(former)
        #expect(try await store.addDialog(of: bot, "next").rawValue > former.rawValue)
        try await store.deleteBot(bot.id)
        #expect(try await store.addBot(member: "member-2").id.rawValue > bot.id.rawValue)
    }

    @Test("failed work stays known for seven days, even where transcripts are kept for less")
    func failedWorkStaysKnown() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let dialog = try await store.addDialog(of: bot)
        let portal = try #require(try await store.portal(memberID: "member-1")).id
        try await store.database.write { connection in
            for age in [8, 6] {
                try connection.run(
                    """
                    INSERT INTO events (portal_id, bot_id, dialog_id, state, received_at, not_before, known_as, kind)
                    VALUES (?, ?, ?, 'failed', ?, 0, ?, 'message')
                    """,
                    [
                        SQLValue(portal), SQLValue(bot.id), SQLValue(dialog), SQLValue(days(age)),
                        .text("message:\(age)"),
                    ])
            }
        }
        while try await store.purge(now: now, keepDays: 1) {}
        let known = try await store.database.read { try $0.rows("SELECT known_as FROM events", []) { $0.text(0) } }
        #expect(known == ["message:6"])
    }
}
