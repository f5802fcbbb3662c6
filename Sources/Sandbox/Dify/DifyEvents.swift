import Base

/// The events of one run's stream: each a line `data: ` with compact JSON in raw UTF-8, then an empty line.
/// Documentation: `en/api-reference/guides/streaming.mdx`; the order is the contract's, by app mode.
struct DifyEvents {
    struct Ended: Sendable {
        var status: DifyRun.Status
        var answer: String
        var error: String?
        var outputs: Members<JSON> = [:]
        var files: [DifyFile] = []
        var exceptions = 0
        var finishedAt: Int64
    }

    /// A node that the simulated workflows have.
    private struct Node: Equatable {
        var name: StaticString
        var title: StaticString
        var index: Int

        static let start = Node(name: "start", title: "Start", index: 1)
        static let llm = Node(name: "llm", title: "LLM", index: 2)
        static let answer = Node(name: "answer", title: "Answer", index: 3)
        static let end = Node(name: "end", title: "End", index: 3)

        static func == (a: Node, b: Node) -> Bool { a.index == b.index }
    }

    let run: DifyRun
    /// `conversation_id`, `message_id`, `created_at` and `task_id`, as far as the mode has them.
    private let common: [UInt8]
    private let commonWithoutTask: [UInt8]

    init(run: DifyRun) {
        self.run = run
        var out = JSONText()
        if run.app.mode != .workflow {
            if run.app.mode.hasConversations { out.member("conversation_id", run.conversationID) }
            out.member("message_id", run.messageID)
            out.member("created_at", run.createdSeconds)
        }
        commonWithoutTask = out.bytes
        out.member("task_id", run.taskID)
        common = out.bytes
    }

    private var mode: SimulatedDify.App.Mode { run.app.mode }

    // MARK: The beginning

    func started(_ out: inout JSONText) {
        guard mode.hasWorkflow else { return }
        event("workflow_started", &out) { out in
            out.member("workflow_run_id", run.id)
            out.member("data") { out in
                out.member("id", run.id)
                out.member("workflow_id", run.app.workflowID)
                out.member("inputs", .object(run.workflowInputs))
                out.member("created_at", run.createdSeconds)
                out.member("reason", "initial")
            }
        }
        nodeStarted(.start, &out)
        nodeFinished(.start, status: "succeeded", output: nil, error: nil, at: run.createdAt, &out)
        nodeStarted(.llm, &out)
    }

    // MARK: The answer

    func text(_ text: String, _ out: inout JSONText) {
        switch mode {
        case .workflow:
            event("text_chunk", &out) { out in
                out.member("workflow_run_id", run.id)
                out.member("data") { out in
                    out.member("text", text)
                    out.member("from_variable_selector", array: ["llm", "text"]) { $0.string($1) }
                }
            }
        case .agent, .newAgent: answer("agent_message", text, &out)
        case .chatflow, .chat, .completion: answer("message", text, &out)
        }
    }

    private func answer(_ name: StaticString, _ text: String, _ out: inout JSONText) {
        event(name, &out) { out in
            out.member("id", run.messageID)
            out.member("answer", text)
            if mode == .chatflow {
                out.member("from_variable_selector", array: ["answer", "answer"]) { $0.string($1) }
            }
        }
    }

    func replaced(_ text: String, _ out: inout JSONText) {
        guard mode != .workflow else { return }
        event("message_replace", &out) { out in
            out.member("answer", text)
            if mode == .chatflow { out.member("reason", "output_moderation") }
        }
    }

    /// The same position may come again as the thought fills in.
    func thought(_ thought: String, position: Int, _ out: inout JSONText) {
        guard mode == .agent || mode == .newAgent else { return }
        for text in ["", thought] {
            event("agent_thought", &out) { out in
                out.member("id", run.thoughtID)
                out.member("position", position)
                out.member("thought", text)
                out.member("observation", "")
                out.member("tool", "")
                out.member("tool_labels") { _ in }
                out.member("tool_input", "")
                out.member("message_files", array: [String]()) { $0.string($1) }
            }
        }
    }

    func file(_ file: DifyFile, _ out: inout JSONText) {
        guard mode != .workflow else { return }
        event("message_file", &out) { out in
            out.member("id", file.id)
            out.member("type", file.type)
            out.member("belongs_to", "assistant")
            out.member("url", file.url)
        }
    }

    // MARK: The end

    func error(status: Int, code: String, message: String, _ out: inout JSONText) {
        event("error", common: commonWithoutTask, &out) { out in
            out.member("code", code)
            out.member("message", message)
            out.member("status", status)
        }
    }

