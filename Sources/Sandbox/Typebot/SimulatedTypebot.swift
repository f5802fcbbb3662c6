import Base
import Synchronization

/// A Typebot viewer that is not one: its chat API on a loopback listener, with flows given as data.
///
/// Written from Typebot's documentation and source (`apps/docs`, `packages/bot-engine/src` of `baptisteArno/typebot.io`)
/// and its contract of the chat API, as a counterpart for the demonstration and the tests.
public final class SimulatedTypebot: Sendable {
    public struct Settings: Sendable {
        /// 0 takes a free port.
        public var port = 0
        /// Sessions remembered at most; the oldest is forgotten first.
        public var sessions = 10_000
        /// Files kept at most.
        public var uploads = 1_000
        /// How long `continueChat` works between reading a session and storing it.
        public var thinking: Duration = .zero
        /// Uploads go as a form with fields, as older servers ask for, in place of a bare `PUT`.
        public var uploadsByForm = false
        /// In megabytes; what an input's own `sizeLimit` does not set.
        public var uploadLimit = 10
        /// Who may see previews.
        public var previewToken = Secret("preview-token")
        public var clock = WallClock.system
        /// Told of each request when its answer is ready.
        public var observe: (@Sendable (WireCall) -> Void)?
        /// Sees all that is said.
        public var watch: PlatformWatch?
        public init() {}
    }

    /// What goes wrong with a request.
    public enum Fault: Sendable {
        /// An error in Typebot's envelope; nothing happens in the flow.
        case error(status: Int, code: String, message: String, retryAfter: Int? = nil)
        /// A page in place of an answer, as a proxy sends it; nothing happens in the flow.
        case page(String, status: Int = 200)
        /// The answer comes late.
        case delay(Duration)
        /// The connection breaks before anything happens.
        case unreachable
        /// The flow goes on, but of the answer's body only so many bytes arrive; with 0 not even its header.
        case cut(after: Int)
    }

    /// The parts of the API that can be made to fail.
    public enum Route: String, Sendable {
        case startChat, continueChat, previewChat, generateUploadURL, upload
    }

    /// What happened so far, for tests.
    public struct Counts: Sendable {
        public var requests: [Route: Int] = [:]
        public var sessionsStarted = 0
        /// Sessions that ended with their flow.
        public var sessionsEnded = 0
    }

    /// A file that somebody uploaded.
    public struct Upload: Sendable {
        public var url: String
        public var type: String
        public var body: [UInt8]
    }

    /// `http://127.0.0.1:PORT`.
    public let origin: String
    let settings: Settings
    let records: Mutex<TypebotRecords>
    private let server = Mutex<HTTPServer?>(nil)

    /// What a client is given to start a chat.
    public func startURL(_ publicID: String) -> String { "\(origin)/api/v1/typebots/\(publicID)/startChat" }

    /// Starts with these flows.
    /// - Throws: ``HTTPServerError`` if the port cannot be had.
    public static func start(
        flows: [Flow], settings: Settings = Settings(), loops: EventLoopGroup, log: Log
    ) async throws -> SimulatedTypebot {
        let late = LateHandler()
        var limits = HTTPServer.Limits()
        limits.bodyBytes = 64 * 1024 * 1024
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: settings.port), loops: loops, limits: limits, log: log
        ) { try await late.answer($0) }
        let typebot = SimulatedTypebot(flows: flows, settings: settings, server: server)
        late.set(typebot.handler())
        return typebot
    }

    private init(flows: [Flow], settings: Settings, server: HTTPServer) {
        origin = "http://127.0.0.1:\(server.port)"
        self.settings = settings
        records = Mutex(TypebotRecords(flows: flows, settings: settings))
        self.server.withLock { $0 = server }
    }

    /// Publishes a flow, or puts it in the place of the one with the same public id. Sessions keep theirs.
    public func put(_ flow: Flow) { records.withLock { $0.flows[flow.publicID] = flow } }

    /// Makes the next requests fail.
    /// - Parameter route: only requests of this one; `nil` for any.
    public func fail(_ fault: Fault, times: Int = 1, on route: Route? = nil) {
        records.withLock { records in
            for _ in 0..<times { records.faults.append((route, fault)) }
        }
    }

    public var counts: Counts { records.withLock { $0.counts } }

    /// The sessions that can be continued, oldest first.
    public var sessions: [String] { records.withLock { $0.sessions.keys } }

    /// A session's variables; `nil` when it is gone.
    public func variables(session id: String) -> Members<JSON>? {
        records.withLock { $0.sessions[id]?.state.variables }
    }

    /// The files that were uploaded, oldest first.
    public var uploads: [Upload] { records.withLock { $0.uploads } }

    /// Deletes all sessions, as the clean-up of old ones does.
    public func deleteSessions() { records.withLock { $0.sessions.removeAll() } }

    /// Lets all sessions' time run out.
    public func expireSessions() { records.withLock { $0.sessions.changeAll { $0.isExpired = true } } }

    /// Stops the server.
    public func shutdown() async {
        let server = server.withLock { server in
            defer { server = nil }
            return server
        }
        await server?.shutdown(grace: .milliseconds(200))
    }

    static func randomID() -> String { "c" + Vault.randomUUID().replacing("-", with: "").prefix(24) }
}
