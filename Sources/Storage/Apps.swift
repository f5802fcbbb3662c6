import Base

extension Store {
    public func createApp(
        name: String, clientID: String?, clientSecret: Secret?, bitbot: Bool, pageURL: String?, sandbox: Bool,
        now: Timestamp
    ) async throws -> AppRecord {
        var app = AppRecord(
            id: ID(rawValue: 0), name: name, clientID: clientID, clientSecret: clientSecret, bitbot: bitbot,
            pageURL: pageURL, addressKey: Vault.randomToken(), sandbox: sandbox, createdAt: now)
        let values = app.values(vault)
        app.id = try await database.write { connection in
            try connection.run(
                """
                INSERT INTO apps (name, client_id, client_secret_sealed, bitbot, page_url, address_key, sandbox, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """, values)
            return ID(rawValue: connection.lastInsertID)
        }
        return app
    }

    public nonisolated(nonsending) func app(_ id: ID<AppRecord>) async throws -> AppRecord? {
        try await cache.apps.value(id) { try await readApp("id = ?", SQLValue(id)) }
    }

    public nonisolated(nonsending) func app(addressKey: String) async throws -> AppRecord? {
        try await cache.appsByAddress.value(addressKey) { try await readApp("address_key = ?", .text(addressKey)) }
    }

    public func app(clientID: String) async throws -> AppRecord? {
        try await readApp("client_id = ?", .text(clientID))
    }

    public func update<Result: Sendable>(
        _ id: ID<AppRecord>, _ change: @escaping @Sendable (inout AppRecord) throws -> Result
    ) async throws -> Result {
        let vault = vault
        defer { cache.forgetApps() }
        return try await database.write { connection in
            var app = try connection.record(id, AppRecord.columns, in: "apps") { try AppRecord($0, vault) }
            let result = try change(&app)
            try connection.change(
                "apps",
                """
                UPDATE apps SET name = ?, client_id = ?, client_secret_sealed = ?, bitbot = ?, page_url = ?,
                    address_key = ?, sandbox = ?, created_at = ?
                WHERE id = ?
                """, app.values(vault) + [SQLValue(id)])
            return result
        }
    }

    /// Deletes the application with its installations and their bots.
    public func deleteApp(_ id: ID<AppRecord>) async throws {
        try await eraseDialogs(
            """
            bot_id IN (SELECT b.id FROM bots b JOIN installations i ON i.id = b.installation_id WHERE i.app_id = ?)
            """, SQLValue(id))
        defer { cache.forgetAll() }
        try await database.write { try $0.delete(id, from: "apps") }
    }

    public func apps(limit: Int, after cursor: String?) async throws -> Page<AppRecord> {
        let vault = vault
        return try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                "SELECT \(AppRecord.columns) FROM apps WHERE id < ? ORDER BY id DESC LIMIT ?", [below, count]
            ) { try AppRecord($0, vault) }
        }
    }

    private nonisolated(nonsending) func readApp(_ condition: String, _ value: SQLValue) async throws -> AppRecord? {
        let vault = vault
        return try await database.read { connection in
            try connection.row("SELECT \(AppRecord.columns) FROM apps WHERE \(condition)", [value]) {
                try AppRecord($0, vault)
            }
        }
    }
}

extension AppRecord {
    static let columns = "id, name, client_id, client_secret_sealed, bitbot, page_url, address_key, sandbox, created_at"

    init(_ row: borrowing Row, _ vault: Vault) throws {
        self.init(
            id: row.id(0), name: row.text(1), clientID: row.textIfAny(2), clientSecret: try row.secretIfAny(3, vault),
            bitbot: row.flag(4), pageURL: row.textIfAny(5), addressKey: row.text(6), sandbox: row.flag(7),
            createdAt: row.time(8))
    }

    /// In the order of ``columns``, without the id.
    func values(_ vault: Vault) -> [SQLValue] {
        [
            .text(name), SQLValue(clientID), .sealed(clientSecret, vault), SQLValue(bitbot), SQLValue(pageURL),
            .text(addressKey), SQLValue(sandbox), SQLValue(createdAt),
        ]
    }
}
