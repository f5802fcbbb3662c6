import Base
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("Whatever a Dify sends, the answer is sensible or the failure clear", .keepsContracts)
struct DifyRobustnessTests {
    private static let bots: [@Sendable (String) -> any BotPlatform] = [
        { Stage.chatflow($0) }, { Stage.chat($0) }, { Stage.workflow($0) }, { Stage.completion($0) },
        { Stage.workflow($0, ["response_mode": "blocking"]) },
    ]

    /// What each kind of app is heard to say when every route answers so.
    private func hear(_ answer: HTTPResponse, files: [QuestionFile] = []) async throws -> [Heard] {
        let server = try await ScriptedDify.start { _, _ in answer }
        var all: [Heard] = []
        for bot in Self.bots {
            var question = Stage.question("x")
            question.files = files
            all.append(try await bot(server.url).hear(question))
        }
        await server.stop()
        return all
    }

    @Test("a page in place of an answer is an error that says so")
    func html() async throws {
        let page = HTTPResponse(
            status: 200, headers: ["Content-Type": "text/html"], body: .bytes(Array("<html>Sign in</html>".utf8)))
        for heard in try await hear(page) {
            #expect(heard.error?.kind == .final)
            #expect(heard.error?.message.contains("not Dify's API") == true)
        }
    }

    @Test("an empty stream is no answer")
    func empty() async throws {
        for heard in try await hear(.events("")).dropLast() { #expect(heard.error?.kind == .uncertain) }
    }

    @Test("missing fields, nulls and wrong types neither break nor hang")
    func odd() async throws {
        let values = ["null", "7", "\"x\"", "[]", "{}", "[null]", "{\"a\":[{}]}", "true"]
        let names = [
            "message", "agent_message", "message_replace", "message_file", "message_end", "workflow_started",
            "workflow_finished", "workflow_paused", "human_input_required", "text_chunk", "error", "agent_thought",
            "new",
        ]
        var wire = ""
        for name in names {
            for value in values {
                wire = ["data", "answer", "files", "status", "conversation_id", "url"].reduce("") { text, field in
                    text + #"data: {"event":"\#(name)","\#(field)":\#(value)}"# + "\n\n"
                }
                for heard in try await hear(.events(wire + Wire.answer("ok"))) {
                    #expect(!heard.parts.isEmpty || heard.error != nil)
                }
            }
        }
    }

    @Test("an id or a file of another type does not cost the answer")
    func oddSides() async throws {
        let wire =
            #"data: {"event":"message","conversation_id":7,"message_id":["x"],"task_id":{},"answer":"Hel"}"# + "\n\n"
            + #"data: {"event":"message_file","url":7,"type":{}}"# + "\n\n" + Wire.message("lo") + Wire.end
            + Wire.finished(answer: "Hello")
        for heard in try await hear(.events(wire)).prefix(2) {
            #expect(heard.error == nil)
            #expect(heard.text == "Hello")
        }
    }

    @Test("an answer of 30 MB arrives whole, in one event and in many")
    func large() async throws {
        let piece = String(repeating: "ä", count: 512 * 1024)
        let many = String(repeating: Wire.message(piece), count: 30) + Wire.end + Wire.finished()
        let one = Wire.message(String(repeating: piece, count: 30)) + Wire.end + Wire.finished()
        for wire in [many, one] {
            let server = try await ScriptedDify.answering { _, _ in .events(wire) }
            let heard = try await Stage.chatflow(server.url).hear(Stage.question("x"))
            #expect(heard.error == nil)
            #expect(heard.text.utf8.count == 30 * 1024 * 1024)
            await server.stop()
        }
    }

    @Test("what never ends is cut off")
    func endless() async throws {
        let server = try await ScriptedDify.answering { _, _ in
            HTTPResponse(
                status: 200, headers: ["Content-Type": "text/event-stream"],
                body: .stream { write in
                    try await write(Array("data: ".utf8))
                    let piece = [UInt8](repeating: 0x61, count: 1024 * 1024)
                    while true { try await write(piece) }
                })
        }
        let heard = try await Stage.chatflow(server.url).hear(Stage.question("x"))
        #expect(heard.error?.kind == .uncertain)
        await server.stop()
    }
}
