import Base

/// The embedded store: one writer that commits all waiting changes together, readers beside it.
///
/// SQL is kept plain enough for PostgreSQL, which can join as a second driver behind this type.
public final class Database: Sendable {
    /// Opens (and makes) the store, checks its version and applies the migrations that are missing.
    /// - Throws: ``StoreError``.
    public static func open(path: String, log: Log, metrics: Metrics) async throws -> Database {
        fatalError("skeleton")
    }

    /// Runs `body` inside a transaction that other waiting changes share, and returns once it is on the disk. If `body`
    /// throws, its own changes alone are undone.
    public func write<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        fatalError("skeleton")
    }

    /// Runs `body` on a connection that can only read; it sees everything committed before.
    public func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        fatalError("skeleton")
    }

    /// Waits for what is under way and closes.
    public func close() async { fatalError("skeleton") }
}

/// One connection, lent to the closure given to ``Database/write(_:)`` or ``Database/read(_:)`` and not to be kept.
public final class Connection {
    /// Runs a statement that gives no rows; returns how many rows it changed. Statements are prepared once and kept.
    @discardableResult
    public func run(_ sql: String, _ values: [SQLValue] = []) throws -> Int { fatalError("skeleton") }

    /// Runs a statement and maps each row while it is current.
    public func rows<T>(_ sql: String, _ values: [SQLValue] = [], _ map: (borrowing Row) throws -> T) throws -> [T] {
        fatalError("skeleton")
    }

    /// The first row, or `nil`.
    public func row<T>(_ sql: String, _ values: [SQLValue] = [], _ map: (borrowing Row) throws -> T) throws -> T? {
        fatalError("skeleton")
    }

    /// The id that the last INSERT gave.
    public var lastInsertID: Int64 { fatalError("skeleton") }
}

/// The current row of a statement; columns by position from 0.
public struct Row: ~Copyable {
    public func integer(_ column: Int32) -> Int64 { fatalError("skeleton") }
    public func integerIfAny(_ column: Int32) -> Int64? { fatalError("skeleton") }
    public func real(_ column: Int32) -> Double { fatalError("skeleton") }
    public func flag(_ column: Int32) -> Bool { integer(column) != 0 }
    public func text(_ column: Int32) -> String { fatalError("skeleton") }
    public func textIfAny(_ column: Int32) -> String? { fatalError("skeleton") }
    public func bytes(_ column: Int32) -> [UInt8] { fatalError("skeleton") }
    public func bytesIfAny(_ column: Int32) -> [UInt8]? { fatalError("skeleton") }
}

public enum SQLValue: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral,
    ExpressibleByBooleanLiteral
{
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .integer(value ? 1 : 0) }
    public init(nilLiteral: ()) { self = .null }

    public init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
    public init(_ value: [UInt8]?) { self = value.map(SQLValue.bytes) ?? .null }
    public init(_ value: Int64?) { self = value.map(SQLValue.integer) ?? .null }
    public init(_ value: Bool) { self = .integer(value ? 1 : 0) }
    public init(_ value: Timestamp?) { self.init(value?.rawValue) }
    public init<Record>(_ id: ID<Record>?) { self.init(id?.rawValue) }
}

public enum StoreError: Error, Sendable, Equatable {
    /// The store was written by a newer BitBot.
    case newerVersion(found: Int, known: Int)
    /// The secret key is not the one that this store was made with.
    case wrongKey
    /// Another process holds the data folder.
    case locked(folder: String)
    case cannotOpen(path: String, reason: String)
    /// A statement failed; the text is SQLite's and holds no values.
    case failed(String)
    /// A value that must be unique is there already; names table and column (`apps.client_id`).
    case alreadyThere(String)
    case full
    /// Something else still refers to it; names what.
    case inUse(String)
}
