import Base

/// The store with its key: what the repositories (extensions in the files beside this one) stand on.
public struct Store: Sendable {
    public let database: Database
    public let vault: Vault

    /// Checks that `vault` has the key that the store was made with (or remembers it in a new store).
    /// - Throws: ``StoreError/wrongKey``.
    public init(database: Database, vault: Vault) async throws { fatalError("skeleton") }
}

/// The exclusive lock on the data folder, held as long as the value lives.
public final class DataFolderLock: Sendable {
    /// Makes the folder (mode 0700) if it is missing.
    /// - Throws: ``StoreError/locked(folder:)``.
    public init(folder: String) throws { fatalError("skeleton") }
}

extension Vault {
    /// The key from `BITBOT_SECRET_KEY` (base64), else from `secret.key` in the data folder, generated there (mode 0600)
    /// when the folder holds no store yet.
    /// - Throws: ``VaultError/badKey``; ``StoreError/wrongKey`` when there is a store but no key.
    public static func forDataFolder(_ folder: String, environmentKey: String?) throws -> Vault {
        fatalError("skeleton")
    }
}

// Configuration. Each throws `StoreError`; `update` writes all columns of the record; lists are newest first.
extension Store {
    public func createApp(
        name: String, clientID: String?, clientSecret: Secret?, bitbot: Bool, pageURL: String?, sandbox: Bool,
        now: Timestamp
    ) async throws -> AppRecord { fatalError("skeleton") }
    public func app(_ id: ID<AppRecord>) async throws -> AppRecord? { fatalError("skeleton") }
    public func app(addressKey: String) async throws -> AppRecord? { fatalError("skeleton") }
    public func app(clientID: String) async throws -> AppRecord? { fatalError("skeleton") }
    public func update(_ app: AppRecord) async throws { fatalError("skeleton") }
    public func deleteApp(_ id: ID<AppRecord>) async throws { fatalError("skeleton") }
    public func apps(limit: Int, after cursor: String?) async throws -> Page<AppRecord> { fatalError("skeleton") }

    public func portal(_ id: ID<PortalRecord>) async throws -> PortalRecord? { fatalError("skeleton") }
    public func portal(memberID: String) async throws -> PortalRecord? { fatalError("skeleton") }
    public func update(_ portal: PortalRecord) async throws { fatalError("skeleton") }
    public func deletePortal(_ id: ID<PortalRecord>) async throws { fatalError("skeleton") }
    public func portals(limit: Int, after cursor: String?) async throws -> Page<PortalRecord> { fatalError("skeleton") }

    /// Stores a confirmed installation with its portal and the user's credential in one transaction; renews them if they
    /// are there. A sandbox installation never takes a real portal's place (nor the other way round).
    /// - Throws: ``StoreError/alreadyThere(_:)`` `portals.sandbox` in that case.
    public func saveInstallation(_ confirmed: ConfirmedInstallation, now: Timestamp) async throws -> InstallationRecord
    {
        fatalError("skeleton")
    }
    public func installation(_ id: ID<InstallationRecord>) async throws -> InstallationRecord? {
        fatalError("skeleton")
    }
    public func installation(portal: ID<PortalRecord>, app: ID<AppRecord>) async throws -> InstallationRecord? {
        fatalError("skeleton")
    }
    public func update(_ installation: InstallationRecord) async throws { fatalError("skeleton") }
    public func deleteInstallation(_ id: ID<InstallationRecord>) async throws { fatalError("skeleton") }
    public func installations(limit: Int, after cursor: String?) async throws -> Page<InstallationRecord> {
        fatalError("skeleton")
    }

    /// Usable ones, in the order in which they should be tried: administrators first, the oldest first.
    public func credentials(of installation: ID<InstallationRecord>) async throws -> [CredentialRecord] {
        fatalError("skeleton")
    }
    /// Credentials of active installations that were last renewed before `moment`.
    public func idleCredentials(renewedBefore moment: Timestamp) async throws -> [CredentialRecord] {
        fatalError("skeleton")
    }
    public func update(_ credential: CredentialRecord) async throws { fatalError("skeleton") }

    public func createProvider(name: String, type: String, url: String, now: Timestamp) async throws -> ProviderRecord {
        fatalError("skeleton")
    }
    public func provider(_ id: ID<ProviderRecord>) async throws -> ProviderRecord? { fatalError("skeleton") }
    public func update(_ provider: ProviderRecord) async throws { fatalError("skeleton") }
    /// - Throws: ``StoreError/inUse(_:)`` while a connector uses it.
    public func deleteProvider(_ id: ID<ProviderRecord>) async throws { fatalError("skeleton") }
    public func providers(limit: Int, after cursor: String?) async throws -> Page<ProviderRecord> {
        fatalError("skeleton")
    }

