import Base
import Foundation

/// What an import has done.
public struct ImportOutcome: Sendable, Equatable {
    /// By table.
    public var created: [String: Int] = [:]
    public var updated: [String: Int] = [:]
    /// What remains to be done by hand, a sentence each.
    public var notes: [String] = []
}

/// Why a document cannot be imported; nothing of it was.
public struct ImportError: Error, Sendable, Equatable {
    /// What to mend, for the administrator.
    public var message: String
}

extension Store {
    /// Takes a document that ``exportConfiguration(secrets:now:)`` has made: adds what is not there, changes what is, removes
    /// nothing. All of it or, with an error, nothing.
    /// - Throws: ``ImportError``.
    public func importConfiguration(_ document: JSON, now: Timestamp) async throws -> ImportOutcome {
        guard let version = document["bitbot"]?.integer else {
            throw ImportError(message: "This is no configuration that BitBot has exported")
        }
        guard version <= Self.transferVersion else {
            throw ImportError(message: "A newer BitBot has exported this: import it there")
        }
        let hasSecrets = document["secrets"]?.bool == true
        let vault = vault
        defer { cache.forgetAll() }
        return try await database.write { connection in
            let former = try connection.destinations(vault)
            var taking = Taking(connection: connection, vault: vault, hasSecrets: hasSecrets, now: now)
            for table in TransferTable.all {
                for row in document[table.name]?.array ?? [] { try taking.take(row, into: table) }
            }
            if !hasSecrets, !taking.outcome.created.isEmpty {
                taking.outcome.notes.append(
                    "The document came without secrets: give applications and connectors their keys again")
            }
            for (bot, destination) in try connection.destinations(vault) where former[bot] ?? destination != destination
            {
                try connection.endSessions("b.id = ?", .integer(bot))
            }
            return taking.outcome
        }
    }
}

extension Connection {
    /// Where each bot's conversations are held: with another destination its sessions end.
    fileprivate func destinations(_ vault: Vault) throws -> [Int64: [String]] {
        let rows = try rows(
            """
            SELECT b.id, c.id, coalesce(c.url, p.url), p.type, c.key_sealed
            FROM bots b JOIN connectors c ON c.id = b.connector_id JOIN providers p ON p.id = c.provider_id
            """
        ) { row in
            let key = try row.secretIfAny(4, vault)
            return (row.integer(0), ["\(row.integer(1))", row.text(2), row.text(3), key?.reveal() ?? ""])
        }
        return Dictionary(uniqueKeysWithValues: rows)
    }
}

/// An import under way.
private struct Taking {
    let connection: Connection
    let vault: Vault
    let hasSecrets: Bool
    let now: Timestamp
    var outcome = ImportOutcome()
    /// The id here of a row, by table and its id in the document.
    private var ids: [String: [String: Int64]] = [:]

    init(connection: Connection, vault: Vault, hasSecrets: Bool, now: Timestamp) {
        self.connection = connection
        self.vault = vault
        self.hasSecrets = hasSecrets
        self.now = now
    }

    mutating func take(_ row: JSON, into table: TransferTable) throws {
        var values: [(column: TransferTable.Column, value: SQLValue)] = []
        for column in table.columns {
            guard let given = row[column.name] else { continue }
            values.append((column, try stored(given, column, of: table)))
        }
        let identity = values.filter { table.known.contains($0.column.name) }
        guard identity.count == table.known.count else {
            throw fault(table, "lacks \(table.known.joined(separator: ", "))")
        }
        let condition = identity.map { "\($0.column.stored) IS ?" }.joined(separator: " AND ")
        let known = try connection.row(
            "SELECT rowid FROM \(table.name) WHERE \(condition)", identity.map(\.value)
        ) { $0.integer(0) }
        let id: Int64
        if let known {
            id = known
            try change(table, known, values)
            outcome.updated[table.name, default: 0] += 1
        } else {
            id = try add(table, values)
            outcome.created[table.name, default: 0] += 1
        }
        if let name = row["id"]?.string { ids[table.name, default: [:]][name] = id }
    }

    private func change(
        _ table: TransferTable, _ id: Int64, _ values: [(column: TransferTable.Column, value: SQLValue)]
    ) throws {
        let isDated = table.beginnings["updated_at"] != nil
        let set =
            (values.map { "\($0.column.stored) = ?" } + (isDated ? ["updated_at = \(now.rawValue)"] : []))
            .joined(separator: ", ")
        try running(table) {
            try connection.run(
                "UPDATE \(table.name) SET \(set) WHERE rowid = ?", values.map(\.value) + [.integer(id)])
        }
    }

    private func add(
        _ table: TransferTable, _ values: [(column: TransferTable.Column, value: SQLValue)]
    ) throws -> Int64 {
        var columns = values.map(\.column.stored)
        var places = values.map { _ in "?" }
        var bound = values.map(\.value)
        for column in table.columns where !columns.contains(column.stored) {
            guard case .random = column.kind else { continue }
            columns.append(column.stored)
            places.append("?")
            bound.append(.text(Vault.randomToken()))
        }
        let beginnings = table.beginnings.merging(hasSecrets ? [:] : table.beginningsWithoutSecrets) { $1 }
        for (name, sql) in beginnings.sorted(by: { $0.key < $1.key }) {
            columns.append(name)
            places.append(sql.replacing(":now", with: "\(now.rawValue)"))
        }
        try running(table) {
            try connection.run(
                "INSERT INTO \(table.name) (\(columns.joined(separator: ", "))) VALUES (\(places.joined(separator: ", ")))",
                bound)
        }
        return connection.lastInsertID
    }

    private func stored(_ given: JSON, _ column: TransferTable.Column, of table: TransferTable) throws -> SQLValue {
        if case .expiry = column.kind, given.isNull || given.isBeyondIntegers { return .integer(.max) }
        if given.isNull { return .null }
        switch column.kind {
        case .text, .random: if let text = given.string { return .text(text) }
        case .integer, .expiry: if let number = given.integer { return .integer(number) }
        case .real:
            if let number = given.integer { return .real(Double(number)) }
            if case .number(let number) = given { return .real(number) }
        case .flag: if let flag = given.bool { return SQLValue(flag) }
        case .json: return .json(given)
        case .bytes: if let text = given.string, let data = Data(base64Encoded: text) { return .bytes(Array(data)) }
        case .sealed: if let text = given.string { return .sealed(Secret(text), vault) }
        case .reference(let other):
            guard let name = given.string, let id = ids[other]?[name] else {
                throw fault(table, "names one of \(other) that the document does not hold")
            }
            return .integer(id)
        }
        throw fault(table, "has a \(column.name) of the wrong kind")
    }

    /// What the store does not take is a fault of the document.
    private func running(_ table: TransferTable, _ body: () throws -> Int) throws {
        do {
            _ = try body()
        } catch StoreError.alreadyThere(let column) {
            throw fault(table, "has a \(column.split(separator: ".").last ?? "") that another one here has already")
        } catch StoreError.failed {
            throw fault(table, "has a value that the store does not take")
        }
    }

    private func fault(_ table: TransferTable, _ what: String) -> ImportError {
        ImportError(message: "One of \(table.name) \(what)")
    }
}

extension JSON {
    /// JavaScript makes such a number of the largest integer, which former versions wrote for never.
    fileprivate var isBeyondIntegers: Bool { if case .number(let number) = self { number >= 0x1p63 } else { false } }
}
