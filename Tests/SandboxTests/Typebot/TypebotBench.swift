import Base
import Sandbox
import TestSupport
import Testing

/// A simulated Typebot and a client that speaks to it, for one test.
struct TypebotBench {
    typealias Flow = SimulatedTypebot.Flow
    typealias Block = SimulatedTypebot.Block
    typealias Group = SimulatedTypebot.Group

    let typebot: SimulatedTypebot
    let http: HTTPClient
    /// Sees all that the simulated Typebot says; what breaks the contract fails the test.
    let watch: ContractWatch

    static func with(
        _ flow: Flow, settings: SimulatedTypebot.Settings = .init(), _ body: (TypebotBench) async throws -> Void
    ) async throws {
        let loops = EventLoopGroup(count: 1)
        let watch = ContractWatch(.typebot)
        var settings = settings
        settings.watch = PlatformWatch(exchange: watch.exchange)
        let typebot = try await SimulatedTypebot.start(flows: [flow], settings: settings, loops: loops, log: .silent)
        let bench = TypebotBench(typebot: typebot, http: HTTPClient(loops: loops), watch: watch)
        let result: Result<Void, any Error>
        do { result = .success(try await body(bench)) } catch { result = .failure(error) }
        await bench.http.shutdown()
        await typebot.shutdown()
        loops.stop()
        #expect(watch.answerViolations == [])
        try result.get()
    }

    /// A flow of one group.
    static func with(
        _ blocks: [Block], variables: [String] = ["Name", "Answer", "List"],
        settings: SimulatedTypebot.Settings = .init(), _ body: (TypebotBench) async throws -> Void
    ) async throws {
        try await with(Flow("bot", variables: variables, blocks), settings: settings, body)
    }

    func post(_ url: String, _ body: JSON, headers: HTTPHeaders = [:]) async throws -> (status: Int, body: JSON) {
        var all = headers
        all["Content-Type"] = "application/json"
        let answer = try await http.send(
            HTTPClient.Request(.post, url, headers: all, body: body.bytes, trust: .privateAllowed))
        return (
            answer.status, (try? JSON(parsing: answer.body)) ?? .string(String(decoding: answer.body, as: UTF8.self))
        )
    }

    /// Starts a chat; the answer must be a 200.
    func start(_ body: JSON = [:], publicID: String = "bot") async throws -> Chat {
        let answer = try await post(typebot.startURL(publicID), body)
        try #require(answer.status == 200, "\(answer.body.text)")
        return Chat(bench: self, id: try #require(answer.body["sessionId"]?.string), answer: answer.body)
    }

    /// Starts a chat and says a text.
    func startAndSay(_ text: String) async throws -> JSON { try await startAndSend(Self.text(text)) }
    func startAndSend(_ body: JSON) async throws -> JSON { try await start().send(body) }

    func proceed(_ session: String, _ body: JSON) async throws -> (status: Int, body: JSON) {
        try await post("\(typebot.origin)/api/v1/sessions/\(session)/continueChat", body)
    }

    static func text(_ text: String, replyID: String? = nil) -> JSON {
        var message: JSON = ["type": "text", "text": .string(text)]
        if let replyID { message["metadata"] = ["replyId": .string(replyID)] }
        return ["message": message]
    }

    /// One conversation.
    struct Chat {
        let bench: TypebotBench
        let id: String
        /// What `startChat` answered.
        let answer: JSON

        /// Says a text; the answer must be a 200.
        @discardableResult
        func say(_ text: String, replyID: String? = nil) async throws -> JSON {
            try await send(TypebotBench.text(text, replyID: replyID))
        }

        @discardableResult
        func send(_ body: JSON) async throws -> JSON {
            let answer = try await bench.proceed(id, body)
            try #require(answer.status == 200, "\(answer.body.text)")
            return answer.body
        }

        var variables: Members<JSON>? { bench.typebot.variables(session: id) }
    }
}

extension JSON {
    /// The texts of the bubbles, rich ones without their marks.
    var texts: [String] { (self["messages"]?.array ?? []).filter { $0["type"] == "text" }.map(\.plain) }
    /// The types of the bubbles.
    var bubbles: [String] { (self["messages"]?.array ?? []).compactMap { $0["type"]?.string } }
    var waitingFor: String? { self["input"]?["type"]?.string }
    var actions: [String] { (self["clientSideActions"]?.array ?? []).compactMap { $0["type"]?.string } }

    private var plain: String {
        if let markdown = self["content"]?["markdown"]?.string { return markdown }
        return (self["content"]?["richText"]?.array ?? []).map(\.inner).joined(separator: "\n")
    }
    private var inner: String { self["text"]?.string ?? (self["children"]?.array ?? []).map(\.inner).joined() }
}
