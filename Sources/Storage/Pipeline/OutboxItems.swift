import Base

/// A message that waits to be said in Bitrix24.
public struct OutboxRecord: Sendable {
    /// `sending` is stored before a send that Bitrix24 cannot recognise when it is repeated.
    public enum State: String, Sendable { case waiting, sending, done, failed }
    public var id: ID<OutboxRecord>
    public var portalID: ID<PortalRecord>
    public var botID: ID<BotRecord>
    public var dialogID: ID<DialogRecord>
    public var state: State
    /// The message as its owner's JSON; gone once it is done.
    public var payload: String
    public var attempts: Int
    public var createdAt: Timestamp
    public var notBefore: Timestamp
}

extension Connection {
    public func addToOutbox(
        portal: ID<PortalRecord>, bot: ID<BotRecord>, dialog: ID<DialogRecord>, event: ID<EventRecord>?,
        payload: String,
        now: Timestamp
    ) throws -> ID<OutboxRecord> {
        try run(
            """
            INSERT INTO outbox (portal_id, bot_id, dialog_id, event_id, payload, state, created_at, not_before)
            VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?)
            """,
            [
                SQLValue(portal), SQLValue(bot), SQLValue(dialog), SQLValue(event), .text(payload), SQLValue(now),
                SQLValue(now),
            ])
        return ID(rawValue: lastInsertID)
    }

    /// Stores that a message is being sent whose repetition Bitrix24 could not recognise.
    public func beginSending(_ item: ID<OutboxRecord>) throws {
        try run("UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ?", [SQLValue(item)])
    }

    public func markSent(_ item: ID<OutboxRecord>, now: Timestamp) throws {
        try run(
            "UPDATE outbox SET state = 'done', payload = NULL, last_error = NULL, finished_at = ? WHERE id = ?",
            [SQLValue(now), SQLValue(item)])
    }

    /// - Parameter uncertain: the send may have succeeded; it stays `sending`.
    public func postpone(
        _ item: ID<OutboxRecord>, until moment: Timestamp, reason: String, uncertain: Bool
    ) throws {
        try run(
            "UPDATE outbox SET state = ?, not_before = ?, attempts = attempts + 1, last_error = ? WHERE id = ?",
            [.text(uncertain ? "sending" : "waiting"), SQLValue(moment), .text(reason), SQLValue(item)])
    }

    /// Keeps a message that could not be delivered for the administrator.
    public func fail(_ item: ID<OutboxRecord>, reason: String) throws {
        try run("UPDATE outbox SET state = 'failed', last_error = ? WHERE id = ?", [.text(reason), SQLValue(item)])
    }

    /// Undelivered messages, oldest first.
    public func openOutbox(after id: Int64, limit: Int) throws -> [OutboxRecord] {
        try rows(
            "SELECT \(Self.outboxColumns) FROM outbox WHERE state IN ('waiting', 'sending') AND id > ? ORDER BY id LIMIT ?",
            [.integer(id), .integer(Int64(limit))], Self.outboxItem)
    }

    public func outboxItem(_ id: ID<OutboxRecord>) throws -> OutboxRecord? {
        try row("SELECT \(Self.outboxColumns) FROM outbox WHERE id = ?", [SQLValue(id)], Self.outboxItem)
    }

    private static let outboxColumns =
        "id, portal_id, bot_id, dialog_id, state, payload, attempts, created_at, not_before"

    private static func outboxItem(_ row: borrowing Row) throws -> OutboxRecord {
        OutboxRecord(
            id: ID(rawValue: row.integer(0)), portalID: ID(rawValue: row.integer(1)),
            botID: ID(rawValue: row.integer(2)),
            dialogID: ID(rawValue: row.integer(3)), state: .init(rawValue: row.text(4)) ?? .failed,
            payload: row.textIfAny(5) ?? "", attempts: Int(row.integer(6)),
            createdAt: Timestamp(rawValue: row.integer(7)), notBefore: Timestamp(rawValue: row.integer(8)))
    }
}
