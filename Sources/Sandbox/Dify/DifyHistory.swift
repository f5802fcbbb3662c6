import Base

/// What was said before: conversations, their messages, feedback, runs.
extension DifyCall {
    /// Newest first. Documentation: the contract's `/messages`.
    func messages() throws -> HTTPResponse {
        guard app.mode.hasConversations else { throw DifyError.notChatApp }
        let query = try query()
        let limit = try limit(query)
        let id = query["conversation_id"] ?? ""
        guard isUUID(id) else { throw DifyError.invalid("\(id) is not a valid uuid.") }
        let user = optionalUser(query["user"])
        let firstID = query["first_id"].flatMap { $0.isEmpty ? nil : $0 }
        let (page, hasMore) = try dify.records.withLock { records in
            let conversation = try records.conversation(id.lowercased(), app: app, user: user)
            var older = conversation.runs[...]
            if let firstID {
                guard let index = conversation.runs.firstIndex(where: { $0.messageID == firstID }) else {
                    throw DifyError.notFound("First Message Not Exists.")
                }
                older = conversation.runs[..<index]
            }
            return (Array(older.suffix(limit).reversed()), older.count > limit)
        }
        return .dify { out in
            out.member("limit", limit)
            out.member("has_more", hasMore)
            out.member("data", array: page) { out, run in out.object { run.writeMessage(to: &$0) } }
        }
    }

    /// Documentation: the contract's `/messages/{message_id}/suggested`.
    func suggested() throws -> HTTPResponse {
        let user = try user(try query()["user"].map(JSON.string))
        guard app.mode.hasConversations else { throw DifyError.notChatApp }
        let id = try id("id")
        _ = try dify.records.withLock { try $0.message(id, app: app, user: user) }
        guard let questions = app.suggestedQuestions else {
            throw DifyError.badRequest("Suggested Questions Is Disabled.")
        }
        return .dify { out in
            out.member("result", "success")
            out.member("data", array: questions) { $0.string($1) }
        }
    }

    /// Documentation: the contract's `/messages/{message_id}/feedbacks`.
    func feedback() throws -> HTTPResponse {
        let body = try body()
        let user = try user(body["user"])
        let id = try id("id")
        let run = try dify.records.withLock { try $0.message(id, app: app, user: user) }
        let rating: String?
        switch body["rating"] {
        case nil, .null: rating = nil
        case "like": rating = "like"
        case "dislike": rating = "dislike"
        default: throw DifyError.invalid("rating must be one of: like, dislike")
        }
        let hadNone = run.change { state in
            defer { state.feedback = rating }
            return state.feedback == nil
        }
        if rating == nil, hadNone { throw DifyError.invalid("rating cannot be None when feedback not exists") }
        return .difySuccess
    }

    /// Documentation: the contract's `/conversations`.
    func conversations() throws -> HTTPResponse {
        guard app.mode.hasConversations else { throw DifyError.notChatApp }
        let query = try query()
        let limit = try limit(query)
        let user = optionalUser(query["user"])
        let order = query["sort_by"] ?? "-updated_at"
        guard ["created_at", "-created_at", "updated_at", "-updated_at"].contains(order) else {
            throw DifyError.invalid("sort_by must be one of: created_at, -created_at, updated_at, -updated_at")
        }
        return try dify.records.withLock { records in
            var all = records.conversations.values.filter { $0.appID == app.id && $0.user == user }
            all.sort { a, b in
                let (a, b) = order.hasPrefix("-") ? (b, a) : (a, b)
                return order.hasSuffix("created_at") ? a.createdAt < b.createdAt : a.updatedAt < b.updatedAt
            }
            if let last = query["last_id"], !last.isEmpty {
                guard let index = all.firstIndex(where: { $0.id == last }) else {
                    throw DifyError.notFound("Last Conversation Not Exists.")
                }
                all.removeFirst(index + 1)
            }
            return .dify { out in
                out.member("limit", limit)
                out.member("has_more", all.count > limit)
                out.member("data", array: Array(all.prefix(limit))) { out, conversation in
                    out.object { conversation.write(introduction: app.openingStatement ?? "", to: &$0) }
                }
            }
        }
    }

    /// Answers 204; needs a JSON body, at least `{}`. Documentation: the contract's `/conversations/{conversation_id}`.
    func deleteConversation() throws -> HTTPResponse {
        let user = optionalUser(try body()["user"]?.string)
        guard app.mode.hasConversations else { throw DifyError.notChatApp }
        let id = try id("id")
        try dify.records.withLock { records in
            _ = try records.conversation(id, app: app, user: user)
            records.forget(conversation: id)
        }
        return HTTPResponse(status: 204)
    }

    /// Documentation: the contract's `/conversations/{conversation_id}/name`.
    func renameConversation() throws -> HTTPResponse {
        let body = try body()
        let user = optionalUser(body["user"]?.string)
        guard app.mode.hasConversations else { throw DifyError.notChatApp }
        let id = try id("id")
        let generates = body["auto_generate"]?.bool ?? false
        return try dify.records.withLock { records in
            let conversation = try records.conversation(id, app: app, user: user)
            if generates {
                conversation.name = String((conversation.runs.first?.query ?? conversation.name).prefix(40))
            } else {
                guard let name = body["name"]?.string, !name.isEmpty else {
                    throw DifyError.invalid("name is required when auto_generate is false")
                }
                conversation.name = name
            }
            return .dify { conversation.write(introduction: app.openingStatement ?? "", to: &$0) }
        }
    }

