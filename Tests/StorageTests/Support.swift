import Base
import Synchronization
import TestSupport

@testable import Storage

/// A store of its own for one test.
struct TestStore {
    let folder: TemporaryFolder
    let metrics = Metrics()
    let store: Store
    var database: Database { store.database }
    var path: String { folder.file("bitbot.db") }

    static let key = [UInt8](repeating: 7, count: 32)
    static let now = Timestamp(rawValue: 1_800_000_000_000)

    init(folder: TemporaryFolder? = nil) async throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        // The log keeps the folder until the store's threads have ended.
        let log = Log(level: .error, write: { _ in _ = folder.path })
        let database = try await Database.open(path: folder.file("bitbot.db"), log: log, metrics: metrics)
        store = try await Store(database: database, vault: Vault(key: Self.key))
    }
}

extension Store {
    func addApp(_ clientID: String = "local.1", sandbox: Bool = false) async throws -> AppRecord {
        try await createApp(
            name: "App", clientID: clientID, clientSecret: Secret("client-secret-0123456789"), bitbot: true,
            pageURL: nil, sandbox: sandbox, now: TestStore.now)
    }

    func addInstallation(
        of app: AppRecord, member: String = "member-1", user: String = "1", admin: Bool = true
    ) async throws -> InstallationRecord {
        try await saveInstallation(
            .example(app: app.id, member: member, user: user, admin: admin), now: TestStore.now)
    }

    /// A bot with everything that it needs.
    func addBot(member: String = "member-1", clientID: String = "local.1") async throws -> BotRecord {
        let known = try await app(clientID: clientID)
        let app = if let known { known } else { try await addApp(clientID) }
        let installation = try await addInstallation(of: app, member: member)
        let connector = try await addConnector()
        var draft = BotDraft(installationID: installation.id, name: "Bot", code: "bot")
        draft.connectorID = connector.id
        return try await update(try await createBot(draft, now: TestStore.now).id, now: TestStore.now) { bot in
            bot.botID = 77
            bot.status = .active
            return bot
        }
    }

    func addConnector() async throws -> ConnectorRecord {
        let provider = try await createProvider(
            name: "Dify", type: "dify_chatflow", url: "https://api.dify.ai/v1", now: TestStore.now)
        var draft = ConnectorDraft(providerID: provider.id, name: "Support")
        draft.key = Secret("app-connector-key-0123456789")
        return try await createConnector(draft, now: TestStore.now)
    }

    func addDialog(
        of bot: BotRecord, _ dialogID: String = "chat1", at moment: Timestamp = TestStore.now
    ) async throws -> ID<DialogRecord> {
        guard let installation = try await installation(bot.installationID) else {
            throw StoreError.missing("installations")
        }
        return try await database.write { connection in
            try connection.run(
                "INSERT INTO dialogs (bot_id, portal_id, dialog_id, created_at, last_message_at) VALUES (?, ?, ?, ?, ?)",
                [
                    SQLValue(bot.id), SQLValue(installation.portalID), .text(dialogID), SQLValue(moment),
                    SQLValue(moment),
                ])
            return ID(rawValue: connection.lastInsertID)
        }
    }

    func count(_ table: String) async throws -> Int {
        try await database.read { try $0.row("SELECT count(*) FROM \(table)") { Int($0.integer(0)) } ?? 0 }
    }
}

extension ConfirmedInstallation {
    static func example(
        app: ID<AppRecord>, member: String = "member-1", sandbox: Bool = false, user: String = "1", admin: Bool = true,
        token: Secret? = Secret("application-token-0123456789")
    ) -> ConfirmedInstallation {
        ConfirmedInstallation(
            memberID: member, domain: "\(member).bitrix24.com", appID: app, sandbox: sandbox, scope: "imbot,im",
            clientEndpoint: "https://\(member).bitrix24.com/rest/", serverEndpoint: "https://oauth.bitrix.info/rest/",
            applicationToken: token, userID: user, admin: admin, accessToken: Secret("access-token-0123456789"),
            refreshToken: Secret("refresh-token-0123456789"), expiresAt: TestStore.now + .seconds(3600))
    }
}

/// Counts what happens on any thread.
final class Tally: Sendable {
    private let value = Mutex(0)
    func add() { value.withLock { $0 += 1 } }
    var count: Int { value.withLock { $0 } }
}

/// Ends a test that waits for something which cannot come any more.
struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}
