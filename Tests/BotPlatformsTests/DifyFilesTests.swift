import Base
import Synchronization
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("A person's files reach the Dify app that takes them", .keepsContracts)
struct DifyFilesTests {
    /// A file in a portal that is not there.
    private struct Portal: FileAccess {
        var bytes: [UInt8] = Array("content".utf8)
        var error: PlatformError?
        let fetched = Box(0)

        func link() async throws -> String { "https://portal.example/file" }
        func content(atMost limit: Int) async throws -> [UInt8] {
            fetched.value += 1
            if let error { throw error }
            return bytes
        }
    }

    private func file(_ name: String, type: MediaType? = nil, size: Int? = nil, _ portal: Portal = Portal())
        -> QuestionFile
    {
        QuestionFile(
            id: "1", name: name, mediaType: type ?? MediaType(ofFileNamed: name), size: size, access: portal)
    }

    private static let uploaded = "a1b2c3d4-5678-90ab-cdef-1234567890ab"

    /// What a chatflow with these parameters was asked, and what it got uploaded.
    private func ask(
        _ parameters: JSON, _ text: String, _ files: [QuestionFile],
        answers: [String: HTTPResponse] = [:], isWorkflow: Bool = false
    ) async throws -> (body: JSON?, uploads: [[Multipart.Part]], heard: Heard, voices: [[Multipart.Part]]) {
        let server = try await ScriptedDify.start { request, _ in
            if let answer = answers[request.path] { return answer }
            switch request.path {
            case "/v1/parameters": return .json(parameters)
            case "/v1/files/upload": return .json(["id": .string(Self.uploaded)], status: 201)
            case "/v1/workflows/run": return .events(Wire.finished(answer: "ok"))
            default: return .events(Wire.answer("ok"))
            }
        }
        var question = Stage.question(text, variables: ["MESSAGE": text])
        question.files = files
        let bot: any BotPlatform = isWorkflow ? Stage.workflow(server.url) : Stage.chatflow(server.url)
        let heard = try await bot.hear(question)
        let asked = server.requests(isWorkflow ? "/workflows/run" : "/chat-messages").first
        func parts(_ path: String) throws -> [[Multipart.Part]] {
            try server.requests(path).map {
                try Multipart.decode($0.body, contentType: $0.headers["Content-Type"] ?? "")
            }
        }
        let uploads = try parts("/files/upload")
        let voices = try parts("/audio-to-text")
        await server.stop()
        return (try asked.map { try JSON(parsing: $0.body) }, uploads, heard, voices)
    }

    private static func takes(_ types: [JSON], _ more: JSON = [:]) -> JSON {
        var upload: JSON = ["enabled": true, "allowed_file_types": .array(types), "number_limits": 3]
        for (name, value) in more.object ?? [:] { upload[name] = value }
        return ["user_input_form": [], "file_upload": upload]
    }

    private static func mapping(_ type: String) -> JSON {
        ["type": .string(type), "transfer_method": "local_file", "upload_file_id": .string(uploaded)]
    }

