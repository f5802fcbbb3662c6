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
        /// How long an authorization code lives.
        public var codeLifetime: Duration = .seconds(30)
        public init() {}
    }

    /// Documentation: `settings/oauth/error-codes.md`.
    public enum OAuthError: String, Error, Sendable, Hashable, CaseIterable {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case invalidScope = "invalid_scope"
        case insufficientScope = "insufficient_scope"
        case paymentRequired = "PAYMENT_REQUIRED"
        case notInstalled = "NOT_INSTALLED"
        /// Arrives with status 200.
        case wrongClient = "wrong_client"

        var status: Int {
            switch self {
            case .invalidRequest, .invalidClient, .invalidGrant: 400
            case .invalidScope, .insufficientScope: 403
            case .paymentRequired, .notInstalled: 401
            case .wrongClient: 200
            }
        }
    }

    public let settings: Settings
    private let tokens: Mutex<TokenBook>
    private let server: Mutex<HTTPServer?> = Mutex(nil)
    private let address = Mutex("")
    private let calls = Mutex((renewals: 0, checks: 0))

    init(settings: Settings) {
        self.settings = settings
        tokens = Mutex(TokenBook(settings: settings))
    }

    /// - Throws: ``HTTPServerError``.
    public static func start(
        settings: Settings = Settings(), loops: EventLoopGroup, log: Log
    ) async throws -> SimulatedAuthorizationServer {
        let authorization = SimulatedAuthorizationServer(settings: settings)
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: log,
            handler: { try await authorization.handle($0) })
        authorization.server.withLock { $0 = server }
        authorization.address.withLock { $0 = "http://127.0.0.1:\(server.port)" }
        return authorization
    }

    /// `http://127.0.0.1:PORT`.
    public var origin: String { address.withLock { $0 } }

    /// What applications know as `server_endpoint`.
    public var serverEndpoint: String { origin + "/rest/" }

    /// Makes every access token of an application expired, as if its hour had passed.
    public func expireAccessTokens(of clientID: String) { tokens.withLock { $0.expireAccess(of: clientID) } }

    /// Makes every refresh token of an application invalid.
    public func revokeRefreshTokens(of clientID: String) { tokens.withLock { $0.revokeRefresh(of: clientID) } }

    /// The next renewals of an application end with this error; `nil` ends that.
    public func refuseRenewals(of clientID: String, with error: OAuthError?) {
        tokens.withLock { $0.refusals[clientID] = error }
    }

    /// How many renewals were granted since the start.
    public var renewals: Int { calls.withLock { $0.renewals } }

    /// How often `app.info` was asked since the start.
    public var checks: Int { calls.withLock { $0.checks } }

    /// All tokens and codes that are known now, also expired ones, for tests that look for leaks.
    public var knownTokens: Set<String> { tokens.withLock { $0.known } }

    public func stop() async {
        let server = server.withLock { server in
            defer { server = nil }
            return server
        }
        await server?.shutdown(grace: .zero)
    }

    // MARK: For portals

    func register(_ registration: TokenBook.Registration) { tokens.withLock { $0.register(registration) } }

    /// Says from now on that a portal is elsewhere.
    public func move(memberID: String, domain: String, clientEndpoint: String) {
        tokens.withLock { $0.move(memberID: memberID, domain: domain, clientEndpoint: clientEndpoint) }
    }

    func unregister(clientID: String, memberID: String) {
        tokens.withLock { $0.unregister(.init(clientID: clientID, memberID: memberID)) }
    }

    /// A new pair of tokens.
    func issue(clientID: String, memberID: String, userID: Int, now: Timestamp) -> TokenBook.Pair {
        tokens.withLock { book in
            book.issue(.init(clientID: clientID, memberID: memberID), userID: userID, now: now)
        }
    }

    /// The pair that events carry; those of one minute share it.
    func eventPair(clientID: String, memberID: String, userID: Int, now: Timestamp) -> TokenBook.Pair {
        tokens.withLock { book in
            book.eventPair(.init(clientID: clientID, memberID: memberID), userID: userID, now: now)
        }
    }

    func code(clientID: String, memberID: String, userID: Int, now: Timestamp) -> String {
        tokens.withLock { $0.code(.init(clientID: clientID, memberID: memberID), userID: userID, now: now) }
    }

    func check(_ token: String, memberID: String, now: Timestamp) -> TokenBook.Check {
        tokens.withLock { $0.check(token, memberID: memberID, now: now) }
    }

    // MARK: HTTP

    private func handle(_ request: HTTPRequest) async throws -> HTTPResponse {
        let now = WallClock.system.now
        var parameters = RESTParameters()
        for bytes in [Array(request.query.utf8), request.body] where !bytes.isEmpty {
            guard let members = try? Form.decode(bytes).object else { continue }
            parameters.members.merge(members)
        }
        switch request.path {
        case "/oauth/token/", "/oauth/token":
            return token(parameters, now: now)
        case "/rest/app.info", "/rest/app.info.json":
            calls.withLock { $0.checks += 1 }
            return information(parameters, request, now: now)
        default: return .text("Not found", status: 404)
        }
    }

    private func token(_ parameters: RESTParameters, now: Timestamp) -> HTTPResponse {
        do {
            let grant = try tokens.withLock { try $0.grant(parameters, now: now) }
            if parameters.text("grant_type") == "refresh_token" { calls.withLock { $0.renewals += 1 } }
            return .json(answer(grant, isRenewal: parameters.text("grant_type") == "refresh_token", now), status: 200)
        } catch let error as OAuthError {
            let description = error.rawValue.lowercased().split(separator: "_").joined(separator: " ")
            return .json(
                ["error": .string(error.rawValue), "error_description": .string(description)], status: error.status)
        } catch {
            return .json(RESTError.internalServer.json, status: 500)
        }
    }

    /// Documentation: `settings/oauth/index.md`, `settings/oauth/auto-renewal.md`.
    private func answer(_ grant: TokenBook.Granted, isRenewal: Bool, _ now: Timestamp) -> JSON {
        var answer: JSON = [
            "access_token": .string(grant.pair.access), "refresh_token": .string(grant.pair.refresh),
            "client_endpoint": .string(grant.registration.clientEndpoint),
            "server_endpoint": .string(serverEndpoint), "domain": .string(String(origin.dropFirst("http://".count))),
            "expires_in": .integer((grant.pair.expires - now).milliseconds / 1000),
            "member_id": .string(grant.registration.key.memberID),
            "scope": .string(grant.registration.scope.joined(separator: ",")), "status": "L",
        ]
        guard isRenewal else { return answer }
        // An object takes new members; a renewal shows two more than the first exchange.
        answer["expires"] = .integer(grant.pair.expires.rawValue / 1000)
        answer["user_id"] = JSON(grant.userID)
        return answer
    }

    /// Documentation: `settings/oauth/simple-way.md`; it proves for which application and portal a token is.
    private func information(_ parameters: RESTParameters, _ request: HTTPRequest, now: Timestamp) -> HTTPResponse {
        guard let token = parameters.filled("auth") ?? (try? RESTParameters(request))?.filled("auth") else {
            return .json(RESTError.noAuth.json, status: 401)
        }
        let found = tokens.withLock { ($0.check(token, memberID: nil, now: now), $0.grants[token]) }
        switch (found.0, found.1) {
        case (.valid(let grant), .some(let record)):
            return .json(
                [
                    "result": installation(grant, record),
                    "time": .object(bitrixTime(from: now, to: WallClock.system.now)),
                ], status: 200)
        case (.expired, _): return .json(RESTError.expiredToken.json, status: 401)
        default: return .json(RESTError.noAuth.json, status: 401)
        }
    }

    private func installation(_ grant: TokenBook.Caller, _ record: TokenBook.Grant) -> JSON {
        let registration = tokens.withLock { $0.registrations[record.key] }
        return [
            "client_id": .string(grant.clientID), "scope": .string(grant.scope.joined(separator: ",")),
            "expires": .string(record.expires.bitrixDate), "user_id": JSON(grant.userID),
            "install": [
                "installed": .bool(registration?.isFinished ?? false),
                "version": .string(String(registration?.version ?? 0)), "status": "L",
                "scope": .string(grant.scope.joined(separator: ",")), "domain": .string(registration?.domain ?? ""),
                "uri": .string(registration.map { "http://" + $0.domain } ?? ""),
                "client_endpoint": .string(registration?.clientEndpoint ?? ""),
                "member_id": .string(record.key.memberID), "member_type": "",
            ],
        ]
    }
}
