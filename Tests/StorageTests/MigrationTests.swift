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

    @Test("a store of 0.1.0 is brought up to date and keeps its work")
    func released() async throws {
        let folder = try TemporaryFolder()
        let old = try await open(folder, [Migration.all[0]])
        try await old.write {
            try $0.runScript(
                """
                INSERT INTO portals (member_id, domain, created_at) VALUES ('m', 'd.example', 1);
                INSERT INTO installations (portal_id, kind, status, client_endpoint, created_at, updated_at)
                    VALUES (1, 'app', 'active', 'https://d.example/rest/', 1, 1);
                INSERT INTO bots (installation_id, name, code, type, api, delivery, bot_id, status, address_key,
                        created_at, updated_at)
                    VALUES (1, 'Bot', 'c', 'openline', 'v2', 'webhook', 456, 'active', 'k', 1, 1);
                INSERT INTO dialogs (bot_id, portal_id, dialog_id, created_at, last_message_at)
                    VALUES (1, 1, 'chat5', 1, 1);
                INSERT INTO sessions (dialog_id, connector_id, platform_id, expires_at) VALUES (1, 1, 's', 9);
                INSERT INTO events (portal_id, bot_id, dialog_id, known_as, kind, message_id, state, trace, received_at,
                        not_before, asked_at)
                    VALUES (1, 1, 1, 'message:1:10', 'command', 10, 'asking', '{}', 1, 1, 1),
                        (1, 1, 1, 'message:1:11', 'message', 11, 'waiting', NULL, 1, 1, NULL);
                INSERT INTO event_bodies (event_id, sealed) VALUES (1, x'01'), (2, x'02');
                INSERT INTO events (portal_id, bot_id, dialog_id, known_as, kind, state, last_error, received_at, not_before)
                    VALUES (1, 1, 1, 'message:1:9', 'message', 'failed', 'No key', 1, 1);
                INSERT INTO outbox (portal_id, bot_id, dialog_id, event_id, payload, state, created_at, not_before)
                    VALUES (1, 1, 1, 1, '{}', 'sending', 1, 1);
                """)
        }
        await old.close()
        let new = try await open(folder, Migration.all)
        let (events, messages) = try await new.read {
            (try $0.openEvents(after: 0, limit: 10), try $0.openOutbox(after: 0, limit: 10))
        }
        #expect(events.map(\.state) == [.asking, .waiting])
        #expect(events.map(\.sealedBody) == [[1], [2]])
        #expect(events.map(\.edits) == [0, 0])
        #expect(events.first?.trace == "{}")
        #expect(messages.map(\.state) == [.sending])
        #expect(messages.map(\.payload) == ["{}"])
        #expect(messages.map(\.repeated) == [false])
        let session = try await new.read {
            try $0.session(of: ID(rawValue: 1), connector: ID(rawValue: 1), now: Timestamp(rawValue: 2))
        }
        #expect(session?.platformID == "s")
        let store = try await Store(database: new, vault: Vault(key: TestStore.key))
        #expect(try await store.dialogs(limit: 9, after: nil).items.map(\.hasFailed) == [true])
        #expect(try await store.census().failed == 1)
    }

    @Test("ids go on where an older store left off, though their rows are gone; a new store begins with 1")
    func ids() async throws {
        let folder = try TemporaryFolder()
        let insert = "INSERT INTO apps (name, address_key, created_at) VALUES ('App', ?, 1)"
        let old = try await open(folder, Migration.all.filter { $0.version <= 10 })
        try await old.write { connection in
            for key in ["a", "b"] { try connection.run(insert, [.text(key)]) }
            try connection.runScript("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', 7); DELETE FROM apps;")
        }
        await old.close()
        let upgraded = try await open(folder, Migration.all)
        let new = try await open(try TemporaryFolder(), Migration.all)
        for (database, app, outbox) in [(upgraded, 3, 7), (new, 1, 0)] {
            let (id, sequence) = try await database.write { connection in
                try connection.run(insert, ["c"])
                return (
                    connection.lastInsertID,
                    try connection.rows("SELECT name || ' ' || seq FROM sqlite_sequence ORDER BY rowid") { $0.text(0) }
                )
            }
            #expect(id == app)
            #expect(sequence == ["events 0", "outbox \(outbox)", "apps \(app)"])
        }
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
