import Base
import Synchronization

/// A Dify server that is not one: the service API of Dify on a loopback listener, with apps whose answers are scripts.
///
/// Written from Dify's documentation (`en/api-reference/guides/*.mdx` and the contract `openapi_service.json` of
/// `langgenius/dify-docs`), as a counterpart for the demonstration, the tests and the benchmark.
public final class SimulatedDify: Sendable {
    /// What is remembered at most; the oldest is forgotten first.
    public struct Bounds: Sendable {
        public var conversations = 10_000
        public var messagesPerConversation = 100
        /// Runs of apps without conversations.
        public var looseRuns = 1_000
        /// Pairs of user and query in ``Counts/asked``; 0 counts none.
        public var countedAsks = 100_000
        public var files = 1_000
        public init() {}
    }

    public struct Settings: Sendable {
        /// 0 takes a free port.
        public var port = 0
        public var bounds = Bounds()
        /// Between two keep-alive lines while nothing else is sent. Documentation: `en/api-reference/guides/streaming.mdx`.
        public var pingInterval: Duration = .seconds(10)
        /// Cuts what is streamed into pieces of so many bytes, as a network may.
        public var pieceBytes: Int?
        public var clock = WallClock.system
        /// Told of each request when its answer's header is ready.
        public var observe: (@Sendable (WireCall) -> Void)?
        /// Sees all that is said.
        public var watch: PlatformWatch?
        public init() {}
    }

    /// What happened so far, for tests.
    public struct Counts: Sendable {
        public struct Asked: Hashable, Sendable {
            public var user: String
            public var query: String
            public init(user: String, query: String) {
                self.user = user
                self.query = query
            }
        }

        /// Runs started, of all apps.
        public var runs = 0
        public var conversationsCreated = 0
        /// Runs started by who asked what.
        public var asked: [Asked: Int] = [:]
        /// Requests by method and route, `POST /chat-messages` for example; ids in the path are written `{id}`.
        public var requests: [String: Int] = [:]
    }

    /// `http://127.0.0.1:PORT`.
    public let origin: String
    /// What a client is given as the API's address.
    public var baseURL: String { origin + "/v1" }

    let settings: Settings
    let records: Mutex<DifyRecords>
    private let server = Mutex<HTTPServer?>(nil)

    /// Starts with these apps.
    /// - Throws: ``HTTPServerError`` if the port cannot be had.
    public static func start(
        apps: [App], settings: Settings = Settings(), loops: EventLoopGroup, log: Log
    ) async throws -> SimulatedDify {
        let late = LateHandler()
        var limits = HTTPServer.Limits()
        limits.bodyBytes = 110 * 1024 * 1024
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: settings.port), loops: loops, limits: limits, log: log
        ) { try await late.answer($0) }
        let dify = SimulatedDify(apps: apps, settings: settings, server: server)
        late.set(dify.handler())
        return dify
    }

    private init(apps: [App], settings: Settings, server: HTTPServer) {
        origin = "http://127.0.0.1:\(server.port)"
        self.settings = settings
        var records = DifyRecords(bounds: settings.bounds)
        for app in apps { records.apps[app.key.reveal()] = app }
        self.records = Mutex(records)
        self.server.withLock { $0 = server }
    }

    /// Adds an app, or puts it in the place of the one with the same key. Runs under way keep their script.
    public func put(_ app: App) { records.withLock { $0.apps[app.key.reveal()] = app } }

    /// Changes an app, its script for example.
    public func change(_ key: Secret, _ change: @Sendable (inout App) -> Void) {
        records.withLock { records in
            guard var app = records.apps[key.reveal()] else { return }
            change(&app)
            records.apps[key.reveal()] = app
        }
    }

    public var counts: Counts { records.withLock { $0.counts } }

    /// Runs that this user started with this query.
    public func runs(user: String, query: String) -> Int {
        records.withLock { $0.counts.asked[.init(user: user, query: query)] ?? 0 }
    }

    /// How this user rates answers at the moment, `like` or `dislike`; in no order.
    public func ratings(by user: String) -> [String] {
        let runs = records.withLock { records in
            records.conversations.values.filter { $0.user == user }.flatMap(\.runs)
        }
        return runs.compactMap { run in run.read { $0.feedback } }
    }

    /// Deletes all conversations, as an administrator of Dify may.
    public func forgetConversations() {
        records.withLock { records in
            for id in Array(records.conversations.keys) { records.forget(conversation: id) }
        }
    }

    /// Ends a conversation: the next request in it is answered `conversation_completed`.
    public func completeConversation(_ id: String) { records.withLock { $0.conversations[id]?.isCompleted = true } }

    /// Stops the runs under way and the server.
    public func shutdown() async {
        for run in records.withLock({ Array($0.tasks.values) }) { run.stop() }
        let server = server.withLock { server in
            defer { server = nil }
            return server
        }
        await server?.shutdown(grace: .milliseconds(200))
    }

    /// A UUID that is the same for the same words.
    static func derivedUUID(_ first: String, _ second: String) -> String {
        var hex = Array(Vault.fingerprint(first + "\u{0}" + second).utf8.prefix(32))
        hex[12] = UInt8(ascii: "4")
        hex[16] = UInt8(ascii: "8")
        for index in [20, 16, 12, 8] { hex.insert(UInt8(ascii: "-"), at: index) }
        return String(decoding: hex, as: UTF8.self)
    }

    static func endUserID(app: App, user: String) -> String { derivedUUID(app.id, user) }
}
