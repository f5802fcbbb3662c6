import Base

extension Store {
    /// Deletes a little of what is kept no longer: transcripts and failed work after `keepDays`; finished work and known
    /// events after 7 days; statistics after 8; the log of changes after a year; sessions and access tokens that have
    /// expired; dialogs of which nothing is left and that were not touched for `keepDays`.
    ///
    /// Each kind is deleted by a change of its own, of at most 500 rows, so that other changes do not wait for long.
    /// - Returns: whether there may be more; then call it again.
    public func purge(now: Timestamp, keepDays: Int) async throws -> Bool {
        let old = SQLValue(now - .seconds(86400 * keepDays))
        let done = SQLValue(now - .seconds(86400 * 7))
        var more = try await purgeMessages(before: old)
        for (table, arrival) in [("events", "received_at"), ("outbox", "created_at")] {
            if try await purgeWork(table, arrival, finishedBefore: done, failedBefore: old) { more = true }
        }
        let tokens = try await database.write { connection in
            try connection.run(
                "DELETE FROM api_tokens WHERE id IN (SELECT id FROM api_tokens WHERE expires_at < ? LIMIT 500)",
                [SQLValue(now)])
        }
        if tokens == 500 { more = true }
        let changes = try await database.write { connection in
            try connection.run(
                "DELETE FROM changes WHERE id IN (SELECT id FROM changes ORDER BY id LIMIT 500) AND made_at < ?",
                [SQLValue(now - .seconds(86400 * 365))])
        }
        if changes == 500 { more = true }
        if try await purgeFetchedEvents(before: done) { more = true }
        if try await purgeStatistics(before: now - .seconds(86400 * 8)) { more = true }
        if try await purgeSessions(before: SQLValue(now)) { more = true }
        if try await purgeDialogs(untouchedSince: old) { more = true }
        return more
    }

    /// Looks at the 500 oldest lines only: ids grow with time, so the old ones are at the front and need no index.
    private func purgeMessages(before moment: SQLValue) async throws -> Bool {
        try await database.write { connection in
            try connection.run(
                """
                DELETE FROM messages
                WHERE created_at < ? AND id IN (SELECT id FROM messages ORDER BY id LIMIT 500)
                """, [moment]) == 500
        }
    }

    /// A reader looks for them among the oldest: ids grow with time, so it can stop at the first that is young, and each
    /// message is spared the change of an index.
    private func purgeWork(
        _ table: String, _ arrival: String, finishedBefore done: SQLValue, failedBefore old: SQLValue
    ) async throws -> Bool {
        let ids = try await database.read { connection in
            try connection.rows(
                """
                SELECT id FROM \(table)
                WHERE id < COALESCE((SELECT id FROM \(table) WHERE \(arrival) >= ?1 ORDER BY id LIMIT 1), \(Int64.max))
                AND (finished_at < ?1 OR (state = 'failed' AND \(arrival) < ?2)) LIMIT 500
                """, [done, old]
            ) { $0.integer(0) }
        }
        guard !ids.isEmpty else { return false }
        try await database.write { connection in
            // The administrator may have put failed work back meanwhile.
            for id in ids {
                try connection.run(
                    "DELETE FROM \(table) WHERE id = ? AND state IN ('done', 'failed')", [.integer(id)])
            }
        }
        return ids.count == 500
    }

    private func purgeFetchedEvents(before moment: SQLValue) async throws -> Bool {
        try await database.write { connection in
            try connection.run(
                """
                DELETE FROM fetched_events WHERE (bot_id, event_id, date) IN
                    (SELECT bot_id, event_id, date FROM fetched_events WHERE taken_at < ? LIMIT 500)
                """, [moment]) == 500
        }
    }

    private func purgeSessions(before moment: SQLValue) async throws -> Bool {
        try await database.write { connection in
            try connection.run(
                """
                DELETE FROM sessions
                WHERE dialog_id IN (SELECT dialog_id FROM sessions WHERE expires_at < ? LIMIT 500)
                """, [moment]) == 500
        }
    }

    /// A reader looks for them, because it has to pass over all dialogs that are kept.
    private func purgeDialogs(untouchedSince moment: SQLValue) async throws -> Bool {
        let empty = """
            last_message_at < ? AND NOT EXISTS (SELECT 1 FROM messages WHERE dialog_id = dialogs.id)
            AND NOT EXISTS (SELECT 1 FROM sessions WHERE dialog_id = dialogs.id)
            AND NOT EXISTS (SELECT 1 FROM events WHERE dialog_id = dialogs.id)
            AND NOT EXISTS (SELECT 1 FROM outbox WHERE dialog_id = dialogs.id)
            """
        let ids = try await database.read { connection in
            try connection.rows("SELECT id FROM dialogs WHERE \(empty) LIMIT 500", [moment]) { $0.integer(0) }
        }
        guard !ids.isEmpty else { return false }
        try await database.write { connection in
            for id in ids {
                try connection.run("DELETE FROM dialogs WHERE id = ? AND \(empty)", [.integer(id), moment])
            }
        }
        return ids.count == 500
    }
}
