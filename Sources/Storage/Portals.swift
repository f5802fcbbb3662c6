import Base

extension Store {
    public nonisolated(nonsending) func portal(_ id: ID<PortalRecord>) async throws -> PortalRecord? {
        try await cache.portals.value(id) { try await readPortal("id = ?", SQLValue(id)) }
    }

    public nonisolated(nonsending) func portal(memberID: String) async throws -> PortalRecord? {
        try await cache.portalsByMember.value(memberID) { try await readPortal("member_id = ?", .text(memberID)) }
    }

    /// Adds a portal before anything is installed on it: one at a private address must be allowed first.
    /// - Throws: ``StoreError/alreadyThere(_:)`` `portals.member_id`.
    public func createPortal(
        memberID: String, domain: String, allowPrivate: Bool, now: Timestamp
    ) async throws -> PortalRecord {
        defer { cache.forgetPortals() }
        let portal = try await database.write { connection in
            try connection.row(
                """
                INSERT INTO portals (member_id, domain, allow_private, created_at) VALUES (?, ?, ?, ?)
                RETURNING \(PortalRecord.columns)
                """, [.text(memberID), .text(domain), SQLValue(allowPrivate), SQLValue(now)]
            ) { PortalRecord($0) }
        }
        guard let portal else { throw StoreError.missing("portals") }
        return portal
    }

    public func update<Result: Sendable>(
        _ id: ID<PortalRecord>, _ change: @escaping @Sendable (inout PortalRecord) throws -> Result
    ) async throws -> Result {
        defer { cache.forgetPortals() }
        return try await database.write { connection in
            var portal = try connection.record(id, PortalRecord.columns, in: "portals") { PortalRecord($0) }
            let result = try change(&portal)
            try connection.change(
                "portals",
                """
                UPDATE portals SET member_id = ?, domain = ?, limit_burst = ?, limit_per_second = ?, allow_private = ?,
                    sandbox = ?, created_at = ?, last_seen_at = ?
                WHERE id = ?
                """,
                [
                    .text(portal.memberID), .text(portal.domain), .integer(Int64(portal.limitBurst)),
                    .real(portal.limitPerSecond), SQLValue(portal.allowPrivate), SQLValue(portal.sandbox),
                    SQLValue(portal.createdAt), SQLValue(portal.lastSeenAt), SQLValue(id),
                ])
            return result
        }
    }

    /// Remembers that the portal was heard from.
    public func sawPortal(_ id: ID<PortalRecord>, now: Timestamp) async throws {
        defer { cache.forgetPortals() }
        try await database.write { connection in
            _ = try connection.run("UPDATE portals SET last_seen_at = ? WHERE id = ?", [SQLValue(now), SQLValue(id)])
        }
    }

    /// Deletes the portal with everything that belongs to it.
    /// - Throws: ``StoreError/inUse(_:)`` `bots` while another portal's bot uses a connector of this one.
    public func deletePortal(_ id: ID<PortalRecord>) async throws {
        let usedElsewhere = try await database.read { connection in
            try connection.row(
                """
                SELECT 1 FROM connectors c JOIN bots b ON b.connector_id = c.id
                    JOIN installations i ON i.id = b.installation_id
                WHERE c.portal_id = ? AND i.portal_id <> c.portal_id
                """, [SQLValue(id)]
            ) { _ in true } ?? false
        }
        guard !usedElsewhere else { throw StoreError.inUse("bots") }
        try await eraseDialogs("portal_id = ?", SQLValue(id))
        defer { cache.forgetAll() }
        try await database.write { connection in
            do {
                try connection.delete(id, from: "portals")
            } catch let error as StoreError where error.isBrokenReference {
                throw StoreError.inUse("bots")
            }
        }
    }

    public func portals(limit: Int, after cursor: String?) async throws -> Page<PortalRecord> {
        try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                "SELECT \(PortalRecord.columns) FROM portals WHERE id < ? ORDER BY id DESC LIMIT ?", [below, count]
            ) { PortalRecord($0) }
        }
    }

    private nonisolated(nonsending) func readPortal(
        _ condition: String, _ value: SQLValue
    ) async throws -> PortalRecord? {
        try await database.read { connection in
            try connection.row("SELECT \(PortalRecord.columns) FROM portals WHERE \(condition)", [value]) {
                PortalRecord($0)
            }
        }
    }
}

extension PortalRecord {
    static let columns = """
        id, member_id, domain, limit_burst, limit_per_second, allow_private, sandbox, created_at, last_seen_at
        """

    init(_ row: borrowing Row) {
        self.init(
            id: row.id(0), memberID: row.text(1), domain: row.text(2), limitBurst: Int(row.integer(3)),
            limitPerSecond: row.real(4), allowPrivate: row.flag(5), sandbox: row.flag(6), createdAt: row.time(7),
            lastSeenAt: row.timeIfAny(8))
    }
}
