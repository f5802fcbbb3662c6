import Base

/// All tokens that the authorization server has given out. Whoever calls its methods holds the server's lock.
struct TokenBook: Sendable {
    struct Key: Hashable, Sendable {
        var clientID: String
        var memberID: String
    }

    /// An application in a portal.
    struct Registration: Sendable {
        var key: Key
        var secret: Secret
        var domain: String
        var clientEndpoint: String
        var scope: [String]
        var version: Int
        var isFinished: Bool
    }

    struct Pair: Sendable {
        var access: String
        var refresh: String
        /// When the access token ends.
        var expires: Timestamp
    }

    /// What a token, or a code, stands for.
    struct Grant: Sendable {
        var key: Key
        var userID: Int
        var expires: Timestamp
    }

    struct Caller: Sendable {
        var clientID: String
        var userID: Int
        var scope: [String]
    }

    enum Check: Sendable {
        case valid(Caller)
        case expired
        case unknown
    }

    struct Granted: Sendable {
        var pair: Pair
        var userID: Int
        var registration: Registration
    }

    private struct Holder: Hashable, Sendable {
        var key: Key
        var userID: Int
    }

    let settings: SimulatedAuthorizationServer.Settings
    var refusals: [String: SimulatedAuthorizationServer.OAuthError] = [:]
    private(set) var registrations: [Key: Registration] = [:]
    /// By access token.
    private(set) var grants: [String: Grant] = [:]
    private var refreshes: [String: Grant] = [:]
    private var codes: [String: Grant] = [:]
    private var eventPairs: [Holder: (pair: Pair, until: Timestamp)] = [:]
    /// Past this many access tokens the expired ones are forgotten.
    private var purgeAt = 10_000

    init(settings: SimulatedAuthorizationServer.Settings) { self.settings = settings }

    var known: Set<String> { Set(grants.keys).union(refreshes.keys).union(codes.keys) }

    mutating func register(_ registration: Registration) { registrations[registration.key] = registration }

    /// Tells a portal's new address from now on.
    mutating func move(memberID: String, domain: String, clientEndpoint: String) {
        for key in registrations.keys where key.memberID == memberID {
            registrations[key]?.domain = domain
            registrations[key]?.clientEndpoint = clientEndpoint
        }
    }

    /// Takes an application away, with all its tokens in that portal.
    mutating func unregister(_ key: Key) {
        registrations[key] = nil
        grants = grants.filter { $0.value.key != key }
        refreshes = refreshes.filter { $0.value.key != key }
        codes = codes.filter { $0.value.key != key }
        eventPairs = eventPairs.filter { $0.key.key != key }
    }

    mutating func issue(_ key: Key, userID: Int, now: Timestamp) -> Pair {
        let pair = Pair(
            access: randomHexadecimal(digits: 70), refresh: randomHexadecimal(digits: 70),
            expires: now + settings.accessLifetime)
        if grants.count >= purgeAt {
            // A token stays known for a day after its end, so that it is told apart from one that never was.
            grants = grants.filter { $0.value.expires + .seconds(86_400) > now }
            purgeAt = max(10_000, 2 * grants.count)
        }
        grants[pair.access] = Grant(key: key, userID: userID, expires: pair.expires)
        refreshes[pair.refresh] = Grant(key: key, userID: userID, expires: now + settings.refreshLifetime)
        return pair
    }

    mutating func eventPair(_ key: Key, userID: Int, now: Timestamp) -> Pair {
        let holder = Holder(key: key, userID: userID)
        if let known = eventPairs[holder], known.until > now { return known.pair }
        let pair = issue(key, userID: userID, now: now)
        eventPairs[holder] = (pair, now + min(.seconds(60), settings.accessLifetime / 2))
        return pair
    }

    mutating func code(_ key: Key, userID: Int, now: Timestamp) -> String {
        let code = randomHexadecimal(digits: 32)
        codes[code] = Grant(key: key, userID: userID, expires: now + settings.codeLifetime)
        return code
    }

    /// - Parameter memberID: the portal that asks; `nil` for the server itself.
    func check(_ token: String, memberID: String?, now: Timestamp) -> Check {
        guard let grant = grants[token], memberID.map({ $0 == grant.key.memberID }) ?? true,
            let registration = registrations[grant.key]
        else { return .unknown }
        if grant.expires <= now { return .expired }
        return .valid(Caller(clientID: grant.key.clientID, userID: grant.userID, scope: registration.scope))
    }

    /// Answers a token request.
    /// - Throws: ``SimulatedAuthorizationServer/OAuthError``.
    mutating func grant(_ parameters: RESTParameters, now: Timestamp) throws -> Granted {
        typealias Failure = SimulatedAuthorizationServer.OAuthError
        guard let type = parameters.filled("grant_type"), let clientID = parameters.filled("client_id"),
            let secret = parameters.filled("client_secret")
        else { throw Failure.invalidRequest }
        let registered = registrations.values.filter { $0.key.clientID == clientID }
        guard registered.contains(where: { $0.secret == Secret(secret) }) else { throw Failure.invalidClient }
        let grant: Grant
        switch type {
        case "authorization_code":
            guard let code = parameters.filled("code") else { throw Failure.invalidRequest }
            guard let found = codes.removeValue(forKey: code), found.expires > now else { throw Failure.invalidGrant }
            grant = found
        case "refresh_token":
            guard let token = parameters.filled("refresh_token") else { throw Failure.invalidRequest }
            if let refusal = refusals[clientID] { throw refusal }
            guard let found = refreshes[token], found.expires > now else { throw Failure.invalidGrant }
            if found.key.clientID == clientID, settings.usedRefreshTokenDies { refreshes[token] = nil }
            grant = found
        default: throw Failure.invalidRequest
        }
        guard grant.key.clientID == clientID else { throw Failure.wrongClient }
        guard let registration = registrations[grant.key] else { throw Failure.invalidClient }
        let pair = issue(grant.key, userID: grant.userID, now: now)
        return Granted(pair: pair, userID: grant.userID, registration: registration)
    }

    mutating func expireAccess(of clientID: String) {
        let now = WallClock.system.now
        for (token, grant) in grants where grant.key.clientID == clientID && grant.expires > now {
            grants[token]?.expires = now
        }
        eventPairs = eventPairs.filter { $0.key.key.clientID != clientID }
    }

    mutating func revokeRefresh(of clientID: String) {
        refreshes = refreshes.filter { $0.value.key.clientID != clientID }
    }
}
