import Base
import Foundation

extension Store {
    /// - Parameter command: its `id` is not used; the result has the one that was given.
    /// - Throws: ``StoreError/missing(_:)`` for a bot that is not there; ``StoreError/alreadyThere(_:)``
    ///   `commands.command` when the bot has that command.
    public func createCommand(_ command: CommandRecord) async throws -> CommandRecord {
        var command = command
        let values = try command.values()
        let bot = command.botID
        defer { cache.commands.forget(bot) }
        command.id = try await database.write { connection in
            try connection.require(bot, in: "bots")
            try connection.run(
                """
                INSERT INTO commands (bot_id, command, common, hidden, extranet, translations, command_id)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """, values)
            return ID(rawValue: connection.lastInsertID)
        }
        return command
    }

    public func command(_ id: ID<CommandRecord>) async throws -> CommandRecord? {
        try await database.read { connection in
            try connection.row("SELECT \(CommandRecord.columns) FROM commands WHERE id = ?", [SQLValue(id)]) {
                try CommandRecord($0)
            }
        }
    }

    public func update<Result: Sendable>(
        _ id: ID<CommandRecord>, _ change: @escaping @Sendable (inout CommandRecord) throws -> Result
    ) async throws -> Result {
        defer { cache.commands.forgetAll() }
        return try await database.write { connection in
            var command = try connection.record(id, CommandRecord.columns, in: "commands") { try CommandRecord($0) }
            let result = try change(&command)
            try connection.change(
                "commands",
                """
                UPDATE commands SET bot_id = ?, command = ?, common = ?, hidden = ?, extranet = ?, translations = ?,
                    command_id = ?
                WHERE id = ?
                """, command.values() + [SQLValue(id)])
            return result
        }
    }

    public func deleteCommand(_ id: ID<CommandRecord>) async throws {
        defer { cache.commands.forgetAll() }
        try await database.write { try $0.delete(id, from: "commands") }
    }

    public func commands(
        of bot: ID<BotRecord>, limit: Int, after cursor: String?
    ) async throws -> Page<CommandRecord> {
        try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                "SELECT \(CommandRecord.columns) FROM commands WHERE bot_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
                [SQLValue(bot), below, count]
            ) { try CommandRecord($0) }
        }
    }

    /// The oldest first.
    public nonisolated(nonsending) func commands(of bot: ID<BotRecord>) async throws -> [CommandRecord] {
        try await cache.commands.value(bot) {
            try await database.read { connection in
                try connection.rows(
                    "SELECT \(CommandRecord.columns) FROM commands WHERE bot_id = ? ORDER BY id", [SQLValue(bot)]
                ) { try CommandRecord($0) }
            }
        } ?? []
    }
}

extension CommandRecord {
    static let columns = "id, bot_id, command, common, hidden, extranet, translations, command_id"

    init(_ row: borrowing Row) throws {
        let translations: [Translation]
        do {
            translations = try JSONDecoder().decode([Translation].self, from: Data(row.text(6).utf8))
        } catch {
            throw StoreError.failed("the store holds translations that cannot be read")
        }
        self.init(
            id: row.id(0), botID: row.id(1), command: row.text(2), common: row.flag(3), hidden: row.flag(4),
            extranet: row.flag(5), translations: translations, commandID: row.integerIfAny(7))
    }

    /// In the order of ``columns``, without the id.
    func values() throws -> [SQLValue] {
        [
            SQLValue(botID), .text(command), SQLValue(common), SQLValue(hidden), SQLValue(extranet),
            .text(String(decoding: try JSONEncoder().encode(translations), as: UTF8.self)), SQLValue(commandID),
        ]
    }
}
