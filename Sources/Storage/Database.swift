import Base
import CBase
import Foundation
import Synchronization

/// The embedded store: one writer that commits all waiting changes together, readers beside it.
///
/// SQL is kept plain enough for PostgreSQL, which can join as a second driver behind this type.
public final class Database: Sendable {
    private let changes = JobQueue<Job>()
    private let reads = JobQueue<Job>()
    private let writerEnd = ThreadEnd()
    private let readersEnd = ThreadEnd()

    private static let readers = 2

    /// Opens (and makes) the store, checks its version and applies the migrations that are missing.
    /// - Throws: ``StoreError``.
    public static func open(path: String, log: Log, metrics: Metrics) async throws -> Database {
        try await open(path: path, migrations: Migration.all, log: log, metrics: metrics)
    }

    static func open(path: String, migrations: [Migration], log: Log, metrics: Metrics) async throws -> Database {
        let database = Database()
        try await database.start(path: path, migrations: migrations, log: log, metrics: metrics)
        return database
    }

    private init() {}

    /// Changes that no transaction has taken yet.
    var waiting: Int { changes.count }

    deinit {
        reads.close()
        changes.close()
    }

    /// Runs `body` inside a transaction that other waiting changes share, and returns once it is on the disk. If `body`
    /// throws, its own changes alone are undone.
    ///
    /// `body` runs on the writer's thread: it should be short and wait for nothing. When another change of the same
    /// transaction failed it runs a second time, so what it does apart from using the connection must bear that.
    /// Cancelling the task does not take the change back: the outcome is always reported as it is.
    /// - Throws: ``StoreError``, and what `body` throws.
    public nonisolated(nonsending) func write<T: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> T
    ) async throws -> T {
        try await hand(body, to: changes)
    }

    /// Hands a change to the writer and does not wait for it: it is committed before anything that is written later. For
    /// what is only of use until then; its failure is not told.
    public func writeSoon(_ body: @escaping @Sendable (Connection) throws -> Void) {
        _ = changes.append(Job(unwatched: body))
    }

    /// Runs `body` on a connection that can only read; it sees everything committed before, and nothing that is committed
    /// while it runs.
    /// - Throws: ``StoreError``, and what `body` throws.
    public nonisolated(nonsending) func read<T: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> T
    ) async throws -> T {
        try await hand(body, to: reads)
    }

    /// Waits for what is under way and closes. What is asked for later throws.
    public func close() async {
        reads.close()
        await readersEnd.wait()
        changes.close()
        await writerEnd.wait()
    }

    private nonisolated(nonsending) func hand<T: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> T, to queue: JobQueue<Job>
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job(body, continuation)
            if !queue.append(job) { job.fail(StoreError.failed("the store is closed")) }
        }
    }

    /// Opens on the threads that will own the connections.
    private func start(path: String, migrations: [Migration], log: Log, metrics: Metrics) async throws {
        try await withCheckedThrowingContinuation { (opened: CheckedContinuation<Void, any Error>) in
            startThread("store-writer", ending: writerEnd) { [changes] in
                do {
                    let connection = try Connection(writingTo: path)
                    try Migration.apply(migrations, on: connection, log: log)
                    let writer = Writer(connection: connection, queue: changes, log: log, metrics: metrics)
                    opened.resume()
                    writer.runUntilClosed()
                } catch {
                    opened.resume(throwing: error)
                }
            }
        }
        for number in 1...Self.readers {
            try await withCheckedThrowingContinuation { (opened: CheckedContinuation<Void, any Error>) in
                startThread("store-reader-\(number)", ending: readersEnd) { [reads] in
                    do {
                        let connection = try Connection(readingFrom: path)
                        opened.resume()
                        serveReads(on: connection, from: reads)
                    } catch {
                        opened.resume(throwing: error)
                    }
                }
            }
        }
    }
}

private func startThread(_ name: String, ending end: ThreadEnd, _ body: @escaping @Sendable () -> Void) {
    end.begin()
    let thread = Thread {
        body()
        end.finish()
    }
    thread.name = name
    thread.stackSize = 2 << 20
    thread.start()
}

private func serveReads(on connection: Connection, from queue: JobQueue<Job>) {
    while let job = queue.takeOne() {
        do {
            try connection.run("BEGIN")
            let succeed: Job.Outcome
            do {
                succeed = try job.run(connection)
            } catch {
                try connection.run("ROLLBACK")
                throw error
            }
            try connection.run("COMMIT")
            succeed()
        } catch {
            job.fail(error)
        }
    }
}

extension Connection {
    /// The one connection that writes. A missing file is made, readable by its owner alone (SQLite gives the files beside
    /// it the same mode). What is erased is overwritten where that costs no writing of its own.
    convenience init(writingTo path: String) throws {
        Glibc.close(Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600))
        try self.init(path: path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        do {
            let mode = try row("PRAGMA journal_mode = WAL") { $0.text(0) }
            guard mode == "wal" else { throw StoreError.failed("the file system does not allow write-ahead logging") }
            try runScript(
                """
                PRAGMA synchronous = FULL;
                PRAGMA foreign_keys = ON;
                PRAGMA secure_delete = FAST;
                PRAGMA temp_store = MEMORY;
                PRAGMA cache_size = -8000;
                PRAGMA journal_size_limit = 16777216;
                """)
        } catch StoreError.failed(let reason) {
            throw StoreError.cannotOpen(path: path, reason: reason)
        }
    }

    convenience init(readingFrom path: String) throws {
        try self.init(path: path, flags: SQLITE_OPEN_READWRITE)
        try runScript("PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;")
    }
}

/// Counts threads and lets a task wait until all have ended.
final class ThreadEnd: Sendable {
    private struct State {
        var running = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    func begin() { state.withLock { $0.running += 1 } }

    func finish() {
        let waiting = state.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let ended = state.withLock { state in
                if state.running == 0 { return true }
                state.waiting.append(continuation)
                return false
            }
            if ended { continuation.resume() }
        }
    }
}
