import Base

/// The keys of an application, as Bitrix24 gave them.
public struct ApplicationKeys: Sendable, Hashable {
    public var clientID: String
    public var clientSecret: Secret
    public init(clientID: String, clientSecret: Secret) {
        self.clientID = clientID
        self.clientSecret = clientSecret
    }
}

/// A user's tokens.
public struct Credential: Sendable, Hashable {
    /// Whatever the keeper knows it by.
    public var id: String
    public var userID: String
    public var accessToken: Secret
    public var refreshToken: Secret?
    /// Tried when the new one is refused: a renewal may have been cut off before it was saved.
    public var formerRefreshToken: Secret?
    public var expiresAt: Timestamp
    public init(
        id: String, userID: String, accessToken: Secret, refreshToken: Secret?, formerRefreshToken: Secret? = nil,
        expiresAt: Timestamp
    ) {
        self.id = id
        self.userID = userID
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.formerRefreshToken = formerRefreshToken
        self.expiresAt = expiresAt
    }
}

/// Keeps the credentials of one installation; whoever uses this library brings one.
public protocol CredentialKeeper: Sendable {
    /// In the order in which they should be tried: an administrator's first.
    func credentials() async throws -> [Credential]
    /// Returns when the pair is durable: it is used only after that.
    func save(_ credential: Credential) async throws
    /// The authorization server refused it for good.
    func discard(_ credential: Credential, reason: String) async throws
    /// The portal answers at another address now.
    func moved(to clientEndpoint: String) async throws
}

/// One installation of an application on a portal, as a caller: where to call and with which tokens.
///
/// Renews on `expired_token` only, one renewal at a time; the rotated pair is saved before it is used.
/// Documentation: `settings/oauth/auto-renewal.md`.
public final class Account: Sendable {
    /// - Parameters:
    ///   - endpoint: REST root of the portal, with a closing slash.
    ///   - keeper: its credentials.
    public init(
        endpoint: String, keys: ApplicationKeys, authorization: AuthorizationServer, keeper: any CredentialKeeper,
        clock: WallClock = .system
    ) { fatalError("skeleton") }

    /// REST root now.
    public var endpoint: String { fatalError("skeleton") }

    /// The access token of the first usable credential, renewed first if its stored expiry has passed (for the variable
    /// `user_access_token`); `nil` without a credential.
    public func userAccessToken() async throws -> Secret? { fatalError("skeleton") }

    /// Renews the credential that has been idle longest allowed (within its 180 days).
    public func renew(_ credential: Credential) async throws { fatalError("skeleton") }
}

/// Bitrix24's authorization server.
///
/// Documentation: `settings/oauth/index.md`, `settings/oauth/auto-renewal.md`, `settings/oauth/simple-way.md`.
public struct AuthorizationServer: Sendable {
    /// - Parameter url: `BITBOT_OAUTH_URL`; it and Bitrix24's known servers are the only ones ever asked.
    /// - Parameter alsoKnown: further hosts' origins (the sandbox's own).
    public init(url: String, alsoKnown: Set<String> = [], http: HTTPClient) { fatalError("skeleton") }

    /// What a token from outside proves.
    public struct TokenInfo: Sendable, Equatable {
        public var clientID: String
        public var memberID: String
        public var domain: String
        public var clientEndpoint: String
        public var scope: String
        public var userID: String
        /// The server that said so: its REST root.
        public var serverEndpoint: String
    }

    /// Asks whose token it is (`app.info`), at `serverEndpoint` if that is a known server, else at the configured one.
    /// - Throws: ``PortalError``.
    public func tokenInfo(_ accessToken: Secret, serverEndpoint: String?) async throws -> TokenInfo {
        fatalError("skeleton")
    }

    /// A new pair for a refresh token (or the former one).
    /// - Throws: ``PortalError``; `isPassing` false when the token is refused for good.
    public func renew(_ refreshToken: Secret, keys: ApplicationKeys, serverEndpoint: String?) async throws -> TokenPair
    {
        fatalError("skeleton")
    }

    public struct TokenPair: Sendable {
        public var accessToken: Secret
        public var refreshToken: Secret
        public var expiresIn: Duration
        public var clientEndpoint: String?
        public var memberID: String?
        public var userID: String?
    }

    /// Whether the portal's user of this token is an administrator (`profile` at the portal).
    public func isAdministrator(_ accessToken: Secret, clientEndpoint: String, trust: HTTPClient.Trust) async throws
        -> Bool
    {
        fatalError("skeleton")
    }
}
