import Base
import Synchronization

/// One installation of an application on a portal, as a caller: where to call and with which tokens.
///
/// Keep one value for each installation: what it learns (tokens, paused methods) is shared by all calls made with it.
/// Renews on `expired_token` only, one renewal at a time; the rotated pair is saved before it is used.
/// Documentation: `settings/oauth/auto-renewal.md`.
public final class Account: Sendable {
    private struct State {
        var endpoint: String
        /// `nil` before they were read.
        var credentials: [Credential]?
        /// Renewed, but not saved yet.
        var unsaved: [String: Credential] = [:]
        var renewals: [String: Task<Credential?, any Error>] = [:]
        /// Credentials that the portal did not take, by id: used only when there is no other.
        var lastResorts: Set<String> = []
        /// Methods that have used up their running time.
        var paused: [String: Timestamp] = [:]
        var operatingResets: [String: Timestamp] = [:]
        var access = InstallationAccess()
        /// Of a webhook: by what Bitrix24 knows its bots.
        var botTokens: [Int64: Secret] = [:]
    }

    /// `nil` for an inbound webhook, which has nothing to renew.
    private let renewer: (keys: ApplicationKeys, authorization: AuthorizationServer)?
    let keeper: any CredentialKeeper
    private let serverEndpoint: String?
    let clock: WallClock
    private let state: Mutex<State>

    /// - Parameters:
    ///   - endpoint: REST root of the portal, with a closing slash.
    ///   - keeper: its credentials.
    ///   - serverEndpoint: the authorization server that came with the installation; asked only if it is a known one.
    public init(
        endpoint: String, keys: ApplicationKeys, authorization: AuthorizationServer, keeper: any CredentialKeeper,
        serverEndpoint: String? = nil, clock: WallClock = .system
    ) {
        renewer = (keys, authorization)
        self.keeper = keeper
        self.serverEndpoint = serverEndpoint
        self.clock = clock
        state = Mutex(State(endpoint: endpoint.hasSuffix("/") ? endpoint : endpoint + "/"))
    }

    /// An inbound webhook: its keeper has one credential, with the secret part of the address (`1/code`) as access token.
    /// - Parameter endpoint: REST root of the portal, without user and code.
    public init(webhookAt endpoint: String, keeper: any CredentialKeeper, clock: WallClock = .system) {
        renewer = nil
        self.keeper = keeper
        serverEndpoint = nil
        self.clock = clock
        state = Mutex(State(endpoint: endpoint.hasSuffix("/") ? endpoint : endpoint + "/"))
    }

    var isWebhook: Bool { renewer == nil }

    /// REST root now.
    public var endpoint: String { state.withLock { $0.endpoint } }

    /// The access token of the first usable credential, renewed first if its stored expiry has passed (for the variable
    /// `user_access_token`); `nil` without a credential, and for a webhook.
    /// - Throws: ``PortalError`` when it could not be renewed.
    public func userAccessToken() async throws -> Secret? {
        if isWebhook { return nil }
        var tried: Set<String> = []
        while let credential = try await credential(excluding: tried) {
            if credential.expiresAt > clock.now { return credential.accessToken }
            if let renewed = try await replacement(for: credential) { return renewed.accessToken }
            tried.insert(credential.id)
        }
        return nil
    }

    /// The access token of this user, renewed first if its stored expiry has passed; `nil` if there is none that Bitrix24
    /// accepts.
    /// - Throws: ``PortalError`` when it could not be renewed.
    public func accessToken(ofUser userID: String) async throws -> Secret? {
        guard let credential = try await readCredentials().first(where: { $0.userID == userID }) else { return nil }
        if credential.expiresAt > clock.now { return credential.accessToken }
        return try await replacement(for: credential)?.accessToken
    }

    /// Renews a credential that has been idle as long as allowed (within its 180 days).
    /// - Throws: ``PortalError``.
    public func renew(_ credential: Credential) async throws {
        if try await replacement(for: credential) == nil {
            throw PortalError.noCredential("the authorization server refused this user's tokens for good")
        }
    }

    /// Forgets the credentials that were read, so that the keeper is asked again, and that Bitrix24 did not let the
    /// installation in: call it when either may have changed.
    public func reload() {
        state.withLock {
            $0.credentials = nil
            $0.lastResorts = []
            $0.access.forget()
        }
    }
}

// MARK: Credentials

extension Account {
    /// The first credential that is not excluded; `nil` if there is none.
    func credential(excluding tried: Set<String> = []) async throws -> Credential? {
        if let known = state.withLock({ Self.pick($0, tried) }) { return known }
        _ = try await readCredentials()
        return state.withLock { Self.pick($0, tried) }
    }

    private static func pick(_ state: State, _ tried: Set<String>) -> Credential? {
        guard let credentials = state.credentials else { return nil }
        if tried.isEmpty, let first = credentials.first, !state.lastResorts.contains(first.id) { return first }
        let left = credentials.filter { !tried.contains($0.id) }
        return left.first { !state.lastResorts.contains($0.id) } ?? left.first
    }

    private func readCredentials() async throws -> [Credential] {
        do {
            let credentials = try await keeper.credentials()
            state.withLock { $0.credentials = credentials }
            return credentials
        } catch let error as CancellationError {
            throw error
        } catch {
            throw PortalError.noCredential("the stored tokens could not be read", isPassing: true)
        }
    }

