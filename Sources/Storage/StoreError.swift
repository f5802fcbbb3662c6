import CBase

/// What can go wrong in the store.
public enum StoreError: Error, Sendable, Equatable {
    /// The store was written by a newer BitBot.
    case newerVersion(found: Int, known: Int)
    /// The secret key is not the one that this store was made with.
    case wrongKey
    /// Another process holds the data folder, or the store.
    case locked(path: String)
    case cannotOpen(path: String, reason: String)
    /// A statement failed; the text is SQLite's and holds no values.
    case failed(String)
    /// A value that must be unique is there already; names table and column (`apps.client_id`; where several columns are
    /// unique together, the last of them).
    case alreadyThere(String)
    case full
    /// Something else still refers to it; names what.
    case inUse(String)
    /// What is to be changed or referred to is not there (any more); names its table.
    case missing(String)
    /// The cursor of a list is not one that this store gave.
    case badCursor
}

extension StoreError {
    /// - Parameter message: SQLite's text for it (`UNIQUE constraint failed: apps.client_id`).
    init(code: Int32, message: String) {
        switch code & 0xff {
        case SQLITE_FULL:
            self = .full
        case SQLITE_CONSTRAINT where message.hasPrefix(Self.notUnique):
            let columns = message.dropFirst(Self.notUnique.count)
            self = .alreadyThere(String(columns.split(separator: ", ").last ?? columns))
        default:
            self = .failed(message)
        }
    }

    private static let notUnique = "UNIQUE constraint failed: "

    /// A row refers to something that is not there, or is still referred to; SQLite does not say which.
    var isBrokenReference: Bool { self == .failed("FOREIGN KEY constraint failed") }
}
