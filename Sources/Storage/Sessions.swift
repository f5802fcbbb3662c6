import Base

/// The store's own sessions, used inside the transactions of the gateway.
///
/// The column `mirrored` says what a second home has: above 0, this session's id until that moment; below 0, a former id
/// of ours, at most until that moment; 0, nothing of ours. A session that ended while the second home had an id stays as a
/// row without a connector (0), until that id is gone there too: it must not come back from there.
///
/// What was offered in a session (`dialogs.offered`) ends with it.
extension Connection {
    /// `nil` if there is none, it has expired, or it belongs to another connector.
    public func session(
        of dialog: ID<DialogRecord>, connector: ID<ConnectorRecord>, now: Timestamp
    ) throws -> SessionRecord? {
        try row(
            """
            SELECT platform_id, data, expires_at FROM sessions
            WHERE dialog_id = ? AND connector_id = ? AND expires_at > ?
            """, [SQLValue(dialog), SQLValue(connector), SQLValue(now)]
        ) { row in
            try Self.session(row, from: 0, of: dialog, connector)
        }
    }

    static func session(
        _ row: borrowing Row, from column: Int32, of dialog: ID<DialogRecord>, _ connector: ID<ConnectorRecord>
    ) throws -> SessionRecord {
        SessionRecord(
            dialogID: dialog, connectorID: connector, platformID: row.text(column), data: try row.json(column + 1),
            expiresAt: row.time(column + 2))
    }

    /// Stores or replaces. A new id is not in a second home yet.
    public func save(_ session: SessionRecord) throws {
        try run(
            """
            INSERT INTO sessions (dialog_id, connector_id, platform_id, data, expires_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (dialog_id) DO UPDATE SET
                connector_id = excluded.connector_id, data = excluded.data, expires_at = excluded.expires_at,
                mirrored = CASE WHEN sessions.platform_id = excluded.platform_id THEN sessions.mirrored
                    ELSE -abs(sessions.mirrored) END,
                platform_id = excluded.platform_id
            """,
            [
                SQLValue(session.dialogID), SQLValue(session.connectorID), .text(session.platformID),
                .json(session.data), SQLValue(session.expiresAt),
            ])
    }

    public func endSession(of dialog: ID<DialogRecord>) throws {
        try endSessions(among: "= ?", SQLValue(dialog))
    }

    /// Ends the sessions of all dialogs of the bots (`b`) that meet `condition`.
    func endSessions(_ condition: String, _ value: SQLValue) throws {
        try endSessions(
            among: "IN (SELECT d.id FROM dialogs d JOIN bots b ON b.id = d.bot_id WHERE \(condition))", value)
    }

    private func endSessions(among dialogs: String, _ value: SQLValue) throws {
        try run("UPDATE dialogs SET offered = NULL WHERE offered IS NOT NULL AND id \(dialogs)", [value])
        try run("DELETE FROM sessions WHERE mirrored = 0 AND dialog_id \(dialogs)", [value])
        try run(
            """
            UPDATE sessions SET connector_id = 0, platform_id = '', data = '{}', expires_at = abs(mirrored),
                mirrored = -abs(mirrored)
            WHERE mirrored <> 0 AND dialog_id \(dialogs)
            """, [value])
    }
}
