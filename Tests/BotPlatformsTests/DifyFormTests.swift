import Base
import TestSupport
import Testing

@testable import BotPlatforms

@Suite("A form of a Human Input node is asked in the chat", .keepsContracts)
struct DifyFormTests {
    private static let run = "a0000000-0000-4000-8000-000000000001"
    private static let action =
        #""actions":[{"id":"approve","title":"Approve"},{"id":"reject","title":"Request changes"}]"#
    private static let comment = #"{"type":"paragraph","output_variable_name":"comment","default":null}"#
    private static let priority =
        #"{"type":"select","output_variable_name":"priority","option_source":{"type":"constant","value":["low","high"]}}"#

    private static func form(
        _ inputs: String = "", token: String = #""tok_1""#, content: String = "Please review.",
        actions: String = action, more: String = ""
    ) -> String {
        #"{"form_id":"f1","form_token":\#(token),"form_content":"\#(content)","inputs":[\#(inputs)],\#(actions)\#(more)}"#
    }

    private static func event(_ name: String, _ data: String) -> String {
        Wire.event(name, #""workflow_run_id":"\#(run)","data":\#(data)"#)
    }

    /// A chatflow's stream up to its pause.
    private static func pause(_ form: String, saying text: String = "Draft") -> String {
        Wire.started + Wire.message(text) + event("human_input_required", form)
            + event("workflow_paused", #"{"reasons":[]}"#)
    }

    /// A conversation with an app that pauses at once, and goes on so.
    private final class Talk: Sendable {
        let server: ScriptedDify
        let bot: any BotPlatform
        private let session = Box<PlatformSession?>(nil)

        /// - Parameter answer: to what comes after the question itself.
        init(
            _ first: String, isWorkflow: Bool = false,
            _ answer: @escaping @Sendable (HTTPRequest, Int) async throws -> HTTPResponse
        ) async throws {
            server = try await ScriptedDify.answering { request, count in
                if request.path == "/v1/chat-messages" || request.path == "/v1/workflows/run", count == 1 {
                    return .events(first)
                }
                if request.path == "/v1/files/upload" {
                    return .json(["id": "f0000000-0000-4000-8000-000000000001"], status: 201)
                }
                return try await answer(request, count)
            }
            bot = isWorkflow ? Stage.workflow(server.url) : Stage.chatflow(server.url)
        }

        var current: PlatformSession? { session.value }

        func question(_ text: String, chosen: Choice? = nil, language: String? = nil) -> Question {
            var question = Stage.question(text, session: session.value)
            question.chosen = chosen.map { [$0] } ?? []
            question.variables["LANGUAGE"] = language
            return question
        }

        func say(_ question: Question) async throws -> Heard {
            let heard = try await bot.hear(question)
            // The last one counts, also where it ends the session.
            for part in heard.parts { if case .session(let new) = part { session.value = new } }
            return heard
        }

        func say(_ text: String, chosen: Choice? = nil) async throws -> Heard {
            try await say(question(text, chosen: chosen))
        }

        func submitted(_ token: String = "tok_1") throws -> [JSON] {
            try server.requests("/form/human_input/\(token)").filter { $0.method == .post }.map {
                try JSON(parsing: $0.body)
            }
        }
    }

    private static let approve = Choice(label: "Approve", value: "approve")
    private static let reject = Choice(label: "Request changes", value: "reject")

    private static func goesOn(
        _ wire: String = Wire.message("Published") + Wire.end + Wire.finished(answer: "Published")
    )
        -> @Sendable (HTTPRequest, Int) async throws -> HTTPResponse
    {
        { request, _ in
            switch request.path {
            case "/v1/form/human_input/tok_1": .json([:])
            case "/v1/workflow/\(run)/events":
                .events(event("human_input_form_filled", #"{"action_id":"approve"}"#) + wire)
            default: .refusal(500, "unexpected")
            }
        }
    }

    @Test("its text is said, its buttons are choices, and the chosen one goes on with the run")
    func approve() async throws {
        let talk = try await Talk(Self.pause(Self.form()), Self.goesOn())
        let asked = try await talk.say("Write it")
        #expect(asked.error == nil)
        #expect(asked.text == "DraftPlease review.\n\nPlease choose.")
        #expect(asked.parts.contains(.nextMessage))
        #expect(asked.parts.contains(.choices(Choices([Self.approve, Self.reject]))))
        #expect(talk.current?.id == Wire.conversation)
        let answered = try await talk.say("1", chosen: Self.approve)
        #expect(answered.error == nil)
        #expect(answered.text == "Published")
        #expect(try talk.submitted() == [["inputs": [:], "action": "approve", "user": "member:chat7"]])
        #expect(talk.server.requests("/workflow/\(Self.run)/events").map(\.query) == ["user=member%3Achat7"])
        #expect(talk.current?.id == Wire.conversation)
        #expect(talk.current?.difyForm == nil)
        await talk.server.stop()
    }

    @Test("a button's label does as well as the button, and anything else is asked again")
    func label() async throws {
        let talk = try await Talk(Self.pause(Self.form()), Self.goesOn())
        _ = try await talk.say("Write it")
        let again = try await talk.say("What?")
        #expect(again.text == "That was not accepted, please try again.\n\nPlease choose.")
        #expect(again.parts.contains(.choices(Choices([Self.approve, Self.reject]))))
        let russian = try await talk.say(talk.question("Что?", language: "ru"))
        #expect(russian.text.contains("попробуйте"))
        #expect(try await talk.say(" request CHANGES ").text == "Published")
        #expect(try talk.submitted().map { $0["action"] } == ["reject"])
        await talk.server.stop()
    }

    @Test("fields are asked one after the other, then the button")
    func fields() async throws {
        let talk = try await Talk(Self.pause(Self.form(Self.comment + "," + Self.priority)), Self.goesOn())
        let first = try await talk.say("Write it")
        #expect(first.text.hasSuffix("Please write: comment"))
        // Here a number is a text like any other.
        let beside = Choices([Self.approve, Self.reject], isOptional: true, takesNumbers: false)
        #expect(first.parts.contains(.choices(beside)))
        let second = try await talk.say("Too long")
        #expect(second.text == "Please choose: priority")
        let options = ["low", "high"].map { Choice(label: $0, value: $0) }
        #expect(second.parts.contains(.choices(Choices(options))))
        #expect(try await talk.say("Medium").text.hasSuffix("Please choose: priority"))
        let third = try await talk.say("High")
        #expect(third.text == "Please choose.")
        #expect(try await talk.say("2", chosen: Self.reject).text == "Published")
        #expect(
            try talk.submitted() == [
                ["inputs": ["comment": "Too long", "priority": "high"], "action": "reject", "user": "member:chat7"]
            ])
        await talk.server.stop()
    }

    @Test("a button leaves out texts that are still open, with what the form had in them, but not what Dify wants")
    func early() async throws {
        let inputs = Self.comment + "," + Self.priority
        let form = Self.form(
            inputs, content: "Say {{#$output.comment#}} and {{#$output.priority#}}",
            more: #","resolved_default_values":{"comment":"Fine"}"#)
        let talk = try await Talk(Self.pause(form), Self.goesOn())
        #expect(try await talk.say("Write it").text.contains("Say Fine and [priority]\n"))
        #expect(try await talk.say("Approve").text == "Please choose: priority")
        #expect(try await talk.say("low").text == "Published")
        #expect(
            try talk.submitted() == [
                ["inputs": ["comment": "Fine", "priority": "low"], "action": "approve", "user": "member:chat7"]
            ])
        await talk.server.stop()
    }

    @Test("a form with one field and one button takes a text at once")
    func single() async throws {
        let form = Self.form(Self.comment, actions: #""actions":[{"id":"send","title":"Send"}]"#)
        let talk = try await Talk(Self.pause(form), Self.goesOn())
        _ = try await talk.say("Write it")
        #expect(try await talk.say("My comment").text == "Published")
        #expect(
            try talk.submitted() == [
                ["inputs": ["comment": "My comment"], "action": "send", "user": "member:chat7"]
            ])
        await talk.server.stop()
    }

    private struct Portal: FileAccess {
        func link() async throws -> String { "https://portal.example/file" }
        func content(atMost limit: Int) async throws -> [UInt8] { [1, 2, 3] }
    }

    @Test("a field for files takes what the person sends, if it is of its types")
    func files() async throws {
        let inputs =
            #"{"type":"file","output_variable_name":"photo","allowed_file_types":["image"]},"#
            + #"{"type":"file-list","output_variable_name":"papers","allowed_file_types":["document"],"number_limits":2}"#
        let form = Self.form(inputs, actions: #""actions":[{"id":"send","title":"Send"}]"#)
        let talk = try await Talk(Self.pause(form), Self.goesOn())
        #expect(try await talk.say("Write it").text.hasSuffix("Please send a file: photo"))
        func sent(_ name: String) -> Question {
            var question = talk.question("File sent: \(name)")
            question.files = [
                QuestionFile(
                    id: "1", name: name, mediaType: MediaType(ofFileNamed: name), size: 3, access: Portal())
            ]
            return question
        }
        #expect(try await talk.say(sent("a.pdf")).text.hasPrefix("That was not accepted"))
        #expect(try await talk.say(sent("a.png")).text == "Please send a file: papers")
        #expect(try await talk.say(sent("a.pdf")).text == "Published")
        func mapping(_ type: JSON) -> JSON {
            [
                "type": type, "transfer_method": "local_file",
                "upload_file_id": "f0000000-0000-4000-8000-000000000001",
            ]
        }
        #expect(
            try talk.submitted().map { $0["inputs"] } == [["photo": mapping("image"), "papers": [mapping("document")]]])
        await talk.server.stop()
    }

    @Test("a form that Dify refuses is asked again from its beginning")
    func refused() async throws {
        let goesOn = Self.goesOn()
        let talk = try await Talk(Self.pause(Self.form(Self.comment))) { request, count in
            if request.path == "/v1/form/human_input/tok_1", count == 1 {
                return .refusal(400, "invalid_form_data", "Missing required inputs: comment")
            }
            return try await goesOn(request, count)
        }
        _ = try await talk.say("Write it")
        _ = try await talk.say("a")
        #expect(
            try await talk.say("Approve").text == "That was not accepted, please try again.\n\nPlease write: comment")
        _ = try await talk.say("b")
        #expect(try await talk.say("Approve").text == "Published")
        #expect(try talk.submitted().map { $0["inputs"] } == [["comment": "a"], ["comment": "b"]])
        await talk.server.stop()
    }

    @Test(
        "a form that somebody else answered, or that has expired, lets the run go on",
        arguments: ["submitted", "expired"])
    func answered(how: String) async throws {
        let goesOn = Self.goesOn()
        let talk = try await Talk(Self.pause(Self.form())) { request, count in
            request.path == "/v1/form/human_input/tok_1"
                ? .refusal(412, "human_input_form_\(how)", "…") : try await goesOn(request, count)
        }
        _ = try await talk.say("Write it")
        #expect(try await talk.say("Approve").text == "Published")
        #expect(talk.current?.difyForm == nil)
        await talk.server.stop()
    }

    @Test("a form that is gone lets the message be a question again")
    func gone() async throws {
        let talk = try await Talk(Self.pause(Self.form())) { request, _ in
            request.path == "/v1/chat-messages"
                ? .events(Wire.answer("New")) : .refusal(404, "not_found", "Form not found")
        }
        _ = try await talk.say("Write it")
        #expect(try await talk.say("Approve").text == "New")
        #expect(talk.current?.difyForm == nil)
        let body = try JSON(parsing: try #require(talk.server.requests("/chat-messages").last).body)
        #expect(body["query"] == "Approve")
        #expect(body["conversation_id"]?.string == Wire.conversation)
        await talk.server.stop()
    }

    @Test("a form that went out by e-mail is told in plain words, and the talk can go on")
    func email() async throws {
        let talk = try await Talk(Self.pause(Self.form(token: "null"))) { _, _ in .events(Wire.answer("Next")) }
        let told = try await talk.say("Write it")
        #expect(told.error == nil)
        #expect(told.text == "DraftThe request was sent to somebody else by e-mail.")
        #expect(talk.current?.id == Wire.conversation)
        #expect(talk.current?.difyForm == nil)
        #expect(try await talk.say("Hello?").text == "Next")
        await talk.server.stop()
    }

    @Test("several forms in a row work, also where only the pause tells them")
    func several() async throws {
        let second = Self.event(
            "workflow_paused",
            #"{"reasons":[{"TYPE":"human_input_required",\#(Self.form(token: #""tok_2""#, content: "Second").dropFirst())]}"#
        )
        let talk = try await Talk(Self.pause(Self.form())) { request, count in
            switch request.path {
            case "/v1/form/human_input/tok_1", "/v1/form/human_input/tok_2": .json([:])
            default:
                .events(count == 1 ? Wire.message("Half") + second : Wire.message("Whole") + Wire.end + Wire.finished())
            }
        }
        _ = try await talk.say("Write it")
        let next = try await talk.say("Approve")
        #expect(next.text == "HalfSecond\n\nPlease choose.")
        #expect(talk.current?.difyForm?.token == "tok_2")
        #expect(try await talk.say("Request changes").text == "Whole")
        #expect(try talk.submitted("tok_2").map { $0["action"] } == ["reject"])
        await talk.server.stop()
    }

    @Test("a run that ended at once tells its text in its outputs, or in its message, without what was said before")
    func late() async throws {
        for inOutputs in [true, false] {
            let talk = try await Talk(Self.pause(Self.form())) { request, _ in
                switch request.path {
                case "/v1/form/human_input/tok_1": .json([:])
                case "/v1/workflow/\(Self.run)/events":
                    .events(inOutputs ? Wire.finished(answer: "DraftPublished") : Wire.finished())
                case "/v1/messages":
                    .json(["data": [["id": .string(Wire.messageID), "answer": "DraftPublished", "status": "normal"]]])
                default: .json(["status": "succeeded", "outputs": [:]])
                }
            }
            _ = try await talk.say("Write it")
            let heard = try await talk.say("Approve")
            #expect(heard.error == nil)
            #expect(heard.text == "Published")
            #expect(talk.current?.id == Wire.conversation)
            #expect(talk.current?.difyForm == nil)
            await talk.server.stop()
        }
    }

    @Test("what a late listener missed comes from the outputs")
    func missedBeginning() async throws {
        let wire = Wire.message("lished") + Wire.end + Wire.finished(answer: "Published")
        let talk = try await Talk(Self.pause(Self.form()), Self.goesOn(wire))
        _ = try await talk.say("Write it")
        #expect(try await talk.say("Approve").text == "Published")
        await talk.server.stop()
    }

    @Test("a command is a question of its own, and the form waits")
    func command() async throws {
        let goesOn = Self.goesOn()
        let talk = try await Talk(Self.pause(Self.form())) { request, count in
            request.path == "/v1/chat-messages" ? .events(Wire.answer("Help")) : try await goesOn(request, count)
        }
        _ = try await talk.say("Write it")
        var help = talk.question("/help")
        help.kind = .command
        #expect(try await talk.say(help).text == "Help")
        #expect(try await talk.say("Approve").text == "Published")
        await talk.server.stop()
    }

    @Test("a workflow asks its forms too, and has no session but while it waits")
    func workflow() async throws {
        let ids = #""task_id":"t1","workflow_run_id":"\#(Self.run)""#
        func event(_ name: String, _ data: String) -> String {
            #"data: {"event":"\#(name)",\#(ids),"data":\#(data)}"# + "\n\n"
        }
        let first =
            event("workflow_started", "{}") + event("human_input_required", Self.form())
            + event("workflow_paused", #"{"status":"paused"}"#)
        let end = event("workflow_finished", #"{"status":"succeeded","outputs":{"result":"Bonjour"}}"#)
        let talk = try await Talk(first, isWorkflow: true, Self.goesOn(end))
        let asked = try await talk.say("Translate")
        #expect(asked.text == "Please review.\n\nPlease choose.")
        #expect(talk.current?.id == Self.run)
        #expect(try await talk.say("Approve").text == "result: Bonjour")
        #expect(talk.current == nil)
        await talk.server.stop()
    }

    // MARK: What became of it

    private func outcome(_ form: HTTPResponse, _ more: [String: HTTPResponse]) async throws -> (
        AskOutcome, ScriptedDify
    ) {
        let talk = try await Talk(Self.pause(Self.form())) { request, _ in
            if request.path == "/v1/form/human_input/tok_1" { return form }
            return more[request.path] ?? .refusal(404, "not_found", "Workflow run not found")
        }
        _ = try await talk.say("Write it")
        let finder = try #require(talk.bot as? any FindsOutcome)
        let outcome = try await finder.outcome(
            of: talk.question("Approve"), trace: nil, askedAt: WallClock.system.now)
        await talk.server.stop()
        return (outcome, talk.server)
    }

    @Test("an answer that never reached its form is given again")
    func neverSubmitted() async throws {
        let (outcome, _) = try await outcome(.json(["form_content": "Please review."]), [:])
        #expect(outcome.isNeverArrived)
    }

    @Test("an answer that reached its form is followed to the end of the run")
    func submitted() async throws {
        let message: JSON = ["id": .string(Wire.messageID), "answer": "DraftPublished", "status": "normal"]
        let (outcome, _) = try await outcome(
            .refusal(412, "human_input_form_submitted"),
            [
                "/v1/workflows/run/\(Self.run)": .json(["status": "succeeded", "outputs": [:]]),
                "/v1/messages": .json(["data": [message]]),
            ])
        #expect(outcome.heard?.text == "Published")
        #expect(outcome.heard?.session?.difyForm == nil)
    }

    @Test(
        "a run that waits again is found with its new form, in its message or in its events", arguments: [true, false])
    func pausedAgain(inMessage: Bool) async throws {
        let form = try JSON(parsing: Self.form(token: #""tok_2""#, content: "Second").utf8)
        let content: JSON = [
            "workflow_run_id": .string(Self.run), "submitted": false, "type": "human_input", "form_definition": form,
        ]
        let message: JSON = [
            "id": .string(Wire.messageID), "answer": "DraftHalf", "status": "paused",
            "extra_contents": inMessage ? [content] : [],
        ]
        let (outcome, _) = try await outcome(
            .refusal(412, "human_input_form_submitted"),
            [
                "/v1/workflows/run/\(Self.run)": .json(["status": "paused", "outputs": [:]]),
                "/v1/messages": .json(["data": [message]]),
                "/v1/workflow/\(Self.run)/events": .events(Self.event("human_input_required", form.text)),
            ])
        #expect(outcome.heard?.text == "HalfSecond\n\nPlease choose.")
        #expect(outcome.heard?.session?.difyForm?.token == "tok_2")
        #expect(outcome.heard?.parts.contains(.choices(Choices([Self.approve, Self.reject]))) == true)
    }

    @Test("a form that is too large to be kept with the dialog is an error for the administrator")
    func tooLarge() async throws {
        for length in [100, 100_000] {
            let form: JSON = [
                "form_token": "t", "form_content": .string(String(repeating: "c", count: 100_000)),
                "actions": [["id": "a", "title": .string(String(repeating: "x", count: length))]],
            ]
            let run = #""workflow_run_id":"a0000000-0000-4000-8000-000000000001","data":"#
            let wire =
                Wire.started + Wire.event("human_input_required", run + form.text)
                + Wire.event("workflow_paused", run + #"{"reasons":[]}"#)
            let server = try await ScriptedDify.answering { _, _ in .events(wire) }
            let heard = try await Stage.chatflow(server.url).hear(Stage.question("x"))
            await server.stop()
            #expect((heard.session?.data.bytes.count ?? 0) < 70_000)
            if length == 100 {
                #expect(heard.error == nil && heard.text.contains("ccc") && heard.session?.difyForm?.content == "")
            } else {
                #expect(heard.error?.message.contains("form cannot be read") == true)
            }
        }
    }

    @Test("odd forms neither break nor hang")
    func odd() async throws {
        for data in [
            #"{"form_token":"tok_1"}"#, #"{"form_token":"tok_1","inputs":null,"actions":null,"form_content":null}"#,
            #"{"form_token":"tok_1","inputs":[1,{},{"type":9,"output_variable_name":"x","default":"s"}],"actions":[{},7,{"id":"a"}]}"#,
        ] {
            let talk = try await Talk(Self.pause(data), Self.goesOn())
            let asked = try await talk.say("Write it")
            #expect(asked.error == nil)
            #expect(talk.current?.difyForm?.token == "tok_1")
            _ = try await talk.say("a")
            await talk.server.stop()
        }
    }
}
