import Base

extension Store {
    /// Usable ones, in the order in which they should be tried: administrators first, the oldest first.
    public nonisolated(nonsending) func credentials(
        of installation: ID<InstallationRecord>
    ) async throws -> [CredentialRecord] {
        let vault = vault
        return try await cache.credentials.value(installation) {
            try await database.read { connection in
                try connection.rows(
                    """
                    SELECT \(CredentialRecord.columns) FROM credentials
                    WHERE installation_id = ? AND usable = 1 ORDER BY admin DESC, id
                    """, [SQLValue(installation)]
                ) { try CredentialRecord($0, vault) }
            }
        } ?? []
    }

    /// Credentials of active installations that were last renewed before `moment`.
    public func idleCredentials(renewedBefore moment: Timestamp) async throws -> [CredentialRecord] {
        let vault = vault
        return try await database.read { connection in
            try connection.rows(
                """
                SELECT \(CredentialRecord.columns) FROM credentials
                WHERE usable = 1 AND renewed_at < ?
                    AND installation_id IN (SELECT id FROM installations WHERE status = 'active' AND kind <> 'webhook')
                ORDER BY renewed_at, id
                """, [SQLValue(moment)]
            ) { try CredentialRecord($0, vault) }
        }
    }

    public func update<Result: Sendable>(
        _ id: ID<CredentialRecord>, _ change: @escaping @Sendable (inout CredentialRecord) throws -> Result
    ) async throws -> Result {
        let vault = vault
        do {
            // Of one installation alone: with thousands of portals one of them renews its token every second.
            let (result, owner) = try await database.write { connection in
                var credential = try connection.record(id, CredentialRecord.columns, in: "credentials") {
                    try CredentialRecord($0, vault)
                }
                let result = try change(&credential)
                try connection.change(
                    "credentials",
                    """
                    UPDATE credentials SET user_id = ?, admin = ?, access_sealed = ?, refresh_sealed = ?,
                        former_refresh_sealed = ?, expires_at = ?, renewed_at = ?, usable = ?
                    WHERE id = ?
                    """,
                    [
                        .text(credential.userID), SQLValue(credential.admin), .sealed(credential.accessToken, vault),
                        .sealed(credential.refreshToken, vault), .sealed(credential.formerRefreshToken, vault),
                        SQLValue(credential.expiresAt), SQLValue(credential.renewedAt), SQLValue(credential.usable),
                        SQLValue(id),
                    ])
                return (result, credential.installationID)
            }
            cache.credentials.forget(owner)
            return result
        } catch {
            cache.credentials.forgetAll()
            throw error
        }
    }
}

extension Connection {
    func saveCredential(
        of confirmed: ConfirmedInstallation, installation: ID<InstallationRecord>, vault: Vault, now: Timestamp
    ) throws {
        try run(
            """
            INSERT INTO credentials (installation_id, user_id, admin, access_sealed, refresh_sealed, expires_at, renewed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (installation_id, user_id) DO UPDATE SET
                admin = excluded.admin, access_sealed = excluded.access_sealed,
                refresh_sealed = coalesce(excluded.refresh_sealed, credentials.refresh_sealed),
                former_refresh_sealed = CASE WHEN excluded.refresh_sealed IS NULL
                    THEN credentials.former_refresh_sealed END,
                expires_at = excluded.expires_at, renewed_at = excluded.renewed_at, usable = 1
            """,
            [
                SQLValue(installation), .text(confirmed.userID), SQLValue(confirmed.admin),
                .sealed(confirmed.accessToken, vault), .sealed(confirmed.refreshToken, vault),
                SQLValue(confirmed.expiresAt), SQLValue(now),
            ])
    }
}

extension CredentialRecord {
    static let columns = """
        id, installation_id, user_id, admin, access_sealed, refresh_sealed, former_refresh_sealed, expires_at, \
        renewed_at, usable
        """

    init(_ row: borrowing Row, _ vault: Vault) throws {
        self.init(
            id: row.id(0), installationID: row.id(1), userID: row.text(2), admin: row.flag(3),
            accessToken: try row.secretIfAny(4, vault) ?? Secret(""), refreshToken: try row.secretIfAny(5, vault),
            formerRefreshToken: try row.secretIfAny(6, vault), expiresAt: row.time(7), renewedAt: row.time(8),
            usable: row.flag(9))
    }
}
