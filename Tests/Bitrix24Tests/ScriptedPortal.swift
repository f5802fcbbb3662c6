import Base
import Synchronization

@testable import Bitrix24

/// A portal and its authorization server that answer as a test says, on real sockets.
final class ScriptedPortal: Sendable {
    /// A call as it arrived, alone or in a batch.
    struct Call: Sendable {
        var method: String
        var parameters: JSON
        var token: String
        /// The number of the request that brought it.
        var request: Int
        var isInBatch: Bool
    }
    /// What a call is answered with.
    enum Reply: Sendable {
        case result(JSON)
        case error(String, status: Int)
        case timedResult(JSON, JSON)
        /// For the whole request only.
        case response(HTTPResponse)
    }
    typealias Script = @Sendable (Call) async -> Reply

    struct Seen: Sendable {
        var calls: [Call] = []
        var requests = 0
        var renewals: [String] = []
    }

    let seen = Mutex(Seen())
    private let script: Script
    private let oauth: @Sendable (JSON) -> HTTPResponse
    private let beforeRequest: @Sendable () -> Reply?
    private let server = Mutex<HTTPServer?>(nil)
    let loops: EventLoopGroup
    let http: HTTPClient

    var port: Int { server.withLock { $0?.port ?? 0 } }
    var origin: String { "http://127.0.0.1:\(port)" }
    var endpoint: String { origin + "/rest/" }
    var calls: [Call] { seen.withLock { $0.calls } }
    var requests: Int { seen.withLock { $0.requests } }
    var renewals: [String] { seen.withLock { $0.renewals } }

    private init(
        oauth: @escaping @Sendable (JSON) -> HTTPResponse, beforeRequest: @escaping @Sendable () -> Reply?,
        script: @escaping Script
    ) {
        self.script = script
        self.oauth = oauth
        self.beforeRequest = beforeRequest
        loops = EventLoopGroup(count: 1)
        http = HTTPClient(loops: loops)
    }

    /// Runs `body` with a portal that answers by `script`.
    /// - Parameters:
    ///   - oauth: answers a renewal; a new pair `access-N`, `refresh-N` if `nil`.
    ///   - beforeRequest: may answer a whole request.
    static func run(
        oauth: (@Sendable (JSON) -> HTTPResponse)? = nil, beforeRequest: @escaping @Sendable () -> Reply? = { nil },
        script: @escaping Script, body: (ScriptedPortal) async throws -> Void
    ) async throws {
        let count = Mutex(0)
        let portal = ScriptedPortal(
            oauth: oauth ?? { _ in
                pair(
                    count.withLock {
                        $0 += 1
                        return $0
                    })
            }, beforeRequest: beforeRequest,
            script: script)
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: portal.loops, log: .silent,
            handler: { try await portal.answer($0) })
        portal.server.withLock { $0 = server }
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(portal))
        } catch {
            outcome = .failure(error)
        }
        await portal.http.shutdown()
        await server.shutdown(grace: .zero)
        portal.loops.stop()
        try outcome.get()
    }

    static func pair(_ number: Int) -> HTTPResponse {
        json([
            "access_token": .string("access-\(number)"), "refresh_token": .string("refresh-\(number)"),
            "expires_in": 3600, "domain": "oauth.bitrix.info",
        ])
    }

    static func json(_ tree: JSON, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "application/json"], body: .bytes(tree.bytes))
    }

    static func refusal(_ code: String, status: Int, _ description: String = "no") -> HTTPResponse {
        json(["error": .string(code), "error_description": .string(description)], status: status)
    }

    // MARK: Answering

    private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
        if request.path == "/oauth/token/" {
            let query = try Form.decode(request.query.utf8)
            seen.withLock { $0.renewals.append(query["refresh_token"]?.string ?? "") }
            return oauth(query)
        }
        let number = seen.withLock { seen in
            seen.requests += 1
            return seen.requests
        }
        if let reply = beforeRequest() { return Self.response(to: reply) }
        let method = String(request.path.split(separator: "/").last ?? "")
        let parameters = try JSON(parsing: request.body)
        let token = parameters["auth"]?.string ?? ""
        if method != "batch" {
            return Self.response(to: await run(method, parameters, token, number, isInBatch: false))
        }
        return try await batch(parameters["cmd"]?.object ?? [:], token, number)
    }

    private func batch(_ commands: Members<JSON>, _ token: String, _ number: Int) async throws -> HTTPResponse {
        var results: Members<JSON> = [:]
        var errors: Members<JSON> = [:]
        var times: Members<JSON> = [:]
        let inOrder = commands.sorted { (Int($0.key.dropFirst()) ?? 0) < (Int($1.key.dropFirst()) ?? 0) }
        for (key, command) in inOrder {
            let parts = (command.string ?? "").split(separator: "?", maxSplits: 1)
            let parameters = try Form.decode((parts.count > 1 ? parts[1] : "").utf8)
            switch await run(String(parts[0]), parameters, token, number, isInBatch: true) {
            case .result(let value): results[key] = value
            case .timedResult(let value, let time): (results[key], times[key]) = (value, time)
            case .error(let code, _): errors[key] = ["error": .string(code), "error_description": "no"]
            case .response(let response): return response
            }
        }
        // PHP writes an empty map as a list.
        func map(_ members: Members<JSON>) -> JSON { members.isEmpty ? [] : .object(members) }
        return Self.json([
            "result": [
                "result": map(results), "result_error": map(errors), "result_total": [], "result_next": [],
                "result_time": map(times),
            ],
            "time": ["duration": 0.05],
        ])
    }

    private func run(
        _ method: String, _ parameters: JSON, _ token: String, _ number: Int, isInBatch: Bool
    ) async -> Reply {
        let call = Call(
            method: method, parameters: parameters, token: token, request: number, isInBatch: isInBatch)
        seen.withLock { $0.calls.append(call) }
        return await script(call)
    }

    private static func response(to reply: Reply) -> HTTPResponse {
        switch reply {
        case .result(let value): json(["result": value, "time": ["duration": 0.01]])
        case .timedResult(let value, let time): json(["result": value, "time": time])
        case .error(let code, let status): refusal(code, status: status)
        case .response(let response): response
        }
    }
}

