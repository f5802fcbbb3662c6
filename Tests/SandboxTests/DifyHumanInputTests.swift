import Base
import Sandbox
import TestSupport
import Testing

@Suite("The simulated Dify pauses for a person")
struct DifyHumanInputTests {
    private static let form = SimulatedDify.HumanForm(
        "Send the draft?", inputs: [["type": "paragraph", "output_variable_name": "comment", "default": nil]],
        actions: [("approve", "Approve"), ("reject", "Reject")])

    private static let script: SimulatedDify.Script = { _ in
        [
            .text("Draft. "),
            .askHuman(form) { submission in
                [.text(submission.map { "\($0.action): \($0.inputs["comment"]?.string ?? "")" } ?? "nobody came")]
            },
        ]
    }

    private func token(_ events: [JSON]) throws -> String {
        try #require(events.first("human_input_required")?["data"]?["form_token"]?.string)
    }

    private func run(_ events: [JSON]) throws -> String { try #require(events.first?["workflow_run_id"]?.string) }

    private func answer(_ action: String = "approve", user: String = "u1") -> JSON {
        ["inputs": ["comment": "fine"], "action": .string(action), "user": .string(user)]
    }

    @Test(
        "a run asks, stops without an end, and goes on when the form was submitted",
        arguments: [SimulatedDify.App.Mode.chatflow, .workflow])
    func whole(_ mode: SimulatedDify.App.Mode) async throws {
        try await DifyBench.with(mode: mode, script: .steps(Self.script)) { bench in
            let events =
                mode == .workflow
                ? try await bench.stream("/workflows/run", ["inputs": [:], "user": "u1", "response_mode": "streaming"])
                : try await bench.ask("hi")
            #expect(events.names.suffix(2) == ["human_input_required", "workflow_paused"])
            let id = try run(events)
            #expect(try await bench.send(.get, "/workflows/run/\(id)").body["status"] == "paused")
            let path = "/form/human_input/\(try token(events))"
            let form = try await bench.send(.get, path)
            #expect(form.body["form_content"] == "Send the draft?")
            #expect(form.body["user_actions"]?.array?.map { $0["title"] } == ["Approve", "Reject"])

            // One who follows again hears the rest.
            async let rest = bench.http.send(bench.request(.get, "/workflow/\(id)/events?user=u1"))
            try await eventually { bench.dify.counts.requests["GET /workflow/{id}/events"] == 1 }
            let submitted = try await bench.send(.post, path, answer())
            #expect(submitted.status == 200 && submitted.body == [:])
            let names = try bench.events(try await rest.body).names
            #expect(names == ["workflow_finished"] || names.first == "human_input_form_filled")
            let late = try await bench.http.send(bench.request(.get, "/workflow/\(id)/events?user=u1"))
            let end = try bench.events(late.body)
            #expect(end.names == ["workflow_finished"])
            let output = mode == .workflow ? "text" : "answer"
            #expect(end.first?["data"]?["outputs"]?[output] == "Draft. approve: fine")
        }
    }

    @Test("the first submission that fits wins; a refused one leaves the form open")
    func submissions() async throws {
        try await DifyBench.with(script: .steps(Self.script)) { bench in
            let path = "/form/human_input/\(try token(try await bench.ask("hi")))"
            let wrong = try await bench.send(.post, path, answer("burn"))
            #expect(wrong.status == 400 && wrong.body["code"] == "invalid_form_data")
            let empty = try await bench.send(.post, path, ["inputs": [:], "action": "approve", "user": "u1"])
            #expect(empty.body["message"] == "Missing required inputs: comment")
            #expect(try await bench.send(.post, path, answer("reject", user: "u2")).status == 200)
            let second = try await bench.send(.post, path, answer())
            #expect(second.status == 412 && second.body["code"] == "human_input_form_submitted")
            #expect(try await bench.send(.get, path).status == 412)
            #expect(try await bench.send(.get, "/form/human_input/nothing").status == 404)
        }
    }

    @Test("a form's time can run out; the run goes on without an answer")
    func timeout() async throws {
        try await DifyBench.with(script: .steps(Self.script)) { bench in
            let events = try await bench.ask("hi")
            bench.dify.timeOutForms()
            let path = "/form/human_input/\(try token(events))"
            let late = try await bench.send(.post, path, answer())
            #expect(late.status == 412 && late.body["code"] == "human_input_form_expired")
            let detail = try await bench.send(.get, "/workflows/run/\(try run(events))")
            #expect(detail.body["outputs"]?["answer"] == "Draft. nobody came")
        }
    }

    @Test("a form that went by mail has no token")
    func mail() async throws {
        let script: SimulatedDify.Script = { _ in
            var form = Self.form
            form.isByMail = true
            return [.askHuman(form) { _ in [] }]
        }
        try await DifyBench.with(script: .steps(script)) { bench in
            let events = try await bench.ask("hi")
            #expect(events.first("human_input_required")?["data"]?["form_token"] == JSON.null)
        }
    }
}
