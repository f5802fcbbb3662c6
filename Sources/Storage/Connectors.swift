import Base

public struct ConnectorDraft: Sendable {
    public var portalID: ID<PortalRecord>?
    public var providerID: ID<ProviderRecord>
    public var shared = false
    public var name: String
    public var key: Secret?
    public var url: String?
    public var options: JSON = [:]
    public init(providerID: ID<ProviderRecord>, name: String) {
        self.providerID = providerID
        self.name = name
    }
}

extension Store {
    /// - Throws: ``StoreError/missing(_:)`` for a provider or portal that is not there.
    public func createConnector(_ draft: ConnectorDraft, now: Timestamp) async throws -> ConnectorRecord {
        var connector = ConnectorRecord(
            id: ID(rawValue: 0), portalID: draft.portalID, providerID: draft.providerID, shared: draft.shared,
            name: draft.name, key: draft.key, url: draft.url, options: draft.options, createdAt: now, updatedAt: now)
        let values = connector.values(vault)
        connector.id = try await database.write { connection in
            try connection.requireReferences(of: draft.portalID, draft.providerID)
            try connection.run(
                """
                INSERT INTO connectors (portal_id, provider_id, shared, name, key_sealed, url, options, created_at,
                    updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, values)
            return ID(rawValue: connection.lastInsertID)
        }
        return connector
    }

    public nonisolated(nonsending) func connector(_ id: ID<ConnectorRecord>) async throws -> ConnectorRecord? {
        let vault = vault
        return try await cache.connectors.value(id) {
            try await database.read { connection in
                try connection.row("SELECT \(ConnectorRecord.columns) FROM connectors WHERE id = ?", [SQLValue(id)]) {
                    try ConnectorRecord($0, vault)
                }
            }
        }
    }

    /// A change of provider, key or address ends the sessions of the bots that use it.
    /// - Parameter change: may look at what the connector refers to, in the same transaction.
    /// - Throws: ``StoreError/missing(_:)`` for a provider or portal that is not there.
    public func update<Result: Sendable>(
        _ id: ID<ConnectorRecord>, now: Timestamp,
        _ change: @escaping @Sendable (inout ConnectorRecord, Connection) throws -> Result
    ) async throws -> Result {
        let vault = vault
        defer { cache.connectors.forget(id) }
        return try await database.write { connection in
            let former = try connection.record(id, ConnectorRecord.columns, in: "connectors") {
                try ConnectorRecord($0, vault)
            }
            var connector = former
            connector.updatedAt = now
            let result = try change(&connector, connection)
            try connection.requireReferences(of: connector.portalID, connector.providerID)
            try connection.change(
                "connectors",
                """
                UPDATE connectors SET portal_id = ?, provider_id = ?, shared = ?, name = ?, key_sealed = ?, url = ?,
                    options = ?, created_at = ?, updated_at = ?
                WHERE id = ?
                """, connector.values(vault) + [SQLValue(id)])
            if !connector.leadsWhere(former) { try connection.endSessions("b.connector_id = ?", SQLValue(id)) }
            return result
        }
    }

    /// - Throws: ``StoreError/inUse(_:)`` while a bot uses it.
    public func deleteConnector(_ id: ID<ConnectorRecord>) async throws {
        defer { cache.connectors.forget(id) }
        try await database.write { connection in
            do {
                try connection.delete(id, from: "connectors")
            } catch let error as StoreError where error.isBrokenReference {
                throw StoreError.inUse("bots")
            }
        }
    }

    /// - Parameters:
    ///   - portal: only this portal's; all if `nil`.
    ///   - withShared: beside them the server's own that portals may use.
    public func connectors(
        limit: Int, after cursor: String?, portal: ID<PortalRecord>? = nil, withShared: Bool = false
    ) async throws -> Page<ConnectorRecord> {
        let shared = withShared ? " OR (portal_id IS NULL AND shared = 1)" : ""
        let (vault, filter) = (vault, Filter("(portal_id = ?\(shared))", portal))
        return try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                """
                SELECT \(ConnectorRecord.columns) FROM connectors WHERE \(filter.sql) id < ? ORDER BY id DESC LIMIT ?
                """, filter.values + [below, count]
            ) { try ConnectorRecord($0, vault) }
        }
    }
}

extension Connection {
    fileprivate func requireReferences(of portal: ID<PortalRecord>?, _ provider: ID<ProviderRecord>) throws {
        if let portal { try require(portal, in: "portals") }
        try require(provider, in: "providers")
    }
}

extension ConnectorRecord {
    static let columns = "id, portal_id, provider_id, shared, name, key_sealed, url, options, created_at, updated_at"

    init(_ row: borrowing Row, _ vault: Vault) throws {
        self.init(
            id: row.id(0), portalID: row.idIfAny(1), providerID: row.id(2), shared: row.flag(3), name: row.text(4),
            key: try row.secretIfAny(5, vault), url: row.textIfAny(6), options: try row.json(7), createdAt: row.time(8),
            updatedAt: row.time(9))
    }

    /// In the order of ``columns``, without the id.
    func values(_ vault: Vault) -> [SQLValue] {
        [
            SQLValue(portalID), SQLValue(providerID), SQLValue(shared), .text(name), .sealed(key, vault), SQLValue(url),
            .json(options), SQLValue(createdAt), SQLValue(updatedAt),
        ]
    }

    /// Whether a conversation that was begun with the other can go on with this one.
    fileprivate func leadsWhere(_ other: ConnectorRecord) -> Bool {
        providerID == other.providerID && key == other.key && url == other.url
    }
}
