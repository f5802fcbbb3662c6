import Base
import Synchronization
import TestSupport

@testable import BotPlatforms

/// A server that answers as a test says and remembers what it was asked.
final class ScriptedDify: Sendable {
    private let server: HTTPServer
    private let record: Record
    var port: Int { server.port }
    var url: String { "http://127.0.0.1:\(port)/v1" }

    private final class Record: Sendable {
        let requests = Mutex<[HTTPRequest]>([])
    }

    /// - Parameter answer: takes the request and how many came on its path, this one included.
    static func start(_ answer: @escaping @Sendable (HTTPRequest, Int) async throws -> HTTPResponse) async throws
        -> ScriptedDify
    {
        let record = Record()
        let watch = ContractWatch.dify
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: Stage.loops, log: .silent
        ) { request in
            watch?.request(request)
            let count = record.requests.withLock { requests in
                requests.append(request)
                return requests.count { $0.path == request.path }
            }
            return try await answer(request, count)
        }
        return ScriptedDify(server: server, record: record)
    }

    /// Declares no variables; questions are answered as said.
    static func answering(_ answer: @escaping @Sendable (HTTPRequest, Int) async throws -> HTTPResponse) async throws
        -> ScriptedDify
    {
        try await start { request, count in
            if request.path == "/v1/parameters" { return .json(["user_input_form": []]) }
            return try await answer(request, count)
        }
    }

    private init(server: HTTPServer, record: Record) {
        self.server = server
        self.record = record
    }

    func requests(_ path: String) -> [HTTPRequest] {
        record.requests.withLock { $0.filter { $0.path == "/v1" + path } }
    }

    func stop() async { await server.shutdown(grace: .zero) }
}

extension HTTPResponse {
    static func json(_ value: JSON, status: Int = 200, headers: HTTPHeaders = [:]) -> HTTPResponse {
        var all = headers
        all["Content-Type"] = "application/json"
        return HTTPResponse(status: status, headers: all, body: .bytes(value.bytes))
    }

    /// Dify's envelope.
    static func refusal(
        _ status: Int, _ code: String, _ message: String = "", headers: HTTPHeaders = [:]
    ) -> HTTPResponse {
        .json(
            ["code": .string(code), "message": .string(message), "status": .integer(Int64(status))], status: status,
            headers: headers)
    }

    /// A stream of these bytes, in one piece; `isCut` breaks the connection after them.
    static func events(_ text: String, isCut: Bool = false) -> HTTPResponse {
        events(Array(text.utf8), isCut: isCut)
    }

    static func events(_ bytes: [UInt8], isCut: Bool = false) -> HTTPResponse {
        HTTPResponse(
            status: 200, headers: ["Content-Type": "text/event-stream; charset=utf-8"],
            body: .stream { write in
                if !bytes.isEmpty { try await write(bytes) }
                if isCut { throw Cut() }
            })
    }

    private struct Cut: Error {}
}

/// Streams as Dify writes them.
enum Wire {
    static let ids =
        #""conversation_id":"c0000000-0000-4000-8000-000000000001","message_id":"b0000000-0000-4000-8000-000000000001","task_id":"t1""#
    static let conversation = "c0000000-0000-4000-8000-000000000001"
    static let messageID = "b0000000-0000-4000-8000-000000000001"
    static let trace = AskTrace(
        conversationID: conversation, messageID: "b0000000-0000-4000-8000-000000000001", taskID: "t1",
        runID: "a0000000-0000-4000-8000-000000000001")

    static func event(_ name: String, _ fields: String = "") -> String {
        #"data: {"event":"\#(name)",\#(ids)\#(fields.isEmpty ? "" : ",")\#(fields)}"# + "\n\n"
    }

    static let started = event(
        "workflow_started",
        #""workflow_run_id":"a0000000-0000-4000-8000-000000000001","data":{"id":"a0000000-0000-4000-8000-000000000001","inputs":{"x":1}}"#
    )
    static func message(_ text: String) -> String { event("message", #""answer":\#(JSON.string(text).text)"#) }
    static let end = event("message_end", #""metadata":{"usage":{"total_tokens":1}},"files":null"#)

    static func finished(_ status: String = "succeeded", answer: String? = nil, error: String? = nil) -> String {
        let outputs: JSON = answer.map { ["answer": .string($0)] } ?? [:]
        let data: JSON = [
            "id": "a0000000-0000-4000-8000-000000000001", "status": .string(status), "outputs": outputs,
            "error": error.map(JSON.string) ?? .null,
            "files": [],
        ]
        return event(
            "workflow_finished", #""workflow_run_id":"a0000000-0000-4000-8000-000000000001","data":\#(data.text)"#)
    }

    /// A whole answer.
    static func answer(_ text: String) -> String { started + message(text) + end + finished(answer: text) }
}
