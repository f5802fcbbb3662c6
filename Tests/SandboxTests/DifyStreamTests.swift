import Base
import Sandbox
import TestSupport
import Testing

@Suite("What the simulated Dify streams")
struct DifyStreamTests {
    @Test("a chatflow's answer has the run's and nodes' events, then message_end, then workflow_finished")
    func chatflow() async throws {
        try await DifyBench.with(script: .steps { _ in [.text("Hel"), .text("lo ☕")] }) { bench in
            let events = try await bench.ask("hi")
            #expect(
                events.names == [
                    "workflow_started", "node_started", "node_finished", "node_started", "message", "message",
                    "node_finished", "node_started", "node_finished", "message_end", "workflow_finished",
                ])
            #expect(events.text() == "Hello ☕")
            #expect(events.last?["data"]?["outputs"]?["answer"] == "Hello ☕")
            for event in events {
                #expect(event["task_id"]?.string != nil)
                #expect(event["conversation_id"] == events[0]["conversation_id"])
                #expect(event["message_id"] == events[0]["message_id"])
                #expect(event["created_at"]?.integer != nil)
            }
            let contract = Contract.dify
            let finished = try #require(events.last?["data"])
            #expect(contract.problems(finished, "WorkflowFinishedData") == [])
            #expect(contract.members("WorkflowFinishedData").isSubset(of: (finished.object ?? [:]).keys))
            let usage = try #require(events.first("message_end")?["metadata"]?["usage"])
            #expect(contract.problems(usage, "Usage") == [])
        }
    }

    @Test("events are compact JSON in raw UTF-8")
    func wire() async throws {
        try await DifyBench.with(script: .steps { _ in [.text("Чай \"☕\"\n\u{1}")] }) { bench in
            let answer = try await bench.http.send(bench.request(.post, "/chat-messages", DifyBench.question("hi")))
            let text = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.headers["Content-Type"]?.hasPrefix("text/event-stream") == true)
            #expect(text.contains(#""answer":"Чай \"☕\"\n\u0001""#))
            #expect(!text.contains(#": ""#.dropLast() + "\""))
        }
    }

    @Test(
        "each mode has its own order of events",
        arguments: [
            (SimulatedDify.App.Mode.chat, ["message", "message_end"]),
            (.agent, ["agent_thought", "agent_thought", "agent_message", "message_end"]),
            (.newAgent, ["agent_thought", "agent_thought", "agent_message", "message", "message_end"]),
        ])
    func modes(_ mode: SimulatedDify.App.Mode, _ order: [String]) async throws {
        try await DifyBench.with(mode: mode, script: .steps { _ in [.thought("Let me see"), .text("Hello")] }) {
            bench in
            let events = try await bench.ask("hi")
            #expect(events.names == order)
            if mode == .newAgent {
                #expect(events.text() == "Hello")
                #expect(events.last?["metadata"]?["retriever_resources"] == nil)
            }
        }
    }

    @Test("a workflow's text comes in text_chunk, its outputs have the name that the author chose")
    func workflow() async throws {
        try await DifyBench.with(mode: .workflow, script: .steps { _ in [.text("Bon"), .text("jour")] }) { bench in
            bench.dify.change(DifyBench.key) { $0.outputName = "result" }
            let events = try await bench.stream(
                "/workflows/run", ["inputs": [:], "user": "u1", "response_mode": "streaming"])
            #expect(events.names.first == "workflow_started")
            #expect(events.names.filter { $0 == "text_chunk" }.count == 2)
            #expect(events.names.last == "workflow_finished")
            #expect(events.last?["data"]?["outputs"] == ["result": "Bonjour"])
            #expect(events.allSatisfy { $0["conversation_id"] == nil && $0["message_id"] == nil })
        }
    }

    @Test("a completion's stream has no conversation")
    func completion() async throws {
        try await DifyBench.with(mode: .completion) { bench in
            let body: JSON = ["inputs": [:], "query": "x", "user": "u1", "response_mode": "streaming"]
            let events = try await bench.stream("/completion-messages", body)
            #expect(events.names == ["message", "message_end"])
            #expect(events.allSatisfy { $0["conversation_id"] == nil && $0["message_id"] != nil })
        }
    }

    @Test("a failed chatflow sends workflow_finished failed, then an error of code invalid_param, and no message_end")
    func failedChatflow() async throws {
        try await DifyBench.with(script: .steps { _ in [.text("Hel"), .failRun("no model")] }) { bench in
            let events = try await bench.ask("hi")
            #expect(events.names.suffix(2) == ["workflow_finished", "error"])
            #expect(!events.names.contains("message_end"))
            #expect(events.first("workflow_finished")?["data"]?["status"] == "failed")
            let error = try #require(events.last)
            #expect(error["code"] == "invalid_param" && error["status"] == 400)
            #expect(error["message"] == "Run failed: no model")
            #expect(error["task_id"] == nil)
            let messages = try await bench.send(.get, "/messages?user=u1&conversation_id=\(events.conversation ?? "")")
            #expect(messages.body["data"]?.array?.first?["status"] == "error")
        }
    }

    @Test("a failed workflow app ends with workflow_finished alone; blocking it is a 200 that says failed")
    func failedWorkflow() async throws {
        try await DifyBench.with(mode: .workflow, script: .steps { _ in [.failRun("no model")] }) { bench in
            let events = try await bench.stream(
                "/workflows/run", ["inputs": [:], "user": "u1", "response_mode": "streaming"])
            #expect(events.names.last == "workflow_finished" && !events.names.contains("error"))
            let blocking = try await bench.send(.post, "/workflows/run", ["inputs": [:], "user": "u1"])
            #expect(blocking.status == 200)
            #expect(blocking.body["data"]?["status"] == "failed" && blocking.body["data"]?["error"] == "no model")
            #expect(Contract.dify.problems(blocking.body, "WorkflowBlockingResponse") == [])
        }
    }

    @Test("an error in the middle is an event in a 200 that has no task_id")
    func errorEvent() async throws {
        let script: SimulatedDify.Script = { _ in
            [.text("Hel"), .error(status: 429, code: "rate_limit_error", message: "Rate Limit Error")]
        }
        try await DifyBench.with(mode: .chat, script: .steps(script)) { bench in
            let events = try await bench.ask("hi")
            #expect(events.names == ["message", "error"])
            #expect(events.last?["code"] == "rate_limit_error" && events.last?["status"] == 429)
            #expect(events.last?["task_id"] == nil)
        }
    }

    @Test("replaced text, files and text that only the outputs have come as their own events")
    func otherSteps() async throws {
        let script: SimulatedDify.Script = { _ in
            [.text("bad"), .replace("good"), .file(url: "https://example.com/a.png"), .output(" and more")]
        }
        try await DifyBench.with(script: .steps(script)) { bench in
            let events = try await bench.ask("hi")
            #expect(events.first("message_replace")?["answer"] == "good")
            #expect(events.first("message_file")?["belongs_to"] == "assistant")
            #expect(events.text() == "bad")
            #expect(events.last?["data"]?["outputs"]?["answer"] == "good and more")
        }
    }

    @Test("a ping is a bare line without data, sent while nothing else is")
    func pings() async throws {
        var settings = SimulatedDify.Settings()
        settings.pingInterval = .milliseconds(10)
        try await DifyBench.with(
            settings: settings, script: .steps { _ in [.wait(.milliseconds(35)), .text("late")] }
        ) { bench in
            let answer = try await bench.http.send(bench.request(.post, "/chat-messages", DifyBench.question("hi")))
            let text = String(decoding: answer.body, as: UTF8.self)
            #expect(text.contains("\n\nevent: ping\n\n"))
            #expect(try bench.events(answer.body).text() == "late")
        }
    }

    @Test("a stream may be cut into pieces of any size, inside a character too")
    func pieces() async throws {
        var settings = SimulatedDify.Settings()
        settings.pieceBytes = 3
        try await DifyBench.with(settings: settings, script: .steps { _ in [.text("Чай ☕")] }) { bench in
            let events = try await bench.ask("hi")
            #expect(events.text() == "Чай ☕")
        }
    }

    @Test("a refusal is an HTTP error and leaves no run behind")
    func refusal() async throws {
        let script: SimulatedDify.Script = { _ in
            [.refuse(status: 429, code: "too_many_requests", message: "Too many requests.", retryAfter: 2)]
        }
        try await DifyBench.with(script: .steps(script)) { bench in
            let answer = try await bench.http.send(bench.request(.post, "/chat-messages", DifyBench.question("hi")))
            #expect(answer.status == 429 && answer.headers["Retry-After"] == "2")
            let error = try JSON(parsing: answer.body)
            #expect(error == ["code": "too_many_requests", "message": "Too many requests.", "status": 429])
            #expect(bench.dify.counts.runs == 0)
        }
    }

    @Test("a cut connection breaks the stream; the run goes on and its answer is found later")
    func cut() async throws {
        let script: SimulatedDify.Script = { _ in
            [.text("Hel"), .wait(.milliseconds(5)), .cut, .wait(.milliseconds(20)), .text("lo")]
        }
        try await DifyBench.with(script: .steps(script)) { bench in
            var seen: [UInt8] = []
            let stream = try await bench.http.stream(bench.request(.post, "/chat-messages", DifyBench.question("hi")))
            await #expect(throws: HTTPClientError.self) {
                for try await piece in stream.body { seen += piece }
            }
            let started = try #require(try bench.events(seen).first)
            let conversation = try #require(started["conversation_id"]?.string)
            let run = try #require(started["workflow_run_id"]?.string)
            try await eventually {
                let messages = try await bench.send(.get, "/messages?user=u1&conversation_id=\(conversation)")
                return messages.body["data"]?.array?.first?["answer"] == "Hello"
            }
            let detail = try await bench.send(.get, "/workflows/run/\(run)")
            #expect(detail.body["status"] == "succeeded" && detail.body["outputs"]?["answer"] == "Hello")
            #expect(bench.dify.runs(user: "u1", query: "hi") == 1)
        }
    }

    @Test("a reset before the header gives no answer, yet the run exists")
    func reset() async throws {
        try await DifyBench.with(script: .steps { _ in [.reset, .text("Hello")] }) { bench in
            await #expect(throws: HTTPClientError.self) {
                try await bench.http.send(bench.request(.post, "/chat-messages", DifyBench.question("hi")))
            }
            #expect(bench.dify.runs(user: "u1", query: "hi") == 1)
        }
    }
}
