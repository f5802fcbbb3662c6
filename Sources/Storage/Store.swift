import Base

/// The store with its key: what the repositories (extensions in the files beside this one) stand on.
///
/// Each function throws ``StoreError``. Lists are newest first.
///
/// `update` reads a record, has its closure change it, writes it and gives what the closure gave, in one transaction: changes of
/// one record at one time lose nothing of each other. It throws ``StoreError/missing(_:)`` if the record is gone, and what the
/// closure throws; then nothing is changed.
public struct Store: Sendable {
    public let database: Database
    public let vault: Vault
    /// Names this store elsewhere (in Redis); made with it and never changed.
    let name: String
    let cache = ConfigurationCache()

    /// Checks that `vault` has the key that the store was made with (or remembers it in a new store).
    /// - Throws: ``StoreError/wrongKey``.
    public init(database: Database, vault: Vault) async throws {
        self.database = database
        self.vault = vault
        name = try await database.write { connection in
            let check = try connection.setting("key_check")
            if let check {
                guard let known = try? vault.open(check), known == Self.knownText else { throw StoreError.wrongKey }
            } else {
                try connection.remember(vault.seal(Self.knownText), as: "key_check")
            }
            if let name = try connection.setting("store_name") { return String(decoding: name, as: UTF8.self) }
            let name = Vault.randomToken(bytes: 12)
            try connection.remember(Array(name.utf8), as: "store_name")
            return name
        }
    }

    /// Whether it can be read now.
    public var answers: Bool {
        get async { (try? await database.read { try $0.row("SELECT 1", [], { _ in true }) }) == true }
    }

    /// Sealed in `settings`, so that another key is noticed before anything is written with it.
    private static let knownText = Array("BitBot".utf8)
}

extension Connection {
    func setting(_ name: String) throws -> [UInt8]? {
        try row("SELECT value FROM settings WHERE name = ?", [.text(name)]) { $0.bytes(0) }
    }

    func remember(_ value: [UInt8], as name: String) throws {
        try run(
            "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [.text(name), .bytes(value)])
    }
}
