import Base
import Sandbox
import TestSupport
import Testing

@Suite("The simulated Typebot's sessions begin and end as Typebot's do")
struct TypebotSessionTests {
    private typealias Bench = TypebotBench
    private typealias Flow = SimulatedTypebot.Flow
    private typealias Block = SimulatedTypebot.Block
    private typealias Group = SimulatedTypebot.Group

    private let greeting: [Block] = [.text("Hello"), .input(.text, into: "Name"), .text("Hi {{Name}}")]

    @Test("a flow greets, asks, keeps the answer, and its session is gone with the flow")
    func whole() async throws {
        try await Bench.with(greeting) { bench in
            let chat = try await bench.start()
            #expect(chat.answer.texts == ["Hello"] && chat.answer.waitingFor == "text input")
            #expect(chat.answer["resultId"]?.string != nil)
            let end = try await chat.say("Ann")
            #expect(end.texts == ["Hi Ann"] && end.waitingFor == nil)
            let late = try await bench.proceed(chat.id, Bench.text("still there?"))
            #expect(late.status == 404 && late.body["message"] == "Session not found.")
            #expect(late.body["code"] == "NOT_FOUND" && late.body["defined"] == true)
            #expect(bench.typebot.counts.sessionsEnded == 1)
        }
    }

    @Test("the first message is taken by a flow that begins with a plain input, and by no other")
    func firstMessage() async throws {
        let taken: [[Block]] = [
            [.input(.text, into: "Answer"), .text("Got {{Answer}}"), .input(.text)],
            [.set("Name", "x"), .input(.email, into: "Answer"), .text("Got {{Answer}}"), .input(.text)],
        ]
        for blocks in taken {
            try await Bench.with(blocks) { bench in
                let chat = try await bench.start(Bench.text("ann@example.com"))
                #expect(chat.answer.texts == ["Got ann@example.com"])
            }
        }
        let dropped: [[Block]] = [
            [.text("Hello"), .input(.text, into: "Answer")], [.buttons(["a"], into: "Answer")],
            [.wait(1, pauses: true), .input(.text, into: "Answer")],
            [.input(.cards, into: "Answer", items: [["id": "1", "title": "a", "paths": [["id": "p"]]]])],
        ]
        for blocks in dropped {
            try await Bench.with(blocks) { bench in
                let chat = try await bench.start(Bench.text("a"))
                #expect(chat.variables?["Answer"] == nil)
                #expect(chat.answer["input"] != nil || chat.answer.actions == ["wait"])
            }
        }
    }

    @Test("a first message that the input does not take is asked again")
    func firstMessageRefused() async throws {
        try await Bench.with([.input(.email)]) { bench in
            let chat = try await bench.start(Bench.text("hello"))
            #expect(chat.answer.texts == ["This email doesn't seem to be valid. Can you type it again?"])
            #expect(chat.answer.waitingFor == "email input")
        }
    }

    @Test("a flow without a question ends in startChat: no resultId, but the session stays and walks again")
    func endsAtOnce() async throws {
        try await Bench.with([.text("Closed today")]) { bench in
            let chat = try await bench.start()
            #expect(chat.answer["resultId"] == nil && chat.answer["input"] == nil)
            #expect(try await chat.say("Hello?").texts == ["Closed today"])
            #expect(try await bench.proceed(chat.id, Bench.text("Hello?")).status == 404)
        }
    }

    @Test("deleted and expired sessions are 404, each with its words")
    func expiry() async throws {
        try await Bench.with(greeting) { bench in
            let chat = try await bench.start()
            bench.typebot.expireSessions()
            let expired = try await bench.proceed(chat.id, Bench.text("Ann"))
            #expect(expired.status == 404)
            #expect(expired.body["message"] == "Session expired. You need to start a new session.")
            bench.typebot.deleteSessions()
            #expect(try await bench.proceed(chat.id, Bench.text("Ann")).body["message"] == "Session not found.")
        }
    }

    @Test("unknown, closed and suspended bots refuse in their own ways; an unknown path is plain text")
    func refusals() async throws {
        try await Bench.with(Flow("bot", greeting)) { bench in
            let unknown = try await bench.post(bench.typebot.startURL("nobody"), [:])
            #expect(unknown.status == 404 && unknown.body["message"] == "Typebot not found")
            var flow = Flow("bot", greeting)
            flow.closedMessage = "We are closed"
            bench.typebot.put(flow)
            let closed = try await bench.post(bench.typebot.startURL("bot"), [:])
            #expect(closed.status == 400 && closed.body["message"] == "We are closed")
            flow.isSuspended = true
            bench.typebot.put(flow)
            #expect(try await bench.post(bench.typebot.startURL("bot"), [:]).status == 403)
            let path = try await bench.post(bench.typebot.origin + "/api/v1/nowhere", [:])
            #expect(path.status == 404 && path.body == "Not found")
        }
    }

