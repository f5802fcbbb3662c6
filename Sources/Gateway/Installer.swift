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

    private let store: Store
    private let authorization: AuthorizationServer
    private let portals: Portals
    private let addresses: Addresses
    /// Authorization servers of the built-in sandbox.
    private let sandboxServers: Set<String>
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
        self.addresses = addresses
        self.sandboxServers = sandboxServers
        self.clock = clock
        self.log = log
    }

    /// Confirms a claim and stores portal, installation and the user's credential.
    /// - Parameter sender: the address that it came from.
    /// - Throws: ``Refusal``, or `StoreError`.
    public func install(_ claim: Claim, app: AppRecord, sender: String) async throws -> InstallationRecord {
        guard let clientID = app.clientID, app.clientSecret != nil else { throw Refusal.waitingForKeys }
        guard await gate.enter(sender, now: clock.now) else { throw Refusal.busy }
        do {
            let installation = try await confirmAndStore(claim, app: app, clientID: clientID)
            await gate.leave()
            return installation
        } catch {
            await gate.leave()
            throw error
        }
    }

    private func confirmAndStore(
        _ claim: Claim, app: AppRecord, clientID: String
    ) async throws -> InstallationRecord {
        let info = try await asking {
            try await authorization.tokenInfo(claim.accessToken, serverEndpoint: claim.serverEndpoint)
        }
        guard info.clientID == clientID else { throw Refusal.notConfirmed("the token belongs to another application") }
        guard info.memberID == claim.memberID else { throw Refusal.notConfirmed("the token belongs to another portal") }
        let portal = try await store.portal(memberID: info.memberID)
        var known: InstallationRecord?
        if let portal { known = try await store.installation(portal: portal.id, app: app.id) }
        let trust: HTTPClient.Trust = portal?.allowPrivate == true ? .privateAllowed : .publicOnly
        let isAdministrator = try await asking {
            try await authorization.isAdministrator(
                claim.accessToken, clientEndpoint: info.clientEndpoint, trust: trust)
        }
        let token = try believed(claim.applicationToken, known: known, isAdministrator: isAdministrator)
        let installation = try await store.saveInstallation(
            ConfirmedInstallation(
                memberID: info.memberID, domain: Self.host(of: info.clientEndpoint) ?? info.domain, appID: app.id,
                sandbox: sandboxServers.contains { info.serverEndpoint.hasPrefix($0) }, scope: info.scope,
                clientEndpoint: info.clientEndpoint, serverEndpoint: info.serverEndpoint, applicationToken: token,
                userID: info.userID, admin: isAdministrator, accessToken: claim.accessToken,
                refreshToken: claim.refreshToken, expiresAt: clock.now + .seconds(claim.expiresIn)),
            now: clock.now)
        log.info(
            known == nil ? "an application was installed" : "an installation was renewed",
            ["portal": .text(info.domain), "app": .text(app.name), "user": .text(info.userID)])
        bindApplicationEvents(of: installation, app: app)
        return installation
    }

    /// `app.info` proves the access token, not the application token that came with it: a first or changed one is believed
    /// only from an administrator.
    private func believed(_ token: Secret?, known: InstallationRecord?, isAdministrator: Bool) throws -> Secret? {
        guard let token else {
            if known == nil, !isAdministrator {
                throw Refusal.notConfirmed("an administrator must install the application")
            }
            return nil
        }
        if let stored = known?.applicationToken, Vault.equal(stored, token) { return token }
        guard isAdministrator else {
            throw Refusal.notConfirmed("only an administrator may bring a new application token")
        }
        if known?.applicationToken != nil { log.warning("an application token has changed", ["token": .secret(token)]) }
        return token
    }

    private func asking<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PortalError {
            throw error.isPassing ? Refusal.unreachable(error.message) : Refusal.notConfirmed(error.message)
        }
    }

    /// Bitrix24 drops the bindings with each update, so they are made after each installation and update.
    private func bindApplicationEvents(of installation: InstallationRecord, app: AppRecord) {
        Task {
            for attempt in 1...6 {
                do {
                    guard let portal = try await store.portal(installation.portalID),
                        let account = try await portals.account(installation)
                    else { return }
                    try await portals.portal(portal).bindApplicationEvents(to: addresses.events(app), as: account)
                    return
                } catch {
                    log.warning(
                        "the application's events could not be bound",
                        ["installation": .text("\(installation.id)"), "error": "\(error)"])
                    try? await Task.sleep(for: Pauses.before(attempt: attempt, longest: .seconds(60)))
                }
            }
        }
    }

    /// Marks an installation that Bitrix24 says is gone; its event was checked against the application token.
    public func uninstall(_ installation: InstallationRecord, clean: Bool) async throws {
        log.info(
            "an application was uninstalled", ["installation": .text("\(installation.id)"), "clean": .flag(clean)])
        if clean { return try await store.deleteInstallation(installation.id) }
        var installation = installation
        installation.status = .uninstalled
        installation.updatedAt = clock.now
        try await store.update(installation)
    }

    private static func host(of endpoint: String) -> String? {
        endpoint.split(separator: "/").dropFirst().first.map(String.init)
    }
}

/// Keeps strangers from making us call out: four confirmations at once, one a second from each sender.
actor ConfirmationGate {
    private var inside = 0
    private var last: [String: Timestamp] = [:]

    func enter(_ sender: String, now: Timestamp) -> Bool {
        last = last.filter { now - $0.value < .seconds(1) }
        guard inside < 4, last[sender] == nil, last.count < 10_000 else { return false }
        last[sender] = now
        inside += 1
        return true
    }

    func leave() { inside -= 1 }
}
