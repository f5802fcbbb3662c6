import Base
import Foundation
import Sandbox
import TestSupport
import Testing

@Suite("What the simulated Dify remembers and refuses")
struct DifyServiceTests {
    // MARK: Conversations

    @Test("a conversation continues by its id and counts its turns")
    func turns() async throws {
        try await DifyBench.with(script: .steps { [.text("turn \($0.turn)")] }) { bench in
            let first = try await bench.ask("a")
            let id = try #require(first.conversation)
            let second = try await bench.ask("b", conversation: id)
            #expect(second.conversation == id)
            #expect(second.text() == "turn 2")
            #expect(bench.dify.counts.conversationsCreated == 1)
        }
    }

    @Test("an empty conversation id, or null, starts a conversation; one that is no UUID is a 400")
    func conversationIDs() async throws {
        try await DifyBench.with { bench in
            _ = try await bench.ask("a", conversation: "")
            var body = DifyBench.question("b")
            body["conversation_id"] = .null
            _ = try await bench.stream("/chat-messages", body)
            #expect(bench.dify.counts.conversationsCreated == 2)
            let bad = try await bench.send(.post, "/chat-messages", DifyBench.question("c", conversation: "chat7"))
            #expect(bad.status == 400 && bad.body["code"] == "invalid_param")
        }
    }

    @Test("another user, another app, an unknown and a deleted conversation all get the same 404")
    func foreignConversations() async throws {
        let other = SimulatedDify.App(key: Secret("app-other-key-00002"), script: { _ in [.text("x")] })
        try await DifyBench.with(others: [other]) { bench in
            let id = try #require(try await bench.ask("a").conversation)
            let missing: JSON = ["status": 404, "code": "not_found", "message": "Conversation Not Exists."]
            let tries = [
                (DifyBench.question("b", user: "u2", conversation: id), DifyBench.key),
                (DifyBench.question("b", conversation: id), other.key),
                (DifyBench.question("b", conversation: UUID().uuidString), DifyBench.key),
            ]
            for (body, key) in tries {
                let answer = try await bench.send(.post, "/chat-messages", body, key: key)
                #expect(answer.status == 404 && answer.body == missing)
            }
            let deleted = try await bench.send(.delete, "/conversations/\(id)", ["user": "u1"])
            #expect(deleted.status == 204 && deleted.body == .null)
            let gone = try await bench.send(.post, "/chat-messages", DifyBench.question("b", conversation: id))
            #expect(gone.body == missing)
            #expect(bench.dify.counts.runs == 1)
        }
    }

    @Test("a completed conversation is refused by its own code")
    func completed() async throws {
        try await DifyBench.with { bench in
            let id = try #require(try await bench.ask("a").conversation)
            bench.dify.completeConversation(id)
            let answer = try await bench.send(.post, "/chat-messages", DifyBench.question("b", conversation: id))
            #expect(answer.status == 400 && answer.body["code"] == "conversation_completed")
        }
    }

    @Test("the oldest conversations are forgotten beyond the bound")
    func bound() async throws {
        var settings = SimulatedDify.Settings()
        settings.bounds.conversations = 2
        try await DifyBench.with(settings: settings) { bench in
            let first = try #require(try await bench.ask("a").conversation)
            _ = try await bench.ask("b")
            let third = try #require(try await bench.ask("c").conversation)
            let forgotten = try await bench.send(.get, "/messages?user=u1&conversation_id=\(first)")
            #expect(forgotten.status == 404)
            let kept = try await bench.send(.get, "/messages?user=u1&conversation_id=\(third)")
            #expect(kept.status == 200)
            #expect(bench.dify.counts.conversationsCreated == 3)
        }
    }

    @Test("conversations and messages are listed newest first, page by page, in the contract's shape")
    func lists() async throws {
        let contract = Contract.dify
        try await DifyBench.with { bench in
            let id = try #require(try await bench.ask("1").conversation)
            for query in ["2", "3"] { _ = try await bench.ask(query, conversation: id) }
            let page = try await bench.send(.get, "/messages?user=u1&limit=2&conversation_id=\(id)")
            #expect(contract.problems(page.body, "ConversationHistoryResponse") == [])
            #expect(page.body["has_more"] == true)
            #expect(page.body["data"]?.array?.map { $0["query"]?.string } == ["3", "2"])
            #expect(page.body["data"]?.array?.first?["answer"] == "Answer to 3")
            let oldest = try #require(page.body["data"]?.array?.last?["id"]?.string)
            let rest = try await bench.send(
                .get, "/messages?user=u1&limit=2&conversation_id=\(id)&first_id=\(oldest)")
            #expect(rest.body["data"]?.array?.map { $0["query"]?.string } == ["1"])
            _ = try await bench.ask("other")
            let all = try await bench.send(.get, "/conversations?user=u1")
            #expect(contract.problems(all.body, "ConversationsListResponse") == [])
            #expect(all.body["data"]?.array?.count == 2)
            let foreign = try await bench.send(.get, "/conversations?user=u2")
            #expect(foreign.body["data"] == [])
        }
    }

