import Base
import Foundation
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("A Dify Chatflow answers", .keepsContracts)
struct DifyReplyTests {
    @Test("an answer arrives whole, in pieces and in order, and its conversation goes on")
    func conversation() async throws {
        let dify = try await Stage.dify { ask in [.text("Turn \(ask.turn): "), .text("«\(ask.query)» 👍")] }
        let bot = Stage.chatflow(dify.baseURL)
        let first = try await bot.hear(Stage.question("Привет"))
        #expect(first.error == nil)
        #expect(first.text == "Turn 1: «Привет» 👍")
        #expect(first.parts.count { if case .text = $0 { true } else { false } } == 2)
        let session = try #require(first.session)
        let second = try await bot.hear(Stage.question("Again", session: session))
        #expect(second.text == "Turn 2: «Again» 👍")
        #expect(second.session?.id == session.id)
        #expect(dify.counts.conversationsCreated == 1)
        await dify.shutdown()
    }

    @Test("all ids are told before the first word, once")
    func trace() async throws {
        let dify = try await Stage.dify { _ in [.text("a"), .text("b"), .text("c")] }
        let heard = try await Stage.chatflow(dify.baseURL).hear(Stage.question("x"))
        let trace = try #require(heard.traces.first)
        #expect(heard.traces.count == 1)
        #expect(heard.parts.first == .trace(trace))
        for id in [trace.conversationID, trace.messageID, trace.taskID, trace.runID] { #expect(id?.isEmpty == false) }
        #expect(heard.session?.id == trace.conversationID)
        #expect(heard.session?.data[PlatformSession.newestMessage]?.string == trace.messageID)
        await dify.shutdown()
    }

    @Test("the ids are told while the bot still thinks, so that a crash then loses nothing")
    func earlyTrace() async throws {
        let dify = try await Stage.dify { _ in [.wait(.seconds(600)), .text("late")] }
        for try await part in Stage.chatflow(dify.baseURL).reply(to: Stage.question("x")) {
            guard case .trace(let trace) = part else { continue }
            #expect(trace.runID != nil)
            break
        }
        await dify.shutdown()
    }

    @Test("one who stops listening ends the request")
    func leaving() async throws {
        let gone = Flag()
        let server = try await ScriptedDify.answering { _, _ in
            HTTPResponse(
                status: 200, headers: ["Content-Type": "text/event-stream"],
                body: .stream { write in
                    do {
                        while true {
                            try await write(Array(Wire.message("more ").utf8))
                            try await Task.sleep(for: .milliseconds(5))
                        }
                    } catch {
                        gone.set()
                        throw error
                    }
                })
        }
        for try await part in Stage.chatflow(server.url).reply(to: Stage.question("x")) {
            if case .text = part { break }
        }
        try await eventually { gone.isSet }
        await server.stop()
    }

    @Test("what is asked keeps to Dify's contract")
    func request() async throws {
        let server = try await ScriptedDify.answering { _, _ in .events(Wire.answer("ok")) }
        let bot = Stage.chatflow(server.url + "//")
        _ = try await bot.hear(Stage.question("Hello\0", variables: ["BOT_ID": "7"]))
        let request = try #require(server.requests("/chat-messages").first)
        #expect(request.method == .post)
        #expect(request.headers["Authorization"] == "Bearer \(Stage.key.reveal())")
        #expect(request.headers["Content-Type"] == "application/json")
        let body = try JSON(parsing: request.body)
        #expect(
            body == [
                "query": "Hello", "inputs": [:], "user": "member:chat7", "response_mode": "streaming", "files": [],
                "auto_generate_name": false,
            ])
        let session = PlatformSession(id: Wire.conversation)
        _ = try await bot.hear(Stage.question("Hello", session: session))
        let second = try JSON(parsing: try #require(server.requests("/chat-messages").last).body)
        #expect(second["conversation_id"]?.string == Wire.conversation)
        await server.stop()
    }

    @Test("the address works with or without a trailing slash, and Dify's cloud is the default")
    func addresses() {
        #expect(Stage.chatflow("https://dify.example/v1/").app.connection.url == "https://dify.example/v1")
        #expect(Stage.chatflow("https://dify.example").app.connection.url == "https://dify.example")
        #expect(Stage.chatflow("").app.connection.url == "https://api.dify.ai/v1")
        #expect(Stage.chatflow("https://dify.example:8443/v1").app.connection.origin == "https://dify.example:8443")
        #expect(PlatformType.named("dify_chatflow")?.displayName == "Dify Chatflow")
        #expect(PlatformType.named("dify_chatflow")?.defaultURL == "https://api.dify.ai/v1")
    }

    @Test("a conversation that Dify forgot is begun anew, once, and nobody notices")
    func forgotten() async throws {
        let dify = try await Stage.dify { ask in [.text("turn \(ask.turn)")] }
        let bot = Stage.chatflow(dify.baseURL)
        let first = try await bot.hear(Stage.question("one"))
        dify.forgetConversations()
        let second = try await bot.hear(Stage.question("two", session: first.session))
        #expect(second.error == nil)
        #expect(second.text == "turn 1")
        #expect(second.session?.id != first.session?.id)
        #expect(dify.runs(user: "member:chat7", query: "two") == 1)
        await dify.shutdown()
    }

    @Test("a conversation that has ended is followed by a new one")
    func completed() async throws {
        let dify = try await Stage.dify { ask in [.text("turn \(ask.turn)")] }
        let bot = Stage.chatflow(dify.baseURL)
        let first = try await bot.hear(Stage.question("one"))
        dify.completeConversation(try #require(first.session?.id))
        let second = try await bot.hear(Stage.question("two", session: first.session))
        #expect(second.text == "turn 1")
        await dify.shutdown()
    }

    @Test("a conversation id that is not Dify's is dropped")
    func foreignSession() async throws {
        let dify = try await Stage.dify { ask in [.text("turn \(ask.turn)")] }
        let heard = try await Stage.chatflow(dify.baseURL)
            .hear(Stage.question("one", session: PlatformSession(id: "set by another tool")))
        #expect(heard.error == nil)
        #expect(heard.text == "turn 1")
        await dify.shutdown()
    }

    @Test("a new conversation that is refused too is an error, not a loop")
    func refusedTwice() async throws {
        let server = try await ScriptedDify.answering { _, _ in
            .refusal(404, "not_found", "Conversation Not Exists.")
        }
        let heard = try await Stage.chatflow(server.url)
            .hear(Stage.question("x", session: PlatformSession(id: Wire.conversation)))
        #expect(heard.error?.kind == .final)
        #expect(server.requests("/chat-messages").count == 2)
        await server.stop()
    }

    @Test("a workflow that does not exist does not cost the conversation")
    func workflowNotFound() async throws {
        let server = try await ScriptedDify.answering { _, _ in
            .refusal(404, "not_found", "Workflow not found with id: a1b2c3d4-5678-90ab-cdef-1234567890ab")
        }
        let heard = try await Stage.chatflow(server.url)
            .hear(Stage.question("x", session: PlatformSession(id: Wire.conversation)))
        #expect(heard.error?.kind == .final)
        #expect(server.requests("/chat-messages").count == 1)
        await server.stop()
    }

    @Test("two people of one app each have their own conversation")
    func users() async throws {
        let dify = try await Stage.dify { ask in [.text("\(ask.user) \(ask.turn)")] }
        let bot = Stage.chatflow(dify.baseURL)
        let anna = try await bot.hear(Stage.question("hi", user: "m1:chat1"))
        let other = try await bot.hear(Stage.question("hi", user: "m2:chat1", session: anna.session))
        #expect(anna.text == "m1:chat1 1")
        #expect(other.text == "m2:chat1 1")
        await dify.shutdown()
    }

    @Test("the answer is there when its last word is, not when Dify has tidied up")
    func lowLatency() async throws {
        let tidied = Flag()
        let server = try await ScriptedDify.answering { _, _ in
            HTTPResponse(
                status: 200, headers: ["Content-Type": "text/event-stream"],
                body: .stream { write in
                    try await write(Array((Wire.started + Wire.message("done") + Wire.end).utf8))
                    try await eventually { tidied.isSet }
                    try await write(Array(Wire.finished(answer: "done").utf8))
                })
        }
        let heard = try await Stage.chatflow(server.url).hear(Stage.question("x"))
        #expect(heard.text == "done")
        #expect(heard.error == nil)
        tidied.set()
        await server.stop()
    }

    @Test("a connection serves one question after another, though an answer is told before its stream has ended")
    func connections() async throws {
        let ended = Box(0)
        let server = try await ScriptedDify.answering { _, _ in
            HTTPResponse(
                status: 200, headers: ["Content-Type": "text/event-stream"],
                body: .stream { write in
                    try await write(Array((Wire.started + Wire.message("done") + Wire.end).utf8))
                    try await Task.sleep(for: .milliseconds(10))
                    try await write(Array(Wire.finished(answer: "done").utf8))
                    ended.value += 1
                })
        }
        let bot = Stage.chatflow(server.url)
        var ports: Set<Substring> = []
        for number in 1...20 {
            #expect(try await bot.hear(Stage.question("x")).text == "done")
            try await eventually { ended.value == number }
            ports.formUnion(try openPorts(to: server.port))
        }
        // Each loop of the client keeps its own; the end of a stream is seen a little after it was sent.
        #expect((1...6).contains(ports.count))
        await server.stop()
    }
}

/// This side's ports of the connections to a port of this machine.
private func openPorts(to port: Int) throws -> [Substring] {
    let established = "01"
    // The file has no size of its own: it must be read until it ends.
    let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/net/tcp"))
    let list = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    return list.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: " ")
        guard fields.count > 3, fields[3] == established else { return nil }
        let peer = fields[2].split(separator: ":").last.flatMap { Int($0, radix: 16) }
        return peer == port ? fields[1] : nil
    }
}
