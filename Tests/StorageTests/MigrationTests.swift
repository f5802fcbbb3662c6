import Base
import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite struct MigrationTests {
    private func open(_ folder: TemporaryFolder, _ migrations: [Migration]) async throws -> Database {
        try await Database.open(
            path: folder.file("bitbot.db"), migrations: migrations, log: .silent, metrics: Metrics())
    }

    private func version(_ database: Database) async throws -> Int64? {
        try await database.read { try $0.row("PRAGMA user_version") { $0.integer(0) } }
    }

    private static let first = Migration(file: "0001_a.sql", sql: Array("CREATE TABLE a (n INTEGER);".utf8))
    private static let second = Migration(file: "0002_b.sql", sql: Array("CREATE TABLE b (n INTEGER);".utf8))
    private static let broken = Migration(file: "0002_b.sql", sql: Array("CREATE TABLE b (n INTEGER); NONSENSE".utf8))

    @Test("every migration file is applied, in order")
    func complete() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/Storage/Migrations").standardized
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sql") }
        #expect(Migration.all.map(\.file) == files.sorted())
        #expect(Set(Migration.all.map(\.version)).count == files.count && Migration.all.first?.version == 1)
        for migration in Migration.all {
            #expect(migration.sql == Array(try Data(contentsOf: folder.appending(path: migration.file))))
        }
    }

    @Test("an older store is brought up to date and keeps what it holds")
    func upgrade() async throws {
        let folder = try TemporaryFolder()
        let old = try await open(folder, [Self.first])
        try await old.write { _ = try $0.run("INSERT INTO a VALUES (5)") }
        await old.close()
        let new = try await open(folder, [Self.first, Self.second])
        #expect(try await version(new) == 2)
        #expect(try await new.read { try $0.row("SELECT n FROM a") { $0.integer(0) } } == 5)
        #expect(try await new.read { try $0.row("SELECT count(*) FROM b") { $0.integer(0) } } == 0)
        await new.close()
    }

    @Test("a store of a newer version is refused and left as it is")
    func newer() async throws {
        let folder = try TemporaryFolder()
        try await open(folder, [Self.first, Self.second]).close()
        await #expect(throws: StoreError.newerVersion(found: 2, known: 1)) { try await open(folder, [Self.first]) }
        let again = try await open(folder, [Self.first, Self.second])
        #expect(try await version(again) == 2)
    }

    @Test("a migration that fails leaves the store at the version before")
    func failing() async throws {
        let folder = try TemporaryFolder()
        await #expect(throws: StoreError.self) { try await open(folder, [Self.first, Self.broken]) }
        let again = try await open(folder, [Self.first, Self.second])
        #expect(try await version(again) == 2)
    }

    @Test("a file that is no store is refused and left alone")
    func notAStore() async throws {
        let folder = try TemporaryFolder()
        let text = Data(String(repeating: "not a database ", count: 100).utf8)
        try text.write(to: URL(filePath: folder.file("bitbot.db")))
        await #expect(throws: StoreError.self) { try await open(folder, Migration.all) }
        #expect(try Data(contentsOf: URL(filePath: folder.file("bitbot.db"))) == text)
    }

    @Test("a path that cannot be opened is named")
    func noFolder() async throws {
        let path = try TemporaryFolder().file("missing/bitbot.db")
        await #expect {
            try await Database.open(path: path, log: .silent, metrics: Metrics())
        } throws: { error in
            if case StoreError.cannotOpen(path, _) = error { true } else { false }
        }
    }
}
