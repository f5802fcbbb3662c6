import Base
import Synchronization

/// Bitrix24's authorization server, on its own port of 127.0.0.1: `/oauth/token/` and `/rest/app.info`.
/// Portals that start with it share it, as they do in life.
///
/// Documentation: `settings/oauth/index.md`, `settings/oauth/auto-renewal.md`, `settings/oauth/error-codes.md`.
public final class SimulatedAuthorizationServer: Sendable {
    public struct Settings: Sendable {
        public var accessLifetime: Duration = .seconds(3600)
        public var refreshLifetime: Duration = .seconds(180 * 24 * 3600)
        /// Whether a refresh token is dead once it was used; both have been seen.
        public var usedRefreshTokenDies = true
        public init() {}
    }

    public let settings: Settings

    init(settings: Settings) { self.settings = settings }

    /// - Throws: ``HTTPServerError``.
    public static func start(
        settings: Settings = Settings(), loops: EventLoopGroup, log: Log
    ) async throws -> SimulatedAuthorizationServer { fatalError("skeleton") }

    /// `http://127.0.0.1:PORT`.
    public var origin: String { fatalError("skeleton") }

    /// What applications know as `server_endpoint`.
    public var serverEndpoint: String { origin + "/rest/" }

    /// Makes every access token of an application expired, as if its hour had passed.
    public func expireAccessTokens(of clientID: String) { fatalError("skeleton") }

    /// Makes every refresh token of an application invalid.
    public func revokeRefreshTokens(of clientID: String) { fatalError("skeleton") }

    /// The next renewals of an application end with this error; `nil` ends that.
    public func refuseRenewals(of clientID: String, with error: OAuthError?) { fatalError("skeleton") }

    /// How many renewals were granted since the start.
    public var renewals: Int { fatalError("skeleton") }

    public func stop() async { fatalError("skeleton") }

    /// Documentation: `settings/oauth/error-codes.md`.
    public enum OAuthError: String, Sendable, Hashable, CaseIterable {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case invalidScope = "invalid_scope"
        case insufficientScope = "insufficient_scope"
        case paymentRequired = "PAYMENT_REQUIRED"
        case notInstalled = "NOT_INSTALLED"
        /// Arrives with status 200.
        case wrongClient = "wrong_client"
    }
}
