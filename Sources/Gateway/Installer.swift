import Base
import Bitrix24
import Storage

/// Takes installations. Nothing that a post says is believed until Bitrix24's authorization server has confirmed it.
///
/// Documentation: `api-reference/events/safe-event-handlers.md`, `settings/oauth/simple-way.md`.
public struct Installer: Sendable {
    /// What a post claims.
    public struct Claim: Sendable {
        public var memberID: String
        public var accessToken: Secret
        public var refreshToken: Secret?
        public var expiresIn: Int
        public var serverEndpoint: String?
        public var applicationToken: Secret?
        public init(
            memberID: String, accessToken: Secret, refreshToken: Secret?, expiresIn: Int, serverEndpoint: String?,
            applicationToken: Secret?
        ) {
            self.memberID = memberID
            self.accessToken = accessToken
            self.refreshToken = refreshToken
            self.expiresIn = expiresIn
            self.serverEndpoint = serverEndpoint
            self.applicationToken = applicationToken
        }
    }

    public enum Refusal: Error, Sendable, Equatable {
        /// The application has no keys yet.
        case waitingForKeys
        /// Bitrix24 does not confirm it; the text is for the log.
        case notConfirmed(String)
        /// Too many claims from this sender, or at once.
        case busy
        /// Bitrix24 could not be asked now.
        case unreachable(String)
    }

    /// What was confirmed: the installation, and who was there.
    public struct Visit: Sendable {
        public var installation: InstallationRecord
        public var userID: String
        public var user: AuthorizationServer.User
    }

    private let store: Store
    private let authorization: AuthorizationServer
    private let portals: Portals
    private let aftercare: Aftercare
    /// REST roots of the built-in sandbox's authorization servers.
    private let sandboxEndpoints: Set<String>
    private let gate = ConfirmationGate()
    private let clock: WallClock
    private let log: Log

    public init(
        store: Store, authorization: AuthorizationServer, portals: Portals, addresses: Addresses,
        sandboxServers: Set<String> = [], clock: WallClock = .system, log: Log
    ) {
        self.store = store
        self.authorization = authorization
        self.portals = portals
        sandboxEndpoints = Set(sandboxServers.map { $0.lowercased() + "/rest/" })
        aftercare = Aftercare(
            store: store, portals: portals, addresses: addresses,
            registrar: Registrar(store: store, portals: portals, addresses: addresses, clock: clock), log: log)
        self.clock = clock
        self.log = log
    }

    /// Confirms a claim and stores portal, installation and the user's credential.
    /// - Parameter sender: the address that it came from.
    /// - Throws: ``Refusal``, or `StoreError`.
    public func install(_ claim: Claim, app: AppRecord, sender: String) async throws -> Visit {
        guard let clientID = app.clientID, let clientSecret = app.clientSecret else { throw Refusal.waitingForKeys }
        let keys = ApplicationKeys(clientID: clientID, clientSecret: clientSecret)
        // Behind a proxy all come from one address; whoever knows the application token is no stranger.
        let isKnown = try await knowsToken(claim, app: app)
        return try await gate.confirm(isKnown ? nil : sender) {
            try await confirmAndStore(claim, app: app, keys: keys)
        }
    }

    /// The application that a claim's token is for, as Bitrix24 says.
    /// - Throws: ``Refusal``, or `StoreError`.
    public func application(of claim: Claim, sender: String) async throws -> AppRecord {
        let info = try await gate.confirm(sender) {
            try await asking {
                try await authorization.tokenInfo(claim.accessToken, serverEndpoint: claim.serverEndpoint)
            }
        }
        guard let app = try await store.app(clientID: info.clientID) else {
            throw Refusal.notConfirmed("the token belongs to an application that is not known here")
        }
        return app
    }

    /// What Bitrix24 says now of a user who has opened the application before; `nil` if it lets them in no more.
    /// - Throws: ``Refusal`` when it could not be asked, or `StoreError`.
    public func user(_ userID: String, of installation: InstallationRecord) async throws -> AuthorizationServer.User? {
        guard let account = try await portals.account(installation),
            let portal = try await store.portal(installation.portalID)
        else { return nil }
        do {
            return try await asking {
                guard let token = try await account.accessToken(ofUser: userID) else { return nil }
                return try await authorization.user(
                    token, clientEndpoint: account.endpoint, trust: portal.allowPrivate ? .privateAllowed : .publicOnly)
            }
        } catch Refusal.notConfirmed {
            return nil
        }
    }

    private func knowsToken(_ claim: Claim, app: AppRecord) async throws -> Bool {
        guard let given = claim.applicationToken, let portal = try await store.portal(memberID: claim.memberID),
            let stored = try await store.installation(portal: portal.id, app: app.id)?.applicationToken
        else { return false }
        return Vault.equal(stored, given)
    }

