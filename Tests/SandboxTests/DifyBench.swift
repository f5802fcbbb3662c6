import Base
import Foundation
import Sandbox
import TestSupport
import Testing

/// A simulated Dify and a client that speaks to it, for one test.
struct DifyBench {
    let dify: SimulatedDify
    let http: HTTPClient
    let loops: EventLoopGroup
    /// Sees all that the simulated Dify says; what breaks the contract fails the test.
    let watch: ContractWatch
    /// What the app answers.
    struct Script {
        let script: SimulatedDify.Script
        static func steps(_ script: @escaping SimulatedDify.Script) -> Script { Script(script: script) }
    }

    static let key = Secret("app-sandbox-key-0001")

    /// One app with this script.
    static func with(
        mode: SimulatedDify.App.Mode = .chatflow, form: [SimulatedDify.App.Field] = [],
        suggested: [String]? = nil, settings: SimulatedDify.Settings = .init(),
        others: [SimulatedDify.App] = [],
        script: Script = .steps { [.text("Answer to \($0.query)")] },
        _ body: (DifyBench) async throws -> Void
    ) async throws {
        let app = SimulatedDify.App(
            key: key, mode: mode, form: form, suggestedQuestions: suggested, script: script.script)
        let loops = EventLoopGroup(count: 1)
        let watch = ContractWatch(.dify)
        var settings = settings
        settings.watch = PlatformWatch(exchange: watch.exchange, event: watch.event)
        let dify = try await SimulatedDify.start(apps: [app] + others, settings: settings, loops: loops, log: .silent)
        let bench = DifyBench(dify: dify, http: HTTPClient(loops: loops), loops: loops, watch: watch)
        let result: Result<Void, any Error>
        do { result = .success(try await body(bench)) } catch { result = .failure(error) }
        await bench.http.shutdown()
        await dify.shutdown()
        loops.stop()
        #expect(watch.answerViolations == [])
        try result.get()
    }

    func request(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, key: Secret = DifyBench.key
    ) -> HTTPClient.Request {
        var headers: HTTPHeaders = ["Authorization": "Bearer \(key.reveal())"]
        if body != nil { headers["Content-Type"] = "application/json" }
        return HTTPClient.Request(
            method, dify.baseURL + path, headers: headers, body: body?.bytes ?? [], trust: .privateAllowed)
    }

    @discardableResult
    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, key: Secret = DifyBench.key
    ) async throws -> (status: Int, body: JSON) {
        let answer = try await http.send(request(method, path, body, key: key))
        return (answer.status, (try? JSON(parsing: answer.body)) ?? .null)
    }

    /// A chat message that streams its answer.
    static func question(
        _ query: String, user: String = "u1", conversation: String? = nil, inputs: JSON = [:]
    ) -> JSON {
        var body: JSON = ["query": .string(query), "inputs": inputs, "user": .string(user)]
        body["response_mode"] = "streaming"
        if let conversation { body["conversation_id"] = .string(conversation) }
        return body
    }

    /// Sends and reads the whole stream.
    func stream(_ path: String, _ body: JSON, key: Secret = DifyBench.key) async throws -> [JSON] {
        let answer = try await http.send(request(.post, path, body, key: key))
        try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        return try events(answer.body)
    }

    func ask(
        _ query: String, user: String = "u1", conversation: String? = nil, inputs: JSON = [:],
        key: Secret = DifyBench.key
    ) async throws -> [JSON] {
        try await stream(
            "/chat-messages",
            Self.question(query, user: user, conversation: conversation, inputs: inputs), key: key)
    }

    /// The data of the events, which must all be `data: ` lines with an empty line behind, but for bare pings.
    func events(_ body: [UInt8]) throws -> [JSON] {
        let text = String(decoding: body, as: UTF8.self)
        try #require(text.isEmpty || text.hasSuffix("\n\n"))
        return try text.split(separator: "\n\n").compactMap { block in
            if block == "event: ping" { return nil }
            try #require(block.hasPrefix("data: ") && !block.contains("\n"))
            return try JSON(parsing: block.dropFirst(6).utf8)
        }
    }
}

extension [JSON] {
    var names: [String] { map { $0["event"]?.string ?? "" } }
    func first(_ name: String) -> JSON? { first { $0["event"]?.string == name } }
    /// The pieces of the answer together.
    func text(_ name: String = "message") -> String {
        filter { $0["event"]?.string == name }.compactMap { $0["answer"]?.string }.joined()
    }
    var conversation: String? { first?["conversation_id"]?.string }
}