    public func createConnector(_ draft: ConnectorDraft, now: Timestamp) async throws -> ConnectorRecord {
        fatalError("skeleton")
    }
    public func connector(_ id: ID<ConnectorRecord>) async throws -> ConnectorRecord? { fatalError("skeleton") }
    /// A change of provider, key or address ends the sessions of the bots that use it.
    public func update(_ connector: ConnectorRecord, now: Timestamp) async throws { fatalError("skeleton") }
    public func deleteConnector(_ id: ID<ConnectorRecord>) async throws { fatalError("skeleton") }
    public func connectors(limit: Int, after cursor: String?) async throws -> Page<ConnectorRecord> {
        fatalError("skeleton")
    }

    public func createBot(_ draft: BotDraft, now: Timestamp) async throws -> BotRecord { fatalError("skeleton") }
    public func bot(_ id: ID<BotRecord>) async throws -> BotRecord? { fatalError("skeleton") }
    public func bot(addressKey: String) async throws -> BotRecord? { fatalError("skeleton") }
    /// A change of connector ends the bot's sessions.
    public func update(_ bot: BotRecord, now: Timestamp) async throws { fatalError("skeleton") }
    public func deleteBot(_ id: ID<BotRecord>) async throws { fatalError("skeleton") }
    public func bots(limit: Int, after cursor: String?) async throws -> Page<BotRecord> { fatalError("skeleton") }
    public func bots(of installation: ID<InstallationRecord>) async throws -> [BotRecord] { fatalError("skeleton") }

    public func createCommand(_ command: CommandRecord) async throws -> CommandRecord { fatalError("skeleton") }
    public func command(_ id: ID<CommandRecord>) async throws -> CommandRecord? { fatalError("skeleton") }
    public func update(_ command: CommandRecord) async throws { fatalError("skeleton") }
    public func deleteCommand(_ id: ID<CommandRecord>) async throws { fatalError("skeleton") }
    public func commands(of bot: ID<BotRecord>) async throws -> [CommandRecord] { fatalError("skeleton") }

    // Transcripts.
    public func dialog(_ id: ID<DialogRecord>) async throws -> DialogRecord? { fatalError("skeleton") }
    public func dialogs(limit: Int, after cursor: String?, portal: ID<PortalRecord>?) async throws -> Page<DialogRecord>
    {
        fatalError("skeleton")
    }
    public func messages(of dialog: ID<DialogRecord>, limit: Int, after cursor: String?) async throws -> Page<
        MessageRecord
    > {
        fatalError("skeleton")
    }
    /// Erases a dialog with its transcript, session, events and what waits for it.
    public func eraseDialog(_ id: ID<DialogRecord>) async throws { fatalError("skeleton") }

    // Access to the management API.
    /// Makes a token; only its fingerprint is stored. `singleUse`: a sign-in code.
    public func createAPIToken(name: String, singleUse: Bool, expiresAt: Timestamp?, now: Timestamp) async throws
        -> Secret
    {
        fatalError("skeleton")
    }
    /// Whether the token is known and has not expired; a single-use one is gone after a true answer.
    public func acceptsAPIToken(_ token: Secret, singleUse: Bool, now: Timestamp) async throws -> Bool {
        fatalError("skeleton")
    }
}

/// An installation that Bitrix24 itself has confirmed.
public struct ConfirmedInstallation: Sendable {
    public var memberID: String
    public var domain: String
    public var appID: ID<AppRecord>
    public var sandbox: Bool
    public var scope: String
    public var clientEndpoint: String
    public var serverEndpoint: String
    /// `nil` leaves the stored one.
    public var applicationToken: Secret?
    public var userID: String
    public var admin: Bool
    public var accessToken: Secret
    public var refreshToken: Secret?
    public var expiresAt: Timestamp
    public init(
        memberID: String, domain: String, appID: ID<AppRecord>, sandbox: Bool, scope: String, clientEndpoint: String,
        serverEndpoint: String, applicationToken: Secret?, userID: String, admin: Bool, accessToken: Secret,
        refreshToken: Secret?, expiresAt: Timestamp
    ) {
        self.memberID = memberID
        self.domain = domain
        self.appID = appID
        self.sandbox = sandbox
        self.scope = scope
        self.clientEndpoint = clientEndpoint
        self.serverEndpoint = serverEndpoint
        self.applicationToken = applicationToken
        self.userID = userID
        self.admin = admin
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.expiresAt = expiresAt
    }
}

public struct ConnectorDraft: Sendable {
    public var portalID: ID<PortalRecord>?
    public var providerID: ID<ProviderRecord>
    public var shared = false
    public var name: String
    public var key: Secret?
    public var url: String?
    public var options: JSON = [:]
    public init(providerID: ID<ProviderRecord>, name: String) {
        self.providerID = providerID
        self.name = name
    }
}

public struct BotDraft: Sendable {
    public var installationID: ID<InstallationRecord>
    public var connectorID: ID<ConnectorRecord>?
    public var name: String
    public var code: String
    public var type = "openline"
    public var api = "v2"
    public var delivery = "webhook"
    public var settings: JSON = [:]
    public init(installationID: ID<InstallationRecord>, name: String, code: String) {
        self.installationID = installationID
        self.name = name
        self.code = code
    }
}
