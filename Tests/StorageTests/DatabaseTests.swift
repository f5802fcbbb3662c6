import Base
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Storage

@Suite struct DatabaseTests {
    private struct Stop: Error, Equatable {}

    private func numbers(_ database: Database) async throws -> [Int64] {
        try await database.read { try $0.rows("SELECT n FROM numbers ORDER BY n") { $0.integer(0) } }
    }

    private func open() async throws -> TestStore {
        let test = try await TestStore()
        try await test.database.write { connection in
            _ = try connection.run(
                "CREATE TABLE numbers (n INTEGER PRIMARY KEY, parent INTEGER REFERENCES numbers (n))")
        }
        return test
    }

    /// Holds the writer until `release` is called, so that changes pile up behind it.
    private func hold(_ database: Database) async throws -> (release: () -> Void, done: Task<Void, any Error>) {
        let gate = DispatchSemaphore(value: 0)
        let entered = AsyncStream<Void>.makeStream()
        let done = Task {
            try await database.write { _ in
                entered.continuation.finish()
                gate.wait()
            }
        }
        for await _ in entered.stream {}
        return ({ gate.signal() }, done)
    }

    @Test("a thousand changes at once share a few commits, and all are there")
    func groupCommit() async throws {
        let test = try await open()
        let commits = test.metrics.counter("bitbot_store_commits_total", help: "")
        let before = commits.value()
        try await withThrowingTaskGroup { group in
            for n in 1...1000 {
                group.addTask {
                    _ = try await test.database.write {
                        try $0.run("INSERT INTO numbers (n) VALUES (?)", [.integer(Int64(n))])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await numbers(test.database) == Array(1...1000))
        #expect(commits.value() - before < 500)
    }

    @Test("a change that fails undoes itself alone")
    func failingChange() async throws {
        let test = try await open()
        let database = test.database
        let (release, held) = try await hold(database)
        let changes = (1...20).map { n in
            Task {
                try await database.write { connection in
                    try connection.run("INSERT INTO numbers (n) VALUES (?)", [.integer(Int64(n))])
                    if n % 5 == 0 { throw Stop() }
                }
            }
        }
        try await eventually { database.waiting == 20 }
        release()
        try await held.value
        for (n, change) in zip(1..., changes) {
            if n % 5 == 0 {
                await #expect(throws: Stop()) { try await change.value }
            } else {
                try await change.value
            }
        }
        #expect(try await numbers(database) == (1...20).filter { $0 % 5 != 0 })
    }

    @Test("a change that fails before it changed anything does not make the others run twice")
    func harmlessFailure() async throws {
        let test = try await open()
        let database = test.database
        let runs = Tally()
        let (release, held) = try await hold(database)
        try await withThrowingTaskGroup { group in
            for n in 1...10 {
                group.addTask {
                    try? await database.write { connection in
                        runs.add()
                        if n == 10 { throw Stop() }
                        try connection.run("INSERT INTO numbers (n) VALUES (?)", [.integer(Int64(n))])
                    }
                }
            }
            try await eventually { database.waiting == 10 }
            release()
            try await group.waitForAll()
        }
        try await held.value
        #expect(runs.count == 10)
        #expect(try await numbers(database) == Array(1...9))
    }

    @Test("when a commit fails every change in it is told so, and the store goes on")
    func failingCommit() async throws {
        let test = try await open()
        let database = test.database
        let (release, held) = try await hold(database)
        let broken = Task {
            try await database.write { connection in
                try connection.runScript("PRAGMA defer_foreign_keys = ON")
                try connection.run("INSERT INTO numbers (n, parent) VALUES (1, 99)")
            }
        }
        let neighbour = Task {
            try await database.write { try $0.run("INSERT INTO numbers (n) VALUES (2)") }
        }
        try await eventually { database.waiting == 2 }
        release()
        try await held.value
        await #expect(throws: StoreError.self) { try await broken.value }
        await #expect(throws: StoreError.self) { try await neighbour.value }
        #expect(try await numbers(database) == [])
        try await database.write { _ = try $0.run("INSERT INTO numbers (n) VALUES (3)") }
        #expect(try await numbers(database) == [3])
    }

    @Test("a full disk is reported as such; what was stored stays and later changes work again")
    func fullDisk() async throws {
        let test = try await open()
        let database = test.database
        try await database.write { connection in
            try connection.run("INSERT INTO numbers (n) VALUES (1)")
            let pages = try connection.row("PRAGMA page_count") { $0.integer(0) } ?? 0
            _ = try connection.row("PRAGMA max_page_count = \(pages + 5)") { $0.integer(0) }
        }
        await #expect(throws: StoreError.full) {
            try await database.write { connection in
                try connection.run("CREATE TABLE big (text TEXT)")
                try connection.run("INSERT INTO big VALUES (?)", [.text(String(repeating: "x", count: 100_000))])
            }
        }
        // A change that swallows the failure must not go on outside of the transaction.
        await #expect(throws: StoreError.self) {
            try await database.write { connection in
                try? connection.runScript("CREATE TABLE big (text TEXT)")
                _ = try? connection.run("INSERT INTO big VALUES (?)", [.text(String(repeating: "x", count: 100_000))])
                try connection.run("INSERT INTO numbers (n) VALUES (2)")
                throw StoreError.full
            }
        }
        #expect(try await numbers(database) == [1])
        try await database.write { connection in
            _ = try connection.row("PRAGMA max_page_count = 100000") { $0.integer(0) }
            try connection.run("INSERT INTO numbers (n) VALUES (3)")
        }
        #expect(try await numbers(database) == [1, 3])
    }

    @Test("readers are not held up by a change under way, and see only what is committed")
    func readersDoNotWait() async throws {
        let test = try await open()
        let (release, held) = try await hold(test.database)
        #expect(try await numbers(test.database) == [])
        release()
        try await held.value
    }

    @Test("a reader cannot change anything")
    func readersOnlyRead() async throws {
        let test = try await open()
        await #expect(throws: StoreError.self) {
            try await test.database.read { _ = try $0.run("INSERT INTO numbers (n) VALUES (1)") }
        }
        #expect(try await numbers(test.database) == [])
    }

