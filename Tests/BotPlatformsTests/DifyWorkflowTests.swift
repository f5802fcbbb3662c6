import Base
import Sandbox
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("A Dify workflow answers with its outputs", .keepsContracts)
struct DifyWorkflowTests {
    private static let run = "a0000000-0000-4000-8000-000000000001"
    private static let ids = #""task_id":"t1","workflow_run_id":"a0000000-0000-4000-8000-000000000001""#

    private static func event(_ name: String, _ data: String) -> String {
        #"data: {"event":"\#(name)",\#(ids),"data":\#(data)}"# + "\n\n"
    }

    private static let started = event("workflow_started", #"{"inputs":{}}"#)

    private static func finished(_ outputs: String, status: String = "succeeded", more: String = "") -> String {
        event("workflow_finished", #"{"id":"x","status":"\#(status)","outputs":\#(outputs)\#(more)}"#)
    }

    private func hear(_ wire: String, _ options: JSON = [:]) async throws -> Heard {
        let server = try await ScriptedDify.answering { _, _ in .events(Self.started + wire) }
        let heard = try await Stage.workflow(server.url, options).hear(Stage.question("x"))
        await server.stop()
        return heard
    }

    private func text(_ outputs: String, _ options: JSON = [:]) async throws -> String {
        let heard = try await hear(Self.finished(outputs), options)
        #expect(heard.error == nil)
        return heard.text
    }

    @Test("outputs are lines of name and value, in the order in which Dify names them")
    func named() async throws {
        #expect(
            try await text(#"{"zeta":"1","alpha":"two\nlines","mid \"x\"":"3"}"#)
                == "zeta: 1\nalpha: two\nlines\nmid \"x\": 3")
        #expect(try await text(#"{"text":"Hi"}"#, ["outputs": "named"]) == "text: Hi")
    }

    @Test("objects and lists are compact JSON; what is empty is left out")
    func values() async throws {
        let outputs =
            #"{"n":3,"d":1.5,"yes":true,"list":[1,"a"],"deep":{"b":[{"a":null}]},"null":null,"e":"","s":"  ","l":[],"o":{}}"#
        #expect(
            try await text(outputs)
                == "n: 3\nd: 1.5\nyes: true\nlist: [1,\"a\"]\ndeep: {\"b\":[{\"a\":null}]}")
    }

    @Test("plain shows a single output, and one with a usual name, without its name")
    func plain() async throws {
        let plain: JSON = ["outputs": "plain"]
        #expect(try await text(#"{"summary":"Hi"}"#, plain) == "Hi")
        #expect(try await text(#"{"summary":"Hi","empty":null}"#, plain) == "Hi")
        #expect(try await text(#"{"price":7,"text":"Hi"}"#, plain) == "price: 7\nHi")
        #expect(try await text(#"{"answer":"A","x":"1"}"#, plain) == "A\nx: 1")
        #expect(try await text(#"{"a":"1","b":"2"}"#, plain) == "a: 1\nb: 2")
    }

    @Test("pieces of an output are not shown twice")
    func chunks() async throws {
        let chunks = Self.event("text_chunk", #"{"text":"He"}"#) + Self.event("text_chunk", #"{"text":"llo"}"#)
        let wire = chunks + Self.finished(#"{"text":"Hello"}"#)
        #expect(try await hear(wire).text == "text: Hello")
        #expect(try await hear(wire, ["outputs": "plain"]).text == "Hello")
        let other = chunks + Self.finished(#"{"text":"Moderated"}"#)
        #expect(try await hear(other, ["outputs": "plain"]).text == "Moderated")
        let none = chunks + Self.finished("{}")
        #expect(try await hear(none, ["outputs": "plain"]).text == "")
    }

    @Test("file outputs are delivered once, and are no text")
    func files() async throws {
        let file =
            #"{"dify_model_identity":"__dify__file__","type":"image","transfer_method":"tool_file","filename":"a.png","#
            + #""remote_url":null,"url":"https://d.example/files/a.png?sign=1"}"#
        let more = #","files":[{"type":"image","filename":"a.png","url":"https://d.example/files/a.png?sign=2"}]"#
        let heard = try await hear(
            Self.finished(#"{"picture":\#(file),"all":[\#(file)],"note":"Done"}"#, more: more), ["outputs": "plain"])
        #expect(heard.text == "Done")
        #expect(heard.files == [.file(ReplyFile(url: "https://d.example/files/a.png?sign=1", name: "a.png"))])
    }

    @Test("the output bitbot_action is done and never shown")
    func actions() async throws {
        let heard = try await hear(Self.finished(#"{"bitbot_action":"queue:3","text":"Wait"}"#))
        #expect(heard.text == "text: Wait")
        #expect(heard.parts.last == .action(.toQueue(3)))
        let several = try await hear(Self.finished(#"{"bitbot_action":["silent","[[finish]]"]}"#))
        #expect(several.text.isEmpty)
        #expect(several.parts.suffix(2) == [.action(.silent), .action(.finish)])
        let nonsense = try await hear(Self.finished(#"{"bitbot_action":"dance"}"#))
        #expect(nonsense.text.isEmpty)
        #expect(nonsense.error == nil)
    }

    @Test("a failed run is final with Dify's reason; a partial success and a stopped run give what there is")
    func ends() async throws {
        let failed = try await hear(Self.finished("{}", status: "failed", more: #","error":"node X: boom""#))
        #expect(failed.error?.kind == .final)
        #expect(failed.error?.message.contains("node X: boom") == true)
        #expect(try await hear(Self.finished(#"{"a":"1"}"#, status: "partial-succeeded")).text == "a: 1")
        #expect(try await hear(Self.finished(#"{"a":"1"}"#, status: "stopped")).text == "a: 1")
        #expect(try await hear(Self.finished("null", status: "stopped")).error == .stoppedUnsaid)
        let empty = try await hear(Self.finished("null"))
        #expect(empty.error == nil)
        #expect(empty.text.isEmpty)
    }

    @Test("only the end of the run ends the answer")
    func cut() async throws {
        let heard = try await hear(Self.event("text_chunk", #"{"text":"Hello"}"#))
        #expect(heard.error?.kind == .uncertain)
        #expect(heard.traces.last == AskTrace(taskID: "t1", runID: Self.run))
        #expect(heard.session == nil)
    }

    @Test("what is asked keeps to the contract: declared variables, no query")
    func request() async throws {
        let server = try await ScriptedDify.start { request, _ in
            guard request.path == "/v1/parameters" else { return .events(Self.finished(#"{"a":"1"}"#)) }
            return .json([
                "user_input_form": [["paragraph": ["variable": "MESSAGE"]], ["text-input": ["variable": "query"]]]
            ])
        }
        let question = Stage.question("Hi", variables: ["MESSAGE": "Hi", "BOT_ID": "7"])
        _ = try await Stage.workflow(server.url).hear(question)
        let body = try JSON(parsing: try #require(server.requests("/workflows/run").first).body)
        #expect(
            body == [
                "inputs": ["MESSAGE": "Hi", "query": "Hi"], "user": "member:chat7", "response_mode": "streaming",
                "files": [],
            ])
        await server.stop()
    }

    @Test("blocking awaits the run in one piece")
    func blocking() async throws {
        let server = try await ScriptedDify.answering { request, count in
            let status = ["succeeded", "failed", "partial-succeeded"][min(count, 3) - 1]
            return .json([
                "task_id": "t1", "workflow_run_id": .string(Self.run),
                "data": ["status": .string(status), "outputs": ["b": "1", "a": "2"], "error": "boom"],
            ])
        }
        let bot = Stage.workflow(server.url, ["response_mode": "blocking"])
        let first = try await bot.hear(Stage.question("x"))
        #expect(first.text == "a: 2\nb: 1")
        #expect(first.traces == [AskTrace(taskID: "t1", runID: Self.run)])
        #expect(try await bot.hear(Stage.question("x")).error?.message.contains("boom") == true)
        #expect(try await bot.hear(Stage.question("x")).text == "a: 2\nb: 1")
        let body = try JSON(parsing: try #require(server.requests("/workflows/run").first).body)
        #expect(body["response_mode"] == "blocking")
        await server.stop()
        for page in [HTTPResponse.text("<html>Sign in</html>"), .json(["a": 1]), .json(["data": "x"])] {
            let odd = try await ScriptedDify.answering { _, _ in page }
            let heard = try await Stage.workflow(odd.url, ["response_mode": "blocking"]).hear(Stage.question("x"))
            #expect(heard.error != nil || heard.text.isEmpty)
            await odd.stop()
        }
    }

    @Test("a proxy that cuts a blocking call leaves the outcome open")
    func proxyTimeout() async throws {
        let server = try await ScriptedDify.answering { _, _ in
            HTTPResponse(status: 524, headers: ["Content-Type": "text/html"], body: .bytes(Array("<html>".utf8)))
        }
        let heard = try await Stage.workflow(server.url, ["response_mode": "blocking"]).hear(Stage.question("x"))
        #expect(heard.error?.kind == .uncertain)
        await server.stop()
    }

    // MARK: Against the simulated Dify

    private func dify(
        settings: SimulatedDify.Settings = .init(), script: @escaping SimulatedDify.Script
    ) async throws -> SimulatedDify {
        let app = SimulatedDify.App(
            key: Stage.key, mode: .workflow, form: [.init("MESSAGE", .paragraph(maximum: nil)), .init("query")],
            script: script)
        var settings = settings
        settings.watch = Stage.watch
        return try await SimulatedDify.start(apps: [app], settings: settings, loops: Stage.loops, log: .silent)
    }

    @Test("a run is followed to its end, streaming and blocking", arguments: ["streaming", "blocking"])
    func simulated(mode: String) async throws {
        let dify = try await dify { ask in [.wait(.milliseconds(100)), .text("About "), .text(ask.query)] }
        let bot = Stage.workflow(dify.baseURL, ["response_mode": .string(mode), "outputs": "plain"])
        let heard = try await bot.hear(Stage.question("tea", variables: ["MESSAGE": "tea"]))
        #expect(heard.error == nil)
        #expect(heard.text == "About tea")
        #expect(heard.traces.last?.runID != nil)
        await dify.shutdown()
    }

    @Test(
        "a run whose stream was cut, or of which nothing was seen, is found and not started again",
        arguments: [true, false])
    func outcome(isSeen: Bool) async throws {
        let dify = try await dify { _ in
            (isSeen ? [.text("Half "), .cut] : [.reset, .text("Half ")]) + [
                .wait(.milliseconds(200)), .text("and half"),
            ]
        }
        let bot = Stage.workflow(dify.baseURL)
        let now = WallClock.system.now
        let question = Stage.question("x", variables: ["MESSAGE": "x"])
        let heard = try await bot.hear(question)
        #expect(heard.error?.kind == .uncertain)
        let outcome = try await bot.outcome(of: question, trace: heard.traces.last, askedAt: now)
        #expect(outcome.heard?.text == "text: Half and half")
        #expect(dify.counts.runs == 1)
        await dify.shutdown()
    }

    @Test("a run that failed or was lost is told so; one that never began may be asked again")
    func otherOutcomes() async throws {
        let dify = try await dify { _ in [.text("a"), .cut, .wait(.milliseconds(50)), .failRun("out of tokens")] }
        let bot = Stage.workflow(dify.baseURL)
        let now = WallClock.system.now
        let question = Stage.question("x", variables: ["MESSAGE": "x"])
        #expect(try await bot.outcome(of: question, trace: nil, askedAt: now).isNeverArrived)
        let heard = try await bot.hear(question)
        let failed = try await bot.outcome(of: question, trace: heard.traces.last, askedAt: now)
        #expect(failed.failure?.message.contains("out of tokens") == true)
        let gone = AskTrace(runID: "a0000000-0000-4000-8000-00000000dead")
        #expect(try await bot.outcome(of: question, trace: gone, askedAt: now).failure?.kind == .final)
        await dify.shutdown()
    }

    @Test("another person's run, and one from before, are not taken for the lost one")
    func othersRuns() async throws {
        let dify = try await dify { ask in [.text(ask.query)] }
        let bot = Stage.workflow(dify.baseURL)
        let question = Stage.question("x", user: "m:one", variables: ["MESSAGE": "x"])
        _ = try await bot.hear(question)
        let later = WallClock.system.now + .seconds(30)
        #expect(try await bot.outcome(of: question, trace: nil, askedAt: later).isNeverArrived)
        var other = question
        other.user = "m:two"
        let now = WallClock.system.now - .seconds(10)
        #expect(try await bot.outcome(of: other, trace: nil, askedAt: now).isNeverArrived)
        await dify.shutdown()
    }
}
