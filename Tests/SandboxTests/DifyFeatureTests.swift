import Base
import Sandbox
import TestSupport
import Testing

@Suite("The simulated Dify has the features that an app can switch on")
struct DifyFeatureTests {
    @Test("parameters name every kind of field and each feature")
    func parameters() async throws {
        let form: [SimulatedDify.App.Field] = [
            .init("a"), .init("b", .paragraph(maximum: 9)), .init("c", .select(["x"])), .init("d", .number),
            .init("e", .checkbox), .init("f", .file), .init("g", .fileList(maximum: 2)), .init("h", .json),
        ]
        try await DifyBench.with(form: form) { bench in
            bench.dify.change(DifyBench.key) { app in
                app.openingStatement = "Hello"
                app.openingQuestions = ["Who are you?"]
                app.suggestedQuestions = []
                app.transcribe = { _ in "" }
                app.fileUpload.types = ["document", "custom"]
                app.fileUpload.extensions = [".md"]
            }
            let body = try await bench.send(.get, "/parameters").body
            #expect(
                body["user_input_form"]?.array?.compactMap { $0.object?.keys.first } == [
                    "text-input", "paragraph", "select", "number", "checkbox", "file", "file-list", "json_object",
                ])
            #expect(body["opening_statement"] == "Hello" && body["suggested_questions"] == ["Who are you?"])
            #expect(body["suggested_questions_after_answer"]?["enabled"] == true)
            #expect(body["speech_to_text"]?["enabled"] == true)
            #expect(body["file_upload"]?["allowed_file_types"] == ["document", "custom"])
            #expect(body["file_upload"]?["image"]?["enabled"] == false)
        }
    }

    @Test("files, lists of files and objects are checked like other inputs")
    func fileInputs() async throws {
        let form: [SimulatedDify.App.Field] = [
            .init("one", .file), .init("many", .fileList(maximum: 1)), .init("data", .json),
        ]
        let file: JSON = ["type": "image", "transfer_method": "remote_url", "url": "https://example.com/a.png"]
        try await DifyBench.with(form: form) { bench in
            let good: JSON = ["one": file, "many": [file], "data": ["a": 1]]
            #expect(try await bench.ask("a", inputs: good).text() == "Answer to a")
            for bad in [["one": "a"], ["many": file], ["many": [file, file]], ["data": "a"]] as [JSON] {
                let answer = try await bench.send(.post, "/chat-messages", DifyBench.question("a", inputs: bad))
                #expect(answer.status == 400 && answer.body["code"] == "invalid_param")
            }
        }
    }

    @Test("a recording becomes text where the feature is on and its type is one of the few")
    func audio() async throws {
        try await DifyBench.with { bench in
            func say(_ type: String?) async throws -> (status: Int, body: JSON) {
                let form = Multipart.encode([
                    .init(name: "user", body: Array("u1".utf8)),
                    .init(name: "file", filename: "a.mp3", contentType: type, body: [1, 2, 3]),
                ])
                var request = bench.request(.post, "/audio-to-text")
                request.headers["Content-Type"] = form.contentType
                request.body = form.body
                let answer = try await bench.http.send(request)
                return (answer.status, try JSON(parsing: answer.body))
            }
            let off = try await say("audio/mp3")
            #expect(off.status == 400 && off.body["code"] == "speech_to_text_disabled")
            bench.dify.change(DifyBench.key) { $0.transcribe = { "\($0.count) bytes" } }
            let heard = try await say("audio/mp3")
            #expect(heard.body == ["text": "3 bytes"])
            let common = try await say("audio/mpeg")
            #expect(common.status == 415 && common.body["code"] == "unsupported_audio_type")
        }
    }

    @Test("a workflow has the outputs that its author named, files among them, and may succeed in part")
    func outputs() async throws {
        let script: SimulatedDify.Script = { _ in
            [
                .namedOutput("count", 3), .outputFile("report", url: "https://example.com/a/report.pdf?x=1"), .partial,
            ]
        }
        try await DifyBench.with(mode: .workflow, script: .steps(script)) { bench in
            let events = try await bench.stream(
                "/workflows/run", ["inputs": [:], "user": "u1", "response_mode": "streaming"])
            let data = try #require(events.last?["data"])
            #expect(data["status"] == "partial-succeeded" && data["exceptions_count"] == 1)
            #expect(data["outputs"]?.object?.keys.sorted() == ["count", "report"])
            #expect(data["outputs"]?["report"]?["filename"] == "report.pdf")
            #expect(data["files"]?.array?.first?["url"] == "https://example.com/a/report.pdf?x=1")
            let blocking = try await bench.send(.post, "/workflows/run", ["inputs": [:], "user": "u1"])
            #expect(blocking.body["data"]?["status"] == "partial-succeeded")
        }
    }

    @Test("a file of the assistant's is in the stream, the outputs and the history")
    func files() async throws {
        try await DifyBench.with(script: .steps { _ in [.file(url: "https://example.com/a.csv", type: "document")] }) {
            bench in
            let events = try await bench.ask("hi")
            #expect(events.first("message_file")?["type"] == "document")
            #expect(events.last?["data"]?["outputs"]?["files"]?.array?.first?["filename"] == "a.csv")
            let list = try await bench.send(.get, "/messages?user=u1&conversation_id=\(events.conversation ?? "")")
            let file = list.body["data"]?.array?.first?["message_files"]?.array?.first
            #expect(file?["belongs_to"] == "assistant" && file?["filename"] == "a.csv")
        }
    }

    @Test("the demonstrations deliver a file and named outputs")
    func demonstrations() async throws {
        try await DifyBench.with { bench in
            let origin = bench.dify.origin
            bench.dify.change(DifyBench.key) {
                $0.script = SimulatedDify.fileDemonstration(origin: origin, pace: .zero)
            }
            let events = try await bench.ask("Your prices?")
            let url = try #require(events.first("message_file")?["url"]?.string)
            let file = try await bench.http.send(HTTPClient.Request(.get, url, trust: .privateAllowed))
            #expect(file.status == 200 && String(decoding: file.body, as: UTF8.self).hasPrefix("Item,Price"))
        }
        try await DifyBench.with(
            mode: .workflow, form: [.init("query")], script: .steps(SimulatedDify.workflowDemonstration(pace: .zero))
        ) { bench in
            let answer = try await bench.send(
                .post, "/workflows/run", ["inputs": ["query": "a longer text"], "user": "u1"])
            #expect(answer.body["data"]?["outputs"] == ["words": 3, "characters": 13, "longest": "longer"])
        }
    }
}