    @Test("a file is uploaded with its name, its type and the person, and goes with the message")
    func upload() async throws {
        let asked = try await ask(Self.takes(["image"]), "Look", [file("cat.png")])
        #expect(asked.heard.text == "ok")
        #expect(asked.body?["files"] == [Self.mapping("image")])
        #expect(asked.body?["query"] == "Look")
        #expect(
            asked.uploads == [
                [
                    Multipart.Part(
                        name: "file", filename: "cat.png", contentType: "image/png", body: Array("content".utf8)),
                    Multipart.Part(name: "user", body: Array("member:chat7".utf8)),
                ]
            ])
    }

    @Test(
        "each file goes under its own type",
        arguments: [
            ("a.JPG", "image"), ("a.pdf", "document"), ("a.docx", "document"), ("a.mp3", "audio"), ("a.mp4", "video"),
        ])
    func types(name: String, type: String) async throws {
        let all: [JSON] = ["image", "document", "audio", "video"]
        let asked = try await ask(Self.takes(all), "x", [file(name)])
        #expect(asked.body?["files"] == [Self.mapping(type)])
        let none = try await ask(Self.takes(all.filter { $0.string != type }), "x", [file(name)])
        #expect(none.body?["files"] == [])
        #expect(none.uploads.isEmpty)
    }

    @Test("other endings go as custom, where the app lists them")
    func custom() async throws {
        let rule = Self.takes(["custom"], ["allowed_file_extensions": [".Dwg", ".pdf"]])
        let asked = try await ask(rule, "x", [file("plan.dwg"), file("a.pdf"), file("a.zip")])
        #expect(asked.body?["files"] == [Self.mapping("custom"), Self.mapping("custom")])
        #expect(asked.body?["query"] == "x\nFile sent: a.zip")
    }

    @Test("an older app that knows images only takes them")
    func imagesOnly() async throws {
        let parameters: JSON = [
            "user_input_form": [],
            "file_upload": [
                "image": ["enabled": true, "number_limits": 1, "transfer_methods": ["remote_url", "local_file"]]
            ],
        ]
        let asked = try await ask(parameters, "x", [file("a.png"), file("b.png"), file("c.pdf")])
        #expect(asked.body?["files"] == [Self.mapping("image")])
        #expect(asked.uploads.count == 1)
        #expect(asked.body?["query"] == "x\nFile sent: b.png\nFile sent: c.pdf")
    }

    @Test("an app that takes no files, or by link only, is told that one was sent")
    func notTaken() async throws {
        let image: JSON = ["enabled": true, "transfer_methods": ["remote_url"]]
        for upload: JSON in [
            [:], .null, ["enabled": false, "allowed_file_types": ["image"]], ["image": image],
            ["enabled": true, "allowed_file_types": ["image"], "allowed_file_upload_methods": ["remote_url"]],
        ] {
            let portal = Portal()
            let asked = try await ask(
                ["user_input_form": [], "file_upload": upload], "File sent: a.png", [file("a.png", portal)])
            #expect(asked.body?["files"] == [])
            #expect(asked.body?["query"] == "File sent: a.png")
            #expect(portal.fetched.value == 0)
        }
    }

    @Test("a file that is too large is not fetched, and one that the portal or Dify refuses is left out")
    func leftOut() async throws {
        let large = Portal()
        let sized = try await ask(Self.takes(["image"]), "x", [file("a.png", size: 10 * 1024 * 1024 + 1, large)])
        #expect(sized.body?["query"] == "x\nFile sent: a.png")
        #expect(large.fetched.value == 0)
        let gone = Portal(error: PlatformError(.final, "too large"))
        #expect(try await ask(Self.takes(["image"]), "x", [file("a.png", gone)]).body?["files"] == [])
        for refusal in [
            HTTPResponse.refusal(413, "file_too_large"), .refusal(415, "unsupported_file_type"),
            .refusal(400, "invalid_param", "extension"),
        ] {
            let asked = try await ask(
                Self.takes(["image"]), "x", [file("a.png")], answers: ["/v1/files/upload": refusal])
            #expect(asked.body?["query"] == "x\nFile sent: a.png")
            #expect(asked.heard.text == "ok")
        }
    }

    @Test("an app's own limits count")
    func sizes() async throws {
        var parameters = Self.takes(["image", "document"])
        parameters["system_parameters"] = ["image_file_size_limit": 1, "file_size_limit": 2]
        let files = [file("a.png", size: 1_500_000), file("a.pdf", size: 1_500_000)]
        let asked = try await ask(parameters, "x", files)
        #expect(asked.body?["files"] == [Self.mapping("document")])
    }

    @Test("a portal or a Dify that cannot be reached now is tried again, and nothing was asked")
    func passing() async throws {
        for kind in [PlatformError.Kind.passing, .uncertain] {
            let away = Portal(error: PlatformError(kind, "away"))
            let asked = try await ask(Self.takes(["image"]), "x", [file("a.png", away)])
            #expect(asked.heard.error?.kind == .passing)
            #expect(asked.body == nil)
        }
        let asked = try await ask(
            Self.takes(["image"]), "x", [file("a.png")],
            answers: ["/v1/files/upload": .refusal(500, "internal_server_error")])
        #expect(asked.heard.error?.kind == .passing)
        #expect(asked.body == nil)
    }

    @Test("names that Dify would refuse are mended")
    func names() async throws {
        let files = [file("a/b\\c.png"), file("photo", type: MediaType(rawValue: "image/jpeg"))]
        let asked = try await ask(Self.takes(["image"]), "x", files)
        #expect(asked.uploads.map { $0.first?.filename } == ["a_b_c.png", "photo.jpg"])
        #expect(asked.body?["files"]?.array?.count == 2)
    }

    @Test("a workflow gets files in its first variable for them", arguments: ["file", "file-list"])
    func workflow(kind: String) async throws {
        let field: JSON = ["variable": "papers", "allowed_file_types": ["document"], "max_length": 2]
        let parameters: JSON = [
            "user_input_form": [
                ["text-input": ["variable": "MESSAGE"]], [kind: field], ["file": ["variable": "other"]],
            ]
        ]
        let files = [file("a.pdf"), file("b.png"), file("c.pdf"), file("d.pdf")]
        let asked = try await ask(parameters, "x", files, isWorkflow: true)
        let one = Self.mapping("document")
        #expect(asked.body?["inputs"]?["papers"] == (kind == "file" ? one : [one, one]))
        #expect(asked.body?["inputs"]?["other"] == nil)
        #expect(asked.body?["inputs"]?["MESSAGE"] == "x")
    }

    // MARK: Voice

    private static let hears: JSON = [
        "user_input_form": [["paragraph": ["variable": "MESSAGE"]]], "speech_to_text": ["enabled": true],
    ]

    @Test(
        "a voice message becomes its words, under a type that Dify takes",
        arguments: [
            ("audio/mpeg", "audio/mp3"), ("audio/mp3", "audio/mp3"), ("audio/mp4", "audio/m4a"),
            ("audio/x-wav", "audio/wav"), ("audio/amr", "audio/amr"),
        ])
    func voice(type: String, sent: String) async throws {
        let voice = file("voice", type: MediaType(rawValue: type))
        let asked = try await ask(
            Self.hears, "File sent: voice", [voice], answers: ["/v1/audio-to-text": .json(["text": " Hello there "])])
        #expect(asked.voices.first?.first?.contentType == sent)
        #expect(asked.voices.first?.last == Multipart.Part(name: "user", body: Array("member:chat7".utf8)))
        #expect(asked.body?["query"] == "Hello there")
        #expect(asked.body?["inputs"] == ["MESSAGE": "Hello there"])
        #expect(asked.body?["files"] == [])
    }

    @Test("audio with words beside it, of a kind that Dify does not hear, or of an app that cannot hear stays a file")
    func notVoice() async throws {
        let heard = ["/v1/audio-to-text": HTTPResponse.json(["text": "no"])]
        for (parameters, text, name) in [
            (Self.hears, "Listen to this", "a.mp3"), (Self.hears, "File sent: a.ogg", "a.ogg"),
            (Self.takes([]), "File sent: a.mp3", "a.mp3"), (Self.hears, "File sent: a.pdf", "a.pdf"),
        ] {
            let asked = try await ask(parameters, text, [file(name)], answers: heard)
            #expect(asked.voices.isEmpty)
            #expect(asked.body?["query"]?.string?.hasPrefix(text) == true)
        }
    }

    @Test("a voice message that cannot be understood is told as a file; a fault that passes is tried again")
    func voiceFails() async throws {
        for answer in [
            HTTPResponse.refusal(400, "provider_not_support_speech_to_text"), .refusal(413, "audio_too_large"),
            .refusal(415, "unsupported_audio_type"), .json(["text": ""]), .json(["text": nil]),
        ] {
            let asked = try await ask(
                Self.hears, "File sent: a.mp3", [file("a.mp3")], answers: ["/v1/audio-to-text": answer])
            #expect(asked.body?["query"] == "File sent: a.mp3")
        }
        let asked = try await ask(
            Self.hears, "File sent: a.mp3", [file("a.mp3")],
            answers: ["/v1/audio-to-text": .refusal(500, "internal_server_error")])
        #expect(asked.heard.error?.kind == .passing)
        #expect(asked.body == nil)
    }

    @Test("a voice message whose answer was lost is found, though its words are not known any more")
    func voiceOutcome() async throws {
        let now = WallClock.system.now
        let server = try await ScriptedDify.answering { request, _ in
            guard request.path == "/v1/messages" else { return .json(["data": []]) }
            let message: JSON = [
                "id": "m2", "query": "Hello there", "answer": "Hi", "status": "normal",
                "created_at": .integer(now.rawValue / 1000),
            ]
            return .json(["data": [message]])
        }
        var question = Stage.question("File sent: a.mp3", session: PlatformSession(id: Wire.conversation))
        question.files = [file("a.mp3")]
        let outcome = try await Stage.chatflow(server.url).outcome(of: question, trace: nil, askedAt: now)
        #expect(outcome.heard?.text == "Hi")
        await server.stop()
    }
}
