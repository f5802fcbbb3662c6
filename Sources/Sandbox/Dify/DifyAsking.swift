import Base

/// The three ways of asking an app.
extension DifyCall {
    /// Documentation: the contract's `/chat-messages`.
    func chatMessage() async throws -> HTTPResponse {
        let body = try body()
        let user = try user(body["user"])
        guard app.mode.hasConversations else { throw DifyError.notChatApp }
        guard let query = body["query"]?.string else { throw DifyError.invalid("query is required") }
        let given = try givenInputs(body)
        let conversationID = try givenConversation(body)
        let isBlocking = try isBlocking(body)
        if isBlocking, app.mode == .newAgent {
            throw DifyError.badRequest("Agent App only supports streaming response mode.")
        }
        if isBlocking, app.mode == .agent {
            throw DifyError.invalid("Agent Chat App does not support blocking mode")
        }
        let files = try files(body, user: user)
        if let conversationID { try checkConversation(conversationID, user: user) }
        let inputs = try app.accepted(given)
        let prepared = try prepare(
            user: user, query: query, inputs: inputs, files: files, conversationID: conversationID)
        return try await start(prepared, isBlocking: isBlocking)
    }

    /// Documentation: the contract's `/completion-messages`.
    func completionMessage() async throws -> HTTPResponse {
        let body = try body()
        let user = try user(body["user"])
        guard app.mode == .completion else { throw DifyError.appUnavailable }
        let inputs = try app.accepted(try givenInputs(body))
        let query = body["query"]?.string ?? inputs["query"]?.string ?? ""
        let files = try files(body, user: user)
        let prepared = try prepare(user: user, query: query, inputs: inputs, files: files, conversationID: nil)
        return try await start(prepared, isBlocking: try isBlocking(body))
    }

    /// Documentation: the contract's `/workflows/run`.
    func runWorkflow() async throws -> HTTPResponse {
        let body = try body()
        let user = try user(body["user"])
        guard app.mode == .workflow else { throw DifyError.notWorkflowApp }
        let inputs = try app.accepted(try givenInputs(body))
        let query = inputs["query"]?.string ?? inputs.values.lazy.compactMap(\.string).first ?? ""
        let files = try files(body, user: user)
        let prepared = try prepare(user: user, query: query, inputs: inputs, files: files, conversationID: nil)
        return try await start(prepared, isBlocking: try isBlocking(body))
    }

    // MARK: What was sent

    private func givenInputs(_ body: Members<JSON>) throws -> Members<JSON> {
        guard let inputs = body["inputs"]?.object else { throw DifyError.invalid("inputs is required") }
        return inputs
    }

    /// Without a mode the server takes blocking.
    private func isBlocking(_ body: Members<JSON>) throws -> Bool {
        switch body["response_mode"] {
        case nil, .null, "blocking": true
        case "streaming": false
        default: throw DifyError.invalid("response_mode must be one of: blocking, streaming")
        }
    }

    /// An empty id, null or none starts a conversation.
    private func givenConversation(_ body: Members<JSON>) throws -> String? {
        guard let value = body["conversation_id"], !value.isNull else { return nil }
        guard let text = value.string else { throw DifyError.invalid("conversation_id must be a string") }
        if text.isEmpty { return nil }
        guard isUUID(text) else { throw DifyError.invalid("\(text) is not a valid uuid.") }
        return text.lowercased()
    }

    private func checkConversation(_ id: String, user: String) throws {
        try dify.records.withLock { records in
            if try records.conversation(id, app: app, user: user).isCompleted {
                throw DifyError(
                    status: 400, code: "conversation_completed",
                    message: "The conversation has ended. Please start a new conversation.")
            }
        }
    }

    /// How many files came. One that was uploaded must be the same user's.
    private func files(_ body: Members<JSON>, user: String) throws -> Int {
        guard let value = body["files"], !value.isNull else { return 0 }
        guard let files = value.array else { throw DifyError.invalid("files must be a list") }
        for file in files {
            switch file["transfer_method"]?.string {
            case "remote_url":
                guard let url = file["url"]?.string, !url.isEmpty else { throw DifyError.invalid("Invalid file url") }
            case "local_file":
                let id = file["upload_file_id"]?.string ?? ""
                let owner = dify.records.withLock { $0.files[id] }
                guard let owner, owner.appID == app.id, owner.user == user else {
                    throw DifyError.invalid("Invalid upload file")
                }
            default: throw DifyError.invalid("Invalid transfer_method")
            }
        }
        return files.count
    }

    // MARK: The run

    private struct Prepared {
        var run: DifyRun
        var steps: [SimulatedDify.Step]
    }

