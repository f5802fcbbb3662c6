import Base
import TestSupport
import Testing

@testable import Storage

@Suite("Lists of dialogs and work")
struct DialogListTests {
    private let now = TestStore.now

    private func everything(_ store: Store, _ filter: DialogFilter = DialogFilter(), by limit: Int) async throws
        -> [String]
    {
        try await Page.all { try await store.dialogs(filter, limit: limit, after: $0) }.map(\.dialog.dialogID)
    }

    @Test("the newest activity comes first, and pages neither repeat nor leave out a dialog, of one moment either")
    func order() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        for (name, age) in [("a", 3), ("b", 1), ("c", 1), ("d", 1), ("e", 2)] {
            _ = try await store.addDialog(of: bot, name, at: now - .seconds(age))
        }
        for limit in 1...6 { #expect(try await everything(store, by: limit) == ["d", "c", "b", "e", "a"], "\(limit)") }
        // A message moves its dialog to the front.
        let portal = try #require(try await store.portal(memberID: "member-1")).id
        try await store.database.write { [now] in
            _ = try $0.touchDialog(bot: bot.id, portal: portal, dialogID: "a", chatID: nil, title: nil, now: now)
        }
        #expect(try await everything(store, by: 2) == ["a", "d", "c", "b", "e"])
        for wrong in ["x", "a", "a1", "a1-", "a-1-2", "p1", "a01-1"] {
            await #expect(throws: StoreError.badCursor) { try await store.dialogs(limit: 1, after: wrong) }
        }
    }

    @Test("a list holds only what its filters let through, and each together with the others")
    func filters() async throws {
        let store = try await TestStore().store
        let first = try await store.addBot(member: "member-1")
        let second = try await store.addBot(member: "member-2", clientID: "local.2")
        for number in 1...3 { _ = try await store.addDialog(of: first, "first\(number)", at: now + .seconds(number)) }
        _ = try await store.addDialog(of: second, "second", at: now)
        try await store.database.write {
            _ = try $0.run("UPDATE dialogs SET state = 'operator' WHERE dialog_id IN ('first2', 'second')")
        }
        var filter = DialogFilter()
        filter.portal = try #require(try await store.portal(memberID: "member-1")).id
        #expect(try await everything(store, filter, by: 2) == ["first3", "first2", "first1"])
        filter.state = .operator
        #expect(try await everything(store, filter, by: 2) == ["first2"])
        filter.bot = second.id
        #expect(try await everything(store, filter, by: 2) == [])
        filter.portal = nil
        #expect(try await everything(store, filter, by: 2) == ["second"])
    }

