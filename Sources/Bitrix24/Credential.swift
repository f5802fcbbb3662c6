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

/// A user's tokens; of an inbound webhook the part of its address that is secret, in place of the access token.
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

    /// The token of a bot that was registered by webhook, by Bitrix24's id of the bot.
    func botToken(of bot: Int64) async throws -> Secret?
    /// Bitrix24 lets the installation in no more (``PortalError/concernsInstallation``); told once until it does again.
    func accessRefused(_ error: PortalError) async
    /// Bitrix24 lets the installation in: told by its first success, and by the first one after a refusal.
    func accessGranted() async
}

/// What a simple keeper does without.
extension CredentialKeeper {
    public func botToken(of bot: Int64) async throws -> Secret? { nil }
    public func accessRefused(_ error: PortalError) async {}
    public func accessGranted() async {}
}
