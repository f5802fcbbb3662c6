import Base

/// An installation that Bitrix24 itself has confirmed.
public struct ConfirmedInstallation: Sendable {
    public var memberID: String
    public var domain: String
    public var appID: ID<AppRecord>
    public var sandbox: Bool
    public var scope: String
    public var clientEndpoint: String
    public var serverEndpoint: String
    /// `nil` leaves the stored one.
    public var applicationToken: Secret?
    public var userID: String
    public var admin: Bool
    public var accessToken: Secret
    public var refreshToken: Secret?
    public var expiresAt: Timestamp
    /// What the administrator should know; `nil` leaves that of an active installation.
    public var notice: String?
    public init(
        memberID: String, domain: String, appID: ID<AppRecord>, sandbox: Bool, scope: String, clientEndpoint: String,
        serverEndpoint: String, applicationToken: Secret?, userID: String, admin: Bool, accessToken: Secret,
        refreshToken: Secret?, expiresAt: Timestamp
    ) {
        self.memberID = memberID
        self.domain = domain
        self.appID = appID
        self.sandbox = sandbox
        self.scope = scope
        self.clientEndpoint = clientEndpoint
        self.serverEndpoint = serverEndpoint
        self.applicationToken = applicationToken
        self.userID = userID
        self.admin = admin
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.expiresAt = expiresAt
    }
}

extension Store {
    /// Stores a confirmed installation with its portal and the user's credential in one transaction; renews them if they
    /// are there. A sandbox installation never takes a real portal's place (nor the other way round).
    /// - Throws: ``StoreError/alreadyThere(_:)`` `portals.sandbox` in that case.
    public func saveInstallation(_ confirmed: ConfirmedInstallation, now: Timestamp) async throws -> InstallationRecord
    {
        let vault = vault
        let saved = try await database.write { connection in
            try connection.require(confirmed.appID, in: "apps")
            let portal = try connection.savePortal(of: confirmed, now: now)
            let installation = try connection.saveInstallation(confirmed, portal: portal, vault: vault, now: now)
            try connection.saveCredential(of: confirmed, installation: installation.id, vault: vault, now: now)
            return installation
        }
        cache.forgetPortals()
        cache.forgetInstallations()
        cache.credentials.forget(saved.id)
        return saved
    }

    public nonisolated(nonsending) func installation(
        _ id: ID<InstallationRecord>
    ) async throws -> InstallationRecord? {
        try await cache.installations.value(id) { try await readInstallation("id = ?", [SQLValue(id)]) }
    }

    public nonisolated(nonsending) func installation(
        portal: ID<PortalRecord>, app: ID<AppRecord>
    ) async throws -> InstallationRecord? {
        try await cache.installationsByApp.value(.init(portal: portal, app: app)) {
            try await readInstallation("portal_id = ? AND app_id = ?", [SQLValue(portal), SQLValue(app)])
        }
    }

    public func update<Result: Sendable>(
        _ id: ID<InstallationRecord>, _ change: @escaping @Sendable (inout InstallationRecord) throws -> Result
    ) async throws -> Result {
        let vault = vault
        defer { cache.forgetInstallations() }
        return try await database.write { connection in
            var installation = try connection.record(id, InstallationRecord.columns, in: "installations") {
                try InstallationRecord($0, vault)
            }
            let result = try change(&installation)
            try connection.change(
                "installations",
                """
                UPDATE installations SET portal_id = ?, app_id = ?, kind = ?, status = ?, scope = ?,
                    client_endpoint = ?, server_endpoint = ?, application_token_sealed = ?, notice = ?, created_at = ?,
                    updated_at = ?
                WHERE id = ?
                """, installation.values(vault) + [SQLValue(id)])
            return result
        }
    }

    /// Changes status and notice alone, and only if they are still as in `installation`: whatever the caller saw may have been
    /// renewed since.
    public func setStatus(
        _ status: InstallationRecord.Status, notice: String?, of installation: InstallationRecord, now: Timestamp
    ) async throws {
        defer { cache.forgetInstallations() }
        try await database.write { connection in
            _ = try connection.run(
                """
                UPDATE installations SET status = ?, notice = ?, updated_at = ?
                WHERE id = ? AND status = ? AND coalesce(notice, '') = ?
                """,
                [
                    .text(status.rawValue), SQLValue(notice), SQLValue(now), SQLValue(installation.id),
                    .text(installation.status.rawValue), .text(installation.notice ?? ""),
                ])
        }
    }

    /// Deletes the installation with its credentials and bots.
    public func deleteInstallation(_ id: ID<InstallationRecord>) async throws {
        try await eraseDialogs("bot_id IN (SELECT id FROM bots WHERE installation_id = ?)", SQLValue(id))
        defer { cache.forgetAll() }
        try await database.write { try $0.delete(id, from: "installations") }
    }

    /// All of a portal, in the order in which they were made.
    public func installations(of portal: ID<PortalRecord>) async throws -> [InstallationRecord] {
        try await database.read { [vault] connection in
            try connection.rows(
                "SELECT \(InstallationRecord.columns) FROM installations WHERE portal_id = ? ORDER BY id",
                [SQLValue(portal)]
            ) { try InstallationRecord($0, vault) }
        }
    }