    func finished(_ ended: Ended, _ out: inout JSONText) {
        switch mode {
        case .chatflow: finishedChatflow(ended, &out)
        case .workflow:
            nodeFinished(.llm, ended, &out)
            if ended.status == .succeeded || ended.status == .partialSucceeded { passed(.end, ended, &out) }
            workflowFinished(ended, &out)
        case .chat, .agent, .newAgent, .completion:
            if ended.status == .failed {
                let message = ended.error ?? ""
                return error(status: 400, code: "completion_request_error", message: message, &out)
            }
            if mode == .newAgent { answer("message", ended.answer, &out) }
            messageEnd(ended, &out)
        }
    }

    private func finishedChatflow(_ ended: Ended, _ out: inout JSONText) {
        nodeFinished(.llm, ended, &out)
        switch ended.status {
        case .succeeded, .partialSucceeded, .running, .paused:
            passed(.answer, ended, &out)
            messageEnd(ended, &out)
            workflowFinished(ended, &out)
        case .failed:
            workflowFinished(ended, &out)
            error(status: 400, code: "invalid_param", message: "Run failed: \(ended.error ?? "")", &out)
        case .stopped:
            workflowFinished(ended, &out)
            messageEnd(ended, &out)
        }
    }

    private func messageEnd(_ ended: Ended, _ out: inout JSONText) {
        event("message_end", &out) { out in
            out.member("id", run.messageID)
            out.member("metadata") { run.writeMetadata(ended, to: &$0) }
            out.member("files", array: ended.files) { $0.value($1.json) }
        }
    }

    /// The only event of a run that is followed after its end.
    func workflowFinished(_ ended: Ended, _ out: inout JSONText) {
        event("workflow_finished", &out) { out in
            out.member("workflow_run_id", run.id)
            out.member("data") { out in
                run.writeFinished(ended, to: &out)
                out.member("created_by") { out in
                    out.member("id", run.endUserID)
                    out.member("user", run.user)
                }
                out.member("exceptions_count", ended.exceptions)
                out.member("files", array: ended.files) { $0.value($1.json) }
            }
        }
    }

    // MARK: Nodes

    /// The nodes that have run, for one who follows again and asks for them.
    func snapshot(_ out: inout JSONText) {
        nodeStarted(.start, &out)
        nodeFinished(.start, status: "succeeded", output: nil, error: nil, at: run.createdAt, &out)
        nodeStarted(.llm, &out)
    }

    private func passed(_ node: Node, _ ended: Ended, _ out: inout JSONText) {
        nodeStarted(node, &out)
        nodeFinished(node, ended, &out)
    }

    private func nodeStarted(_ node: Node, _ out: inout JSONText) {
        event("node_started", &out) { out in
            out.member("workflow_run_id", run.id)
            out.member("data") { writeNode(node, to: &$0) }
        }
    }

    private func nodeFinished(_ node: Node, _ ended: Ended, _ out: inout JSONText) {
        let status = ended.status == .failed || ended.status == .stopped ? ended.status : .succeeded
        nodeFinished(
            node, status: status.rawValue, output: ended.answer, error: ended.error, at: ended.finishedAt, &out)
    }

    private func nodeFinished(
        _ node: Node, status: String, output: String?, error: String?, at time: Int64, _ out: inout JSONText
    ) {
        event("node_finished", &out) { out in
            out.member("workflow_run_id", run.id)
            out.member("data") { out in
                writeNode(node, to: &out)
                out.member("outputs") { out in
                    guard let output else { return }
                    if mode == .chatflow, node == .answer {
                        out.member("answer", output)
                    } else {
                        out.member("text", output)
                    }
                }
                out.member("status", status)
                out.member("error", error)
                out.member("elapsed_time", Double(time - run.createdAt) / 1000)
                out.member("execution_metadata", nil as String?)
                out.member("finished_at", Int(time / 1000))
                out.member("files", array: [String]()) { $0.string($1) }
            }
        }
    }

    private func writeNode(_ node: Node, to out: inout JSONText) {
        out.member("id", run.nodeExecutionID(node.index))
        out.member("node_id", literal: node.name)
        out.member("node_type", literal: node.name)
        out.member("title", literal: node.title)
        out.member("index", node.index)
        out.member("predecessor_node_id", nil as String?)
        out.member("inputs", nil as String?)
        out.member("created_at", run.createdSeconds)
    }

    // MARK: One event

    func event(_ name: StaticString, _ out: inout JSONText, _ members: (inout JSONText) -> Void) {
        event(name, common: common, &out, members)
    }

    private func event(
        _ name: StaticString, common: [UInt8], _ out: inout JSONText, _ members: (inout JSONText) -> Void
    ) {
        out.raw("data: ")
        let start = out.bytes.count
        out.object { out in
            out.member("event", literal: name)
            if !common.isEmpty { out.members(common) }
            members(&out)
        }
        if let watch = run.watch { watch.event(mode.route, Array(out.bytes[start...])) }
        out.raw("\n\n")
    }
}
