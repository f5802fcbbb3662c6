import CBase

/// One connection, lent to the closure given to ``Database/write(_:)`` or ``Database/read(_:)`` and not to be kept.
public final class Connection {
    let handle: OpaquePointer
    /// The kept statements by the length of their text, in which most of the few that there are differ: hashing the whole
    /// text would cost several times as much as finding the statement.
    @exclusivity(unchecked) private var statements: [[Statement]] = Array(repeating: [], count: 1024)
    private var keptStatements = 0

    /// Kept statements are texts in the source, so there are few; this bounds a text that is put together at run time.
    private static let mostStatements = 500

    /// How long another process (a person's `sqlite3`, a backup) may hold the store, in milliseconds.
    static let patience: Int32 = 5000

    /// Done once, before the first connection: Debian's SQLite counts every allocation under one lock, a tenth of the
    /// work of a change. If it fails (somebody else has opened a connection) SQLite counts on, which does no harm.
    private static let withoutStatistics = bitbot_sqlite_without_memory_statistics() == SQLITE_OK

    init(path: String, flags: Int32) throws {
        _ = Self.withoutStatistics
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw StoreError.cannotOpen(path: path, reason: reason)
        }
        handle = opened
        sqlite3_busy_timeout(handle, Self.patience)
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    /// Runs a statement and passes over the rows it gives; returns how many rows it changed. Statements are prepared once
    /// and kept.
    /// - Throws: ``StoreError``.
    @discardableResult
    public func run(_ sql: String, _ values: [SQLValue] = []) throws -> Int {
        try using(sql, values) { statement in
            while try step(statement) {}
            return Int(sqlite3_changes64(handle))
        }
    }

    /// Runs a statement and maps each row while it is current.
    /// - Throws: ``StoreError``, and what `map` throws.
    public func rows<T>(_ sql: String, _ values: [SQLValue] = [], _ map: (borrowing Row) throws -> T) throws -> [T] {
        try using(sql, values) { statement in
            var mapped: [T] = []
            while try step(statement) { mapped.append(try map(Row(statement.handle))) }
            return mapped
        }
    }

    /// The first row, or `nil`. A statement that changes something (`… RETURNING`) runs to its end.
    /// - Throws: ``StoreError``, and what `map` throws.
    public func row<T>(_ sql: String, _ values: [SQLValue] = [], _ map: (borrowing Row) throws -> T) throws -> T? {
        try using(sql, values) { statement in
            guard try step(statement) else { return nil }
            let mapped = try map(Row(statement.handle))
            if !statement.isReadOnly { while try step(statement) {} }
            return mapped
        }
    }

    /// Runs an INSERT of one row, and gives its id; `nil` if it did nothing, as the row is there. `RETURNING` would have
    /// SQLite make a table for what it returns, which costs as much as storing the row.
    /// - Throws: ``StoreError``.
    func insert(_ sql: String, _ values: [SQLValue]) throws -> Int64? {
        try run(sql, values) == 1 ? lastInsertID : nil
    }

    /// The id that the last INSERT gave.
    public var lastInsertID: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Rows changed since the connection was opened.
    var totalChanges: Int64 { sqlite3_total_changes64(handle) }

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Set while a shared transaction is open: some faults (a full disk) make SQLite undo the whole transaction, and what
    /// is run after that would be committed by itself.
    @exclusivity(unchecked) var needsTransaction = false