    // MARK: Runs

    /// Documentation: the contract's `/workflows/run/{workflow_run_id}`.
    func workflowRun() throws -> HTTPResponse {
        guard app.mode.hasWorkflow else { throw DifyError.notWorkflowApp }
        let id = try id("id")
        guard let run = dify.records.withLock({ $0.run(id, app: app) }) else { throw DifyError.noRun }
        let state = run.read { ($0.status, $0.answer, $0.error, $0.finishedAt) }
        let tokens = run.tokens(state.1)
        let isUnderWay = state.0 == .running || state.0 == .paused
        return .dify { out in
            out.member("id", run.id)
            out.member("workflow_id", app.workflowID)
            out.member("status", state.0.rawValue)
            out.member("inputs", JSON.object(run.workflowInputs).text)
            out.member("outputs", run.outputs(run.ended))
            out.member("error", state.2)
            out.member("total_steps", isUnderWay ? 1 : 3)
            out.member("total_tokens", isUnderWay ? 0 : tokens.prompt + tokens.answer)
            out.member("created_at", run.createdSeconds)
            out.member("finished_at", state.3.map { Int($0 / 1000) })
            out.member("elapsed_time", state.3.map { Double($0 - run.createdAt) / 1000 } ?? 0)
        }
    }

    /// Follows a run again: of one that has ended, its `workflow_finished` alone.
    /// Documentation: the contract's `/workflow/{workflow_run_id}/events`.
    func workflowEvents() throws -> HTTPResponse {
        let query = try query()
        let user = try user(query["user"].map(JSON.string))
        guard app.mode.hasWorkflow else { throw DifyError.notWorkflowApp }
        let id = try id("id")
        guard let run = dify.records.withLock({ $0.run(id, app: app) }), run.user == user else {
            throw DifyError.noRun
        }
        let rest = run.follow()
        let events = DifyEvents(run: run)
        let ended = run.read { $0.finishedAt } == nil ? nil : run.ended
        var out = JSONText()
        if let ended {
            events.workflowFinished(ended, &out)
            return stream([.bytes(out.bytes)], then: nil)
        }
        if query["include_state_snapshot"]?.lowercased() == "true" {
            events.snapshot(&out)
            let form = run.read { $0.status == .paused ? $0.form : nil }
            if let form {
                // What was asked is told again, and the stream closes at the pause.
                events.asked(form, &out)
                events.paused(form, at: dify.settings.clock.now.rawValue, &out)
                return stream([.bytes(out.bytes)], then: nil)
            }
        }
        return stream([.bytes(out.bytes)], then: rest.withoutCuts())
    }
}

extension AsyncStream<DifyRun.Output> {
    /// A cut concerns the connection of the one who asked.
    fileprivate func withoutCuts() -> AsyncStream<DifyRun.Output> {
        AsyncStream { continuation in
            let task = Task {
                for await output in self {
                    if case .bytes = output { continuation.yield(output) }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

extension DifyRun {
    /// The members of the contract's `ConversationMessageItem`.
    func writeMessage(to out: inout JSONText) {
        let state = read { ($0.status, $0.answer, $0.error, $0.feedback, $0.finishedAt) }
        let tokens = tokens(state.1)
        out.member("id", messageID)
        out.member("conversation_id", conversationID)
        out.member("parent_message_id", parentMessageID)
        out.member("inputs", .object(inputs))
        out.member("query", query)
        // Dify stores the text when the answer is whole.
        out.member("answer", state.0 == .running || state.0 == .paused ? "" : state.1)
        out.member("status", state.0 == .failed ? "error" : "normal")
        out.member("error", state.2)
        out.member("message_files", array: read { $0.files }) { $0.value($1.messageJSON) }
        if let rating = state.3 {
            out.member("feedback") { $0.member("rating", rating) }
        } else {
            out.member("feedback", nil as String?)
        }
        out.member("retriever_resources", array: [String]()) { $0.string($1) }
        out.member("agent_thoughts", array: [String]()) { $0.string($1) }
        out.member("created_at", createdSeconds)
        out.member("extra_contents", array: [String]()) { $0.string($1) }
        out.member("message_tokens", tokens.prompt)
        out.member("answer_tokens", tokens.answer)
        out.member("total_tokens", tokens.prompt + tokens.answer)
        out.member("provider_response_latency", Double((state.4 ?? createdAt) - createdAt) / 1000)
        out.member("total_price", "0.0000030")
        out.member("currency", "USD")
    }
}

extension DifyRecords.Conversation {
    /// The members of the contract's `ConversationListItem`.
    func write(introduction: String, to out: inout JSONText) {
        out.member("id", id)
        out.member("name", name)
        out.member("inputs", .object(inputs))
        out.member("status", "normal")
        out.member("introduction", introduction)
        out.member("created_at", Int(createdAt / 1000))
        out.member("updated_at", Int(updatedAt / 1000))
    }
}
