import Base
import Synchronization
import TestSupport

@testable import BotPlatforms

/// A Typebot that answers as a test says and remembers what it was asked.
final class ScriptedTypebot: Sendable {
    struct Request: Sendable {
        var method: HTTPMethod
        var path: String
        var headers: HTTPHeaders
        var bytes: [UInt8]
        var json: JSON
    }

    private let server: HTTPServer
    private let record: Record
    var origin: String { "http://127.0.0.1:\(server.port)" }
    var url: String { origin + "/api/v1/typebots/my-bot/startChat" }

    private final class Record: Sendable {
        let requests = Mutex<[Request]>([])
    }

    /// - Parameter answer: takes the request and how many came on its path, this one included.
    static func start(
        _ answer: @escaping @Sendable (Request, Int) async throws -> HTTPResponse
    ) async throws -> ScriptedTypebot {
        let record = Record()
        let watch = ContractWatch.typebot
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: Stage.loops, log: .silent
        ) { http in
            if http.path.hasPrefix("/api/") { watch?.request(http) }
            let request = Request(
                method: http.method, path: http.path, headers: http.headers, bytes: http.body,
                json: (try? JSON(parsing: http.body)) ?? .null)
            let count = record.requests.withLock { requests in
                requests.append(request)
                return requests.count { $0.path == request.path }
            }
            return try await answer(request, count)
        }
        return ScriptedTypebot(server: server, record: record)
    }

    /// Starts with `first`, then gives one of `others` after another.
    static func playing(_ first: JSON, _ others: JSON...) async throws -> ScriptedTypebot {
        let rest = Mutex(others)
        return try await start { request, _ in
            guard request.path.hasSuffix("/continueChat") else { return .json(first) }
            return .json(rest.withLock { $0.isEmpty ? ["messages": []] : $0.removeFirst() })
        }
    }

    private init(server: HTTPServer, record: Record) {
        self.server = server
        self.record = record
    }

    var requests: [Request] { record.requests.withLock { $0 } }
    var starts: [Request] { requests.filter { $0.path.hasSuffix("/startChat") } }
    var continued: [Request] { requests.filter { $0.path.hasSuffix("/continueChat") } }
    /// What was said to it.
    var messages: [JSON?] { continued.map { $0.json["message"] } }

    func bot(key: Secret? = nil, log: Log = .silent, answer: Duration = .seconds(30)) -> Typebot {
        var timing = TypebotTiming()
        timing.pause = .milliseconds(5)
        timing.answer = answer
        return Typebot(
            PlatformConfiguration(
                url: url, key: key, options: [:], trust: .privateAllowed, http: Stage.http, clock: .system, log: log),
            timing: timing)
    }

    func stop() async { await server.shutdown(grace: .zero) }
}

/// Answers as Typebot gives them.
enum Flow {
    static let richText: JSON = ["type": "richText", "richText": []]

    static func start(_ bubbles: [JSON] = [], input: JSON? = nil, actions: [JSON] = [], id: String = "s1") -> JSON {
        var answer = next(bubbles, input: input, actions: actions)
        answer["sessionId"] = .string(id)
        answer["typebot"] = ["id": "t1", "version": "6", "theme": [:], "settings": [:]]
        return answer
    }

    static func next(_ bubbles: [JSON] = [], input: JSON? = nil, actions: [JSON] = []) -> JSON {
        var answer: JSON = ["messages": .array(bubbles)]
        answer["input"] = input
        if !actions.isEmpty { answer["clientSideActions"] = .array(actions) }
        return answer
    }

    static func says(_ text: String, id: String = "b1") -> JSON { rich([p([leaf(text)])], id: id) }
    static func rich(_ elements: [JSON], id: String = "b1") -> JSON {
        ["id": .string(id), "type": "text", "content": ["type": "richText", "richText": .array(elements)]]
    }
    static func p(_ children: [JSON]) -> JSON { element("p", children) }
    static func element(_ type: String, _ children: [JSON]) -> JSON {
        ["type": .string(type), "children": .array(children)]
    }
    static func leaf(_ text: String, _ marks: String...) -> JSON {
        var leaf: JSON = ["text": .string(text)]
        for mark in marks { leaf[mark] = true }
        return leaf
    }
    static func link(_ url: String, _ text: String) -> JSON {
        ["type": "a", "url": .string(url), "children": [leaf(text)]]
    }

    static func input(_ type: String, options: JSON = [:], items: [JSON]? = nil) -> JSON {
        var input: JSON = ["id": "i1", "type": .string(type), "options": options]
        input["items"] = items.map(JSON.array)
        return input
    }
    static let asksText = input("text input")
    static func buttons(_ labels: String..., several: Bool = false) -> JSON {
        input(
            "choice input", options: ["isMultipleChoice": .bool(several)],
            items: labels.enumerated().map { ["id": .string("item\($0)"), "content": .string($1)] })
    }

    static func refusal(_ status: Int, _ code: String, _ message: String, headers: HTTPHeaders = [:]) -> HTTPResponse {
        .json(
            [
                "defined": true, "code": .string(code), "status": .integer(Int64(status)), "message": .string(message),
            ], status: status, headers: headers)
    }
    static let noSession = refusal(404, "NOT_FOUND", "Session not found.")
}

extension Heard {
    /// The texts, one for each message.
    var texts: [String] {
        var texts = [""]
        for part in parts {
            switch part {
            case .text(let more): texts[texts.count - 1] += more
            case .nextMessage: texts.append("")
            default: break
            }
        }
        return texts.filter { !$0.isEmpty }
    }
    var choices: Choices? { parts.compactMap { if case .choices(let it) = $0 { it } else { nil } }.last }
    var hasEnded: Bool { parts.last == .session(nil) }
}

extension Typebot {
    func hearGreeting(_ question: Question) async throws -> Heard {
        var heard = Heard()
        do {
            for try await part in greeting(for: question) { heard.parts.append(part) }
        } catch let error as PlatformError {
            heard.error = error
        }
        return heard
    }
}

extension PlatformSession {
    /// One in which a flow waits for this input.
    static func waiting(for input: JSON, id: String = "s1") -> PlatformSession {
        PlatformSession(id: id, data: ["input": TypebotInput(input)?.stored ?? .null])
    }
}
