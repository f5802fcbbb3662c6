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
    /// The message as its owner's JSON; gone once it is done, and left out by ``Connection/openOutbox(after:limit:)`` where
    /// it is large.
    public var payload: String
    /// The payload's length in characters.
    public var size: Int
    /// Longer payloads (files inside of an answer) stay in the store until they are sent.
    public static let longestKept = 64 * 1024
    public var attempts: Int
    /// It was sent a second time without knowing what became of the first.
    public var repeated: Bool
    public var createdAt: Timestamp
    public var notBefore: Timestamp
}

extension Connection {
    /// - Parameters:
    ///   - moment: not sent before this.
    ///   - answer: what the bot platform calls the answer that it belongs to, where ratings of it are wanted.
    ///   - kind: what people call it; `nil`: a message.
    public func addToOutbox(
        portal: ID<PortalRecord>, bot: ID<BotRecord>, dialog: ID<DialogRecord>, event: ID<EventRecord>?,
        payload: String, notBefore moment: Timestamp? = nil, answer: String? = nil, kind: String? = nil, now: Timestamp
    ) throws -> ID<OutboxRecord> {
        try run(
            """
            INSERT INTO outbox (portal_id, bot_id, dialog_id, event_id, payload, state, created_at, not_before, answer_id,
                kind)
            VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?)
            """,
            [
                SQLValue(portal), SQLValue(bot), SQLValue(dialog), SQLValue(event), .text(payload), SQLValue(now),
                SQLValue(moment ?? now), SQLValue(answer), SQLValue(kind),
            ])
        return ID(rawValue: lastInsertID)
    }

    /// The answer that a message of the bot's belongs to; known as long as done work is (7 days), and only for platforms
    /// that take ratings.
    /// - Parameter sentID: Bitrix24's id of the message.
    /// - Returns: what the bot platform calls the answer.
    public func answer(sentAs sentID: Int64, in dialog: ID<DialogRecord>) throws -> String? {
        try row(
            "SELECT answer_id FROM outbox WHERE dialog_id = ? AND sent_id = ? AND answer_id IS NOT NULL",
            [SQLValue(dialog), .integer(sentID)], { $0.text(0) })
    }

    /// Stores that a message is being sent whose repetition Bitrix24 could not recognise.
    /// - Parameter repeated: it is the second time, and what became of the first is not known.
    public func beginSending(_ item: ID<OutboxRecord>, repeated: Bool) throws {
        try run(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, repeated = ? WHERE id = ?",
            [SQLValue(repeated), SQLValue(item)])
    }

    /// Something else is sent in its place; it is as if it had never been tried.
    public func replacePayload(_ payload: String, of item: ID<OutboxRecord>) throws {
        try run("UPDATE outbox SET payload = ?, state = 'waiting' WHERE id = ?", [.text(payload), SQLValue(item)])
    }

    /// - Parameter sentID: Bitrix24's id of the message, if it told one.
    public func markSent(_ item: ID<OutboxRecord>, as sentID: Int64?, now: Timestamp) throws {
        try run(
            """
            UPDATE outbox SET state = 'done', payload = NULL, last_error = NULL, finished_at = ?, sent_id = ?
            WHERE id = ?
            """, [SQLValue(now), SQLValue(sentID), SQLValue(item)])
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

    /// Undelivered messages, oldest first, without large payloads.
    public func openOutbox(after id: Int64, limit: Int) throws -> [OutboxRecord] {
        let payload = "CASE WHEN length(payload) <= \(OutboxRecord.longestKept) THEN payload END"
        return try rows(
            """
            SELECT \(Self.outboxColumns(payload)) FROM outbox INDEXED BY outbox_open WHERE \(Store.isOpenSend) AND id > ?
            ORDER BY id LIMIT ?
            """, [.integer(id), .integer(Int64(limit))], Self.outboxItem)
    }

    public func outboxItem(_ id: ID<OutboxRecord>) throws -> OutboxRecord? {
        try row("SELECT \(Self.outboxColumns("payload")) FROM outbox WHERE id = ?", [SQLValue(id)], Self.outboxItem)
    }

    /// Bitrix24's id of the last message before this one in its dialog, as far as it is known.
    public func sentID(before item: ID<OutboxRecord>, in dialog: ID<DialogRecord>) throws -> Int64? {
        try row(
            "SELECT max(sent_id) FROM outbox WHERE dialog_id = ? AND id < ?", [SQLValue(dialog), SQLValue(item)]
        ) { $0.integerIfAny(0) } ?? nil
    }

    private static func outboxColumns(_ payload: String) -> String {
        """
        id, portal_id, bot_id, dialog_id, state, \(payload), attempts, repeated, created_at, not_before,
        length(payload)
        """
    }

    private static func outboxItem(_ row: borrowing Row) throws -> OutboxRecord {
        OutboxRecord(
            id: ID(rawValue: row.integer(0)), portalID: ID(rawValue: row.integer(1)),
            botID: ID(rawValue: row.integer(2)),
            dialogID: ID(rawValue: row.integer(3)), state: .init(rawValue: row.text(4)) ?? .failed,
            payload: row.textIfAny(5) ?? "", size: Int(row.integerIfAny(10) ?? 0), attempts: Int(row.integer(6)),
            repeated: row.integer(7) != 0, createdAt: row.time(8), notBefore: row.time(9))
    }
}
