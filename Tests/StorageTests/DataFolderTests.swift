import Base
import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite struct DataFolderTests {
    @Test("only one at a time holds the data folder; it is free again when the holder lets go")
    func lock() throws {
        let parent = try TemporaryFolder()
        let folder = parent.file("data/inner")
        var first: StoreLock? = try StoreLock(folder: folder)
        #expect(first != nil)
        #expect(throws: StoreError.locked(path: folder)) { try StoreLock(folder: folder) }
        first = nil
        _ = try StoreLock(folder: folder)
        let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        withExtendedLifetime(parent) {}
    }

    @Test("a data folder that cannot be made is named")
    func noFolder() throws {
        #expect(throws: StoreError.self) { try StoreLock(folder: "/proc/nothing") }
    }

    @Test("a key is made once, readable by its owner alone, and used from then on")
    func generatedKey() throws {
        let folder = try TemporaryFolder()
        let sealed = try Vault.forDataFolder(folder.path, environmentKey: nil).seal(Secret("x"))
        let again = try Vault.forDataFolder(folder.path, environmentKey: nil)
        #expect(try again.openSecret(sealed) == Secret("x"))
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file("secret.key"))[.posixPermissions]
        #expect(mode as? Int == 0o600)
    }

    @Test("a store without its key is not given a new one")
    func lostKey() throws {
        let folder = try TemporaryFolder()
        _ = FileManager.default.createFile(atPath: folder.file("bitbot.db"), contents: Data())
        #expect(throws: StoreError.wrongKey) { try Vault.forDataFolder(folder.path, environmentKey: nil) }
        #expect(!FileManager.default.fileExists(atPath: folder.file("secret.key")))
    }

    @Test("a key that is not 32 bytes in base64 is refused", arguments: ["", "short", "AAAA", "not base64!"])
    func badKey(_ key: String) throws {
        let folder = try TemporaryFolder()
        #expect(throws: VaultError.badKey) { try Vault.forDataFolder(folder.path, environmentKey: key) }
        #expect(!FileManager.default.fileExists(atPath: folder.file("secret.key")))
        let file = folder.file("secret.key")
        try key.write(toFile: file, atomically: true, encoding: .utf8)
        #expect {
            try Vault.forDataFolder(folder.path, environmentKey: nil)
        } throws: { error in
            if case StoreError.cannotOpen(file, _) = error { true } else { false }
        }
        #expect(try String(contentsOfFile: file, encoding: .utf8) == key)
    }

    @Test("a store is opened with the key that it was made with and refused with any other")
    func wrongKey() async throws {
        let test = try await TestStore()
        await test.database.close()
        let database = try await Database.open(path: test.path, log: .silent, metrics: Metrics())
        await #expect(throws: StoreError.wrongKey) {
            try await Store(database: database, vault: Vault(key: [UInt8](repeating: 8, count: 32)))
        }
        _ = try await Store(database: database, vault: Vault(key: TestStore.key))
        await database.close()
    }

    @Test("no secret can be read in the files of the store")
    func sealed() async throws {
        let test = try await TestStore()
        let store = test.store
        let bot = try await store.addBot()
        let token = try await store.createAPIToken(.token, name: "x", expiresAt: nil, now: TestStore.now).secret
        for credential in try await store.credentials(of: bot.installationID) {
            var credential = credential
            credential.formerRefreshToken = Secret("former-token-0123456789")
            try await store.update(credential.id) { [credential] in $0 = credential }
        }
        let secrets = [
            "client-secret-0123456789", "application-token-0123456789", "access-token-0123456789",
            "refresh-token-0123456789", "former-token-0123456789", "app-connector-key-0123456789", token.reveal(),
        ]
        var files = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: test.folder.path) {
            let bytes = try Data(contentsOf: URL(filePath: test.folder.file(name)))
            if bytes.range(of: Data("member-1.bitrix24.com".utf8)) != nil { files += 1 }
            for secret in secrets { #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(secret) in \(name)") }
        }
        #expect(files > 0)
        let mode = try FileManager.default.attributesOfItem(atPath: test.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }
}
