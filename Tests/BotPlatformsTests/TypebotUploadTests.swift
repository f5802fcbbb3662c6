import Base
import Synchronization
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("Files that a person sends reach a Typebot flow that asks for them", .keepsContracts)
struct TypebotUploadTests {
    /// A file on the other side, and how often it was fetched.
    private struct Sent: FileAccess {
        var bytes: [UInt8]
        var fault: PlatformError?
        func link() async throws -> String { "https://portal.example/file?token=s3cret" }
        func content(atMost limit: Int) async throws -> [UInt8] {
            if let fault { throw fault }
            if bytes.count > limit { throw PlatformError(.final, "too large") }
            return bytes
        }
    }

    private func file(_ name: String, _ bytes: [UInt8] = [1, 2, 0, 255], size: Int? = nil, fault: PlatformError? = nil)
        -> QuestionFile
    {
        QuestionFile(
            id: name, name: name, mediaType: MediaType(ofFileNamed: name), size: size,
            access: Sent(bytes: bytes, fault: fault))
    }

    private func question(_ text: String, _ files: [QuestionFile], to input: JSON) -> Question {
        var question = Stage.question(text, session: .waiting(for: input))
        question.files = files
        return question
    }

    /// A flow with a file store: `fields` are the form's, an answer other than `nil` refuses a place.
    private func flow(fields: JSON = [:], refusal: HTTPResponse? = nil, store: Int = 200) async throws
        -> ScriptedTypebot
    {
        let origin = Box("")
        let server = try await ScriptedTypebot.start { request, count in
            if request.path == "/api/v3/generate-upload-url" {
                return refusal
                    ?? .json([
                        "presignedUrl": .string(origin.value + "/store/\(count)"), "formData": fields,
                        "fileType": request.json["fileType"] ?? "application/octet-stream",
                        "fileUrl": .string("https://files.example/\(count).bin"),
                    ])
            }
            if request.path.hasPrefix("/store/") { return .text("", status: store) }
            return .json(Flow.next([Flow.says("ok")]))
        }
        origin.value = server.origin
        return server
    }

    private func stored(_ server: ScriptedTypebot) -> [ScriptedTypebot.Request] {
        server.requests.filter { $0.path.hasPrefix("/store/") }
    }