    @Test("a cancelled task's change that was committed is reported as committed")
    func cancellation() async throws {
        let test = try await open()
        let database = test.database
        let (release, held) = try await hold(database)
        let change = Task {
            try await database.write { _ = try $0.run("INSERT INTO numbers (n) VALUES (1)") }
        }
        try await eventually { database.waiting == 1 }
        change.cancel()
        release()
        try await held.value
        try await change.value
        #expect(try await numbers(database) == [1])
    }

    @Test("closing lets what is under way end and refuses what comes later")
    func closing() async throws {
        let test = try await open()
        let database = test.database
        let (release, held) = try await hold(database)
        let change = Task {
            try await database.write { _ = try $0.run("INSERT INTO numbers (n) VALUES (1)") }
        }
        try await eventually { database.waiting == 1 }
        async let closed: Void = database.close()
        release()
        await closed
        try await held.value
        try await change.value
        await #expect(throws: StoreError.self) { try await database.write { _ in } }
        await #expect(throws: StoreError.self) { try await database.read { _ in } }
    }

    @Test("the write-ahead log stays bounded while readers are at work")
    func boundedLog() async throws {
        let test = try await open()
        let database = test.database
        try await database.write { _ = try $0.run("CREATE TABLE blobs (n INTEGER PRIMARY KEY, b BLOB)") }
        try await withThrowingTaskGroup { group in
            group.addTask {
                while !Task.isCancelled {
                    _ = try await database.read { try $0.row("SELECT sum(length(b)) FROM blobs") { $0.integer(0) } }
                }
            }
            for round in 0..<100 {
                try await database.write { connection in
                    for n in 0..<100 {
                        try connection.run(
                            "INSERT OR REPLACE INTO blobs VALUES (?, zeroblob(4000))", [.integer(Int64(n + round))])
                    }
                }
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        let size = try FileManager.default.attributesOfItem(atPath: test.path + "-wal")[.size] as? Int ?? .max
        #expect(size < 32 << 20)
    }

    @Test("values come back as they were given, and a wrong number of them is refused")
    func values() async throws {
        let test = try await TestStore()
        let values: [SQLValue] = [nil, 5, .real(1.5), "", "a\0ü", .bytes([]), .bytes([0, 255]), true]
        let same = try await test.database.read { connection in
            try connection.row("SELECT ?, ?, ?, ?, ?, ?, ?, ?", values) { row in
                row.textIfAny(0) == nil && row.integerIfAny(1) == 5 && row.real(2) == 1.5 && row.textIfAny(3) == ""
                    && row.text(4) == "a\0ü" && row.bytesIfAny(5) == [] && row.bytes(6) == [0, 255] && row.flag(7)
            }
        }
        #expect(same == true)
        await #expect(throws: StoreError.self) {
            try await test.database.read { try $0.row("SELECT ?", []) { $0.integer(0) } }
        }
    }

    @Test("a statement can be run again while its rows are being read")
    func nestedStatements() async throws {
        let test = try await open()
        try await test.database.write { connection in
            for n: Int64 in 1...3 { try connection.run("INSERT INTO numbers (n) VALUES (?)", [.integer(n)]) }
        }
        let pairs = try await test.database.read { connection in
            try connection.rows("SELECT n FROM numbers") { _ in
                try connection.rows("SELECT n FROM numbers") { $0.integer(0) }
            }
        }
        #expect(pairs == [[1, 2, 3], [1, 2, 3], [1, 2, 3]])
    }
}
