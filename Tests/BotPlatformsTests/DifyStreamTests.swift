import Base
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("Dify's stream is read as documented", .keepsContracts)
struct DifyStreamTests {
    /// What is heard of a stream that ends after these events.
    private func hear(_ wire: String, session: PlatformSession? = nil) async throws -> Heard {
        let server = try await ScriptedDify.answering { _, _ in .events(wire) }
        let heard = try await Stage.chatflow(server.url).hear(Stage.question("x", session: session))
        await server.stop()
        return heard
    }

    @Test("an answer is the same wherever the network cuts it", arguments: [1, 2, 3, 7, 64])
    func pieces(size: Int) async throws {
        var settings = SimulatedDify.Settings()
        settings.pieceBytes = size
        let dify = try await Stage.dify(settings: settings) { _ in
            [.text("Ünïcödé — "), .ping, .text("日本語 👩‍👩‍👧\r\n"), .text("\"quoted\"\t\\ \u{2028}")]
        }
        let heard = try await Stage.chatflow(dify.baseURL).hear(Stage.question("x"))
        #expect(heard.error == nil)
        #expect(heard.text == "Ünïcödé — 日本語 👩‍👩‍👧\r\n\"quoted\"\t\\ \u{2028}")
        await dify.shutdown()
    }

    @Test("a stream that breaks is never taken for a whole answer, wherever it breaks")
    func everyCut() async throws {
        let whole = Wire.started + Wire.message("Grüße 👋") + "event: ping\n\n" + Wire.message("!") + Wire.end
        let bytes = Array((whole + Wire.finished(answer: "Grüße 👋!")).utf8)
        // The answer is whole with the empty line after `message_end`.
        let complete = whole.utf8.count
        let server = try await ScriptedDify.answering { request, _ in
            let cut = try JSON(parsing: request.body)["query"]?.string.flatMap { Int($0) } ?? 0
            return .events(Array(bytes[..<cut]), isCut: true)
        }
        let bot = Stage.chatflow(server.url)
        let bodyOfTrace = Wire.started.utf8.count
        for cut in 0...bytes.count {
            let heard = try await bot.hear(Stage.question(String(cut)))
            if cut < complete {
                #expect(heard.error?.kind == .uncertain, "cut at \(cut)")
            } else {
                #expect(heard.error == nil, "cut at \(cut)")
                #expect(heard.text == "Grüße 👋!", "cut at \(cut)")
            }
            #expect("Grüße 👋!".hasPrefix(heard.text), "cut at \(cut)")
            #expect(heard.traces == (cut < bodyOfTrace ? [] : [Wire.trace]), "cut at \(cut)")
        }
        await server.stop()
    }

    @Test("a stream that ends politely but too early is uncertain too")
    func earlyEnd() async throws {
        let heard = try await hear(Wire.started + Wire.message("Half an ans"))
        #expect(heard.error?.kind == .uncertain)
        #expect(heard.traces == [Wire.trace])
    }

    @Test("spaces after colons, CRLF, comments and unknown fields change nothing")
    func spelling() async throws {
        let heard = try await hear(
            ": hello\r\n\r\ndata: { \"event\" : \"message\", \"answer\": \"Hi\", \"id\": null, \"new\": {\"a\": [1]}, "
                + "\"conversation_id\": \"c1\", \"message_id\": \"b0000000-0000-4000-8000-000000000001\", \"task_id\": null}\r\n\r\n"
                + "data: {\"conversation_id\": \"c1\", \"event\": \"message_end\", \"files\": {\"odd\": 1}}\r\n\r\n")
        #expect(heard.error?.kind == nil)
        #expect(heard.text == "Hi")
        #expect(heard.traces == [AskTrace(conversationID: "c1", messageID: "b0000000-0000-4000-8000-000000000001")])
    }

