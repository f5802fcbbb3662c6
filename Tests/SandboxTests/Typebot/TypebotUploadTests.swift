import Base
import Sandbox
import TestSupport
import Testing

@Suite("Files go to the simulated Typebot as to Typebot")
struct TypebotUploadTests {
    private typealias Bench = TypebotBench
    private typealias Block = SimulatedTypebot.Block

    private func ask(
        _ bench: TypebotBench, _ session: String, type: String = "image/png", size: Int64 = 3
    ) async throws -> (status: Int, body: JSON) {
        try await bench.post(
            bench.typebot.origin + "/api/v3/generate-upload-url",
            [
                "sessionId": .string(session), "blockId": "any", "fileName": "a.png", "fileType": .string(type),
                "fileSize": .integer(size),
            ])
    }

    @Test("a file is put with its bare bytes, and its address is the answer")
    func put() async throws {
        try await Bench.with([.input(.file, into: "Answer"), .text("Thanks")]) { bench in
            let chat = try await bench.start()
            let ticket = try await ask(bench, chat.id)
            #expect(ticket.status == 200 && ticket.body["formData"] == [:])
            let target = try #require(ticket.body["presignedUrl"]?.string)
            let posted = try await bench.http.send(
                HTTPClient.Request(.post, target, body: [1, 2, 3], trust: .privateAllowed))
            #expect(posted.status == 405)
            let put = try await bench.http.send(
                HTTPClient.Request(.put, target, body: [1, 2, 3], trust: .privateAllowed))
            #expect(put.status == 204)
            let url = try #require(ticket.body["fileUrl"]?.string)
            #expect(bench.typebot.uploads.map(\.url) == [url] && bench.typebot.uploads.first?.body == [1, 2, 3])
            let file = try await bench.http.send(HTTPClient.Request(.get, url, trust: .privateAllowed))
            #expect(file.body == [1, 2, 3] && file.headers["Content-Type"] == "image/png")
            #expect(try await chat.say(url).texts == ["Thanks"])
        }
    }

    @Test("where there are fields, they go first and the file last")
    func form() async throws {
        var settings = SimulatedTypebot.Settings()
        settings.uploadsByForm = true
        try await Bench.with([.input(.file)], settings: settings) { bench in
            let ticket = try await ask(bench, try await bench.start().id).body
            let target = try #require(ticket["presignedUrl"]?.string)
            let fields = (ticket["formData"]?.object ?? [:]).map {
                Multipart.Part(name: $0.key, body: Array(($0.value.string ?? "").utf8))
            }
            #expect(!fields.isEmpty)
            let file = Multipart.Part(name: "file", filename: "a.png", contentType: "image/png", body: [1])
            for (parts, status) in [([file] + fields, 403), (fields + [file], 204)] {
                let form = Multipart.encode(parts)
                let answer = try await bench.http.send(
                    HTTPClient.Request(
                        .post, target, headers: ["Content-Type": form.contentType], body: form.body,
                        trust: .privateAllowed))
                #expect(answer.status == status)
            }
            #expect(bench.typebot.uploads.count == 1)
        }
    }

    @Test("an upload is refused where no file is asked for, and for wrong types and sizes")
    func refusals() async throws {
        let options: Members<JSON> = [
            "allowedFileTypes": ["isEnabled": true, "types": [".pdf", "image/*"]], "sizeLimit": 1,
        ]
        try await Bench.with([.input(.text), .input(.file, options: options)]) { bench in
            let chat = try await bench.start()
            #expect(try await ask(bench, chat.id).body["message"] == "Current block does not expect file upload")
            try await chat.say("a")
            #expect(try await ask(bench, "nobody").status == 400)
            #expect(
                try await ask(bench, chat.id, type: "video/mp4").body["message"] == "File type video/mp4 not allowed")
            #expect(try await ask(bench, chat.id, size: 2_000_000).status == 400)
            #expect(try await ask(bench, chat.id).status == 200)
        }
    }

    @Test("any address satisfies a file input, judged by its ending; of several the first counts unless all may come")
    func addresses() async throws {
        let pdf: Members<JSON> = ["allowedFileTypes": ["isEnabled": true, "types": [".pdf"]]]
        try await Bench.with([.input(.file, into: "Answer", options: pdf), .input(.text)]) { bench in
            let chat = try await bench.start()
            #expect(try await chat.say("https://example.com/a.png").waitingFor == "file input")
            #expect(try await chat.say("no address").waitingFor == "file input")
            try await chat.say("https://example.com/a.pdf, https://example.com/b.pdf")
            #expect(chat.variables?["Answer"] == "https://example.com/a.pdf")
        }
        try await Bench.with([
            .input(.file, into: "Answer", options: ["isMultipleAllowed": true]), .input(.text),
        ]) { bench in
            let chat = try await bench.start()
            try await chat.say("https://example.com/a, https://example.com/b")
            #expect(chat.variables?["Answer"] == "https://example.com/a, https://example.com/b")
        }
    }
}
