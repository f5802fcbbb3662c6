import Base

extension Store {
    /// Makes a token; only its fingerprint is stored. `singleUse`: a sign-in code.
    public func createAPIToken(
        name: String, singleUse: Bool, expiresAt: Timestamp?, now: Timestamp
    ) async throws -> Secret {
        let token = Vault.randomToken(bytes: 32)
        try await database.write { connection in
            _ = try connection.run(
                """
                INSERT INTO api_tokens (name, fingerprint, created_at, expires_at, single_use) VALUES (?, ?, ?, ?, ?)
                """,
                [
                    .text(name), .text(Vault.fingerprint(token)), SQLValue(now), SQLValue(expiresAt),
                    SQLValue(singleUse),
                ])
        }
        return Secret(token)
    }

    /// Whether the token is known and has not expired; a single-use one is gone after a true answer.
    public func acceptsAPIToken(_ token: Secret, singleUse: Bool, now: Timestamp) async throws -> Bool {
        let values: [SQLValue] = [.text(Vault.fingerprint(token.reveal())), SQLValue(singleUse), SQLValue(now)]
        let condition = "fingerprint = ? AND single_use = ? AND (expires_at IS NULL OR expires_at > ?)"
        let known = try await database.read { connection in
            try connection.row("SELECT 1 FROM api_tokens WHERE \(condition)", values) { _ in true } ?? false
        }
        guard known && singleUse else { return known }
        return try await database.write { connection in
            try connection.run("DELETE FROM api_tokens WHERE \(condition)", values) == 1
        }
    }
}
