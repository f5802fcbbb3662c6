import Base

extension Row {
    func id<Record>(_ column: Int32) -> ID<Record> { ID(rawValue: integer(column)) }
    func idIfAny<Record>(_ column: Int32) -> ID<Record>? { integerIfAny(column).map { ID(rawValue: $0) } }
    func time(_ column: Int32) -> Timestamp { Timestamp(rawValue: integer(column)) }
    func timeIfAny(_ column: Int32) -> Timestamp? { integerIfAny(column).map { Timestamp(rawValue: $0) } }

    /// - Throws: ``StoreError/failed(_:)`` when the text is none of the type's values.
    func choice<Value: RawRepresentable<String>>(_ column: Int32) throws -> Value {
        guard let value = Value(rawValue: text(column)) else {
            throw StoreError.failed("the store holds an unknown \(Value.self)")
        }
        return value
    }

    /// - Throws: ``StoreError/failed(_:)`` when the text is no JSON.
    func json(_ column: Int32) throws -> JSON {
        do {
            let text = text(column)
            return text == "{}" ? [:] : try JSON(parsing: text.utf8)
        } catch {
            throw StoreError.failed("the store holds JSON that cannot be read")
        }
    }

    /// - Throws: ``StoreError/failed(_:)`` when `vault` cannot open the bytes.
    func secretIfAny(_ column: Int32, _ vault: Vault) throws -> Secret? {
        guard let sealed = bytesIfAny(column) else { return nil }
        do {
            return try vault.openSecret(sealed)
        } catch {
            throw StoreError.failed("the store holds a secret that this server's key does not open")
        }
    }
}

extension SQLValue {
    static func json(_ value: JSON) -> SQLValue { .text(value.text) }
    static func sealed(_ secret: Secret?, _ vault: Vault) -> SQLValue { SQLValue(secret.map { vault.seal($0) }) }
}

extension Connection {
    /// - Throws: ``StoreError/missing(_:)`` unless the table has a row with that id.
    func require<Record>(_ id: ID<Record>, in table: String) throws {
        guard try row("SELECT 1 FROM \(table) WHERE id = ?", [SQLValue(id)], { _ in true }) != nil else {
            throw StoreError.missing(table)
        }
    }

    /// The record of one row, to be changed in the same transaction.
    /// - Throws: ``StoreError/missing(_:)``.
    func record<Record>(
        _ id: ID<Record>, _ columns: String, in table: String, _ read: (borrowing Row) throws -> Record
    ) throws -> Record {
        guard let record = try row("SELECT \(columns) FROM \(table) WHERE id = ?", [SQLValue(id)], read) else {
            throw StoreError.missing(table)
        }
        return record
    }

    /// Deletes one row.
    /// - Throws: ``StoreError/missing(_:)``.
    func delete<Record>(_ id: ID<Record>, from table: String) throws {
        guard try run("DELETE FROM \(table) WHERE id = ?", [SQLValue(id)]) == 1 else {
            throw StoreError.missing(table)
        }
    }

    /// Runs an UPDATE that names one row.
    /// - Throws: ``StoreError/missing(_:)`` when it is gone.
    func change(_ table: String, _ sql: String, _ values: [SQLValue]) throws {
        guard try run(sql, values) == 1 else { throw StoreError.missing(table) }
    }
}
