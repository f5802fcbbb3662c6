import Base
import Synchronization

/// A bot of somebody's own, as `docs/webhook-bots.md` describes it to those who write one: takes questions at `/bot`, checks
/// their signature, and answers by a script.
public final class SimulatedWebhook: Sendable {
    public struct Settings: Sendable {
        /// 0 takes a free port.
        public var port = 0
        /// Without a key signatures are not looked at.
        public var key: Secret?
        public var clock = WallClock.system
        /// Told of each request when its answer is ready.
        public var observe: (@Sendable (WireCall) -> Void)?
        public init() {}
    }

    /// A question as it came.
    public struct Asked: Sendable {
        public var headers: HTTPHeaders
        public var body: JSON
        public var event: String { body["event"]?.string ?? "" }
        public var text: String { body["message"]?["text"]?.string ?? "" }
        public var session: JSON { body["session"] ?? .null }
    }

    public enum Reply: Sendable {
        case json(JSON)
        case text(String)
        /// 204.
        case nothing
        /// Any answer.
        case response(HTTPResponse)
        /// The connection breaks.
        case reset
    }

    public typealias Script = @Sendable (Asked) async -> Reply

    public let url: String
    private let settings: Settings
    private let script: Script
    private let questions = Mutex<[Asked]>([])
    private let server = Mutex<HTTPServer?>(nil)

    /// - Throws: ``HTTPServerError`` if the port cannot be had.
    public static func start(
        settings: Settings = Settings(), loops: EventLoopGroup, log: Log, script: @escaping Script
    ) async throws -> SimulatedWebhook {
        let late = LateHandler()
        var limits = HTTPServer.Limits()
        limits.bodyBytes = 50 * 1024 * 1024
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: settings.port), loops: loops, limits: limits, log: log
        ) { try await late.answer($0) }
        let webhook = SimulatedWebhook(settings: settings, script: script, server: server)
        late.set { await webhook.observed($0) }
        return webhook
    }

    private init(settings: Settings, script: @escaping Script, server: HTTPServer) {
        url = "http://127.0.0.1:\(server.port)/bot"
        self.settings = settings
        self.script = script
        self.server.withLock { $0 = server }
    }

    /// The last 1,000 questions that were taken, oldest first.
    public var asked: [Asked] { questions.withLock { $0 } }

    public func shutdown() async {
        let server = server.withLock { server in
            defer { server = nil }
            return server
        }
        await server?.shutdown(grace: .milliseconds(200))
    }

    private func observed(_ request: HTTPRequest) async -> HTTPResponse {
        let (start, time) = (ContinuousClock.now, settings.clock.now)
        let response = await answer(request)
        settings.observe?(
            WireCall(
                kind: .platform, method: request.method.rawValue, target: request.path, time: time,
                status: response.status, duration: ContinuousClock.now - start,
                parameters: (try? JSON(parsing: request.body)) ?? [:]))
        return response
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        guard request.path == "/bot" else { return .text("Not found", status: 404) }
        guard request.method == .post else { return .text("Use POST", status: 405) }
        guard isGenuine(request) else { return .text("The signature is wrong", status: 401) }
        guard let body = try? JSON(parsing: request.body), body.object != nil else {
            return .text("No JSON", status: 400)
        }
        let asked = Asked(headers: request.headers, body: body)
        questions.withLock { questions in
            questions.append(asked)
            if questions.count > 1_000 { questions.removeFirst() }
        }
        switch await script(asked) {
        case .json(let json):
            return HTTPResponse(
                status: 200, headers: ["Content-Type": "application/json"], body: .bytes(json.bytes))
        case .text(let text): return .text(text)
        case .nothing: return HTTPResponse(status: 204)
        case .response(let response): return response
        case .reset: return .broken
        }
    }

    private func isGenuine(_ request: HTTPRequest) -> Bool {
        guard let key = settings.key else { return true }
        let pairs = (request.headers["X-BitBot-Signature"] ?? "").split(separator: ",").map {
            $0.split(separator: "=", maxSplits: 1).map(String.init)
        }
        let parts = Dictionary(
            pairs.filter { $0.count == 2 }.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
        guard let time = parts["t"], let seconds = Int64(time), let code = parts["v1"] else { return false }
        let expected = Signature.hmacSHA256(Array("\(time).".utf8) + request.body, key: key)
        let age = settings.clock.now.rawValue / 1000 - seconds
        return Vault.equal(Secret(expected), Secret(code)) && (-300...300).contains(age)
    }
}
