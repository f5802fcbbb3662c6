import Base

/// Bitrix24's authorization server.
///
/// Its requests carry secrets in their query, as documented; no error ever holds a URL.
/// Documentation: `settings/oauth/index.md`, `settings/oauth/auto-renewal.md`, `settings/oauth/simple-way.md`,
/// `settings/oauth/error-codes.md`.
public struct AuthorizationServer: Sendable {
    /// Bitrix24's own.
    private static let official: Set<String> = ["https://oauth.bitrix.info", "https://oauth.bitrix24.tech"]

    private let origin: String
    private let alsoKnown: Set<String>
    private let http: HTTPClient

    /// - Parameter url: `BITBOT_OAUTH_URL`; it and Bitrix24's known servers are the only ones ever asked.
    /// - Parameter alsoKnown: further hosts' origins (the sandbox's own).
    public init(url: String, alsoKnown: Set<String> = [], http: HTTPClient) {
        origin = Self.normalized(url)
        self.alsoKnown = Set(alsoKnown.map(Self.normalized))
        self.http = http
    }

    private static func normalized(_ url: String) -> String {
        var url = url.lowercased()[...]
        while url.hasSuffix("/") { url.removeLast() }
        return String(url)
    }

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

    public struct TokenPair: Sendable {
        public var accessToken: Secret
        public var refreshToken: Secret
        public var expiresIn: Duration
        public var clientEndpoint: String?
        public var memberID: String?
        public var userID: String?
    }

    /// Asks whose token it is (`app.info`), at `serverEndpoint` if that is a known server, else at the configured one.
    /// - Throws: ``PortalError``.
    public func tokenInfo(_ accessToken: Secret, serverEndpoint: String?) async throws -> TokenInfo {
        let server = known(serverEndpoint)
        let tree = try await ask(server, "/rest/app.info", ["auth": .string(accessToken.reveal())])
        let answer = tree["result"] ?? tree
        let installation = answer["install"]
        guard let clientID = answer["client_id"]?.looseText, let memberID = installation?["member_id"]?.looseText,
            let endpoint = installation?["client_endpoint"]?.looseText, let userID = answer["user_id"]?.looseText
        else { throw PortalError.notBitrix24(status: 200) }
        return TokenInfo(
            clientID: clientID, memberID: memberID, domain: installation?["domain"]?.looseText ?? "",
            clientEndpoint: endpoint.hasSuffix("/") ? endpoint : endpoint + "/",
            scope: answer["scope"]?.looseText ?? installation?["scope"]?.looseText ?? "", userID: userID,
            serverEndpoint: server + "/rest/")
    }

    /// A new pair for a refresh token (or the former one).
    /// - Throws: ``PortalError``; `isPassing` false when the token is refused for good.
    public func renew(_ refreshToken: Secret, keys: ApplicationKeys, serverEndpoint: String?) async throws -> TokenPair
    {
        let answer = try await ask(
            known(serverEndpoint), "/oauth/token/",
            [
                "grant_type": "refresh_token", "client_id": .string(keys.clientID),
                "client_secret": .string(keys.clientSecret.reveal()), "refresh_token": .string(refreshToken.reveal()),
            ])
        guard let access = answer["access_token"]?.secret, let refresh = answer["refresh_token"]?.secret else {
            throw PortalError.notBitrix24(status: 200)
        }
        let seconds = answer["expires_in"]?.looseInteger ?? 3600
        return TokenPair(
            accessToken: access, refreshToken: refresh, expiresIn: .seconds(min(max(seconds, 0), 86_400 * 365)),
            clientEndpoint: answer["client_endpoint"]?.looseText, memberID: answer["member_id"]?.looseText,
            userID: answer["user_id"]?.looseText)
    }

    /// A portal's user.
    public struct User: Sendable {
        public var isAdministrator: Bool
        /// First and last name; may be empty.
        public var name: String
    }

    /// The portal's user of this token (`profile` at the portal, which needs no permission).
    /// Documentation: `api-reference/common/users/profile.md`.
    /// - Throws: ``PortalError``.
    public func user(_ accessToken: Secret, clientEndpoint: String, trust: HTTPClient.Trust) async throws -> User {
        let caller = RESTCaller(http: http, trust: trust)
        let exchange = await caller.call("profile", [:], at: clientEndpoint, with: .token(accessToken))
        let profile = try exchange.answer.result.get()
        let names = ["NAME", "LAST_NAME"].compactMap { profile[$0]?.looseText }.filter { !$0.isEmpty }
        return User(isAdministrator: profile["ADMIN"]?.looseFlag ?? false, name: names.joined(separator: " "))
    }

    /// The origin of a server that a post named, if it is one of those that may be asked; else the configured one.
    private func known(_ serverEndpoint: String?) -> String {
        guard let named = serverEndpoint?.lowercased() else { return origin }
        return Self.official.union(alsoKnown).first { named == $0 || named.hasPrefix($0 + "/") } ?? origin
    }

    private func ask(_ server: String, _ path: String, _ query: JSON) async throws -> JSON {
        // The administrator chose the configured server, whose address may be private; Bitrix24's are public.
        let trust: HTTPClient.Trust = Self.official.contains(server) ? .publicOnly : .privateAllowed
        var request = HTTPClient.Request(.get, "\(server)\(path)?\(Form.encode(query))", trust: trust)
        request.headers = ["Accept": "application/json"]
        request.timeouts.total = .seconds(30)
        request.maximumBytes = 1024 * 1024
        let answer: HTTPClient.Answer
        do {
            answer = try await http.send(request)
        } catch let error as HTTPClientError {
            throw PortalError.unreachable(error)
        }
        guard let tree = try? JSON(parsing: answer.body), case .object = tree else {
            throw PortalError.notBitrix24(status: answer.status, retryAfter: answer.retryAfter)
        }
        // `wrong_client` comes with status 200.
        if let code = tree["error"]?.looseText {
            // The description is not shown: it might repeat what was sent.
            throw PortalError.refused(code, status: answer.status, description: nil, retryAfter: answer.retryAfter)
        }
        guard answer.status < 300 else { throw PortalError.notBitrix24(status: answer.status) }
        return tree
    }
}
