import Base

/// An inbound webhook that its portal has answered.
public struct CheckedWebhook: Sendable {
    /// The portal's host, with its port if it has one of its own.
    public var domain: String
    public var sandbox: Bool
    public var scope: String
    /// REST root, without user and code.
    public var clientEndpoint: String
    /// The secret part of the address: `1/code`.
    public var path: Secret
    public var userID: String
    public var admin: Bool
    /// What the administrator should know.
    public var notice: String?
    public init(
        domain: String, sandbox: Bool, scope: String, clientEndpoint: String, path: Secret, userID: String,
        admin: Bool, notice: String?
    ) {
        self.domain = domain
        self.sandbox = sandbox
        self.scope = scope
        self.clientEndpoint = clientEndpoint
        self.path = path
        self.userID = userID
        self.admin = admin
        self.notice = notice
    }
}

extension Store {
    /// The portal at an address; the one with a webhook if several were seen there.
    public func portal(domain: String) async throws -> PortalRecord? {
        try await database.read { try $0.portal(domain: domain) }
    }

    /// Stores a webhook with its portal; one that the portal has already gets the new address.
    public func saveWebhook(_ webhook: CheckedWebhook, now: Timestamp) async throws -> InstallationRecord {
        let vault = vault
        let saved = try await database.write { connection in
            let portal = try connection.portal(of: webhook, now: now)
            let installation = try connection.saveInstallation(of: webhook, portal: portal, vault: vault, now: now)
            try connection.run(
                "DELETE FROM credentials WHERE installation_id = ? AND user_id <> ?",
                [SQLValue(installation.id), .text(webhook.userID)])
            try connection.run(
                """
                INSERT INTO credentials (installation_id, user_id, admin, access_sealed, expires_at, renewed_at)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (installation_id, user_id) DO UPDATE SET
                    admin = excluded.admin, access_sealed = excluded.access_sealed, renewed_at = excluded.renewed_at,
                    usable = 1
                """,
                [
                    SQLValue(installation.id), .text(webhook.userID), SQLValue(webhook.admin),
                    .sealed(webhook.path, vault), .integer(.max), SQLValue(now),
                ])
            return installation
        }
        cache.forgetPortals()
        cache.forgetInstallations()
        cache.credentials.forget(saved.id)
        return saved
    }

    /// Gives a portal that was known by its address alone the name that Bitrix24 has for it. One that has another name, or
    /// whose name another portal here has, keeps what it has.
    public func learn(memberID: String, of portal: ID<PortalRecord>) async throws {
        defer { cache.forgetPortals() }
        try await database.write { connection in
            let named = try connection.run(
                """
                UPDATE portals SET member_id = ?1 WHERE id = ?2 AND member_id LIKE 'webhook:%'
                    AND NOT EXISTS (SELECT 1 FROM portals WHERE member_id = ?1)
                """, [.text(memberID), SQLValue(portal)])
            if named > 0 { try connection.forgetMirrored(of: portal) }
        }
    }
}

extension PortalRecord {
    /// Bitrix24 has not told its name for it yet.
    public var isKnownByAddress: Bool { memberID.hasPrefix("webhook:") }
}

extension Connection {
    fileprivate func portal(domain: String) throws -> PortalRecord? {
        try row(
            """
            SELECT \(PortalRecord.columns) FROM portals WHERE lower(domain) = lower(?)
            ORDER BY EXISTS (SELECT 1 FROM installations WHERE portal_id = portals.id AND kind = 'webhook') DESC,
                last_seen_at DESC, id DESC
            LIMIT 1
            """, [.text(domain)]
        ) { PortalRecord($0) }
    }

    fileprivate func portal(of webhook: CheckedWebhook, now: Timestamp) throws -> ID<PortalRecord> {
        if let known = try portal(domain: webhook.domain) {
            try run("UPDATE portals SET last_seen_at = ? WHERE id = ?", [SQLValue(now), SQLValue(known.id)])
            return known.id
        }
        try run(
            "INSERT INTO portals (member_id, domain, sandbox, created_at, last_seen_at) VALUES (?, ?, ?, ?, ?)",
            [
                .text("webhook:" + webhook.domain), .text(webhook.domain), SQLValue(webhook.sandbox), SQLValue(now),
                SQLValue(now),
            ])
        return ID(rawValue: lastInsertID)
    }

    fileprivate func saveInstallation(
        of webhook: CheckedWebhook, portal: ID<PortalRecord>, vault: Vault, now: Timestamp
    ) throws -> InstallationRecord {
        let saved = try row(
            """
            INSERT INTO installations (portal_id, kind, status, scope, client_endpoint, notice, created_at, updated_at)
            VALUES (?, 'webhook', 'active', ?, ?, ?, ?, ?)
            ON CONFLICT (portal_id) WHERE kind = 'webhook' DO UPDATE SET
                status = excluded.status, scope = excluded.scope, client_endpoint = excluded.client_endpoint,
                notice = excluded.notice, updated_at = excluded.updated_at
            RETURNING \(InstallationRecord.columns)
            """,
            [
                SQLValue(portal), .text(webhook.scope), .text(webhook.clientEndpoint), SQLValue(webhook.notice),
                SQLValue(now), SQLValue(now),
            ]
        ) { try InstallationRecord($0, vault) }
        guard let saved else { throw StoreError.missing("installations") }
        return saved
    }
}