    @Test("a file is put where the flow says, as it is, and its link is the answer")
    func put() async throws {
        let server = try await flow()
        let input = Flow.input("file input", options: ["isMultipleAllowed": true])
        let heard = try await server.bot(key: Stage.key).hear(
            question("File sent: a.png", [file("a.png"), file("notes")], to: input))
        #expect(heard.texts == ["ok"])
        let asked = server.requests.filter { $0.path == "/api/v3/generate-upload-url" }
        #expect(
            asked.first?.json == [
                "sessionId": "s1", "blockId": "i1", "fileName": "a.png", "fileType": "image/png", "fileSize": 4,
            ])
        #expect(asked.last?.json["fileType"] == nil)
        let put = stored(server)
        #expect(put.map(\.method) == [.put, .put])
        #expect(put.first?.bytes == [1, 2, 0, 255])
        #expect(put.first?.headers["Content-Type"] == "image/png")
        #expect(put.first?.headers["Authorization"] == nil)
        #expect(
            server.messages == [["type": "text", "text": "https://files.example/1.bin, https://files.example/2.bin"]])
        await server.stop()
    }

    @Test("where the store wants a form it gets the fields first and the file last")
    func form() async throws {
        let server = try await flow(fields: ["key": "k1", "policy": "p"])
        _ = try await server.bot().hear(question("", [file("a.mp3")], to: Flow.input("file input")))
        let post = try #require(stored(server).first)
        #expect(post.method == .post)
        let parts = try Multipart.decode(post.bytes, contentType: post.headers["Content-Type"] ?? "")
        #expect(parts.map(\.name) == ["key", "policy", "file"])
        #expect(parts.last?.filename == "a.mp3" && parts.last?.contentType == "audio/mpeg")
        #expect(parts.last?.body == [1, 2, 0, 255])
        await server.stop()
    }

    @Test("a store that Typebot names elsewhere may not be a private address, though Typebot itself may")
    func elsewhere() async throws {
        let inside = try await ScriptedTypebot.start { _, _ in .text("") }
        let server = try await ScriptedTypebot.start { request, _ in
            guard request.path == "/api/v3/generate-upload-url" else { return .json(Flow.next([Flow.says("ok")])) }
            return .json([
                "presignedUrl": .string(inside.origin + "/store"), "formData": [:],
                "fileUrl": "https://files.example/1",
            ])
        }
        let heard = try await server.bot().hear(question("", [file("a.png")], to: Flow.input("file input")))
        #expect(heard.error?.kind == .final && heard.error?.message.contains("private address") == true)
        #expect(inside.requests.isEmpty)
        await server.stop()
        await inside.stop()
    }

    @Test("a flow that takes one file gets one")
    func one() async throws {
        let server = try await flow()
        _ = try await server.bot().hear(question("", [file("a.png"), file("b.png")], to: Flow.input("file input")))
        #expect(server.messages == [["type": "text", "text": "https://files.example/1.bin"]])
        #expect(stored(server).count == 1)
        await server.stop()
    }

    @Test("a text question that takes attachments gets them beside the text")
    func attachments() async throws {
        let server = try await flow()
        let input = Flow.input("text input", options: ["attachments": ["isEnabled": true]])
        _ = try await server.bot().hear(question("look", [file("a.png"), file("b.pdf")], to: input))
        #expect(
            server.messages == [
                [
                    "type": "text", "text": "look",
                    "attachedFileUrls": ["https://files.example/1.bin", "https://files.example/2.bin"],
                ]
            ])
        await server.stop()
    }

    @Test("a voice message is one where the question takes it, else a text like any other")
    func voice() async throws {
        let server = try await flow()
        let input = Flow.input("text input", options: ["audioClip": ["isEnabled": true]])
        _ = try await server.bot().hear(question("File sent: v.ogg", [file("v.ogg")], to: input))
        #expect(server.messages == [["type": "audio", "url": "https://files.example/1.bin"]])
        _ = try await server.bot().hear(question("File sent: v.ogg", [file("v.ogg")], to: Flow.asksText))
        #expect(server.messages.last == ["type": "text", "text": "File sent: v.ogg"])
        #expect(stored(server).count == 1)
        await server.stop()
    }

    @Test("a file that the flow does not take is said by name, and the flow tells what it wants")
    func refused() async throws {
        let refusal = Flow.refusal(400, "BAD_REQUEST", "File type image/png not allowed")
        for server in [try await flow(refusal: refusal), try await flow(store: 403)] {
            let lines = Box<[String]>([])
            let log = Log(level: .warning) { line in lines.value += [line] }
            let heard = try await server.bot(log: log).hear(
                question("File sent: a.png", [file("a.png")], to: Flow.input("file input")))
            #expect(heard.error == nil)
            #expect(server.messages == [["type": "text", "text": "File sent: a.png"]])
            #expect(lines.value.count == 1)
            await server.stop()
        }
    }

    @Test("a file above the flow's limit is not even fetched, and none above 32 MB")
    func large() async throws {
        let server = try await flow()
        let never = PlatformError(.passing, "must not be fetched")
        let input = Flow.input("file input", options: ["sizeLimit": 1])
        let heard = try await server.bot().hear(
            question("big", [file("a.png", size: 2_000_000, fault: never)], to: input))
        #expect(heard.error == nil && server.messages == [["type": "text", "text": "big"]])
        let unlimited = try await server.bot().hear(
            question("big", [file("a.png", size: 40_000_000, fault: never)], to: Flow.input("file input")))
        #expect(unlimited.error == nil)
        let unknown = try await server.bot().hear(
            question("big", [file("a.png", [UInt8](repeating: 0, count: 1_100_000))], to: input))
        #expect(unknown.error == nil && stored(server).isEmpty)
        await server.stop()
    }

    @Test("a store or portal that is away passes: nothing in the flow has moved")
    func away() async throws {
        let server = try await flow(store: 503)
        let heard = try await server.bot().hear(question("", [file("a.png")], to: Flow.input("file input")))
        #expect(heard.error?.kind == .passing && server.continued.isEmpty)
        let broken = try await flow(refusal: Flow.refusal(500, "INTERNAL_SERVER_ERROR", "x"))
        let cut = try await broken.bot().hear(question("", [file("a.png")], to: Flow.input("file input")))
        #expect(cut.error?.kind == .passing && broken.continued.isEmpty)
        let portal = PlatformError(.passing, "the portal is away")
        let fetch = try await server.bot().hear(
            question("", [file("a.png", fault: portal)], to: Flow.input("file input")))
        #expect(fetch.error == portal)
        await server.stop()
        await broken.stop()
    }

    @Test("a file sent in a session that is gone goes to the new one")
    func gone() async throws {
        let origin = Box("")
        let server = try await ScriptedTypebot.start { request, _ in
            if request.path.hasPrefix("/store/") { return .text("") }
            if request.json["sessionId"] == "s1" { return Flow.refusal(400, "BAD_REQUEST", "Can't find session") }
            if request.path == "/api/v3/generate-upload-url" {
                return .json([
                    "presignedUrl": .string(origin.value + "/store/1"), "formData": [:],
                    "fileUrl": "https://f.example/1",
                ])
            }
            if request.path.contains("/s1/") { return Flow.noSession }
            if request.path.hasSuffix("/startChat") {
                return .json(Flow.start(input: Flow.input("file input"), id: "s2"))
            }
            return .json(Flow.next([Flow.says("ok")]))
        }
        origin.value = server.origin
        let heard = try await server.bot().hear(
            question("File sent: a.png", [file("a.png")], to: Flow.input("file input")))
        #expect(heard.texts == ["ok"])
        #expect(server.messages.last == ["type": "text", "text": "https://f.example/1"])
        await server.stop()
    }
}