    /// The portal did not take a credential that has not expired: others go first from now on.
    func demote(_ credential: Credential) {
        state.withLock { _ = $0.lastResorts.insert(credential.id) }
    }

    /// What to use instead of a credential whose access token has expired: its renewed self; `nil` if it was refused for
    /// good and has been discarded. Whoever asks meanwhile gets the same answer.
    /// - Throws: ``PortalError``.
    func replacement(for expired: Credential) async throws -> Credential? {
        let id = expired.id
        let (known, running) = state.withLock { state -> (Credential?, Task<Credential?, any Error>?) in
            if let known = state.credentials?.first(where: { $0.id == id }),
                known.accessToken != expired.accessToken
            {
                return (known, nil)
            }
            if let running = state.renewals[id] { return (nil, running) }
            // Not a child of the caller: a renewal that has begun must end, whoever is cancelled.
            let task = Task.detached { [self] in
                defer { forgetRenewal(of: id) }
                return try await renewal(of: id, refused: expired.accessToken)
            }
            state.renewals[id] = task
            return (nil, task)
        }
        if let known { return known }
        return try await running?.value
    }

    private func forgetRenewal(of id: String) { state.withLock { $0.renewals[id] = nil } }

    private func renewal(of id: String, refused: Secret) async throws -> Credential? {
        if let unsaved = state.withLock({ $0.unsaved[id] }) { return try await keep(unsaved) }
        guard let stored = try await readCredentials().first(where: { $0.id == id }) else { return nil }
        // Somebody else has renewed it, or the application was installed anew.
        if stored.accessToken != refused { return stored }
        var lastRefusal = "it has expired and has no refresh token"
        for token in [stored.refreshToken, stored.formerRefreshToken].compactMap({ $0 }) {
            guard let renewer else { break }
            do {
                let pair = try await renewer.authorization.renew(
                    token, keys: renewer.keys, serverEndpoint: serverEndpoint)
                var renewed = stored
                renewed.accessToken = pair.accessToken
                renewed.refreshToken = pair.refreshToken
                renewed.formerRefreshToken = token
                renewed.expiresAt = clock.now + pair.expiresIn
                return try await keep(renewed)
            } catch let error as PortalError where error.code?.lowercased() == "invalid_grant" {
                lastRefusal = error.message
            }
        }
        // The application may have been installed anew meanwhile, which made the former tokens worthless.
        guard let now = try await readCredentials().first(where: { $0.id == id }) else { return nil }
        if now.accessToken != stored.accessToken { return now }
        try await discard(stored, reason: lastRefusal)
        return nil
    }

    /// Saves a renewed credential and only then lets it be used; if it cannot be saved it is not lost while we live.
    private func keep(_ renewed: Credential) async throws -> Credential {
        state.withLock { $0.unsaved[renewed.id] = renewed }
        do {
            try await keeper.save(renewed)
        } catch {
            throw PortalError.noCredential("the renewed tokens could not be stored", isPassing: true)
        }
        state.withLock { state in
            state.unsaved[renewed.id] = nil
            state.lastResorts.remove(renewed.id)
            if let index = state.credentials?.firstIndex(where: { $0.id == renewed.id }) {
                state.credentials?[index] = renewed
            }
        }
        return renewed
    }

    private func discard(_ credential: Credential, reason: String) async throws {
        do {
            try await keeper.discard(credential, reason: reason)
        } catch {
            throw PortalError.noCredential("tokens that were refused could not be discarded", isPassing: true)
        }
        state.withLock { $0.credentials?.removeAll { $0.id == credential.id } }
    }
}

// MARK: The portal's address, and methods that must pause

extension Account {
    /// Calls another address from now on, which the keeper knows already.
    public func use(_ endpoint: String) {
        state.withLock { $0.endpoint = endpoint.hasSuffix("/") ? endpoint : endpoint + "/" }
    }

    /// The portal answers at another address now.
    func moved(to endpoint: String) async {
        let isNew = state.withLock { state in
            defer { state.endpoint = endpoint }
            return state.endpoint != endpoint
        }
        // A keeper that fails is told again at the next start, by the same redirect.
        if isNew { try? await keeper.moved(to: endpoint) }
    }

    /// Notes when the oldest minute of a method's running time drops out.
    func note(_ time: CallTime, of method: String) {
        guard let reset = time.operatingResetAt else { return }
        state.withLock { $0.operatingResets[method] = reset }
    }

    /// Pauses a method until the last known reset, at least ten seconds and at most ten minutes.
    /// - Returns: how long.
    func pause(_ method: String) -> Duration {
        let now = clock.now
        return state.withLock { state in
            let reset = state.operatingResets[method].map { $0 - now } ?? .seconds(60)
            let pause = min(max(reset, .seconds(10)), .seconds(600))
            state.paused[method] = now + pause
            return pause
        }
    }

    /// How long a method still pauses.
    func pauseLeft(of method: String) -> Duration? {
        state.withLock { state in
            guard let until = state.paused[method] else { return nil }
            let left = until - clock.now
            if left > .zero { return left }
            state.paused[method] = nil
            return nil
        }
    }
}

// MARK: What is kept for other files

extension Account {
    func withAccess<T>(_ body: (inout InstallationAccess) -> T) -> T { state.withLock { body(&$0.access) } }

    func knownToken(ofBot bot: Int64) -> Secret? { state.withLock { $0.botTokens[bot] } }
    func keep(_ token: Secret, ofBot bot: Int64) { state.withLock { $0.botTokens[bot] = token } }
}