    /// Those that Bitrix24 does not let in at present.
    public func deniedInstallations() async throws -> [InstallationRecord] {
        try await database.read { [vault] connection in
            try connection.rows(
                "SELECT \(InstallationRecord.columns) FROM installations WHERE status = 'denied' ORDER BY id", []
            ) { try InstallationRecord($0, vault) }
        }
    }

    /// - Parameter portal: only this portal's; all if `nil`.
    public func installations(
        limit: Int, after cursor: String?, portal: ID<PortalRecord>? = nil
    ) async throws -> Page<InstallationRecord> {
        let (vault, filter) = (vault, Filter("portal_id = ?", portal))
        return try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                """
                SELECT \(InstallationRecord.columns) FROM installations WHERE \(filter.sql) id < ?
                ORDER BY id DESC LIMIT ?
                """, filter.values + [below, count]
            ) { try InstallationRecord($0, vault) }
        }
    }

    private nonisolated(nonsending) func readInstallation(
        _ condition: String, _ values: [SQLValue]
    ) async throws -> InstallationRecord? {
        let vault = vault
        return try await database.read { connection in
            try connection.row("SELECT \(InstallationRecord.columns) FROM installations WHERE \(condition)", values) {
                try InstallationRecord($0, vault)
            }
        }
    }
}

extension Connection {
    fileprivate func savePortal(of confirmed: ConfirmedInstallation, now: Timestamp) throws -> ID<PortalRecord> {
        let known: (id: ID<PortalRecord>, sandbox: Bool)? = try row(
            "SELECT id, sandbox FROM portals WHERE member_id = ?", [.text(confirmed.memberID)]
        ) { ($0.id(0), $0.flag(1)) }
        if let known {
            guard known.sandbox == confirmed.sandbox else { throw StoreError.alreadyThere("portals.sandbox") }
            try run(
                "UPDATE portals SET domain = ?, last_seen_at = ? WHERE id = ?",
                [.text(confirmed.domain), SQLValue(now), SQLValue(known.id)])
            return known.id
        }
        // A portal that was known by its address alone, through a webhook, gets its name now.
        let named: ID<PortalRecord>? = try row(
            "UPDATE portals SET member_id = ?, last_seen_at = ? WHERE member_id = ? AND sandbox = ? RETURNING id",
            [
                .text(confirmed.memberID), SQLValue(now), .text("webhook:" + confirmed.domain),
                SQLValue(confirmed.sandbox),
            ]
        ) { $0.id(0) }
        if let named {
            try forgetMirrored(of: named)
            return named
        }
        try run(
            "INSERT INTO portals (member_id, domain, sandbox, created_at, last_seen_at) VALUES (?, ?, ?, ?, ?)",
            [
                .text(confirmed.memberID), .text(confirmed.domain), SQLValue(confirmed.sandbox), SQLValue(now),
                SQLValue(now),
            ])
        return ID(rawValue: lastInsertID)
    }

    fileprivate func saveInstallation(
        _ confirmed: ConfirmedInstallation, portal: ID<PortalRecord>, vault: Vault, now: Timestamp
    ) throws -> InstallationRecord {
        let kind: InstallationRecord.Kind = confirmed.sandbox ? .sandbox : .app
        let saved = try row(
            """
            INSERT INTO installations (portal_id, app_id, kind, status, scope, client_endpoint, server_endpoint,
                application_token_sealed, notice, created_at, updated_at)
            VALUES (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (portal_id, app_id) DO UPDATE SET
                kind = excluded.kind, status = excluded.status, scope = excluded.scope,
                client_endpoint = excluded.client_endpoint, server_endpoint = excluded.server_endpoint,
                application_token_sealed =
                    coalesce(excluded.application_token_sealed, installations.application_token_sealed),
                notice = CASE WHEN excluded.notice IS NOT NULL OR installations.status <> 'active' THEN excluded.notice
                    ELSE installations.notice END,
                updated_at = excluded.updated_at
            RETURNING \(InstallationRecord.columns)
            """,
            [
                SQLValue(portal), SQLValue(confirmed.appID), .text(kind.rawValue), .text(confirmed.scope),
                .text(confirmed.clientEndpoint), .text(confirmed.serverEndpoint),
                .sealed(confirmed.applicationToken, vault), SQLValue(confirmed.notice), SQLValue(now), SQLValue(now),
            ]
        ) { try InstallationRecord($0, vault) }
        guard let saved else { throw StoreError.missing("installations") }
        return saved
    }
}

extension InstallationRecord {
    static let columns = """
        id, portal_id, app_id, kind, status, scope, client_endpoint, server_endpoint, application_token_sealed, notice, \
        created_at, updated_at
        """

    init(_ row: borrowing Row, _ vault: Vault) throws {
        self.init(
            id: row.id(0), portalID: row.id(1), appID: row.idIfAny(2), kind: try row.choice(3),
            status: try row.choice(4), scope: row.text(5), clientEndpoint: row.text(6), serverEndpoint: row.text(7),
            applicationToken: try row.secretIfAny(8, vault), notice: row.textIfAny(9), createdAt: row.time(10),
            updatedAt: row.time(11))
    }

    /// In the order of ``columns``, without the id.
    func values(_ vault: Vault) -> [SQLValue] {
        [
            SQLValue(portalID), SQLValue(appID), .text(kind.rawValue), .text(status.rawValue), .text(scope),
            .text(clientEndpoint), .text(serverEndpoint), .sealed(applicationToken, vault), SQLValue(notice),
            SQLValue(createdAt), SQLValue(updatedAt),
        ]
    }
}
