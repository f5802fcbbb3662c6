import Base

/// What several answers say about a run.
extension DifyRun {
    var createdSeconds: Int { Int(createdAt / 1000) }

    /// A chatflow's run also sees the system's variables.
    var workflowInputs: Members<JSON> {
        guard app.mode == .chatflow else { return inputs }
        let own: Members<JSON> = [
            "sys.query": .string(query), "sys.user_id": .string(user), "sys.conversation_id": .string(conversationID),
            "sys.workflow_run_id": .string(id), "sys.files": .array([]),
        ]
        return own.merging(inputs)
    }

    var endUserID: String { SimulatedDify.endUserID(app: app, user: user) }
    var thoughtID: String { messageID.dropLast() + "0" }
    func nodeExecutionID(_ index: Int) -> String { id.dropLast() + String(index) }

    func writeMetadata(_ ended: DifyEvents.Ended, to out: inout JSONText) {
        if app.mode != .newAgent {
            out.member("annotation_reply", nil as String?)
            out.member("retriever_resources", array: [String]()) { $0.string($1) }
        }
        out.member("usage") { out in
            let tokens = tokens(ended.answer)
            out.member("prompt_tokens", tokens.prompt)
            out.member("prompt_unit_price", "0.001")
            out.member("prompt_price_unit", "0.001")
            out.member("prompt_price", "0.0000010")
            out.member("completion_tokens", tokens.answer)
            out.member("completion_unit_price", "0.002")
            out.member("completion_price_unit", "0.001")
            out.member("completion_price", "0.0000020")
            out.member("total_tokens", tokens.prompt + tokens.answer)
            out.member("total_price", "0.0000030")
            out.member("currency", "USD")
            out.member("latency", Double(ended.finishedAt - createdAt) / 1000)
        }
    }

    func tokens(_ answer: String) -> (prompt: Int, answer: Int) {
        (query.utf8.count / 4 + 12, answer.utf8.count / 4 + 1)
    }

    /// The members of the contract's `WorkflowFinishedData`, without those that only the stream has.
    func writeFinished(_ ended: DifyEvents.Ended, to out: inout JSONText) {
        let tokens = tokens(ended.answer)
        out.member("id", id)
        out.member("workflow_id", app.workflowID)
        out.member("status", ended.status.rawValue)
        out.member("outputs", outputs(ended))
        out.member("error", ended.error)
        out.member("elapsed_time", Double(ended.finishedAt - createdAt) / 1000)
        out.member("total_tokens", tokens.prompt + tokens.answer)
        out.member("total_steps", 3)
        out.member("created_at", createdSeconds)
        out.member("finished_at", Int(ended.finishedAt / 1000))
    }

    func outputs(_ ended: DifyEvents.Ended) -> JSON {
        switch ended.status {
        case .running, .paused: return [:]
        case .failed, .stopped: if ended.answer.isEmpty { return [:] }
        case .succeeded, .partialSucceeded: break
        }
        if app.mode == .chatflow {
            return ["answer": .string(ended.answer), "files": .array(ended.files.map(\.json))]
        }
        // A workflow that names its outputs has no text beside them.
        if ended.answer.isEmpty, !ended.outputs.isEmpty { return .object(ended.outputs) }
        let answer: Members<JSON> = [app.outputName: .string(ended.answer)]
        return .object(answer.merging(ended.outputs))
    }

    /// How the run stands.
    var ended: DifyEvents.Ended {
        read { state in
            DifyEvents.Ended(
                status: state.status, answer: state.answer, error: state.error, outputs: state.outputs,
                files: state.files, exceptions: state.exceptions, finishedAt: state.finishedAt ?? createdAt)
        }
    }
}
