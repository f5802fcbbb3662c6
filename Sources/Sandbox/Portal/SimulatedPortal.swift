import Base
import Synchronization

/// A Bitrix24 portal for demonstrations, tests and benchmarks: REST and events over real HTTP on 127.0.0.1, built from
/// Bitrix24's documentation alone. It knows nothing of BitBot; an application meets it as it would meet a real portal.
///
/// Its people act through methods such as ``customerWrites(_:in:)``; what the application did in answer is read with
/// ``messages(in:)`` or followed with ``changes()``.
public final class SimulatedPortal: Sendable {
    /// How a portal behaves.
    public struct Settings: Sendable {
        /// The portal's stable key, 32 hexadecimal digits.
        public var memberID = randomHexadecimal(digits: 32)
        /// The language that the portal's users read, two letters.
        public var language = "en"
        /// The bucket of REST requests per source address; `nil` for none. Documentation: `limits.md`.
        public var limit: Limit? = Limit(burst: 50, perSecond: 2)
        /// Running time that one method of one application may use in ten minutes. Documentation: `limits.md`.
        public var operatingLimit: Duration = .seconds(480)
        /// How long sending, changing or deleting one message takes, inside a batch too; zero for a benchmark.
        public var sendDelay: ClosedRange<Duration> = .milliseconds(60)...(.milliseconds(120))
        /// Old portals have no `imbot.v2` methods.
        public var hasSecondGeneration = true
        /// Entries kept of ``SimulatedPortal/calls`` and ``SimulatedPortal/deliveries``; zero keeps none.
        public var logEntries = 500
        /// Messages kept in each chat.
        public var messagesKept = 1_000
        /// Shown each event as it is posted, and each REST request as it came.
        public var observe: (@Sendable (Posted) -> Void)?
        public init() {}
    }

    /// A request as it is on the wire.
    public struct Posted: Sendable {
        public enum Kind: Sendable { case event, rest }
        public var kind: Kind
        /// An event's address, or the path of a REST request.
        public var target: String
        public var contentType: String
        public var body: [UInt8]
    }

    /// A leaky bucket: `burst` requests at once, `perSecond` leak out each second.
    public struct Limit: Sendable, Hashable {
        public var burst: Double
        public var perSecond: Double
        public init(burst: Double, perSecond: Double) {
            self.burst = burst
            self.perSecond = perSecond
        }
    }

    public let settings: Settings
    /// The server that gives this portal's tokens.
    public let authorization: SimulatedAuthorizationServer
    private let loops: EventLoopGroup
    let http: HTTPClient
    let log: Log
    let state: Mutex<PortalState>
    private let server: Mutex<HTTPServer?> = Mutex(nil)
    /// Those of its former addresses.
    private let formerServers: Mutex<[HTTPServer]> = Mutex([])
    private let address: Mutex<String> = Mutex("")

    init(
        settings: Settings, authorization: SimulatedAuthorizationServer, loops: EventLoopGroup, http: HTTPClient,
        log: Log
    ) {
        self.loops = loops
        self.settings = settings
        self.authorization = authorization
        self.http = http
        self.log = log
        state = Mutex(PortalState(settings: settings, authorization: authorization))
    }

    /// Starts a portal with one administrator (user 1) and one employee (user 2) on a free port of 127.0.0.1.
    /// - Parameters:
    ///   - authorization: the server that gives this portal's tokens; several portals may share one.
    ///   - http: sends the portal's events.
    /// - Throws: ``HTTPServerError``.
    public static func start(
        settings: Settings = Settings(), authorization: SimulatedAuthorizationServer, loops: EventLoopGroup,
        http: HTTPClient, log: Log
    ) async throws -> SimulatedPortal {
        let portal = SimulatedPortal(
            settings: settings, authorization: authorization, loops: loops, http: http, log: log)
        try await portal.listen()
        portal.state.withLock { state in
            _ = state.addUser("Anna", "Admin", kind: .employee, isAdmin: true)
            _ = state.addUser("Emma", "Employee", kind: .employee)
        }
        return portal
    }

    /// Serves at a free port, which is the portal's address from now on.
    private func listen() async throws {
        var limits = HTTPServer.Limits()
        limits.bodyBytes = 140 * 1024 * 1024
        let new = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: loops, limits: limits, log: log,
            handler: { try await self.handle($0) })
        let former = server.withLock { server in
            defer { server = new }
            return server
        }
        if let former { formerServers.withLock { $0.append(former) } }
        let origin = "http://127.0.0.1:\(new.port)"
        address.withLock { $0 = origin }
        state.withLock { $0.origin = origin }
    }

    /// Gives the portal another address; at the former ones callers are sent on with 302.
    /// Documentation: `settings/how-to-call-rest-api/change-domen.md`.
    /// - Throws: ``HTTPServerError``.
    public func move() async throws {
        let former = domain
        try await listen()
        state.withLock { _ = $0.formerDomains.insert(former) }
        authorization.move(memberID: settings.memberID, domain: domain, clientEndpoint: clientEndpoint)
    }

    /// `http://127.0.0.1:PORT`. The REST root is this and `/rest/`.
    public var origin: String { address.withLock { $0 } }

    /// The portal's domain as Bitrix24 would name it: `127.0.0.1:PORT`.
    public var domain: String { String(origin.dropFirst("http://".count)) }

    /// What applications know as `client_endpoint`: the REST root, ending with a slash.
    public var clientEndpoint: String { origin + "/rest/" }

    /// Stops listening and drops what was still to be delivered.
    public func stop() async {
        let server = server.withLock { server in
            defer { server = nil }
            return server
        }
        let (waiters, watchers) = state.withLock { state in
            defer { state.watchers = [:] }
            return (state.deliveryQueue.clear(), state.watchers.values)
        }
        for waiter in waiters { waiter.resume() }
        for watcher in watchers { watcher.finish() }
        await server?.shutdown(grace: .zero)
        for former in formerServers.withLock({ $0 }) { await former.shutdown(grace: .zero) }
    }
}

/// Random hexadecimal digits.
public func randomHexadecimal(digits: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits)
    while bytes.count < digits {
        var word = generator.next()
        for _ in 0..<min(16, digits - bytes.count) {
            bytes.append(hexadecimalDigits[Int(word & 15)])
            word >>= 4
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

private let hexadecimalDigits = Array("0123456789abcdef".utf8)
