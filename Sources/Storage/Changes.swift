import Base

/// One line of the log of changes: who changed what.
public struct ChangeRecord: Sendable, Equatable {
    public var id: ID<ChangeRecord>
    public var madeAt: Timestamp
    public var who: String
    /// The operation's name: `create_bot`.
    public var action: String
    /// What was changed: `bot 3 (Support)`.
    public var target: String
    /// Names of the fields that were given, separated by commas; never their values.
    public var fields: String
    public var portalID: ID<PortalRecord>?
    public init(
        madeAt: Timestamp, who: String, action: String, target: String, fields: String, portalID: ID<PortalRecord>?
    ) {
        id = ID(rawValue: 0)
        self.madeAt = madeAt
        self.who = who
        self.action = action
        self.target = target
        self.fields = fields
        self.portalID = portalID
    }
}

extension Store {
    public func add(_ change: ChangeRecord) async throws {
        try await database.write { connection in
            _ = try connection.run(
                "INSERT INTO changes (made_at, who, action, target, fields, portal_id) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    SQLValue(change.madeAt), .text(change.who), .text(change.action), .text(change.target),
                    .text(change.fields), SQLValue(change.portalID),
                ])
        }
    }

    public func changes(limit: Int, after cursor: String?) async throws -> Page<ChangeRecord> {
        try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                """
                SELECT id, made_at, who, action, target, fields, portal_id FROM changes WHERE id < ?
                ORDER BY id DESC LIMIT ?
                """, [below, count]
            ) { row in
                var change = ChangeRecord(
                    madeAt: row.time(1), who: row.text(2), action: row.text(3), target: row.text(4),
                    fields: row.text(5), portalID: row.idIfAny(6))
                change.id = row.id(0)
                return change
            }
        }
    }
}
