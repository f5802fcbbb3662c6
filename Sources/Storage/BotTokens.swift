import Base

/// The tokens of bots that were registered by webhook.
extension Store {
    /// The token of a bot, made at the first time of asking: 40 characters, the most that Bitrix24 takes.
    /// - Throws: ``StoreError/missing(_:)``.
    public func makeBotToken(of bot: ID<BotRecord>) async throws -> Secret {
        let vault = vault
        let new = vault.seal(Secret(Vault.randomToken(bytes: 30)))
        let token = try await database.write { connection in
            try connection.row(
                "UPDATE bots SET token_sealed = coalesce(token_sealed, ?) WHERE id = ? RETURNING token_sealed",
                [.bytes(new), SQLValue(bot)]
            ) { try $0.secretIfAny(0, vault) }
        }
        guard let token, let token else { throw StoreError.missing("bots") }
        return token
    }

    /// The token of the bot that Bitrix24 knows by `botID`.
    public func botToken(
        of botID: Int64, installation: ID<InstallationRecord>
    ) async throws -> Secret? {
        let vault = vault
        return try await database.read { connection in
            try connection.row(
                """
                SELECT token_sealed FROM bots WHERE installation_id = ? AND bot_id = ? AND token_sealed IS NOT NULL
                ORDER BY id DESC LIMIT 1
                """, [SQLValue(installation), .integer(botID)]
            ) { try $0.secretIfAny(0, vault) } ?? nil
        }
    }

    /// The application token that Bitrix24 has made for a bot that was registered by webhook, as its first event told it.
    /// - Returns: the stored one; `token` if there was none.
    public func learnEventToken(_ token: Secret, of bot: ID<BotRecord>) async throws -> Secret {
        try await cache.eventTokens.value(bot) { try await storedEventToken(else: token, of: bot) } ?? token
    }

    private nonisolated(nonsending) func storedEventToken(
        else token: Secret, of bot: ID<BotRecord>
    ) async throws -> Secret? {
        let vault = vault
        let known = try await database.read { connection in
            try connection.row("SELECT event_token_sealed FROM bots WHERE id = ?", [SQLValue(bot)]) {
                try $0.secretIfAny(0, vault)
            } ?? nil
        }
        if let known { return known }
        let sealed = vault.seal(token)
        return try await database.write { connection in
            try connection.row(
                """
                UPDATE bots SET event_token_sealed = coalesce(event_token_sealed, ?) WHERE id = ?
                RETURNING event_token_sealed
                """, [.bytes(sealed), SQLValue(bot)]
            ) { try $0.secretIfAny(0, vault) } ?? nil
        }
    }

    /// Bitrix24 makes a new application token when it makes the bot's subscriptions anew.
    public func forgetEventToken(of bot: ID<BotRecord>) async throws {
        defer { cache.eventTokens.forget(bot) }
        try await database.write { connection in
            _ = try connection.run("UPDATE bots SET event_token_sealed = NULL WHERE id = ?", [SQLValue(bot)])
        }
    }
}
