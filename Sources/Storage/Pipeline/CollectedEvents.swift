import Base

/// An event as it is about to be asked; the store has the last word on whether it still is that.
public struct AskClaim: Sendable {
    public var event: ID<EventRecord>
    public var kind: EventRecord.Kind
    /// ``EventRecord/edits``.
    public var edits: Int
    public init(event: ID<EventRecord>, kind: EventRecord.Kind, edits: Int) {
        self.event = event
        self.kind = kind
        self.edits = edits
    }
}

/// Several messages that are asked as one question: the first stands for all, the others are joined to it.
extension Connection {
    /// The messages and commands of a dialog that wait, from one of them on, in order.
    public func waitingEvents(
        of dialog: ID<DialogRecord>, from event: ID<EventRecord>, messageID: Int64, limit: Int
    ) throws -> [EventRecord] {
        try rows(
            """
            SELECT \(Self.eventColumns) FROM events
            WHERE dialog_id = ? AND state = 'waiting' AND kind IN ('message', 'command') AND joined_to IS NULL
                AND (message_id, id) >= (?, ?)
            ORDER BY message_id, id LIMIT ?
            """,
            [SQLValue(dialog), .integer(messageID), SQLValue(event), .integer(Int64(limit))], Self.event)
    }

    /// What was asked together with an event, in order.
    public func events(joinedTo event: ID<EventRecord>) throws -> [EventRecord] {
        try rows(
            "SELECT \(Self.eventColumns) FROM events WHERE joined_to = ? ORDER BY message_id, id",
            [SQLValue(event)], Self.event)
    }

    /// Whether the platform was asked about a message of a dialog.
    public func hasAsked(in dialog: ID<DialogRecord>, since moment: Timestamp) throws -> Bool {
        try row(
            """
            SELECT 1 FROM events WHERE dialog_id = ? AND kind IN ('message', 'command') AND asked_at >= ? LIMIT 1
            """, [SQLValue(dialog), SQLValue(moment)], { _ in true }) != nil
    }

    func isFree(_ claim: AskClaim, for head: ID<EventRecord>) throws -> Bool {
        try row(
            """
            SELECT 1 FROM events WHERE id = ? AND kind = ? AND edits = ?
            AND ((state = 'waiting' AND joined_to IS NULL) OR (state = 'asking' AND joined_to = ?))
            """,
            [SQLValue(claim.event), .text(claim.kind.rawValue), .integer(Int64(claim.edits)), SQLValue(head)],
            { _ in true }) != nil
    }

    func finishJoined(to event: ID<EventRecord>, now: Timestamp) throws {
        try run(
            "DELETE FROM event_bodies WHERE event_id IN (SELECT id FROM events WHERE joined_to = ?)",
            [SQLValue(event)])
        try run(
            "UPDATE events SET state = 'done', last_error = NULL, finished_at = ? WHERE joined_to = ?",
            [SQLValue(now), SQLValue(event)])
    }
}
