import Base
import Foundation

extension Store {
    /// The whole configuration as one JSON object: applications, portals, installations, providers, connectors, bots and
    /// commands. Dialogs, work, the administrator's password and tokens, and the sandbox are none of it.
    /// - Parameter secrets: with keys and tokens, so that another server can go on with it; guard such a document.
    public func exportConfiguration(secrets: Bool, now: Timestamp) async throws -> JSON {
        let vault = vault
        let tables = TransferTable.all.filter { secrets || !$0.isSecret }
        let contents = try await database.read { connection in
            try tables.map { ($0.name, JSON.array(try connection.export($0, secrets: secrets, vault: vault))) }
        }
        var document: JSON = [
            "bitbot": .integer(Int64(Self.transferVersion)), "secrets": .bool(secrets),
            "exported_at": .string(now.iso8601),
        ]
        for (name, rows) in contents { document[name] = rows }
        return document
    }

    /// Of the document's form.
    static let transferVersion = 1
}

extension Connection {
    fileprivate func export(_ table: TransferTable, secrets: Bool, vault: Vault) throws -> [JSON] {
        let columns = table.columns.filter { secrets || !$0.isSecret }
        let hasID = table.name != "bot_avatars"
        let names = [hasID ? "id" : "0"] + columns.map(\.stored)
        return try rows(
            "SELECT \(names.joined(separator: ", ")) FROM \(table.name) WHERE \(table.condition) ORDER BY 1"
        ) { row in
            var members: Members<JSON> = hasID ? ["id": .string("\(row.integer(0))")] : [:]
            for (index, column) in columns.enumerated() {
                members[column.name] = try value(of: column.kind, in: row, Int32(index + 1), vault)
            }
            return .object(members)
        }
    }

    private func value(
        of kind: TransferTable.Kind, in row: borrowing Row, _ column: Int32, _ vault: Vault
    ) throws -> JSON {
        switch kind {
        case .text, .random: row.textIfAny(column).map(JSON.string) ?? .null
        case .integer: row.integerIfAny(column).map(JSON.integer) ?? .null
        case .expiry: row.integer(column) == .max ? .null : .integer(row.integer(column))
        case .real: .number(row.real(column))
        case .flag: .bool(row.flag(column))
        case .json: try row.json(column)
        case .bytes: .string(Data(row.bytes(column)).base64EncodedString())
        case .sealed: try row.secretIfAny(column, vault).map { .string($0.reveal()) } ?? .null
        case .reference: row.integerIfAny(column).map { .string("\($0)") } ?? .null
        }
    }
}
