import Base
import Bitrix24
import BotPlatforms
import Foundation
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Files that a bot sends", .timeLimit(.minutes(1)))
struct FileTests {
    private static func answer(_ body: String, type: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": type], body: .bytes(Array(body.utf8)))
    }

    /// Sends one file, and gives what was said and done of it.
    private static func send(
        generation: BotGeneration = .second, name: String = "", isInternal: Bool = false,
        url: @escaping @Sendable (Stage) -> String, prepare: (Stage) -> Void = { _ in }, deeds: Int = 1
    ) async throws -> [(method: String, parameters: JSON)] {
        let address = Box()
        var done: [(method: String, parameters: JSON)] = []
        try await Stage.with(
            generation: generation,
            platform: ScriptedPlatform({ _ in [.file(ReplyFile(url: address.text, name: name))] })
        ) { stage, _ in
            address.text = url(stage)
            prepare(stage)
            try await stage.say("Hello", id: 1, isInternal: isInternal)
            try await eventually {
                guard stage.deeds.count == deeds else { return false }
                return try await stage.count("outbox WHERE state = 'done'") == 1
            }
            done = stage.deeds
        }
        return done
    }

    @Test("a file is fetched and uploaded under its name, with an ending by its kind")
    func uploaded() async throws {
        let deeds = try await Self.send(url: { $0.serve("chart", Self.answer("PNG", type: "image/png; charset=x")) })
        #expect(deeds[0].method == "imbot.v2.File.upload")
        #expect(deeds[0].parameters["botId"] == 456)
        #expect(deeds[0].parameters["dialogId"] == "chat5")
        #expect(deeds[0].parameters["fields"] == ["name": "chart.png", "content": "UE5H"])
    }

    @Test("a file inside of the answer is uploaded")
    func data() async throws {
        let deeds = try await Self.send(name: "a note", url: { _ in "data:text/plain;base64,SGVsbG8=" })
        #expect(deeds[0].parameters["fields"] == ["name": "a note.txt", "content": "SGVsbG8="])
    }

    @Test(
        "what cannot be fetched, is a page instead of a picture, or is too large, is sent as a link",
        arguments: ["page", "gone", "large", "empty", "private"])
    func linked(kind: String) async throws {
        let deeds = try await Self.send(
            name: "My [picture].png",
            url: { stage in
                switch kind {
                case "page": stage.serve("x.png", Self.answer("<html>Sign in</html>", type: "text/html"))
                case "gone": stage.serve("x.png", Self.answer("No", type: "text/plain", status: 404))
                case "empty": stage.serve("x.png", Self.answer("", type: "image/png"))
                case "large":
                    stage.serve(
                        "x.png",
                        HTTPResponse(status: 200, body: .bytes([UInt8](repeating: 1, count: FileDownload.largest + 1))))
                // Not the bot platform's own address: a stranger may have written it.
                default: "http://127.0.0.1:1/x.png"
                }
            })
        #expect(deeds[0].method == "imbot.v2.Chat.Message.send")
        let text = try #require(deeds[0].parameters["fields"]?["message"]?.string)
        #expect(text.hasPrefix("[URL=http://127.0.0.1:") && text.hasSuffix("/x.png]My (picture).png[/URL]"))
    }

    @Test("a passing fault of the download is waited for; a redirect is followed")
    func later() async throws {
        let deeds = try await Self.send(
            url: { stage in
                let target = stage.serve(
                    "real.pdf", Self.answer("Busy", type: "text/html", status: 503),
                    Self.answer("PDF", type: "application/pdf"))
                return stage.serve("here.pdf", HTTPResponse(status: 302, headers: ["Location": target]))
            })
        #expect(deeds[0].parameters["fields"] == ["name": "here.pdf", "content": "UERG"])
    }

    @Test("a file that the portal does not take is sent as a link")
    func refused() async throws {
        let deeds = try await Self.send(
            url: { $0.serve("a.txt", Self.answer("text", type: "text/plain")) },
            prepare: { $0.refuse("imbot.v2.File.upload", "FILE_UPLOAD_FAILED") }, deeds: 2)
        #expect(deeds.map(\.method) == ["imbot.v2.File.upload", "imbot.v2.Chat.Message.send"])
        #expect(deeds[1].parameters["fields"]?["message"]?.string?.hasSuffix("/a.txt]a.txt[/URL]") == true)
    }

