import Base

/// What lets somebody use the management API; the secret itself is not stored.
public struct APITokenRecord: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// Signs in once.
        case code
        /// A program's.
        case token
        /// A browser's that has signed in.
        case session
    }
    public var id: ID<APITokenRecord>
    public var kind: Kind
    public var name: String
    /// The secret, masked.
    public var hint: String
    public var createdAt: Timestamp
    public var expiresAt: Timestamp?
    /// To ten minutes.
    public var lastUsedAt: Timestamp?
}

extension Store {
    private static let usedEvery = Duration.seconds(600)

    /// Makes a token; only its fingerprint is stored.
    public func createAPIToken(
        _ kind: APITokenRecord.Kind, name: String, expiresAt: Timestamp?, now: Timestamp
    ) async throws -> (record: APITokenRecord, secret: Secret) {
        let secret = Secret(Vault.randomToken(bytes: 32))
        var record = APITokenRecord(
            id: ID(rawValue: 0), kind: kind, name: name, hint: secret.masked, createdAt: now, expiresAt: expiresAt)
        let values: [SQLValue] = [
            .text(kind.rawValue), .text(name), .text(Vault.fingerprint(secret.reveal())), .text(record.hint),
            SQLValue(now), SQLValue(expiresAt),
        ]
        record.id = try await database.write { connection in
            try connection.run(
                """
                INSERT INTO api_tokens (kind, name, fingerprint, hint, created_at, expires_at)
                VALUES (?, ?, ?, ?, ?, ?)
                """, values)
            return ID(rawValue: connection.lastInsertID)
        }
        return (record, secret)
    }

    /// The token that a secret is, if it is known and has not expired.
    public func apiToken(
        _ kind: APITokenRecord.Kind, _ secret: Secret, now: Timestamp
    ) async throws -> APITokenRecord? {
        let values: [SQLValue] = [
            .text(Vault.fingerprint(secret.reveal())), .text(kind.rawValue), SQLValue(now),
        ]
        let found = try await database.read { connection in
            try connection.row(
                """
                SELECT \(APITokenRecord.columns) FROM api_tokens
                WHERE fingerprint = ? AND kind = ? AND (expires_at IS NULL OR expires_at > ?)
                """, values
            ) { try APITokenRecord($0) }
        }
        if let found, found.lastUsedAt.map({ now - $0 > Self.usedEvery }) ?? true {
            database.writeSoon { connection in
                try connection.run(
                    "UPDATE api_tokens SET last_used_at = ? WHERE id = ?", [SQLValue(now), SQLValue(found.id)])
            }
        }
        return found
    }

    /// Whether a code is known and has not expired; it is gone after a true answer.
    public func useCode(_ code: Secret, now: Timestamp) async throws -> Bool {
        let values: [SQLValue] = [.text(Vault.fingerprint(code.reveal())), SQLValue(now)]
        return try await database.write { connection in
            try connection.run(
                """
                DELETE FROM api_tokens
                WHERE fingerprint = ? AND kind = 'code' AND (expires_at IS NULL OR expires_at > ?)
                """, values) == 1
        }
    }

    /// The tokens of programs.
    public func apiTokens(limit: Int, after cursor: String?) async throws -> Page<APITokenRecord> {
        try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                """
                SELECT \(APITokenRecord.columns) FROM api_tokens WHERE kind = 'token' AND id < ?
                ORDER BY id DESC LIMIT ?
                """, [below, count]
            ) { try APITokenRecord($0) }
        }
    }

    /// - Throws: ``StoreError/missing(_:)``.
    public func deleteAPIToken(_ kind: APITokenRecord.Kind, _ id: ID<APITokenRecord>) async throws {
        try await database.write { connection in
            try connection.change(
                "api_tokens", "DELETE FROM api_tokens WHERE id = ? AND kind = ?", [SQLValue(id), .text(kind.rawValue)])
        }
    }

    /// Signs every browser out.
    public func deleteSessionsOfBrowsers() async throws {
        try await database.write { connection in
            _ = try connection.run("DELETE FROM api_tokens WHERE kind = 'session'", [])
        }
    }

    // MARK: The password

    /// The administrator's password, hashed; `nil` until one was chosen.
    public func passwordHash() async throws -> String? {
        try await database.read { try $0.setting("admin_password") }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Signs every browser out too.
    public func setPasswordHash(_ hash: String) async throws {
        try await database.write { connection in
            try connection.remember(Array(hash.utf8), as: "admin_password")
            _ = try connection.run("DELETE FROM api_tokens WHERE kind = 'session'", [])
        }
    }
}

extension APITokenRecord {
    fileprivate static let columns = "id, kind, name, hint, created_at, expires_at, last_used_at"

    fileprivate init(_ row: borrowing Row) throws {
        self.init(
            id: row.id(0), kind: try row.choice(1), name: row.text(2), hint: row.text(3), createdAt: row.time(4),
            expiresAt: row.timeIfAny(5), lastUsedAt: row.timeIfAny(6))
    }
}
