import Base
import CBase

/// Moves what was committed from the write-ahead log into the store's file, so that the log stays small. Only the
/// writer does this, after it has reported a commit.
final class Checkpoints {
    private let connection: Connection
    /// Pages in the log after the last commit; SQLite writes it through the hook, on the writer's thread.
    private let pages: UnsafeMutablePointer<Int32>
    private var due = Checkpoints.every

    /// Pages (4 KB each) after which a checkpoint is due.
    private static let every: Int32 = 2000
    /// Pages after which the writer waits a moment for readers, so that the log can start again from its beginning.
    private static let many: Int32 = 4000
    /// Milliseconds.
    private static let patience: Int32 = 50

    init(_ connection: Connection) {
        self.connection = connection
        pages = .allocate(capacity: 1)
        pages.pointee = 0
        sqlite3_wal_hook(
            connection.handle,
            { context, _, _, pages in
                context?.assumingMemoryBound(to: Int32.self).pointee = pages
                return SQLITE_OK
            }, pages)
    }

    deinit {
        sqlite3_wal_hook(connection.handle, nil, nil)
        pages.deallocate()
    }

    func runIfDue(log: Log) {
        // The log has started again from its beginning.
        if pages.pointee < due - Self.every { due = Self.every }
        guard pages.pointee >= due else { return }
        let mode = pages.pointee >= Self.many ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE
        sqlite3_busy_timeout(connection.handle, Self.patience)
        defer { sqlite3_busy_timeout(connection.handle, Connection.patience) }
        let code = sqlite3_wal_checkpoint_v2(connection.handle, nil, mode, nil, nil)
        if code != SQLITE_OK && code != SQLITE_BUSY {
            log.error("store_checkpoint_failed", ["reason": .text(String(cString: sqlite3_errmsg(connection.handle)))])
        }
        due = pages.pointee + Self.every
    }
}
