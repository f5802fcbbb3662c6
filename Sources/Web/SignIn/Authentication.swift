import Base
import Storage

/// Tells who makes a request to the management API: by a bearer token (a program's, the administrator's fixed one, or the
/// application page's ticket), or by the cookie of a browser that has signed in.
struct Authentication: Sendable {
    static let cookie = "bitbot_session"
    static let csrfHeader = "X-CSRF-Token"
    /// How long a browser stays signed in.
    static let sessionLife = Duration.seconds(30 * 24 * 3600)

    /// A credential that was found well.
    struct Known: Sendable {
        var principal: Principal
        var expiresAt: Timestamp?
        /// The session of a browser, by which it signs out, and its proof against forged requests.
        var session: (id: ID<APITokenRecord>, csrf: String)?
    }

    let store: Store
    /// `BITBOT_ADMIN_TOKEN`.
    let adminToken: Secret?
    let tickets: PageTickets
    let clock: WallClock

    /// - Throws: ``APIError`` 401 without a valid credential, 403 `csrf` where a page elsewhere may have made the request.
    func known(_ request: HTTPRequest) async throws -> Known {
        guard let found = try await find(request) else { throw APIError.unauthorized }
        if let session = found.session, request.method != .get, request.method != .head {
            guard let given = request.headers[Self.csrfHeader], Vault.equal(Secret(given), Secret(session.csrf)) else {
                throw APIError(
                    status: 403, code: "csrf", message: "Send \(Self.csrfHeader) with the value of /api/v1/session")
            }
        }
        return found
    }

    /// As ``known(_:)``, without a look at forgery; `nil` without a valid credential.
    func find(_ request: HTTPRequest) async throws -> Known? {
        if let authorization = request.headers["Authorization"] {
            let parts = authorization.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
            return try await bearer(Secret(String(parts[1])))
        }
        guard let secret = Self.session(in: request),
            let token = try await store.apiToken(.session, secret, now: clock.now)
        else { return nil }
        return Known(
            principal: .admin("administrator"), expiresAt: token.expiresAt, session: (token.id, Self.csrf(of: secret)))
    }

    private func bearer(_ secret: Secret) async throws -> Known? {
        if let adminToken, Vault.equal(adminToken, secret) {
            return Known(principal: .admin("BITBOT_ADMIN_TOKEN"))
        }
        if PageTickets.isTicket(secret) {
            guard let (visitor, expiresAt) = try await tickets.visitor(of: secret) else { return nil }
            return Known(principal: .visitor(visitor), expiresAt: expiresAt)
        }
        guard let token = try await store.apiToken(.token, secret, now: clock.now) else { return nil }
        return Known(principal: .admin("token \(token.name)"), expiresAt: token.expiresAt)
    }

    /// Follows from the session, so that nothing more is stored.
    static func csrf(of session: Secret) -> String { Vault.fingerprint("csrf " + session.reveal()) }

    private static func session(in request: HTTPRequest) -> Secret? {
        for header in request.headers.all("Cookie") {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                if parts.count == 2, trimmed(String(parts[0])) == cookie { return Secret(trimmed(String(parts[1]))) }
            }
        }
        return nil
    }
}