    /// Asks the script and records the run, unless the script refuses.
    private func prepare(
        user: String, query: String, inputs: Members<JSON>, files: Int, conversationID: String?
    ) throws -> Prepared {
        var ask = SimulatedDify.Ask(
            mode: app.mode, user: user, query: query, inputs: inputs, turn: 1, conversationID: "", fileCount: files)
        let now = dify.settings.clock.now.rawValue
        var parent: String?
        if app.mode.hasConversations {
            (ask.turn, parent) = try dify.records.withLock { records in
                guard let conversationID else { return (1, nil) }
                let found = try records.conversation(conversationID, app: app, user: user)
                return (found.turns + 1, found.runs.last?.messageID)
            }
            ask.conversationID = conversationID ?? Vault.randomUUID()
        }
        let steps = app.script(ask)
        if case .refuse(let status, let code, let message, let retryAfter) = steps.first {
            throw DifyError(status: status, code: code, message: message, retryAfter: retryAfter)
        }
        let run = DifyRun(
            app: app, user: user, query: query, inputs: inputs, conversationID: ask.conversationID,
            parentMessageID: parent, createdAt: now, watch: dify.settings.watch)
        try dify.records.withLock { try $0.add(run, isNewConversation: conversationID == nil) }
        return Prepared(run: run, steps: steps)
    }

    /// Plays the run: at once as far as it takes no time, the rest in a task of its own, so that it goes on when the
    /// client leaves.
    private func start(_ prepared: Prepared, isBlocking: Bool) async throws -> HTTPResponse {
        let run = prepared.run
        let player = DifyPlayer(
            run: run, steps: prepared.steps, clock: dify.settings.clock, pingInterval: dify.settings.pingInterval)
        let (first, next) = player.begin()
        var rest: AsyncStream<DifyRun.Output>?
        if let next {
            rest = run.follow()
            dify.goOn(run, player, from: next)
        }
        if case .reset = prepared.steps.first { throw breakConnection() }
        if isBlocking {
            if let rest { for await _ in rest {} }
            return try run.blockingAnswer()
        }
        return stream(first, then: rest)
    }

    /// A stream of events as Dify sends it.
    func stream(_ first: [DifyRun.Output], then rest: AsyncStream<DifyRun.Output>?) -> HTTPResponse {
        let pieceBytes = dify.settings.pieceBytes
        return HTTPResponse(
            status: 200,
            headers: [
                "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache",
                "X-Accel-Buffering": "no",
            ],
            body: .stream { write in
                for output in first { try await send(output, inPiecesOf: pieceBytes, write) }
                guard let rest else { return }
                for await output in rest { try await send(output, inPiecesOf: pieceBytes, write) }
                try Task.checkCancellation()
            })
    }
}

/// Makes the server close the connection without another byte: it does so for a request whose task was cancelled.
func breakConnection() -> CancellationError {
    withUnsafeCurrentTask { $0?.cancel() }
    return CancellationError()
}

private func send(_ output: DifyRun.Output, inPiecesOf size: Int?, _ write: HTTPBodyWriter) async throws {
    guard case .bytes(let bytes) = output else { throw breakConnection() }
    guard let size, size > 0 else {
        if !bytes.isEmpty { try await write(bytes) }
        return
    }
    var start = 0
    while start < bytes.count {
        let end = min(start + size, bytes.count)
        try await write(Array(bytes[start..<end]))
        start = end
    }
}

extension SimulatedDify {
    func goOn(_ run: DifyRun, _ player: DifyPlayer, from next: Int) {
        records.withLock { $0.keepTask(run) }
        let task = Task { [weak self] in
            await player.goOn(from: next)
            self?.records.withLock { $0.dropTask(run) }
        }
        let stopped = run.change { state in
            state.task = task
            return state.stopAsked
        }
        if stopped { task.cancel() }
    }
}

extension DifyRun {
    /// The whole answer in one, when the run has ended.
    func blockingAnswer() throws -> HTTPResponse {
        let ended = ended
        if app.mode == .workflow {
            return .dify { out in
                out.member("task_id", taskID)
                out.member("workflow_run_id", id)
                out.member("data") { writeFinished(ended, to: &$0) }
            }
        }
        if ended.status == .failed {
            throw app.mode == .chatflow
                ? DifyError.invalid("Run failed: \(ended.error ?? "")")
                : DifyError(status: 400, code: "completion_request_error", message: ended.error ?? "")
        }
        return .dify { out in
            out.member("event", "message")
            out.member("task_id", taskID)
            out.member("id", messageID)
            out.member("message_id", messageID)
            if app.mode.hasConversations { out.member("conversation_id", conversationID) }
            out.member("mode", app.mode.rawValue)
            out.member("answer", ended.answer)
            out.member("metadata") { writeMetadata(ended, to: &$0) }
            out.member("created_at", createdSeconds)
        }
    }
}
