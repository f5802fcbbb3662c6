import Base

extension Store {
    public func createProvider(
        name: String, type: String, url: String, shared: Bool = true, anyAddress: Bool = false, now: Timestamp
    ) async throws -> ProviderRecord {
        try await database.write { connection in
            try connection.run(
                "INSERT INTO providers (name, type, url, shared, any_address, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    .text(name), .text(type), .text(url), SQLValue(shared), SQLValue(anyAddress), SQLValue(now),
                ])
            return ProviderRecord(
                id: ID(rawValue: connection.lastInsertID), name: name, type: type, url: url, shared: shared,
                anyAddress: anyAddress, createdAt: now)
        }
    }

    public nonisolated(nonsending) func provider(_ id: ID<ProviderRecord>) async throws -> ProviderRecord? {
        try await cache.providers.value(id) { try await database.read { try $0.provider(id) } }
    }

    /// A change of type or address ends the sessions of the bots whose connectors use it.
    public func update<Result: Sendable>(
        _ id: ID<ProviderRecord>, _ change: @escaping @Sendable (inout ProviderRecord) throws -> Result
    ) async throws -> Result {
        defer { cache.providers.forget(id) }
        return try await database.write { connection in
            let former = try connection.record(id, ProviderRecord.columns, in: "providers") { ProviderRecord($0) }
            var provider = former
            let result = try change(&provider)
            try connection.change(
                "providers",
                "UPDATE providers SET name = ?, type = ?, url = ?, shared = ?, any_address = ? WHERE id = ?",
                [
                    .text(provider.name), .text(provider.type), .text(provider.url), SQLValue(provider.shared),
                    SQLValue(provider.anyAddress), SQLValue(id),
                ])
            guard former.type != provider.type || former.url != provider.url else { return result }
            let sameType = former.type == provider.type
            try connection.endSessions(
                "b.connector_id IN (SELECT id FROM connectors WHERE provider_id = ?\(sameType ? " AND url IS NULL" : ""))",
                SQLValue(id))
            return result
        }
    }

    /// - Throws: ``StoreError/inUse(_:)`` while a connector uses it.
    public func deleteProvider(_ id: ID<ProviderRecord>) async throws {
        defer { cache.providers.forget(id) }
        try await database.write { connection in
            do {
                try connection.delete(id, from: "providers")
            } catch let error as StoreError where error.isBrokenReference {
                throw StoreError.inUse("connectors")
            }
        }
    }

    /// - Parameter sharedOnly: those that portals may use.
    public func providers(
        limit: Int, after cursor: String?, sharedOnly: Bool = false
    ) async throws -> Page<ProviderRecord> {
        try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                """
                SELECT \(ProviderRecord.columns) FROM providers WHERE \(sharedOnly ? "shared = 1 AND" : "") id < ?
                ORDER BY id DESC LIMIT ?
                """, [below, count]
            ) { ProviderRecord($0) }
        }
    }
}

extension Connection {
    public func provider(_ id: ID<ProviderRecord>) throws -> ProviderRecord? {
        try row("SELECT \(ProviderRecord.columns) FROM providers WHERE id = ?", [SQLValue(id)]) { ProviderRecord($0) }
    }
}

extension ProviderRecord {
    static let columns = "id, name, type, url, shared, any_address, created_at"

    init(_ row: borrowing Row) {
        self.init(
            id: row.id(0), name: row.text(1), type: row.text(2), url: row.text(3), shared: row.flag(4),
            anyAddress: row.flag(5), createdAt: row.time(6))
    }
}
