import Base

public struct BotDraft: Sendable {
    public var installationID: ID<InstallationRecord>
    public var connectorID: ID<ConnectorRecord>?
    public var name: String
    public var code: String
    public var type = "openline"
    public var api = "v2"
    public var delivery = "webhook"
    public var settings: JSON = [:]
    public var position = ""
    public var color: String?
    public init(installationID: ID<InstallationRecord>, name: String, code: String) {
        self.installationID = installationID
        self.name = name
        self.code = code
    }
}

extension Store {
    /// - Throws: ``StoreError/missing(_:)`` for an installation or connector that is not there.
    public func createBot(_ draft: BotDraft, now: Timestamp) async throws -> BotRecord {
        var bot = BotRecord(
            id: ID(rawValue: 0), installationID: draft.installationID, connectorID: draft.connectorID, name: draft.name,
            code: draft.code, type: draft.type, api: draft.api, delivery: draft.delivery, botID: nil,
            status: .registering, statusReason: nil, addressKey: Vault.randomToken(), settings: draft.settings,
            position: draft.position, color: draft.color, createdAt: now, updatedAt: now)
        let values = bot.values
        bot.id = try await database.write { connection in
            try connection.requireReferences(of: draft.installationID, draft.connectorID)
            try connection.run(
                """
                INSERT INTO bots (installation_id, connector_id, name, code, type, api, delivery, bot_id, status,
                    status_reason, address_key, settings, position, color, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, values)
            return ID(rawValue: connection.lastInsertID)
        }
        return bot
    }

    public nonisolated(nonsending) func bot(_ id: ID<BotRecord>) async throws -> BotRecord? {
        try await cache.bots.value(id) { try await readBot("id = ?", SQLValue(id)) }
    }

    public nonisolated(nonsending) func bot(addressKey: String) async throws -> BotRecord? {
        try await cache.botsByAddress.value(addressKey) { try await readBot("address_key = ?", .text(addressKey)) }
    }

    /// A change of connector ends the bot's sessions.
    /// - Throws: ``StoreError/missing(_:)`` for an installation or connector that is not there.
    public func update<Result: Sendable>(
        _ id: ID<BotRecord>, now: Timestamp, _ change: @escaping @Sendable (inout BotRecord) throws -> Result
    ) async throws -> Result {
        defer { cache.forgetBots() }
        return try await database.write { connection in
            let former = try connection.record(id, BotRecord.columns, in: "bots") { try BotRecord($0) }
            var bot = former
            bot.updatedAt = now
            let result = try change(&bot)
            try connection.requireReferences(of: bot.installationID, bot.connectorID)
            try connection.change(
                "bots",
                """
                UPDATE bots SET installation_id = ?, connector_id = ?, name = ?, code = ?, type = ?, api = ?,
                    delivery = ?, bot_id = ?, status = ?, status_reason = ?, address_key = ?, settings = ?,
                    position = ?, color = ?, created_at = ?, updated_at = ?
                WHERE id = ?
                """, bot.values + [SQLValue(id)])
            if former.connectorID != bot.connectorID { try connection.endSessions("b.id = ?", SQLValue(id)) }
            return result
        }
    }

    /// Stores what Bitrix24 made of the bot (`botID`, `api`, `status`, `statusReason`) alone: the administrator may have changed
    /// the rest while it was asked.
    /// - Returns: the bot as it is now.
    public func setRegistration(of bot: BotRecord, now: Timestamp) async throws -> BotRecord {
        defer { cache.forgetBots() }
        let stored = try await database.write { connection in
            try connection.row(
                """
                UPDATE bots SET bot_id = ?1, api = ?2, status = ?3, status_reason = ?4, updated_at = ?5,
                    event_offset = CASE WHEN bot_id IS ?1 THEN event_offset END,
                    draining = CASE WHEN draining = 1 AND ?4 IS NULL THEN 2 ELSE draining END
                WHERE id = ?6
                RETURNING \(BotRecord.columns)
                """,
                [
                    SQLValue(bot.botID), .text(bot.api), .text(bot.status.rawValue), SQLValue(bot.statusReason),
                    SQLValue(now), SQLValue(bot.id),
                ]
            ) { try BotRecord($0) }
        }
        guard let stored else { throw StoreError.missing("bots") }
        return stored
    }

    /// - Parameter image: `nil` forgets it.
    public func setAvatar(_ image: [UInt8]?, of bot: ID<BotRecord>) async throws {
        defer { cache.forgetBots() }
        try await database.write { connection in
            try connection.change(
                "bots", "UPDATE bots SET has_avatar = ? WHERE id = ?", [SQLValue(image != nil), SQLValue(bot)])
            if let image {
                try connection.run(
                    "INSERT OR REPLACE INTO bot_avatars (bot_id, image) VALUES (?, ?)", [SQLValue(bot), .bytes(image)])
            } else {
                try connection.run("DELETE FROM bot_avatars WHERE bot_id = ?", [SQLValue(bot)])
            }
        }
    }

    public func avatar(of bot: ID<BotRecord>) async throws -> [UInt8]? {
        try await database.read { connection in
            try connection.row("SELECT image FROM bot_avatars WHERE bot_id = ?", [SQLValue(bot)]) { $0.bytes(0) }
        }
    }

    /// Deletes the bot with its commands and dialogs.
    public func deleteBot(_ id: ID<BotRecord>) async throws {
        try await eraseDialogs("bot_id = ?", SQLValue(id))
        defer {
            cache.forgetBots()
            cache.commands.forget(id)
        }
        try await database.write { try $0.delete(id, from: "bots") }
    }

    /// - Parameters:
    ///   - portal: only this portal's; all if `nil`.
    ///   - installation: only this installation's.
    public func bots(
        limit: Int, after cursor: String?, portal: ID<PortalRecord>? = nil,
        installation: ID<InstallationRecord>? = nil
    ) async throws -> Page<BotRecord> {
        let ofPortal = Filter("installation_id IN (SELECT id FROM installations WHERE portal_id = ?)", portal)
        let filter = ofPortal + Filter("installation_id = ?", installation)
        return try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                "SELECT \(BotRecord.columns) FROM bots WHERE \(filter.sql) id < ? ORDER BY id DESC LIMIT ?",
                filter.values + [below, count]
            ) { try BotRecord($0) }
        }
    }

    /// The oldest first.
    public func bots(of installation: ID<InstallationRecord>) async throws -> [BotRecord] {
        try await database.read { connection in
            try connection.rows(
                "SELECT \(BotRecord.columns) FROM bots WHERE installation_id = ? ORDER BY id", [SQLValue(installation)]
            ) { try BotRecord($0) }
        }
    }

    private nonisolated(nonsending) func readBot(_ condition: String, _ value: SQLValue) async throws -> BotRecord? {
        try await database.read { connection in
            try connection.row("SELECT \(BotRecord.columns) FROM bots WHERE \(condition)", [value]) {
                try BotRecord($0)
            }
        }
    }
}

extension Connection {
    fileprivate func requireReferences(
        of installation: ID<InstallationRecord>, _ connector: ID<ConnectorRecord>?
    ) throws {
        try require(installation, in: "installations")
        if let connector { try require(connector, in: "connectors") }
    }
}

extension BotRecord {
    static let columns = """
        id, installation_id, connector_id, name, code, type, api, delivery, bot_id, status, status_reason, address_key, \
        settings, position, color, has_avatar, created_at, updated_at
        """

    init(_ row: borrowing Row) throws {
        self.init(
            id: row.id(0), installationID: row.id(1), connectorID: row.idIfAny(2), name: row.text(3), code: row.text(4),
            type: row.text(5), api: row.text(6), delivery: row.text(7), botID: row.integerIfAny(8),
            status: try row.choice(9), statusReason: row.textIfAny(10), addressKey: row.text(11),
            settings: try row.json(12), position: row.text(13), color: row.textIfAny(14), hasAvatar: row.flag(15),
            createdAt: row.time(16), updatedAt: row.time(17))
    }

    /// In the order of ``columns``, without the id and the avatar, which is changed apart.
    var values: [SQLValue] {
        [
            SQLValue(installationID), SQLValue(connectorID), .text(name), .text(code), .text(type), .text(api),
            .text(delivery), SQLValue(botID), .text(status.rawValue), SQLValue(statusReason), .text(addressKey),
            .json(settings), .text(position), SQLValue(color), SQLValue(createdAt), SQLValue(updatedAt),
        ]
    }
}