    // MARK: Runs

    @Test("the message row is there while the answer is being made, and the run goes on without its client")
    func early() async throws {
        // Long enough for two questions, however slow the machine is.
        try await DifyBench.with(script: .steps { _ in [.wait(.seconds(3)), .text("done")] }) { bench in
            let stream = try await bench.http.stream(bench.request(.post, "/chat-messages", DifyBench.question("hi")))
            var first: [JSON] = []
            for try await piece in stream.body {
                first = try bench.events(piece)
                break
            }
            let id = try #require(first.conversation)
            let early = try await bench.send(.get, "/messages?user=u1&conversation_id=\(id)")
            #expect(early.body["data"]?.array?.first?["answer"] == "")
            let run = try #require(first[0]["workflow_run_id"]?.string)
            let running = try await bench.send(.get, "/workflows/run/\(run)")
            #expect(running.body["status"] == "running")
            #expect(Contract.dify.problems(running.body, "WorkflowRunDetailResponse") == [])
            try await eventually {
                try await bench.send(.get, "/workflows/run/\(run)").body["status"] == "succeeded"
            }
            let late = try await bench.send(.get, "/messages?user=u1&conversation_id=\(id)")
            #expect(late.body["data"]?.array?.first?["answer"] == "done")
        }
    }

    @Test("a run can be followed again by its user; of a finished one there is one event")
    func follow() async throws {
        let script: SimulatedDify.Script = { _ in [.wait(.milliseconds(60)), .text("done")] }
        try await DifyBench.with(script: .steps(script)) { bench in
            let stream = try await bench.http.stream(bench.request(.post, "/chat-messages", DifyBench.question("hi")))
            var pieces = stream.body.makeAsyncIterator()
            let events = try bench.events(try #require(try await pieces.next()))
            let run = try #require(events[0]["workflow_run_id"]?.string)
            let again = try await bench.http.send(bench.request(.get, "/workflow/\(run)/events?user=u1"))
            let followed = try bench.events(again.body)
            #expect(followed.text() == "done" && followed.names.last == "workflow_finished")
            let finished = try await bench.http.send(bench.request(.get, "/workflow/\(run)/events?user=u1"))
            #expect(try bench.events(finished.body).names == ["workflow_finished"])
            let stranger = try await bench.send(.get, "/workflow/\(run)/events?user=u2")
            #expect(stranger.status == 404)
            let detail = try await bench.send(.get, "/workflows/run/\(run)")
            #expect(Contract.dify.problems(detail.body, "WorkflowRunDetailResponse") == [])
            #expect(detail.body["inputs"]?.string?.contains("sys.query") == true)
        }
    }

    @Test("stopping works for the one who asked; for another it says success and does nothing")
    func stop() async throws {
        try await DifyBench.with(script: .steps { _ in [.text("a"), .wait(.seconds(60)), .text("b")] }) { bench in
            let stream = try await bench.http.stream(bench.request(.post, "/chat-messages", DifyBench.question("hi")))
            var pieces = stream.body.makeAsyncIterator()
            var body = try #require(try await pieces.next())
            let task = try #require(try bench.events(body)[0]["task_id"]?.string)
            let run = try #require(try bench.events(body)[0]["workflow_run_id"]?.string)
            let other = try await bench.send(.post, "/chat-messages/\(task)/stop", ["user": "u2"])
            #expect(other.body == ["result": "success"])
            #expect(try await bench.send(.get, "/workflows/run/\(run)").body["status"] == "running")
            let mine = try await bench.send(.post, "/chat-messages/\(task)/stop", ["user": "u1"])
            #expect(mine.body == ["result": "success"])
            while let piece = try await pieces.next() { body += piece }
            let events = try bench.events(body)
            #expect(events.names.suffix(2) == ["workflow_finished", "message_end"])
            #expect(events.first("workflow_finished")?["data"]?["status"] == "stopped")
            #expect(events.text() == "a")
        }
    }

    // MARK: Blocking

    @Test("without a response mode the server answers in one piece, in the contract's shape")
    func blocking() async throws {
        try await DifyBench.with { bench in
            let answer = try await bench.send(.post, "/chat-messages", ["query": "x", "inputs": [:], "user": "u1"])
            #expect(answer.status == 200)
            #expect(Contract.dify.problems(answer.body, "ChatCompletionResponse") == [])
            #expect(answer.body["answer"] == "Answer to x" && answer.body["mode"] == "advanced-chat")
        }
    }

    @Test(
        "agents refuse blocking, each by its own code",
        arguments: [
            (SimulatedDify.App.Mode.agent, "invalid_param", "Agent Chat App does not support blocking mode"),
            (.newAgent, "bad_request", "Agent App only supports streaming response mode."),
        ])
    func refusedBlocking(_ mode: SimulatedDify.App.Mode, _ code: String, _ message: String) async throws {
        try await DifyBench.with(mode: mode) { bench in
            let answer = try await bench.send(.post, "/chat-messages", ["query": "x", "inputs": [:], "user": "u1"])
            #expect(answer.status == 400)
            #expect(answer.body == ["code": .string(code), "message": .string(message), "status": 400])
        }
    }

    @Test("the contract's example requests are taken")
    func examples() async throws {
        let contract = Contract.dify
        for mode in [SimulatedDify.App.Mode.chat, .completion] {
            try await DifyBench.with(mode: mode, form: [.init("city")]) { bench in
                let route = mode == .chat ? "/chat-messages" : "/completion-messages"
                for var request in contract.exampleRequests.filter({ $0.path == route }).map(\.body) {
                    request["conversation_id"] = ""
                    let answer = try await bench.http.send(bench.request(.post, route, request))
                    #expect(answer.status == 200)
                }
            }
        }
    }

    // MARK: Inputs

    @Test("inputs are held against the app's form; undeclared ones are dropped")
    func inputs() async throws {
        let form: [SimulatedDify.App.Field] = [
            .init("name", .text(maximum: 5), isRequired: true), .init("colour", .select(["red", "blue"])),
            .init("age", .number), .init("agreed", .checkbox),
        ]
        let script: SimulatedDify.Script = { [.text($0.inputs.keys.sorted().joined(separator: " "))] }
        try await DifyBench.with(form: form, script: .steps(script)) { bench in
            let good = try await bench.ask("a", inputs: ["name": "Ann", "age": "7", "agreed": true, "other": 1])
            #expect(good.text() == "age agreed name")
            let bad: [(JSON, String)] = [
                ([:], "name is required in input form"),
                (["name": 5], "(type 'text-input') name in input form must be a string"),
                (["name": "Annabel"], "name in input form must be less than 5 characters"),
                (["name": "Ann", "colour": "green"], "must be one of the following: ['red', 'blue']"),
                (["name": "Ann", "age": "old"], "age in input form must be a valid number"),
            ]
            for (inputs, message) in bad {
                let answer = try await bench.send(.post, "/chat-messages", DifyBench.question("a", inputs: inputs))
                #expect(answer.status == 400 && answer.body["code"] == "invalid_param")
                #expect(answer.body["message"]?.string?.hasSuffix(message) == true)
            }
            #expect(bench.dify.counts.runs == 1)
        }
    }

    @Test("query, inputs and user are required; what is no JSON is refused")
    func required() async throws {
        try await DifyBench.with { bench in
            for missing in ["query", "inputs", "user"] {
                var body = DifyBench.question("a")
                body[missing] = nil
                let answer = try await bench.send(.post, "/chat-messages", body)
                #expect(answer.status == 400 && answer.body["code"] == "invalid_param")
            }
            var broken = bench.request(.post, "/chat-messages", [:])
            broken.body = Array("{".utf8)
            #expect(try await bench.http.send(broken).status == 400)
            broken.headers["Content-Type"] = "text/plain"
            #expect(try await bench.http.send(broken).status == 415)
        }
    }

    // MARK: The app

    @Test("an app describes itself in the contract's shape")
    func description() async throws {
        let contract = Contract.dify
        let form: [SimulatedDify.App.Field] = [
            .init("name"), .init("text", .paragraph(maximum: nil)), .init("colour", .select(["red"])),
        ]
        try await DifyBench.with(form: form) { bench in
            let info = try await bench.send(.get, "/info")
            #expect(info.body["mode"] == "advanced-chat")
            #expect(contract.problems(info.body, "AppInfoResponse") == [])
            let parameters = try await bench.send(.get, "/parameters")
            #expect(contract.problems(parameters.body, "AppParametersResponse") == [])
            let kinds = parameters.body["user_input_form"]?.array?.compactMap { $0.object?.keys.first }
            #expect(kinds == ["text-input", "paragraph", "select"])
            let meta = try await bench.send(.get, "/meta")
            #expect(contract.problems(meta.body, "AppMetaResponse") == [])
        }
    }

    @Test("a wrong key is a 401, a switched-off app a 403, a wrong route of the mode its own 400")
    func refusals() async throws {
        try await DifyBench.with { bench in
            #expect(try await bench.send(.get, "/info", key: Secret("app-wrong")).body["code"] == "unauthorized")
            var plain = bench.request(.get, "/info")
            plain.headers["Authorization"] = DifyBench.key.reveal()
            #expect(try await bench.http.send(plain).status == 401)
            plain.headers["Authorization"] = "bearer \(DifyBench.key.reveal())"
            #expect(try await bench.http.send(plain).status == 200)
            let run = try await bench.send(.post, "/workflows/run", ["inputs": [:], "user": "u1"])
            #expect(run.status == 400 && run.body["code"] == "not_workflow_app")
            let completion = try await bench.send(.post, "/completion-messages", ["inputs": [:], "user": "u1"])
            #expect(completion.body["code"] == "app_unavailable")
            bench.dify.change(DifyBench.key) { $0.isEnabled = false }
            let off = try await bench.send(.get, "/info")
            #expect(off.status == 403 && off.body["code"] == "forbidden")
            #expect(try await bench.send(.get, "/nothing").body["code"] == "not_found")
        }
    }

    @Test("suggested questions need the feature and the message's own user")
    func suggestions() async throws {
        try await DifyBench.with(suggested: ["And then?"]) { bench in
            let id = try #require(try await bench.ask("a").first?["message_id"]?.string)
            let answer = try await bench.send(.get, "/messages/\(id)/suggested?user=u1")
            #expect(Contract.dify.problems(answer.body, "SuggestedQuestionsResponse") == [])
            #expect(answer.body["data"] == ["And then?"])
            #expect(try await bench.send(.get, "/messages/\(id)/suggested?user=u2").status == 404)
            bench.dify.change(DifyBench.key) { $0.suggestedQuestions = nil }
            let off = try await bench.send(.get, "/messages/\(id)/suggested?user=u1")
            #expect(off.status == 400 && off.body["message"] == "Suggested Questions Is Disabled.")
        }
    }

    @Test("feedback is kept, and only what was given can be taken back")
    func feedback() async throws {
        try await DifyBench.with { bench in
            let events = try await bench.ask("a")
            let id = try #require(events.first?["message_id"]?.string)
            let path = "/messages/\(id)/feedbacks"
            #expect(try await bench.send(.post, path, ["rating": nil, "user": "u1"]).status == 400)
            #expect(try await bench.send(.post, path, ["rating": "like", "user": "u1"]).status == 200)
            let list = try await bench.send(.get, "/messages?user=u1&conversation_id=\(events.conversation ?? "")")
            #expect(list.body["data"]?.array?.first?["feedback"] == ["rating": "like"])
            #expect(try await bench.send(.post, path, ["rating": nil, "user": "u1"]).status == 200)
            #expect(try await bench.send(.post, path, ["rating": "like", "user": "u2"]).status == 404)
        }
    }

    @Test("an uploaded file can be used by its user alone")
    func files() async throws {
        try await DifyBench.with { bench in
            let form = Multipart.encode([
                .init(name: "user", body: Array("u1".utf8)),
                .init(name: "file", filename: "a.png", contentType: "image/png", body: [1, 2, 3]),
            ])
            var upload = bench.request(.post, "/files/upload")
            upload.headers["Content-Type"] = form.contentType
            upload.body = form.body
            let answer = try await bench.http.send(upload)
            #expect(answer.status == 201)
            let file = try JSON(parsing: answer.body)
            #expect(Contract.dify.problems(file, "FileUploadResponse") == [])
            #expect(file["size"] == 3 && file["extension"] == "png")
            var body = DifyBench.question("look")
            body["files"] = [
                ["type": "image", "transfer_method": "local_file", "upload_file_id": file["id"] ?? .null]
            ]
            _ = try await bench.stream("/chat-messages", body)
            body["user"] = "u2"
            let foreign = try await bench.send(.post, "/chat-messages", body)
            #expect(foreign.status == 400 && foreign.body["code"] == "invalid_param")
        }
    }

    // MARK: The demonstration

    @Test("the demonstration bot echoes, counts turns, and shows markdown, slowness and failure when asked")
    func demonstration() async throws {
        try await DifyBench.with(
            form: [.init("FIRST_NAME")], script: .steps(SimulatedDify.demonstration(pace: .zero))
        ) { bench in
            let hello = try await bench.ask("Hello", inputs: ["FIRST_NAME": "Ann"])
            #expect(hello.text().hasPrefix("Hello, Ann!"))
            let second = try await bench.ask("this is it", conversation: hello.conversation)
            #expect(second.text().contains("> this is it") && second.text().contains("turn 2"))
            #expect(try await bench.ask("show markdown").text().contains("| Item | Count | Price |"))
            #expect(try await bench.ask("ошибка").names.last == "error")
            #expect(try await bench.ask("медленно").text().contains("Готово"))
        }
    }
}