    @Test("in the first generation a file is an attachment with its link", arguments: ["a.png", "a.pdf"])
    func firstGeneration(name: String) async throws {
        let deeds = try await Self.send(generation: .first, url: { _ in "https://files.example/\(name)?sign=1" })
        #expect(deeds[0].method == "imbot.message.add")
        #expect(deeds[0].parameters["MESSAGE"] == .string(name))
        let file: JSON = [["NAME": .string(name), "LINK": .string("https://files.example/\(name)?sign=1")]]
        #expect(
            deeds[0].parameters["ATTACH"]
                == ["BLOCKS": [name == "a.png" ? ["IMAGE": file] : ["FILE": file]]])
    }

    @Test("a large file inside of an answer stays in the store until its turn has come, and is uploaded whole")
    func largeInside() async throws {
        let content = String(repeating: "QUJD", count: 50_000)
        let message = OutgoingMessage(generation: .second, botID: 456, dialogID: "27", text: "", uuid: "u")
        let file = OutgoingFile(url: "data:text/plain;base64,\(content)", name: "x.txt", to: message)
        try await Stage.with { stage in
            await stage.gateway.start()
            try await stage.say("Hello", id: 1, in: "27")
            try await eventually { try await stage.count("outbox WHERE state = 'done'") == 1 }
            let payload = try Delivery.file(file).payload()
            try await stage.store.database.write {
                _ = try $0.run(
                    "UPDATE outbox SET state = 'waiting', payload = ?, finished_at = NULL", [.text(payload)])
            }
            let open = try await stage.store.database.read { try $0.openOutbox(after: 0, limit: 10) }
            #expect(open.map(\.payload) == [""])
            #expect(try open.map { try PendingDelivery($0).delivery } == [nil])
            await stage.restart()
            try await eventually { try await stage.count("outbox WHERE state = 'done'") == 1 }
            let upload = try #require(stage.calls.last { $0.method == "imbot.v2.File.upload" })
            #expect(upload.parameters["fields"]?["content"] == .string(content))
        }
    }

    @Test("what a store of 0.1.0 has to send is still understood")
    func formerPayload() throws {
        let payload = #"{"generation":"v2","botID":456,"dialogID":"chat5","text":"Hi","uuid":"u"}"#
        let message = OutgoingMessage(generation: .second, botID: 456, dialogID: "chat5", text: "Hi", uuid: "u")
        #expect(try Delivery(payload: payload) == .message(message))
    }

    @Test("an upload whose outcome is not known is repeated once where no look is possible, also across a restart")
    func uncertain() async throws {
        try await Stage.with { stage in
            await stage.gateway.start()
            try await stage.say("Hello", id: 1, in: "27")
            try await eventually { try await stage.count("outbox WHERE state = 'done'") == 1 }
            let message = OutgoingMessage(generation: .second, botID: 456, dialogID: "27", text: "", uuid: "u")
            let payload = try Delivery.file(OutgoingFile(url: "data:text/plain,x", name: "x.txt", to: message))
                .payload()
            let outbox = Outbox(
                store: stage.store, portals: stage.gateway.portals, platforms: stage.gateway.platforms,
                live: Live(), clock: .system, log: .silent, metrics: Metrics())
            for (repeated, state) in [(0, "done"), (1, "failed")] {
                // As a killed process leaves it: in the midst of a send.
                try await stage.store.database.write {
                    _ = try $0.run(
                        "UPDATE outbox SET state = 'sending', repeated = ?, payload = ?, finished_at = NULL",
                        [.integer(Int64(repeated)), .text(payload)])
                }
                let open = try await stage.store.database.read { try $0.openOutbox(after: 0, limit: 10) }
                let record = try #require(open.first)
                _ = await outbox.deliver(try PendingDelivery(record))
                #expect(try await stage.count("outbox WHERE state = '\(state)' AND repeated = 1") == 1)
            }
            #expect(stage.calls.count { $0.method == "imbot.v2.File.upload" } == 1)
        }
    }

    @Test(
        "a file without a name is called by the end of its address",
        arguments: [
            ("https://x.example/a/b%20c.png?x=1#y", "b c.png"), ("https://x.example/", "file"),
            ("https://x.example", "file"), ("data:image/png;base64,AAAA", "file"), ("nonsense", "file"),
            ("https://x.example/..%2Fetc%2Fpasswd", "..etcpasswd"),
        ])
    func names(url: String, name: String) {
        #expect(ReplyFile(url: url, name: " ").shownName == name)
        #expect(ReplyFile(url: url, name: "own.txt").shownName == "own.txt")
    }

    @Test("what a person's files may take is bounded, whatever size the portal tells")
    func filesOfPeople() {
        let sizes: [Int?] = [Int.max, -5, nil, 1000]
        let files = sizes.map { QuestionFile(id: "1", name: "a", mediaType: .unknown, size: $0, access: NoFile()) }
        let question = Question(
            kind: .message, text: "", files: files, user: "", variables: [:], tokens: [:], session: nil)
        #expect(question.fileBytes == 40 * 1024 * 1024 + 1000)
    }

    @Test("memory for files is shared: who needs more than is free waits for it")
    func budget() async {
        let budget = MemoryBudget(10)
        let isFree = Flag()
        let large = Task {
            // More than there is counts as all.
            let share = await budget.take(99)
            #expect(isFree.isSet)
            share.shrink(to: 0)
        }
        do {
            let first = await budget.take(8)
            first.shrink(to: 4)
            isFree.set()
            withExtendedLifetime(first) {}
        }
        await large.value
        _ = await budget.take(10)
    }
}

private struct NoFile: FileAccess {
    func link() async throws -> String { throw CancellationError() }
    func content(atMost limit: Int) async throws -> [UInt8] { throw CancellationError() }
}

/// A text that is known later.
private final class Box: Sendable {
    private let value = Mutex("")
    var text: String {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