    /// Runs several statements that take no values.
    func runScript(_ sql: String) throws {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code) }
    }

    private func using<T>(_ sql: String, _ values: [SQLValue], _ body: (Statement) throws -> T) throws -> T {
        if needsTransaction && !isInTransaction { throw StoreError.failed("the transaction was undone") }
        let statement = try prepared(sql)
        guard sqlite3_bind_parameter_count(statement.handle) == values.count else {
            throw StoreError.failed("a statement was given \(values.count) values, not as many as it takes")
        }
        var result: T?
        statement.busy = true
        defer { statement.busy = false }
        try statement.binding(values, or: error) {
            // What was bound lies where it is until here only; the next run binds each anew.
            defer { sqlite3_reset(statement.handle) }
            result = try body(statement)
        }
        return result!
    }

    /// A kept statement; a fresh one while the kept one is being stepped through by a caller further up.
    private func prepared(_ sql: String) throws -> Statement {
        let place = sql.utf8.count % statements.count
        let kept = statements[place].first { $0.sql == sql }
        if let kept, !kept.busy { return kept }
        var made: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
        guard code == SQLITE_OK, let made else {
            throw code == SQLITE_OK ? StoreError.failed("an empty statement") : error(code)
        }
        let statement = Statement(made, sql)
        if kept == nil && keptStatements < Self.mostStatements {
            statements[place].append(statement)
            keptStatements += 1
        }
        return statement
    }

    private func step(_ statement: Statement) throws -> Bool {
        switch sqlite3_step(statement.handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw error(code)
        }
    }

    private func error(_ code: Int32) -> StoreError {
        StoreError(code: code, message: String(cString: sqlite3_errmsg(handle)))
    }
}

/// A prepared statement; lives as long as its connection keeps it or a caller uses it.
final class Statement {
    let handle: OpaquePointer
    let sql: String
    let isReadOnly: Bool
    @exclusivity(unchecked) var busy = false

    init(_ handle: OpaquePointer, _ sql: String) {
        self.handle = handle
        self.sql = sql
        isReadOnly = sqlite3_stmt_readonly(handle) != 0
    }

    deinit { sqlite3_finalize(handle) }

    /// Runs `body` with the values bound. SQLite takes no copies of texts and bytes: it reads them where they are, which is
    /// promised inside of a closure only, so each is a level deeper.
    /// - Parameter first: where among the values to begin.
    func binding(
        _ values: [SQLValue], from first: Int = 0, or error: (Int32) -> StoreError, _ body: () throws -> Void
    ) throws {
        for index in first..<values.count {
            let position = Int32(truncatingIfNeeded: index + 1)
            func check(_ code: Int32) throws { guard code == SQLITE_OK else { throw error(code) } }
            switch values[index] {
            case .null: try check(sqlite3_bind_null(handle, position))
            case .integer(let integer): try check(sqlite3_bind_int64(handle, position, integer))
            case .real(let real): try check(sqlite3_bind_double(handle, position, real))
            case .text(var text):
                return try text.withUTF8 { bytes in
                    let start = UnsafeRawPointer(bytes.baseAddress ?? Self.empty).assumingMemoryBound(to: CChar.self)
                    try check(
                        sqlite3_bind_text64(
                            handle, position, start, UInt64(bytes.count), nil, UInt8(SQLITE_UTF8)))
                    try binding(values, from: index + 1, or: error, body)
                }
            case .bytes(let bytes):
                return try bytes.withUnsafeBytes { bytes in
                    let start = bytes.baseAddress ?? UnsafeRawPointer(Self.empty)
                    try check(sqlite3_bind_blob64(handle, position, start, UInt64(bytes.count), nil))
                    try binding(values, from: index + 1, or: error, body)
                }
            }
        }
        try body()
    }

    /// What an empty value points to: a null pointer would store NULL. Never written, lives as long as the process.
    nonisolated(unsafe) private static let empty: UnsafePointer<UInt8> = {
        let place = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        place.pointee = 0
        return UnsafePointer(place)
    }()
}

/// The current row of a statement; columns by position from 0.
public struct Row: ~Copyable {
    private let statement: OpaquePointer

    init(_ statement: OpaquePointer) { self.statement = statement }

    public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    public func integerIfAny(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
    public func real(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }
    public func flag(_ column: Int32) -> Bool { integer(column) != 0 }

    public func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(statement, column) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    public func textIfAny(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    public func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    public func bytesIfAny(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
}