    @Test("what is no message is a 400 with its issues, a bare text is taken")
    func validation() async throws {
        try await Bench.with([.input(.text, into: "Answer"), .input(.text)]) { bench in
            let chat = try await bench.start()
            for bad in [["type": "text"], ["text": "a"], 1, ["type": "shout", "text": "a"]] as [JSON] {
                let answer = try await bench.proceed(chat.id, ["message": bad])
                #expect(answer.status == 400 && answer.body["code"] == "BAD_REQUEST")
                #expect(answer.body["data"]?["issues"]?.array?.isEmpty == false)
            }
            _ = try await chat.send(["message": "bare"])
            #expect(chat.variables?["Answer"] == "bare")
        }
    }

    @Test("two calls at once on a session overwrite each other")
    func lostUpdate() async throws {
        var settings = SimulatedTypebot.Settings()
        settings.thinking = .milliseconds(100)
        let blocks: [Block] = [.input(.text, into: "Answer"), .text("Got {{Answer}}"), .input(.text)]
        try await Bench.with(blocks, settings: settings) { bench in
            let chat = try await bench.start()
            async let one = chat.say("one")
            async let two = chat.say("two")
            #expect(Set(try await [one, two].flatMap(\.texts)) == ["Got one", "Got two"])
        }
    }

    @Test("registering alone starts nothing; the first message does, under the rules of startChat")
    func registering() async throws {
        try await Bench.with([.input(.text, into: "Answer"), .text("Got {{Answer}}"), .input(.text)]) { bench in
            let chat = try await bench.start(["isOnlyRegistering": true])
            #expect(chat.answer["messages"] == [] && chat.answer["input"] == nil)
            #expect(try await chat.say("Ann").texts == ["Got Ann"])
        }
    }

    // MARK: Variables

    @Test("prefilled variables are matched by name, turned into text, and unset by an empty text")
    func prefilled() async throws {
        try await Bench.with([.text("{{Name}}|{{Answer}}"), .input(.text)]) { bench in
            let given: JSON = ["Name": ["a": 1], "Answer": "", "Unknown": "x", "List": ["a", 2]]
            let chat = try await bench.start(["prefilledVariables": given])
            #expect(chat.answer.texts == [#"{"a":1}|"#])
            #expect(chat.variables == ["Name": #"{"a":1}"#, "List": ["a", "2"]])
        }
    }

    @Test("an earlier result's variables come back only where the bot remembers its users")
    func results() async throws {
        for remembers in [true, false] {
            var flow = Flow("bot", variables: ["Name"], [.input(.text, into: "Name"), .input(.text)])
            flow.remembersUsers = remembers
            try await Bench.with(flow) { bench in
                let first = try await bench.start()
                try await first.say("Ann")
                let second = try await bench.start(["resultId": first.answer["resultId"] ?? nil])
                #expect(second.variables?["Name"] == (remembers ? "Ann" : nil))
                #expect((second.answer["resultId"] == first.answer["resultId"]) == remembers)
            }
        }
    }

    @Test("a preview needs a token and the typebot's own id, has no result, and outlives its flow")
    func preview() async throws {
        let flow = Flow("bot", variables: ["Name"], greeting)
        try await Bench.with(flow) { bench in
            let url = "\(bench.typebot.origin)/api/v1/typebots/\(flow.id)/preview/startChat"
            #expect(try await bench.post(url, [:]).status == 401)
            let answer = try await bench.post(url, [:], headers: ["Authorization": "Bearer preview-token"])
            #expect(answer.status == 200 && answer.body["resultId"] == nil)
            let id = try #require(answer.body["sessionId"]?.string)
            #expect(try await bench.proceed(id, Bench.text("Ann")).body.texts == ["Hi Ann"])
            #expect(bench.typebot.sessions == [id])
        }
    }

    @Test("requests from another origin are refused where the bot limits origins")
    func origins() async throws {
        var flow = Flow("bot", greeting)
        flow.allowedOrigins = ["https://example.com"]
        try await Bench.with(flow) { bench in
            let url = bench.typebot.startURL("bot")
            let cases: [(HTTPHeaders, Int)] = [
                (["Origin": "https://other.example"], 403), (["Origin": "https://example.com"], 200), ([:], 200),
            ]
            for (headers, status) in cases {
                let answer = try await bench.post(url, [:], headers: headers)
                #expect(answer.status == status)
            }
        }
    }

    // MARK: Ways through the flow

