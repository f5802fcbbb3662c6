import Base

/// How an answer goes over the wire, as `chat.completion` or as a stream of `chat.completion.chunk`.
struct OpenAIWire: Sendable {
    let id = "chatcmpl-" + randomHexadecimal(digits: 24)
    let model: String
    let withUsage: Bool
    let pieceBytes: Int?

    private struct Cut: Error {}

    func stream(_ steps: [SimulatedOpenAI.Step]) -> HTTPResponse {
        HTTPResponse(
            status: 200, headers: ["Content-Type": "text/event-stream; charset=utf-8"],
            body: .stream { write in
                try await send(chunk(delta: ["role": "assistant", "content": ""]), write)
                var reason = "stop"
                for step in steps {
                    switch step {
                    case .text(let text): try await send(chunk(delta: ["content": .string(text)]), write)
                    case .null: try await send(chunk(delta: ["content": .null]), write)
                    case .wait(let duration): try await Task.sleep(for: duration)
                    case .comment(let text): try await send(Array(": \(text)\n\n".utf8), write)
                    case .raw(let text): try await send(Array(text.utf8), write)
                    case .finish(let other): reason = other
                    case .error(let type, let code, let message):
                        let error = Self.error(type: type, code: code, message: message)
                        return try await send(data(["error": error]), write)
                    case .cut: throw Cut()
                    case .refuse: break
                    }
                }
                try await send(chunk(delta: [:], finish: reason), write)
                if withUsage { try await send(data(object("chat.completion.chunk", choices: [], usage: true)), write) }
                try await send(Array("data: [DONE]\n\n".utf8), write)
            })
    }

    func whole(_ steps: [SimulatedOpenAI.Step]) -> HTTPResponse {
        var text: String?
        var reason = "stop"
        for step in steps {
            switch step {
            case .text(let more): text = (text ?? "") + more
            case .finish(let other): reason = other
            default: break
            }
        }
        let choice: JSON = [
            "index": 0, "finish_reason": .string(reason), "logprobs": .null,
            "message": ["role": "assistant", "content": text.map(JSON.string) ?? .null, "refusal": .null],
        ]
        return HTTPResponse(
            status: 200, headers: ["Content-Type": "application/json"],
            body: .bytes(object("chat.completion", choices: [choice], usage: true).bytes))
    }

    static func error(type: String, code: String?, message: String) -> JSON {
        [
            "message": .string(message), "type": .string(type), "param": .null,
            "code": code.map(JSON.string) ?? .null,
        ]
    }

    private func chunk(delta: JSON, finish: String? = nil) -> [UInt8] {
        data(
            object(
                "chat.completion.chunk",
                choices: [
                    [
                        "index": 0, "delta": delta, "logprobs": .null,
                        "finish_reason": finish.map(JSON.string) ?? .null,
                    ]
                ], usage: false))
    }

    private func object(_ kind: String, choices: [JSON], usage: Bool) -> JSON {
        var object: JSON = [
            "id": .string(id), "object": .string(kind), "created": .integer(WallClock.system.now.rawValue / 1000),
            "model": .string(model), "choices": .array(choices),
        ]
        if usage { object["usage"] = ["prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2] }
        return object
    }

    private func data(_ json: JSON) -> [UInt8] { Array("data: ".utf8) + json.bytes + Array("\n\n".utf8) }

    private func send(_ bytes: [UInt8], _ write: HTTPBodyWriter) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pieceBytes ?? rest.count)
            rest = rest.dropFirst(piece.count)
            try await write(Array(piece))
        }
    }
}