/// Keeps credentials in memory.
final class MemoryKeeper: CredentialKeeper {
    struct Broken: Error {}
    struct State: Sendable {
        var credentials: [Credential]
        var saved: [Credential] = []
        var discarded: [String] = []
        var endpoints: [String] = []
        var failingSaves = 0
        /// Codes of refusals, and `granted`.
        var told: [String] = []
    }
    let state: Mutex<State>

    init(_ credentials: [Credential]) { state = Mutex(State(credentials: credentials)) }

    func credentials() async throws -> [Credential] { state.withLock { $0.credentials } }

    func save(_ credential: Credential) async throws {
        try state.withLock { state in
            if state.failingSaves > 0 {
                state.failingSaves -= 1
                throw Broken()
            }
            state.saved.append(credential)
            state.credentials = state.credentials.map { $0.id == credential.id ? credential : $0 }
        }
    }

    func discard(_ credential: Credential, reason: String) async throws {
        state.withLock { state in
            state.discarded.append(credential.id)
            state.credentials.removeAll { $0.id == credential.id }
        }
    }

    func moved(to clientEndpoint: String) async throws { state.withLock { $0.endpoints.append(clientEndpoint) } }

    func accessRefused(_ error: PortalError) async { state.withLock { $0.told.append(error.code ?? "") } }
    func accessGranted() async { state.withLock { $0.told.append("granted") } }

    static func credential(_ id: String = "1", access: String = "access-0", refresh: String? = "refresh-0")
        -> Credential
    {
        Credential(
            id: id, userID: id, accessToken: Secret(access), refreshToken: refresh.map(Secret.init),
            expiresAt: Timestamp(rawValue: .max))
    }
}

/// A time that jumps to the moment that somebody waits for.
final class JumpingTime: Sendable {
    private let moment = Mutex(Duration.zero)
    var now: Duration { moment.withLock { $0 } }

    var time: PortalTime {
        PortalTime(
            now: { self.now },
            sleep: { until in
                // Those who are ready go first.
                for _ in 0..<10 { await Task.yield() }
                self.moment.withLock { $0 = max($0, until) }
            })
    }
}

extension ScriptedPortal {
    func account(
        keeper: any CredentialKeeper = MemoryKeeper([MemoryKeeper.credential()]), clock: WallClock = .system
    ) -> Account {
        Account(
            endpoint: endpoint, keys: ApplicationKeys(clientID: "app.1", clientSecret: Secret("client-secret-text")),
            authorization: AuthorizationServer(url: origin, http: http), keeper: keeper, clock: clock)
    }

    func portal(_ limit: Portal.Limit?, time: PortalTime = .system, metrics: Metrics = Metrics()) -> Portal {
        Portal(
            http: http, trust: .privateAllowed, limit: limit, startsHalfFull: true, log: .silent, metrics: metrics,
            time: time)
    }
}

/// Lets tasks wait until it is opened.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func pass() async {
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }
}