    private func confirmAndStore(
        _ claim: Claim, app: AppRecord, keys: ApplicationKeys
    ) async throws -> Visit {
        let info = try await tokenInfo(of: claim, keys: keys)
        let isSandbox = sandboxEndpoints.contains(info.serverEndpoint)
        let portal = try await store.portal(memberID: info.memberID)
        if let portal, portal.sandbox != isSandbox {
            throw Refusal.notConfirmed("a sandbox and a real portal cannot take each other's place")
        }
        var known: InstallationRecord?
        if let portal { known = try await store.installation(portal: portal.id, app: app.id) }
        let trust: HTTPClient.Trust = portal?.allowPrivate == true ? .privateAllowed : .publicOnly
        let user = try await asking {
            try await authorization.user(claim.accessToken, clientEndpoint: info.clientEndpoint, trust: trust)
        }
        let proven = try await proven(claim, info, known: known, isAdministrator: user.isAdministrator, keys: keys)
        var confirmed = ConfirmedInstallation(
            memberID: info.memberID, domain: Self.host(of: info.clientEndpoint) ?? info.domain, appID: app.id,
            sandbox: isSandbox, scope: info.scope, clientEndpoint: info.clientEndpoint,
            serverEndpoint: info.serverEndpoint, applicationToken: proven.applicationToken, userID: info.userID,
            admin: user.isAdministrator, accessToken: proven.accessToken, refreshToken: proven.refreshToken,
            expiresAt: clock.now + .seconds(min(max(proven.expiresIn, 0), 86_400)))
        if let old = known?.applicationToken, let new = proven.applicationToken, old != new {
            confirmed.notice =
                "User \(info.userID), an administrator, brought a new application token at \(clock.now.iso8601)"
            log.warning(
                "an application token has changed", ["portal": .text(info.domain), "user": .text(info.userID)])
        }
        let installation = try await save(confirmed)
        if claim.applicationToken != nil, WrongTokenNotice.isShown(by: installation) {
            try await store.setStatus(.active, notice: nil, of: installation, now: clock.now)
        }
        log.info(
            known == nil ? "an application was installed" : "an installation was renewed",
            ["portal": .text(confirmed.domain), "app": .text(app.name), "user": .text(info.userID)])
        aftercare.begin(installation, app: app)
        return Visit(installation: installation, userID: info.userID, user: user)
    }

    /// What the authorization server says of the claim's token: it must be for this application and the portal named.
    private func tokenInfo(of claim: Claim, keys: ApplicationKeys) async throws -> AuthorizationServer.TokenInfo {
        let info = try await asking {
            try await authorization.tokenInfo(claim.accessToken, serverEndpoint: claim.serverEndpoint)
        }
        guard info.clientID == keys.clientID else {
            throw Refusal.notConfirmed("the token belongs to another application")
        }
        guard info.memberID == claim.memberID else { throw Refusal.notConfirmed("the token belongs to another portal") }
        return info
    }

    /// `app.info` proves the access token, not what came with it. A first or changed application token is believed only from
    /// an administrator. And since bot platforms are given access tokens, an administrator's too, whoever does not know an
    /// installation's application token must prove the refresh token, which is never given away, by renewing it.
    private func proven(
        _ claim: Claim, _ info: AuthorizationServer.TokenInfo, known: InstallationRecord?, isAdministrator: Bool,
        keys: ApplicationKeys
    ) async throws -> Claim {
        if let stored = known?.applicationToken, let given = claim.applicationToken, Vault.equal(stored, given) {
            return claim
        }
        if known == nil || claim.applicationToken != nil, !isAdministrator {
            throw Refusal.notConfirmed("only an administrator may install, or bring a new application token")
        }
        guard known?.applicationToken != nil else { return claim }
        guard let refreshToken = claim.refreshToken else {
            throw Refusal.notConfirmed("neither the known application token nor a refresh token came with it")
        }
        let pair = try await asking {
            try await authorization.renew(refreshToken, keys: keys, serverEndpoint: info.serverEndpoint)
        }
        guard pair.memberID == info.memberID, pair.userID == info.userID else {
            throw Refusal.notConfirmed("the refresh token belongs to somebody else")
        }
        var proven = claim
        proven.accessToken = pair.accessToken
        proven.refreshToken = pair.refreshToken
        proven.expiresIn = Int(pair.expiresIn.components.seconds)
        return proven
    }

    private func save(_ confirmed: ConfirmedInstallation) async throws -> InstallationRecord {
        let installation: InstallationRecord
        do {
            installation = try await store.saveInstallation(confirmed, now: clock.now)
        } catch StoreError.alreadyThere("portals.sandbox") {
            throw Refusal.notConfirmed("a sandbox and a real portal cannot take each other's place")
        }
        try await portals.account(installation)?.reload()
        await portals.opened(installation.portalID)
        return installation
    }

    private func asking<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PortalError {
            throw error.isPassing ? Refusal.unreachable(error.message) : Refusal.notConfirmed(error.message)
        }
    }

    /// Marks an installation that Bitrix24 says is gone; its event was checked against the application token.
    public func uninstall(_ installation: InstallationRecord, clean: Bool) async throws {
        log.info(
            "an application was uninstalled", ["installation": .text("\(installation.id)"), "clean": .flag(clean)])
        if clean { return try await store.deleteInstallation(installation.id) }
        for var bot in try await store.bots(of: installation.id) where bot.status != .deleted {
            bot.status = .deleted
            bot.statusReason = Aftercare.uninstalled
            _ = try await store.setRegistration(of: bot, now: clock.now)
        }
        try await store.setStatus(.uninstalled, notice: nil, of: installation, now: clock.now)
    }

    static func host(of endpoint: String) -> String? {
        endpoint.split(separator: "/").dropFirst().first.map(String.init)
    }
}
