import Base

/// A session as the store has it, and what the store knows of its copy in a second home (see `Sessions.swift`).
struct MirroredSession: Sendable {
    var dialogID: ID<DialogRecord>
    /// `nil`: it has ended, and the copy is still to be removed.
    var connectorID: ID<ConnectorRecord>?
    var platformID: String
    var expiresAt: Timestamp
    /// The column `mirrored`.
    var mirrored: Int64

    /// Whether the second home was given this very id and should have it still.
    func isMirrored(at now: Timestamp) -> Bool { connectorID != nil && mirrored > now.rawValue }
}

/// What a second home has been given.
struct SessionMark: Sendable, Equatable {
    var platformID: String
    var expiresAt: Timestamp
}

/// How a second home and the store are kept in step.
extension Connection {
    /// The dialog that a key names, with the connector of its bot.
    func dialog(_ key: SessionKey) throws -> (id: ID<DialogRecord>, connector: ID<ConnectorRecord>?)? {
        try row(
            """
            SELECT d.id, b.connector_id FROM portals p
                JOIN installations i ON i.portal_id = p.id
                JOIN bots b ON b.installation_id = i.id AND b.bot_id = ?
                JOIN dialogs d ON d.bot_id = b.id AND d.dialog_id = ?
            WHERE p.member_id = ? ORDER BY b.status = 'active' DESC, d.id DESC LIMIT 1
            """, [.integer(key.botID), .text(key.dialogID), .text(key.memberID)]
        ) { ($0.id(0), $0.idIfAny(1)) }
    }

    func mirroredSession(of dialog: ID<DialogRecord>) throws -> MirroredSession? {
        try row(
            "SELECT connector_id, platform_id, expires_at, mirrored FROM sessions WHERE dialog_id = ?",
            [SQLValue(dialog)]
        ) { row in
            MirroredSession(
                dialogID: dialog, connectorID: row.integer(0) == 0 ? nil : row.id(0), platformID: row.text(1),
                expiresAt: row.time(2), mirrored: row.integer(3))
        }
    }

    /// Sessions whose copy is missing, lives shorter or should be gone, by dialog.
    func unmirroredSessions(
        after dialog: Int64, limit: Int64, now: Timestamp
    ) throws -> [(id: ID<DialogRecord>, key: SessionKey)] {
        try rows(
            """
            SELECT s.dialog_id, p.member_id, b.bot_id, d.dialog_id FROM sessions s
                JOIN dialogs d ON d.id = s.dialog_id JOIN bots b ON b.id = d.bot_id JOIN portals p ON p.id = d.portal_id
            WHERE s.dialog_id > ? AND b.bot_id IS NOT NULL
                AND (s.connector_id = 0 OR (s.expires_at > ? AND s.platform_id <> '' AND s.mirrored < s.expires_at))
            ORDER BY s.dialog_id LIMIT ?
            """, [.integer(dialog), SQLValue(now), .integer(limit)]
        ) { ($0.id(0), SessionKey(memberID: $0.text(1), botID: $0.integer(2), dialogID: $0.text(3))) }
    }

    /// A portal has another name now, and with it each key in the second home: nothing is there under the new ones.
    func forgetMirrored(of portal: ID<PortalRecord>) throws {
        try run(
            """
            UPDATE sessions SET mirrored = 0
            WHERE mirrored > 0 AND dialog_id IN (SELECT id FROM dialogs WHERE portal_id = ?)
            """, [SQLValue(portal)])
    }

    func mark(_ dialog: ID<DialogRecord>, _ mark: SessionMark) throws {
        try run(
            "UPDATE sessions SET mirrored = max(mirrored, ?) WHERE dialog_id = ? AND platform_id = ? AND connector_id <> 0",
            [SQLValue(mark.expiresAt), SQLValue(dialog), .text(mark.platformID)])
    }

    /// Forgets a session that has ended and whose copy is gone.
    func forgetEnded(_ dialog: ID<DialogRecord>) throws {
        try run("DELETE FROM sessions WHERE dialog_id = ? AND connector_id = 0", [SQLValue(dialog)])
    }

    /// Notes for the first `limit` sessions after `dialog` that a second home has nothing of them.
    /// - Returns: the last dialog looked at, `nil` at the end.
    func forgetMirrored(after dialog: Int64, limit: Int64) throws -> Int64? {
        let last = try row(
            "SELECT max(dialog_id) FROM (SELECT dialog_id FROM sessions WHERE dialog_id > ? ORDER BY dialog_id LIMIT ?)",
            [.integer(dialog), .integer(limit)]
        ) { $0.integerIfAny(0) }
        guard let last, let last else { return nil }
        let range: [SQLValue] = [.integer(dialog), .integer(last)]
        try run("DELETE FROM sessions WHERE connector_id = 0 AND dialog_id > ? AND dialog_id <= ?", range)
        try run("UPDATE sessions SET mirrored = 0 WHERE mirrored <> 0 AND dialog_id > ? AND dialog_id <= ?", range)
        return last
    }
}