    @Test("a search finds parts of titles and ids, in small and capital letters, and takes % and _ as they are")
    func search() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        for (dialog, title) in [("chat1", "Иван Петров - Сайт"), ("chat2", "Anna 100%"), ("chat33", "Anna_B")] {
            let id = try await store.addDialog(of: bot, dialog)
            try await store.database.write {
                _ = try $0.run("UPDATE dialogs SET title = ? WHERE id = ?", [.text(title), SQLValue(id)])
            }
        }
        for (text, found) in [
            ("иван", ["chat1"]), ("иван петров", ["chat1"]), ("anna", ["chat33", "chat2"]), ("0%", ["chat2"]),
            ("a_b", ["chat33"]), ("_", ["chat33"]), ("\\", []), ("chat3", ["chat33"]), ("nobody", []),
        ] {
            var filter = DialogFilter()
            filter.text = text
            #expect(try await everything(store, filter, by: 9) == found, "\(text)")
        }
    }

    @Test("a dialog shows its bot, its portal, the beginning of the last line, and whether work of it has failed")
    func summary() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let dialogs = [
            try await store.addDialog(of: bot, "event"), try await store.addDialog(of: bot, "send"),
            try await store.addDialog(of: bot, "well"),
        ]
        let portal = try #require(try await store.portal(memberID: "member-1"))
        let long = String(repeating: "ж", count: 130)
        try await store.database.write { [now] connection in
            for text in ["First", long] {
                try connection.addMessage(dialog: dialogs[0], event: nil, author: .customer, text: text, at: now)
            }
            for (dialog, state) in zip(dialogs, ["failed", "done", "done"]) {
                try connection.run(
                    """
                    INSERT INTO events (portal_id, bot_id, dialog_id, state, last_error, received_at, not_before, known_as,
                        kind)
                    VALUES (?, ?, ?, ?4, IIF(?4 = 'failed', 'Why', NULL), 0, 0, ?, 'message')
                    """,
                    [SQLValue(portal.id), SQLValue(bot.id), SQLValue(dialog), .text(state), .text("\(dialog)")])
            }
            for (dialog, state) in zip(dialogs, ["done", "failed", "done"]) {
                try connection.run(
                    """
                    INSERT INTO outbox (portal_id, bot_id, dialog_id, state, last_error, created_at, not_before)
                    VALUES (?, ?, ?, ?4, IIF(?4 = 'failed', 'Why', NULL), 0, 0)
                    """, [SQLValue(portal.id), SQLValue(bot.id), SQLValue(dialog), .text(state)])
            }
        }
        let shown = try await store.dialogs(limit: 9, after: nil).items
        #expect(shown.map(\.hasFailed) == [false, true, true])
        #expect(shown.map(\.lastText) == [nil, nil, long.prefix(119) + "…"])
        #expect(shown.allSatisfy { $0.botName == "Bot" && $0.portalDomain == portal.domain })
        #expect(try await store.dialogSummary(dialogs[1]) == shown[1])
    }

    @Test("whatever is filtered, a list goes along the index of activity and looks at no further row than it shows")
    func plan() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        _ = try await store.addDialog(of: bot)
        for variant in 0..<8 {
            var filter = DialogFilter()
            if variant & 1 > 0 { filter.portal = ID(rawValue: 1) }
            if variant & 2 > 0 { filter.bot = bot.id }
            if variant & 4 > 0 { filter.state = .bot }
            let (sql, values) = Store.dialogsStatement(filter, after: nil, limit: 50)
            let plan = try await store.database.read { connection in
                try connection.rows("EXPLAIN QUERY PLAN \(sql)", values) { $0.text(3) }
            }
            #expect(
                plan.contains("SEARCH dialogs USING COVERING INDEX dialogs_by_activity (last_message_at<?)"), "\(plan)")
            #expect(
                plan.contains { $0.hasPrefix("SEARCH events USING") && $0.contains("events_with_error") },
                "\(plan)")
            #expect(!plan.contains { $0.hasPrefix("SCAN") && !$0.contains("found") }, "\(plan)")
        }
    }

    @Test("work can be listed for one portal, page by page")
    func work() async throws {
        let store = try await TestStore().store
        let bots = [
            try await store.addBot(member: "member-1"), try await store.addBot(member: "member-2", clientID: "local.2"),
        ]
        var portals: [ID<PortalRecord>] = []
        for member in 1...2 { portals.append(try #require(try await store.portal(memberID: "member-\(member)")).id) }
        for (index, bot) in bots.enumerated() {
            let dialog = try await store.addDialog(of: bot)
            try await store.database.write { [portals] connection in
                for (number, state) in ["waiting", "asking", "failed", "done"].enumerated() {
                    let owner = [SQLValue(portals[index]), SQLValue(bot.id), SQLValue(dialog)]
                    try connection.run(
                        """
                        INSERT INTO events (portal_id, bot_id, dialog_id, state, last_error, received_at, not_before,
                            known_as, kind)
                        VALUES (?, ?, ?, ?4, IIF(?4 = 'failed', 'Why', NULL), ?, 0, ?, 'message')
                        """, owner + [.text(state), .integer(Int64(number)), .text("\(index) \(number)")])
                    if state != "done" {
                        try connection.run(
                            "INSERT INTO event_bodies (event_id, sealed) VALUES (?, x'')",
                            [.integer(connection.lastInsertID)])
                    }
                    try connection.run(
                        """
                        INSERT INTO outbox (portal_id, bot_id, dialog_id, state, last_error, created_at, not_before)
                        VALUES (?, ?, ?, ?4, IIF(?4 = 'failed', 'Why', NULL), ?, 0)
                        """,
                        owner + [.text(state == "asking" ? "sending" : state), .integer(Int64(number))])
                }
            }
        }
        let all = try await Page.all { try await store.work(limit: 5, after: $0) }
        #expect(all.count == 12)
        let mine = try await Page.all { [portals] in try await store.work(portal: portals[1], limit: 2, after: $0) }
        #expect(mine.map(\.key.description) == ["send-7", "event-7", "send-6", "event-6", "send-5", "event-5"])
        #expect(Set(mine.map(\.portalID)) == [portals[1]])
    }
}
