import Base

/// A bot whose events are fetched.
public struct FetchingBot: Sendable, Equatable {
    public var id: ID<BotRecord>
    public var botID: Int64
    public var installationID: ID<InstallationRecord>
    public var portalID: ID<PortalRecord>
    /// What the next poll confirms; `nil` before the first.
    public var offset: Int64?
    public var draining: Draining
    /// When the installation last changed: then it is worth trying again at once.
    public var installedAt: Timestamp

    /// A bot that was switched to webhook delivery may have events left.
    public enum Draining: Int64, Sendable {
        case no
        /// Bitrix24 was not told of the switch yet, so more may come.
        case untold
        /// Nothing comes any more: the first empty answer ends it.
        case told
    }
}

extension Store {
    /// Bots that Bitrix24 has, on installations that may be called.
    public func fetchingBots() async throws -> [FetchingBot] {
        try await database.read { connection in
            try connection.rows(
                """
                SELECT b.id, b.bot_id, b.installation_id, i.portal_id, b.event_offset, b.draining,
                    i.updated_at
                FROM bots b JOIN installations i ON i.id = b.installation_id
                WHERE b.status = 'active' AND b.bot_id IS NOT NULL AND b.api = 'v2'
                    AND (b.delivery = 'fetch' OR b.draining > 0) AND i.status IN ('active', 'reauthorize', 'denied')
                ORDER BY b.id
                """
            ) { row in
                FetchingBot(
                    id: row.id(0), botID: row.integer(1), installationID: row.id(2), portalID: row.id(3),
                    offset: row.integerIfAny(4), draining: .init(rawValue: row.integer(5)) ?? .untold,
                    installedAt: row.time(6))
            }
        }
    }

    /// Stores how a bot's events are to come, before Bitrix24 is told; until then both ways are open. What it has queued is
    /// fetched to the end.
    public func switchDelivery(of bot: ID<BotRecord>, to delivery: String, now: Timestamp) async throws {
        defer { cache.forgetBots() }
        try await database.write { connection in
            try connection.change(
                "bots",
                """
                UPDATE bots SET delivery = ?1, draining = CASE WHEN ?1 = 'webhook' THEN 1 ELSE 0 END,
                    event_token_sealed = NULL,
                    status_reason = 'Bitrix24 was not told yet how its events are to come', updated_at = ?2
                WHERE id = ?3
                """, [.text(delivery), SQLValue(now), SQLValue(bot)])
        }
    }

    /// All that was queued before the switch to webhook delivery has been fetched.
    public func endDraining(of bot: ID<BotRecord>) async throws {
        defer { cache.forgetBots() }
        try await database.write { connection in
            _ = try connection.run("UPDATE bots SET draining = 0 WHERE id = ? AND draining = 2", [SQLValue(bot)])
        }
    }
}

extension Connection {
    /// Remembers a fetched event.
    /// - Returns: false if it is known already.
    public func takeFetched(_ event: Int64, date: String, bot: ID<BotRecord>, now: Timestamp) throws -> Bool {
        try run(
            """
            INSERT INTO fetched_events (bot_id, event_id, date, taken_at) VALUES (?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """, [SQLValue(bot), .integer(event), .text(date), SQLValue(now)]) == 1
    }

    /// Stores what the next poll confirms, with the events that it confirms.
    public func setEventOffset(_ offset: Int64, of bot: ID<BotRecord>) throws {
        try run("UPDATE bots SET event_offset = ? WHERE id = ?", [.integer(offset), SQLValue(bot)])
    }
}