    @Test("pings, unknown events, nodes, thoughts, reasoning and speech are not said")
    func unsaid() async throws {
        let node =
            #""workflow_run_id":"a0000000-0000-4000-8000-000000000001","data":{"outputs":{"text":"secret plan","answer":"no"},"status":"failed"}"#
        let heard = try await hear(
            Wire.started + "event: ping\n\n" + Wire.event("node_finished", node) + Wire.event("node_started", node)
                + Wire.event("agent_thought", #""thought":"hm","observation":"o","answer":"no""#)
                + Wire.event("reasoning_chunk", #""data":{"reasoning":"because"}"#) + Wire.message("Yes")
                + Wire.event("tts_message", #""audio":"AAAA""#) + Wire.event("brand_new", #""answer":"no""#)
                + "data: [DONE]\n\n" + "event: ping\n\n" + Wire.end)
        #expect(heard.error == nil)
        #expect(heard.text == "Yes")
    }

    @Test("a ping's name does not stick to the next event")
    func pingBefore() async throws {
        let heard = try await hear("event: ping\n\n" + Wire.answer("ok"))
        #expect(heard.text == "ok")
    }

    @Test("moderation replaces all that was said")
    func replaced() async throws {
        let dify = try await Stage.dify { _ in
            [.text("Something bad"), .replace("Let us talk of else."), .text(" OK?")]
        }
        let heard = try await Stage.chatflow(dify.baseURL).hear(Stage.question("x"))
        #expect(heard.text == "Let us talk of else. OK?")
        await dify.shutdown()
    }

    @Test("what moderation took back does not return from the run's outputs")
    func replacedByNothing() async throws {
        let heard = try await hear(
            Wire.started + Wire.message("bad") + Wire.event("message_replace", #""answer":"""#) + Wire.end
                + Wire.finished(answer: "bad"))
        #expect(heard.error == nil)
        #expect(heard.text.isEmpty)
    }

    @Test("an agent's closing message, which repeats everything, is not said twice")
    func agent() async throws {
        let pieces = Wire.event("agent_message", #""answer":"Hel""#) + Wire.event("agent_message", #""answer":"lo""#)
        let same = try await hear(pieces + Wire.message("Hello") + Wire.end)
        #expect(same.text == "Hello")
        let corrected = try await hear(pieces + Wire.message("Hello!") + Wire.end)
        #expect(corrected.text == "Hello!")
        #expect(corrected.error == nil)
    }

    @Test("a text that is only in the run's outputs is said", arguments: [true, false])
    func outputs(endsFirst: Bool) async throws {
        let end = Wire.end
        let finished = Wire.finished(answer: "From the outputs")
        let heard = try await hear(Wire.started + (endsFirst ? end + finished : finished + end))
        #expect(heard.error == nil)
        #expect(heard.text == "From the outputs")
        let dify = try await Stage.dify { _ in [.output("Quiet")] }
        #expect(try await Stage.chatflow(dify.baseURL).hear(Stage.question("x")).text == "Quiet")
        await dify.shutdown()
    }

    @Test("the bot's files arrive once, with a link that works")
    func files() async throws {
        let event = #""id":"f1","type":"image","belongs_to":"assistant","url":"/files/tools/cat.png?sign=1""#
        let end =
            #""files":[{"type":"image","url":"/files/tools/cat.png?sign=2"},"#
            + #"{"type":"document","filename":"Offer.pdf","url":null,"remote_url":"https://d.example/o?x"},"#
            + #"{"type":"image","url":"https://d.example/shown.png?sign=3"}]"#
        let server = try await ScriptedDify.answering { _, _ in
            .events(
                Wire.started + Wire.event("message_file", event)
                    + Wire.event("message_file", #""type":"image","belongs_to":"user","url":"https://d.example/own""#)
                    + Wire.message("![](https://d.example/shown.png?sign=9)") + Wire.event("message_end", end))
        }
        let heard = try await Stage.chatflow(server.url).hear(Stage.question("x"))
        let origin = server.url.dropLast(3)
        #expect(
            heard.files == [
                .file(ReplyFile(url: "\(origin)/files/tools/cat.png?sign=1", name: "cat.png")),
                .file(ReplyFile(url: "https://d.example/o?x", name: "Offer.pdf")),
            ])
        await server.stop()
        let dify = try await Stage.dify { _ in [.file(url: "https://d.example/a.png"), .text("See")] }
        let simulated = try await Stage.chatflow(dify.baseURL).hear(Stage.question("x"))
        #expect(simulated.files == [.file(ReplyFile(url: "https://d.example/a.png", name: "a.png"))])
        await dify.shutdown()
    }

    @Test("a failed run is an error for the administrator, with Dify's reason")
    func failed() async throws {
        let dify = try await Stage.dify { _ in [.text("Half"), .failRun("node HTTP: connection refused")] }
        let heard = try await Stage.chatflow(dify.baseURL).hear(Stage.question("x"))
        #expect(heard.error?.kind == .final)
        #expect(heard.error?.message.contains("node HTTP: connection refused") == true)
        await dify.shutdown()
    }

    @Test("a run that partly succeeded is an answer")
    func partly() async throws {
        let heard = try await hear(Wire.started + Wire.message("As far as I got") + Wire.finished("partial-succeeded"))
        #expect(heard.error == nil)
        #expect(heard.text == "As far as I got")
    }

    @Test("a stopped run's words are its answer; without any it is an error")
    func stopped() async throws {
        let said = try await hear(Wire.started + Wire.message("Well, ") + Wire.finished("stopped") + Wire.end)
        #expect(said.error == nil)
        #expect(said.text == "Well, ")
        let unsaid = try await hear(Wire.started + Wire.finished("stopped") + Wire.end)
        #expect(unsaid.error?.kind == .final)
    }

    @Test("a pause that does not tell its form is an error for the administrator")
    func pauseWithoutForm() async throws {
        for event in ["human_input_required", "workflow_paused"] {
            let fields = #""workflow_run_id":"a0000000-0000-4000-8000-000000000001","data":{}"#
            let heard = try await hear(Wire.started + Wire.event(event, fields))
            #expect(heard.error == .pausesForHumanInput)
            #expect(heard.traces == [Wire.trace])
        }
    }

    @Test("ids that come later are told when they come")
    func lateIDs() async throws {
        let heard = try await hear(
            #"data: {"event":"message","conversation_id":"c1","answer":"a","task_id":"t1"}"# + "\n\n"
                + #"data: {"event":"message","conversation_id":"c1","message_id":"b0000000-0000-4000-8000-000000000001","answer":"b","task_id":"t1"}"#
                + "\n\n" + #"data: {"event":"message_end","workflow_run_id":"a0000000-0000-4000-8000-000000000001"}"#
                + "\n\n")
        #expect(
            heard.traces == [
                AskTrace(conversationID: "c1", taskID: "t1"),
                AskTrace(conversationID: "c1", messageID: "b0000000-0000-4000-8000-000000000001", taskID: "t1"),
                AskTrace(
                    conversationID: "c1", messageID: "b0000000-0000-4000-8000-000000000001", taskID: "t1",
                    runID: "a0000000-0000-4000-8000-000000000001"),
            ])
        #expect(heard.text == "ab")
    }

    @Test("what else a session holds is kept while its conversation goes on, and dropped with it")
    func sessionData() async throws {
        let same = PlatformSession(id: Wire.conversation, data: ["choice": "1", "message_id": "m0"])
        #expect(
            try await hear(Wire.answer("x"), session: same).session?.data == [
                "choice": "1", "message_id": "b0000000-0000-4000-8000-000000000001",
            ])
        let other = PlatformSession(id: "c0000000-0000-4000-8000-000000000002", data: ["choice": "1"])
        #expect(
            try await hear(Wire.answer("x"), session: other).session?.data == [
                "message_id": "b0000000-0000-4000-8000-000000000001"
            ])
    }

    @Test("pings keep a slow answer alive, silence does not")
    func silence() async throws {
        var timing = Stage.timing
        timing.silence = .seconds(4)
        var settings = SimulatedDify.Settings()
        settings.pingInterval = .milliseconds(100)
        let dify = try await Stage.dify(settings: settings) { ask in
            ask.query == "slow"
                ? [.text("a"), .wait(.seconds(6)), .text("b")]
                : [.text("a"), .silence(.seconds(30)), .text("b")]
        }
        let bot = Stage.chatflow(dify.baseURL, timing: timing)
        async let slow = bot.hear(Stage.question("slow", user: "u1"))
        async let silent = bot.hear(Stage.question("silent", user: "u2"))
        #expect(try await slow.text == "ab")
        let error = try await silent.error
        #expect(error?.kind == .uncertain)
        await dify.shutdown()
    }

    @Test("an answer that only ever pings has a limit")
    func pingsForever() async throws {
        var timing = Stage.timing
        timing.answer = .seconds(5)
        var settings = SimulatedDify.Settings()
        settings.pingInterval = .milliseconds(50)
        let dify = try await Stage.dify(settings: settings) { _ in [.wait(.seconds(600))] }
        let heard = try await Stage.chatflow(dify.baseURL, timing: timing).hear(Stage.question("x"))
        #expect(heard.error?.kind == .uncertain)
        #expect(heard.traces.count == 1)
        await dify.shutdown()
    }

    @Test("a large event of a node does not disturb the answer")
    func largeNode() async throws {
        let large = String(repeating: "x", count: 6 * 1024 * 1024)
        let heard = try await hear(
            Wire.started + Wire.event("node_finished", #""data":{"outputs":{"text":"\#(large)"}}"#) + Wire.message("ok")
                + Wire.end)
        #expect(heard.text == "ok")
    }
}
