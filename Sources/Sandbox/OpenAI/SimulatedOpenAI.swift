import Base
import Synchronization

/// A server with an interface like OpenAI's on a loopback listener, whose model is a script. Written from OpenAI's public
/// description of `/chat/completions` (`platform.openai.com/docs/api-reference/chat`).
public final class SimulatedOpenAI: Sendable {
    public struct Settings: Sendable {
        /// 0 takes a free port.
        public var port = 0
        /// What stands before `/chat/completions`.
        public var prefix = "/v1"
        /// `nil` takes any key, and none.
        public var key: Secret?
        public var models = ["gpt-4o-mini"]
        /// Answers all at once, whatever the request says, as servers do that cannot stream.
        public var cannotStream = false
        /// Cuts what is streamed into pieces of so many bytes, as a network may.
        public var pieceBytes: Int?
        /// Told of each request when its answer's header is ready.
        public var observe: (@Sendable (WireCall) -> Void)?
        public init() {}
    }

    /// What the model is asked.
    public struct Ask: Sendable {
        public struct Message: Sendable, Hashable {
            public var role: String
            /// Text parts joined.
            public var text: String
            /// `data:` and other links of image parts.
            public var images: [String]
        }
        public var model: String
        public var temperature: Double?
        public var messages: [Message]
        /// The text of the last message.
        public var query: String { messages.last?.text ?? "" }
    }

    /// One step of an answer.
    public enum Step: Sendable {
        /// A piece of the answer.
        case text(String)
        case wait(Duration)
        /// A line that keeps the connection alive.
        case comment(String)
        /// A piece whose `content` is `null`.
        case null
        /// Ends with another `finish_reason` than `stop`.
        case finish(String)
        /// Bytes as they are.
        case raw(String)
        /// An error inside the stream, which ends it.
        case error(type: String, code: String?, message: String)
        /// The first step only: an HTTP error.
        case refuse(status: Int, type: String, code: String?, message: String, retryAfter: Int? = nil)
        /// The connection breaks.
        case cut
    }

    public typealias Script = @Sendable (Ask) -> [Step]

    /// `http://127.0.0.1:PORT`.
    public let origin: String
    /// What a client is given as the API's address.
    public var baseURL: String { origin + settings.prefix }

    let settings: Settings
    let script: Script
    private let asks = Mutex<[Ask]>([])
    private let server = Mutex<HTTPServer?>(nil)

    /// - Throws: ``HTTPServerError`` if the port cannot be had.
    public static func start(
        settings: Settings = Settings(), loops: EventLoopGroup, log: Log, script: @escaping Script
    ) async throws -> SimulatedOpenAI {
        let late = LateHandler()
        var limits = HTTPServer.Limits()
        limits.bodyBytes = 50 * 1024 * 1024
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: settings.port), loops: loops, limits: limits, log: log
        ) { try await late.answer($0) }
        let simulated = SimulatedOpenAI(settings: settings, script: script, server: server)
        late.set { await simulated.observed($0) }
        return simulated
    }

    private init(settings: Settings, script: @escaping Script, server: HTTPServer) {
        origin = "http://127.0.0.1:\(server.port)"
        self.settings = settings
        self.script = script
        self.server.withLock { $0 = server }
    }

    /// The last 1,000 requests that were taken, oldest first.
    public var asked: [Ask] { asks.withLock { $0 } }

    func note(_ ask: Ask) {
        asks.withLock { asks in
            asks.append(ask)
            if asks.count > 1_000 { asks.removeFirst() }
        }
    }

    public func shutdown() async {
        let server = server.withLock { server in
            defer { server = nil }
            return server
        }
        await server?.shutdown(grace: .milliseconds(200))
    }
}
