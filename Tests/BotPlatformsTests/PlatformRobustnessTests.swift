import Base
import Synchronization
import TestSupport
import Testing

@testable import BotPlatforms

/// One kind of bot at an address, and the watch that holds its requests to its platform's contract.
private struct Kind: Sendable, CustomTestStringConvertible {
    var name: String
    var path: String
    var watch: @Sendable () -> ContractWatch?
    var make: @Sendable (PlatformConfiguration) -> any BotPlatform
    var options: JSON = [:]
    var testDescription: String { name }

    static let all: [Kind] = [
        dify("chatflow") { DifyChat(.chatflow, $0, timing: Stage.timing) },
        dify("chat") { DifyChat(.chat, $0, timing: Stage.timing) },
        dify("agent") { DifyChat(.agent, $0, timing: Stage.timing) },
        dify("completion") { DifyCompletion($0, timing: Stage.timing) },
        dify("workflow") { DifyWorkflow($0, timing: Stage.timing) },
        dify("blocking workflow", options: ["response_mode": "blocking"]) { DifyWorkflow($0, timing: Stage.timing) },
        Kind(
            name: "typebot", path: "/api/v1/typebots/my-bot/startChat", watch: { ContractWatch.typebot },
            make: { Typebot($0) }),
        Kind(
            name: "openai", path: "/v1", watch: { nil }, make: { OpenAIBot($0) }, options: ["model": "gpt-4o-mini"]),
        Kind(name: "webhook", path: "/bot", watch: { nil }, make: { WebhookBot($0) }),
    ]

    private static func dify(
        _ name: String, options: JSON = [:], _ make: @escaping @Sendable (PlatformConfiguration) -> any BotPlatform
    ) -> Kind {
        Kind(name: name, path: "/v1", watch: { ContractWatch.dify }, make: make, options: options)
    }

    /// What is heard of a bot whose server answers so on every route.
    func hear(
        _ question: Question = Stage.question("x"), _ answer: @escaping @Sendable () -> HTTPResponse
    ) async throws -> Heard {
        let watch = watch()
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: Stage.loops, log: .silent
        ) { request in
            watch?.request(request)
            return answer()
        }
        let bot = make(Stage.configuration("http://127.0.0.1:\(server.port)\(path)", options: options))
        let heard = try await bot.hear(question)
        await server.shutdown(grace: .zero)
        return heard
    }
}

@Suite("Whatever a bot platform sends, the reply is sensible or the failure clear", .keepsContracts, .serialized)
struct PlatformRobustnessTests {
    private static func answer(_ body: [UInt8], _ type: String, _ headers: HTTPHeaders = [:]) -> HTTPResponse {
        var headers = headers
        headers["Content-Type"] = type
        return HTTPResponse(status: 200, headers: headers, body: .bytes(body))
    }

    private static let types = ["text/event-stream", "application/json"]

    private func expectClear(_ error: PlatformError?, _ what: String) {
        guard let error else { return }
        #expect(!error.message.isEmpty && error.message.count <= 500, "\(what)")
    }