    @Test("conditions, jumps and ways of buttons lead where the author said")
    func ways() async throws {
        let flow = Flow(
            "bot", variables: ["Answer"],
            groups: [
                Group("start", [.buttons(["Tea": "tea", "Other": "other"], into: "Answer")]),
                Group("tea", [.text("Tea it is"), .jump("end")]),
                Group(
                    "other",
                    [
                        .input(.number, into: "Answer"),
                        .condition([.when("Answer", "Greater than", "10", next: "tea")]), .text("Few"),
                    ]),
                Group("end", [.text("Bye")]),
            ])
        try await Bench.with(flow) { bench in
            let tea = try await bench.startAndSay("Tea")
            #expect(tea.texts == ["Tea it is", "Bye"])
            let many = try await bench.start()
            try await many.say("Other")
            #expect(try await many.say("11").texts == ["Tea it is", "Bye"])
            let few = try await bench.start()
            try await few.say("Other")
            #expect(try await few.say("9").texts == ["Few"])
        }
    }

    @Test("a flow that never stops ends with a timeout")
    func endless() async throws {
        try await Bench.with([.set("Name", "x"), .jump("start")]) { bench in
            let answer = try await bench.post(bench.typebot.startURL("bot"), [:])
            #expect(answer.status == 408 && answer.body["code"] == "TIMEOUT" && answer.body["defined"] == false)
        }
    }

    @Test("commands run where the flow has their event; with resume after, the old question comes back")
    func commands() async throws {
        let flow = Flow(
            "bot", variables: ["Name"],
            commands: [.init("help", next: "help", resumesAfter: true), .init("restart", next: "start")],
            groups: [
                Group(
                    "start", [.text("Your name?"), .input(.text, into: "Name"), .text("Hi {{Name}}"), .input(.text)]),
                Group("help", [.text("Just type it")]),
            ])
        try await Bench.with(flow) { bench in
            let chat = try await bench.start()
            let unknown = try await bench.proceed(chat.id, ["message": ["type": "command", "command": "dance"]])
            #expect(unknown.status == 400 && unknown.body["message"] == "Command event not found")
            let help = try await chat.send(["message": ["type": "command", "command": "help"]])
            #expect(help.texts == ["Just type it"] && help.waitingFor == "text input")
            #expect(help["input"]?["id"] == chat.answer["input"]?["id"])
            #expect(try await chat.say("Ann").texts == ["Hi Ann"])
            let again = try await chat.send(["message": ["type": "command", "command": "restart"]])
            #expect(again.texts == ["Your name?"])
        }
    }

    @Test("progress comes only with the progress bar, and is 100 at the end")
    func progress() async throws {
        let blocks: [Block] = [.input(.text), .input(.text), .input(.text)]
        var flow = Flow("bot", blocks)
        try await Bench.with(flow) { bench in
            let chat = try await bench.start()
            #expect(chat.answer["progress"] == nil)
        }
        flow.showsProgress = true
        try await Bench.with(flow) { bench in
            let chat = try await bench.start()
            let first = try #require(chat.answer["progress"].map(Self.number))
            let second = try #require(try await chat.say("a")["progress"].map(Self.number))
            #expect(first == 25 && second > first && second < 100)
            try await chat.say("b")
            #expect(try await chat.say("c")["progress"] == 100)
        }
    }

    private static func number(_ value: JSON) -> Double {
        if case .number(let number) = value { number } else { Double(value.integer ?? -1) }
    }

    // MARK: Faults

    @Test("errors, pages in place of answers, late answers and cut lines can be had on demand")
    func faults() async throws {
        try await Bench.with([.input(.text, into: "Answer"), .input(.text), .input(.text)]) { bench in
            let url = bench.typebot.startURL("bot")
            bench.typebot.fail(.error(status: 500, code: "INTERNAL_SERVER_ERROR", message: "Oops"))
            #expect(try await bench.post(url, [:]).status == 500)
            bench.typebot.fail(.page("<html>Busy</html>"), on: .startChat)
            #expect(try await bench.post(url, [:]).body == "<html>Busy</html>")
            bench.typebot.fail(.unreachable)
            await #expect(throws: HTTPClientError.self) { try await bench.post(url, [:]) }
            #expect(bench.typebot.counts.sessionsStarted == 0)
            let chat = try await bench.start()
            for count in [0, 10] {
                bench.typebot.fail(.cut(after: count), on: .continueChat)
                await #expect(throws: HTTPClientError.self) { try await chat.say("cut \(count)") }
            }
            #expect(chat.variables?["Answer"] == "cut 0")
            bench.typebot.fail(.delay(.milliseconds(20)))
            #expect(try await bench.post(url, [:]).status == 200)
        }
    }
}
