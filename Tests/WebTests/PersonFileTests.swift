import Base
import Sandbox
import TestSupport
import Testing

@Suite("What people send reaches the bot")
struct PersonFileTests {
    /// Makes a bot of a webhook's and lets an employee send it files.
    private func received(
        _ files: [(name: String, content: [UInt8])], text: String = "", api: String = "v2",
        scope: [String] = ["imbot", "im"], options: JSON = ["send_files": true], prepare: (Stage) -> Void = { _ in }
    ) async throws -> JSON {
        let webhook = try await SimulatedWebhook.start(loops: Stage.loops, log: .silent) { asked in
            asked.event == "message" ? .text("Thank you") : .nothing
        }
        var body: JSON = [:]
        try await Stage.with { stage in
            prepare(stage)
            let installed = try await stage.installed(scope: scope)
            let provider = try await stage.make(
                "providers", ["name": "Own", "type": "webhook", "url": .string(webhook.url)])
            let connector = try await stage.make(
                "connectors",
                ["name": "Own", "provider_id": try #require(provider["id"]), "options": options])
            let bot = try await stage.make(
                "bots",
                [
                    "name": "Helper", "installation_id": .string(installed.id), "type": "bot", "api": .string(api),
                    "connector_id": try #require(connector["id"]),
                ])
            let chat = try stage.portal.privateChat(of: 2, with: Int(try #require(bot["bot_id"]?.integer)))
            try stage.portal.employeeWrites(text, files: files, as: 2, in: chat.id)
            try await eventually { webhook.asked.contains { $0.event == "message" } }
            body = try #require(webhook.asked.first { $0.event == "message" }).body
        }
        await webhook.shutdown()
        return body
    }

    @Test(
        "with name, kind, size and content, in both generations, with the drive and without", arguments: ["v1", "v2"])
    func described(api: String) async throws {
        for scope in [["imbot", "im"], ["imbot", "im", "disk"]] {
            let body = try await received(
                [("отчёт.pdf", Array("Hello".utf8)), ("b.png", [1])], api: api, scope: scope)
            #expect(body["message"]?["text"] == "File sent: отчёт.pdf")
            let files = try #require(body["files"]?.array)
            #expect(files.count == 2)
            #expect(files[0]["name"] == "отчёт.pdf")
            #expect(files[0]["type"] == "application/pdf")
            #expect(files[0]["size"] == 5)
            #expect(files[0]["content"] == "SGVsbG8=")
            #expect(files[1]["type"] == "image/png")
            #expect(body["variables"]?["file_id"] == files[0]["id"])
        }
    }

    @Test("words that come with a file stay the message; without the option no content goes")
    func words() async throws {
        let body = try await received([("a.txt", [65])], text: "Look", options: [:])
        #expect(body["message"]?["text"] == "Look")
        #expect(body["files"]?.array?.first?["name"] == "a.txt")
        #expect(body["variables"]?["file_type"] == "file")
        #expect(body["files"]?.array?.first?["content"] == nil)
        #expect(body["files"]?.array?.first?["url"] == nil)
    }

    @Test("a portal that cannot tell for a moment is asked again, one that refuses leaves the name out")
    func unnamed() async throws {
        let again = try await received([("a.txt", [65])]) {
            $0.portal.inject(.init(.internalError, method: "imbot.v2.file.download"))
        }
        #expect(again["files"]?.array?.first?["name"] == "a.txt")
        let refused = try await received([("a.txt", [65])]) {
            $0.portal.inject(
                .init(
                    .error(status: 403, code: "FILE_ACCESS_ERROR", description: "no"),
                    method: "imbot.v2.file.download", times: nil))
        }
        let id = try #require(refused["files"]?.array?.first?["id"]?.string)
        #expect(refused["message"]?["text"]?.string == "File sent: \(id)")
        #expect(refused["files"]?.array?.first?["name"]?.string == "file-\(id)")
        #expect(refused["files"]?.array?.first?["content"] == nil)
    }

    @Test("a link that died is made anew")
    func expired() async throws {
        let body = try await received([("a.txt", [65])], scope: ["imbot", "im", "disk"]) {
            $0.portal.inject(.init(.page(status: 403), method: "download"))
        }
        #expect(body["files"]?.array?.first?["content"] == "QQ==")
    }
}