    @Test("a page with status 200 is a failure, whatever it says it is", arguments: Kind.all)
    fileprivate func page(kind: Kind) async throws {
        for type in Self.types + ["text/html"] {
            let heard = try await kind.hear { Self.answer(Array("\n<html><p>Sign in</p></html>".utf8), type) }
            #expect(heard.error != nil, "\(type)")
            #expect(heard.text.isEmpty && heard.error?.message.contains("<html>") == false, "\(type)")
            if type == "text/html" { #expect(heard.error?.kind == .final) }
        }
    }

    @Test("a compressed answer, which nobody asked for, is said to be one", arguments: Kind.all)
    fileprivate func compressed(kind: Kind) async throws {
        for type in Self.types {
            let heard = try await kind.hear {
                Self.answer([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], type, ["Content-Encoding": "gzip"])
            }
            #expect(heard.error?.kind == .final && heard.error?.message.contains("compressed (gzip)") == true)
        }
    }

    @Test("an answer that breaks off is never taken for a whole one", arguments: Kind.all)
    fileprivate func cut(kind: Kind) async throws {
        struct Cut: Error {}
        let beginnings = [
            "", "{", #"{"messages":[{"text":"Half"#, #"{"choices":[{"message":{"content":"Half"#, "data: {\"event\":",
            #"data: {"event":"message","answer":"Half"}"# + "\n\n", "event: ping\n\n",
            #"data: {"choices":[{"delta":{"content":"Half"}}]}"# + "\n\n",
        ]
        for type in Self.types {
            for beginning in beginnings {
                let heard = try await kind.hear {
                    HTTPResponse(
                        status: 200, headers: ["Content-Type": type],
                        body: .stream { write in
                            if !beginning.isEmpty { try await write(Array(beginning.utf8)) }
                            throw Cut()
                        })
                }
                #expect(heard.error != nil && heard.error?.kind != .passing, "\(type) \(beginning)")
                expectClear(heard.error, beginning)
            }
        }
    }

    /// Values in the place of every field that some platform has.
    private static let odd: [String] = {
        let values = ["null", "7", "-1e300", "\"x\"", "[]", "{}", "[null]", "[{}]", "[[]]", "true", "\"\\u0000\""]
        let fields = [
            "event", "data", "answer", "files", "outputs", "status", "message_id", "conversation_id", "sessionId",
            "messages",
            "input", "clientSideActions", "logs", "choices", "error", "text", "buttons", "session", "action", "message",
            "detail", "object",
        ]
        let deep = String(repeating: "[", count: 100_000)
        return values + [deep, "", "\"", "{\"a\"", String(repeating: "{\"data\":", count: 400), "\u{FEFF}{}"]
            + values.map { value in
                "{" + fields.map { "\"\($0)\":\(value)" }.joined(separator: ",") + ",\"unheard_of\":[{}]}"
            }
            + values.map { #"{"messages":[\#($0),{"type":"text","content":\#($0)}],"sessionId":"s","input":\#($0)}"# }
            + values.map { #"{"choices":[\#($0),{"delta":\#($0),"message":\#($0),"index":\#($0)}]}"# }
            + values.map { #"{"event":"workflow_finished","data":{"status":\#($0),"outputs":\#($0),"files":\#($0)}}"# }
    }()

    @Test("missing fields, nulls, empty lists and wrong types neither break nor hang", arguments: Kind.all)
    fileprivate func oddValues(kind: Kind) async throws {
        for value in Self.odd {
            let json = try await kind.hear { Self.answer(Array(value.utf8), "application/json") }
            expectClear(json.error, value)
            let event = try await kind.hear { Self.answer(Array("data: \(value)\n\n".utf8), "text/event-stream") }
            expectClear(event.error, value)
        }
        let noText: [UInt8] = [0x7B, 0x22, 0xFF, 0xFE, 0xC0, 0x22, 0x3A, 0x31, 0x7D]
        for type in Self.types { expectClear(try await kind.hear { Self.answer(noText, type) }.error, "no UTF-8") }
    }

    @Test(
        "a pause that is asked for is at most a day, however it is written",
        arguments: [
            "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e9", "-1", "", "soon",
            "Sun, 06 Nov 1994 9223372036854775807:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999999999 08:49:37 GMT",
        ])
    func pauses(value: String) async throws {
        for kind in Kind.all {
            let heard = try await kind.hear {
                HTTPResponse(status: 429, headers: ["Retry-After": value], body: .bytes(Array("busy".utf8)))
            }
            #expect(heard.error?.kind == .passing, "\(kind.name)")
            let pause = heard.error?.retryAfter ?? .zero
            #expect(pause >= .zero && pause <= .seconds(86_400), "\(kind.name)")
        }
    }

    @Test("what never ends is left before it fills the memory", arguments: Kind.all)
    fileprivate func endless(kind: Kind) async throws {
        for (type, beginning) in [("text/event-stream", "data: "), ("application/json", "{\"messages\":\"")] {
            let written = Box(0)
            let heard = try await kind.hear {
                HTTPResponse(
                    status: 200, headers: ["Content-Type": type],
                    body: .stream { write in
                        try await write(Array(beginning.utf8))
                        let piece = [UInt8](repeating: 0x61, count: 256 * 1024)
                        while true {
                            try await write(piece)
                            written.value += piece.count
                        }
                    })
            }
            #expect(heard.error != nil && heard.error?.kind != .passing, "\(type)")
            #expect(written.value < 100 * 1024 * 1024, "\(type)")
        }
    }

    @Test("an answer of 30 MB is one, or is said to be too large", arguments: Kind.all)
    fileprivate func large(kind: Kind) async throws {
        let text = String(repeating: "x", count: 30 * 1024 * 1024)
        let answers = [
            Self.answer(Array(Wire.answer(text).utf8), "text/event-stream"),
            .json([
                "sessionId": "s", "messages": [Flow.says(text)], "choices": [["message": ["content": .string(text)]]],
            ]),
        ]
        for answer in answers {
            let heard = try await kind.hear { answer }
            #expect(heard.error != nil || heard.text.utf8.count == text.utf8.count || heard.text.isEmpty)
            expectClear(heard.error, "large")
        }
    }

    @Test("neither keys, tokens nor signed links are in what an error says, wherever it is cut", arguments: Kind.all)
    fileprivate func secrets(kind: Kind) async throws {
        let token = Secret("portal-token-abcdef-0123456789-abcdef")
        let question = Stage.question("x", tokens: ["access_token": token])
        let link = "https://files.example/x.pdf?sign=S1gnature&timestamp=1"
        for length in [0, 150, 165, 170, 180, 195, 250, 460, 480, 490] {
            for (padding, secret) in [(" a", token), ("a,", token), ("a ", Stage.key)] {
                let said = String(repeating: padding, count: length / 2) + " \(secret.reveal()) \(link) end"
                let bodies: [JSON] = [
                    ["code": "some_code", "message": .string(said), "status": 400],
                    ["error": ["message": .string(said), "type": "t"]],
                ]
                let answers =
                    bodies.map { HTTPResponse.json($0, status: 400) } + [.text(said, status: 400), .text(said)]
                for answer in answers {
                    guard let error = try await kind.hear(question, { answer }).error else { continue }
                    for start in 0..<(secret.reveal().count - 8) {
                        let part = secret.reveal().dropFirst(start).prefix(8)
                        #expect(!error.message.contains(part), "\(length): \(error.message)")
                    }
                    #expect(!error.message.contains("S1gnature"))
                }
            }
        }
    }

    @Test("a hundred bubbles are shown, and files without end are not")
    func hundred() async throws {
        let files = (0..<1_000).map {
            Wire.event("message_file", #""type":"image","url":"https://a.example/\#($0).png""#)
        }
        let wire = Wire.started + Wire.message("Here") + files.joined() + Wire.end + Wire.finished(answer: "Here")
        for kind in Kind.all.prefix(3) {
            let heard = try await kind.hear { .events(wire) }
            #expect(heard.error == nil && heard.text == "Here" && heard.files.count == 50, "\(kind.name)")
        }
        let bubbles = (0..<100).map { Flow.says("Number \($0)", id: "\($0)") }
        let typebot = try await Kind.all[6].hear { .json(Flow.start(bubbles)) }
        #expect(typebot.texts.count == 100)
        let messages: JSON = ["messages": .array((0..<100).map { .string("Number \($0)") })]
        let webhook = try await Kind.all[8].hear { .json(messages) }
        #expect(webhook.texts.count == 100)
    }

    @Test("ids that no platform has are not kept")
    func ids() async throws {
        let long = String(repeating: "c", count: 1_000_000)
        let wire =
            #"data: {"event":"message","conversation_id":"\#(long)","message_id":"\#(long)","task_id":"\#(long)","answer":"Hi"}"#
            + "\n\n" + #"data: {"event":"message_end"}"# + "\n\n" + #"data: {"event":"workflow_finished"}"# + "\n\n"
        for kind in Kind.all.prefix(4) {
            let heard = try await kind.hear { .events(wire) }
            #expect(heard.error == nil && heard.text == "Hi", "\(kind.name)")
            #expect(heard.session == nil && heard.traces.isEmpty, "\(kind.name)")
        }
    }
}
