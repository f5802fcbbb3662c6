import Base
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("A dialog is one session of a Typebot flow", .keepsContracts)
struct TypebotSessionTests {
    private let token = Secret("portal-token-abcdef-123456")

    @Test("a flow that begins with a question takes the first message; tokens and variables go along")
    func firstMessage() async throws {
        let server = try await ScriptedTypebot.playing(
            Flow.start(input: Flow.asksText), Flow.next([Flow.says("Hi Ann")], input: Flow.asksText))
        let heard = try await server.bot().hear(
            Stage.question("Ann", variables: ["MESSAGE": "Ann", "LANGUAGE": ""], tokens: ["access_token": token]))
        #expect(heard.texts == ["Hi Ann"])
        #expect(heard.session == .waiting(for: Flow.asksText))
        let start = try #require(server.starts.first)
        #expect(start.path == "/api/v1/typebots/my-bot/startChat")
        #expect(start.json["message"] == nil)
        #expect(
            start.json["prefilledVariables"]
                == ["MESSAGE": "Ann", "LANGUAGE": "", "access_token": .string(token.reveal())])
        #expect(start.json["isStreamEnabled"] == false && start.json["textBubbleContentFormat"] == "richText")
        let next = try #require(server.continued.first)
        #expect(next.path == "/api/v1/sessions/s1/continueChat")
        #expect(next.json["message"] == ["type": "text", "text": "Ann"])
        #expect(next.json["textBubbleContentFormat"] == "richText")
        await server.stop()
    }

    @Test("a flow that speaks first is shown, and waits: the first message was no answer to it")
    func bubblesFirst() async throws {
        let server = try await ScriptedTypebot.playing(Flow.start([Flow.says("Your name?")], input: Flow.asksText))
        let heard = try await server.bot().hear(Stage.question("hello"))
        #expect(heard.texts == ["Your name?"])
        #expect(heard.session?.id == "s1")
        #expect(server.continued.isEmpty)
        await server.stop()
    }

    @Test("a flow that begins with buttons shows them, unless the message names one")
    func buttonsFirst() async throws {
        let start = Flow.start(input: Flow.buttons("Sales", "Support"))
        let server = try await ScriptedTypebot.playing(start, Flow.next([Flow.says("ok")]))
        let heard = try await server.bot().hear(Stage.question("hello"))
        #expect(heard.choices?.options.map(\.label) == ["Sales", "Support"])
        #expect(server.continued.isEmpty)
        let named = try await server.bot().hear(Stage.question(" support"))
        #expect(named.texts == ["ok"])
        #expect(named.choices == nil)
        #expect(named.hasEnded)
        await server.stop()
    }

    @Test("what is kept of a session is bounded, whatever the flow says of its questions")
    func bounded() async throws {
        let long = JSON.string(String(repeating: "x", count: 1_000_000))
        let input: JSON = [
            "id": long, "type": long,
            "options": [
                "isMultipleChoice": long, "isRequired": [long], "sizeLimit": [long], "labels": ["skip": long],
                "attachments": ["isEnabled": [long]],
            ],
        ]
        let server = try await ScriptedTypebot.playing(Flow.start([Flow.says("Hi")], input: input))
        let session = try #require(try await server.bot().hear(Stage.question("a")).session)
        #expect(session.data.bytes.count < 1_000)
        await server.stop()
        let nameless = try await ScriptedTypebot.playing(
            Flow.start([Flow.says("Hi")], id: String(repeating: "s", count: 300)))
        #expect(try await nameless.bot().hear(Stage.question("a")).error?.kind == .final)
        await nameless.stop()
    }

    @Test("no NUL reaches Typebot's database, by whatever way")
    func noNUL() async throws {
        let server = try await ScriptedTypebot.playing(Flow.start(input: Flow.asksText), Flow.next([Flow.says("ok")]))
        let heard = try await server.bot().hear(Stage.question("a\0b", variables: ["MESSAGE": "a\0b"]))
        #expect(heard.texts == ["ok"])
        #expect(server.starts.first?.json["prefilledVariables"] == ["MESSAGE": "ab"])
        #expect(server.messages == [["type": "text", "text": "ab"]])
        await server.stop()
    }

    @Test("the second message goes on in the session")
    func goesOn() async throws {
        let server = try await ScriptedTypebot.playing(Flow.start(), Flow.next([Flow.says("b")], input: Flow.asksText))
        let heard = try await server.bot().hear(Stage.question("a", session: .waiting(for: Flow.asksText, id: "s 7/x")))
        #expect(heard.texts == ["b"])
        #expect(heard.session?.id == "s 7/x")
        #expect(server.starts.isEmpty)
        #expect(server.continued.first?.path == "/api/v1/sessions/s%207%2Fx/continueChat")
        await server.stop()
    }

    @Test("the end of the flow ends the session, whether at its start or later")
    func end() async throws {
        let server = try await ScriptedTypebot.playing(Flow.start([Flow.says("Bye")]), Flow.next([Flow.says("Bye")]))
        for session in [nil, PlatformSession.waiting(for: Flow.asksText)] {
            let heard = try await server.bot().hear(Stage.question("a", session: session))
            #expect(heard.texts == ["Bye"])
            #expect(heard.hasEnded)
        }
        let greeting = try await server.bot().hearGreeting(Stage.question(""))
        #expect(greeting.texts == ["Bye"] && greeting.hasEnded)
        await server.stop()
    }

    @Test(
        "a session that is gone starts anew and takes the same message",
        arguments: ["Session not found.", "Session expired. You need to start a new session."])
    func gone(message: String) async throws {
        let server = try await ScriptedTypebot.start { request, _ in
            if request.path.contains("/sessions/old/") { return Flow.refusal(404, "NOT_FOUND", message) }
            if request.path.hasSuffix("/startChat") { return .json(Flow.start(input: Flow.asksText, id: "new")) }
            return .json(Flow.next([Flow.says("Hi Ann")], input: Flow.asksText))
        }
        let heard = try await server.bot().hear(
            Stage.question("Ann", session: .waiting(for: Flow.asksText, id: "old")))
        #expect(heard.texts == ["Hi Ann"])
        #expect(heard.session?.id == "new")
        #expect(server.continued.map(\.path).last == "/api/v1/sessions/new/continueChat")
        #expect(server.messages.last == ["type": "text", "text": "Ann"])
        await server.stop()
    }

    @Test("a session that is gone at once again is told, not started for ever")
    func goneForEver() async throws {
        let server = try await ScriptedTypebot.start { request, _ in
            request.path.hasSuffix("/startChat") ? .json(Flow.start(input: Flow.asksText)) : Flow.noSession
        }
        let heard = try await server.bot().hear(Stage.question("a", session: .waiting(for: Flow.asksText)))
        #expect(heard.error?.kind == .final)
        #expect(server.starts.count == 1)
        await server.stop()
    }

    @Test("a greeting is what the flow says first, and its session goes on")
    func greeting() async throws {
        let server = try await ScriptedTypebot.playing(
            Flow.start([Flow.says("Welcome"), Flow.says("Your name?", id: "b2")], input: Flow.asksText))
        let heard = try await server.bot().hearGreeting(Stage.question("", variables: ["USER_ID": "7"]))
        #expect(heard.texts == ["Welcome", "Your name?"])
        #expect(heard.session == .waiting(for: Flow.asksText))
        #expect(server.continued.isEmpty)
        #expect(server.starts.first?.json["prefilledVariables"] == ["USER_ID": "7"])
        await server.stop()
    }

    // MARK: Commands

    private func command(_ name: String, _ parameters: String, session: PlatformSession?) -> Question {
        var question = Stage.question(
            parameters, variables: ["COMMAND": name, "COMMAND_PARAMS": parameters], session: session)
        question.kind = .command
        return question
    }

    @Test("a command is one to the flow; where the flow has none of that name it is said as text")
    func commands() async throws {
        let server = try await ScriptedTypebot.start { request, _ in
            if request.path.hasSuffix("/startChat") { return .json(Flow.start(input: Flow.asksText)) }
            guard request.json["message"]?["type"] == "command" else {
                return .json(Flow.next([Flow.says("text")], input: Flow.asksText))
            }
            if request.json["message"]?["command"] == "help" {
                return .json(Flow.next([Flow.says("Help")], input: Flow.asksText))
            }
            return Flow.refusal(400, "BAD_REQUEST", "Command event not found")
        }
        let session = PlatformSession.waiting(for: Flow.asksText)
        #expect(try await server.bot().hear(command("help", "me", session: session)).texts == ["Help"])
        #expect(server.messages == [["type": "command", "command": "help"]])
        #expect(try await server.bot().hear(command("find", "red shoes", session: session)).texts == ["text"])
        #expect(server.messages.last == ["type": "text", "text": "/find red shoes"])
        #expect(try await server.bot().hear(command("stop", "", session: nil)).texts == ["text"])
        #expect(server.messages.last == ["type": "text", "text": "/stop"])
        #expect(try await server.bot().hear(command("help", "", session: nil)).texts == ["Help"])
        #expect(server.starts.count == 2)
        await server.stop()
    }

    @Test("a command in a session that is gone is one in the new session")
    func commandInGoneSession() async throws {
        let server = try await ScriptedTypebot.start { request, _ in
            if request.path.contains("/sessions/old/") { return Flow.noSession }
            if request.path.hasSuffix("/startChat") {
                return .json(Flow.start([Flow.says("Hello")], input: Flow.asksText, id: "new"))
            }
            return .json(Flow.next([Flow.says("Help")], input: Flow.asksText))
        }
        let heard = try await server.bot().hear(
            command("help", "", session: .waiting(for: Flow.asksText, id: "old")))
        #expect(heard.texts == ["Hello", "Help"])
        #expect(server.messages == Array(repeating: ["type": "command", "command": "help"], count: 2))
        await server.stop()
    }

    // MARK: What only Typebot's page would do

    @Test("actions that want an answer get one, so that the flow goes on")
    func dedicatedReplies() async throws {
        func wants(_ type: String, _ value: JSON = [:]) -> JSON {
            ["type": .string(type), .init(type): value, "expectsDedicatedReply": true]
        }
        let server = try await ScriptedTypebot.playing(
            Flow.start([Flow.says("One")], actions: [wants("wait", ["secondsToWaitFor": 2])]),
            Flow.next(
                [Flow.says("Two")], actions: [wants("setVariable", ["scriptToExecute": ["content": "x", "args": []]])]),
            Flow.next(actions: [wants("httpRequestToExecute", ["url": "https://a.example"])]),
            Flow.next(actions: [wants("listenForWebhook")]),
            Flow.next(actions: [wants("somethingNew")]),
            Flow.next([Flow.says("Three")], input: Flow.asksText))
        let heard = try await server.bot().hear(Stage.question("hello"))
        #expect(heard.texts == ["One", "Two", "Three"])
        #expect(heard.session?.id == "s1")
        #expect(server.messages.count == 5)
        let saysSomething = server.continued.map { $0.json.object?.keys.contains("message") }
        #expect(saysSomething == [false, true, true, false, false])
        #expect(server.messages[1] == ["type": "text", "text": ""])
        let json = try #require(server.messages[2]?["text"]?.string)
        #expect(throws: Never.self) { try JSON(parsing: json.utf8) }
        await server.stop()
    }

    @Test("a flow that goes in circles is left after 20 rounds")
    func circles() async throws {
        let wait: JSON = ["type": "wait", "wait": ["secondsToWaitFor": 0], "expectsDedicatedReply": true]
        let server = try await ScriptedTypebot.start { request, _ in .json(Flow.start(actions: [wait])) }
        let heard = try await server.bot().hear(Stage.question("hello"))
        #expect(heard.error == nil && heard.hasEnded)
        #expect(server.continued.count == 20)
        await server.stop()
    }

    @Test("an embedded page that waits for an event keeps the session: the next text is the event's")
    func waitsForEvent() async throws {
        let embed: JSON = [
            "id": "e", "type": "embed",
            "content": ["url": "https://a.example/form", "waitForEvent": ["isEnabled": true, "name": "done"]],
        ]
        let server = try await ScriptedTypebot.playing(Flow.start([embed]), Flow.next([Flow.says("Thanks")]))
        let first = try await server.bot().hear(Stage.question("hello"))
        #expect(first.texts == ["<https://a.example/form>"])
        let session = try #require(first.session)
        #expect(try await server.bot().hear(Stage.question("done", session: session)).texts == ["Thanks"])
        #expect(server.messages == [["type": "text", "text": "done"]])
        await server.stop()
    }

    @Test("what an integration reports is for the administrator alone, without tokens")
    func logs() async throws {
        var answer = Flow.start([Flow.says("Hi")], input: Flow.asksText)
        answer["logs"] = [
            [
                "status": "error", "description": .string("Webhook failed with \(token.reveal())"),
                "details": "s3cret body",
            ],
            ["description": 7], "x",
        ]
        let server = try await ScriptedTypebot.playing(answer)
        let lines = Box<[String]>([])
        let log = Log(level: .debug) { line in lines.value += [line] }
        let heard = try await server.bot(log: log).hear(Stage.question("a", tokens: ["access_token": token]))
        #expect(heard.texts == ["Hi"])
        let line = try #require(lines.value.first)
        #expect(lines.value.count == 1)
        #expect(line.contains("Webhook failed") && !line.contains(token.reveal()) && !line.contains("s3cret"))
        await server.stop()
    }
}
