import Base

/// The routes of the service API. Documentation: the contract `en/api-reference/openapi_service.json`.
extension SimulatedDify {
    /// Whose uploads and conversations they are when a request names no user.
    static let defaultUser = "DEFAULT-USER"

    private func routes() -> HTTPHandler {
        var router = Router()
        let add = {
            (method: HTTPMethod, path: String, answer: @escaping @Sendable (DifyCall) async throws -> HTTPResponse) in
            let counted = "\(method.rawValue) \(path.replacing(":id", with: "{id}"))"
            router.on(method, "/v1" + path) { [self] request in
                records.withLock { $0.counts.requests[counted, default: 0] += 1 }
                return try await answer(DifyCall(dify: self, app: try app(of: request), request: request))
            }
        }
        add(.get, "/info") { $0.info() }
        add(.get, "/parameters") { $0.parameters() }
        add(.get, "/meta") { _ in .dify { $0.member("tool_icons", object: { _ in }) } }
        add(.post, "/chat-messages") { try await $0.chatMessage() }
        add(.post, "/completion-messages") { try await $0.completionMessage() }
        add(.post, "/workflows/run") { try await $0.runWorkflow() }
        add(.post, "/chat-messages/:id/stop") { try $0.stopChat() }
        add(.post, "/completion-messages/:id/stop") { try $0.stopCompletion() }
        add(.post, "/workflows/tasks/:id/stop") { try $0.stopWorkflow() }
        add(.get, "/workflows/logs") { try $0.workflowLogs() }
        add(.get, "/workflows/run/:id") { try $0.workflowRun() }
        add(.get, "/workflow/:id/events") { try $0.workflowEvents() }
        add(.get, "/messages") { try $0.messages() }
        add(.get, "/messages/:id/suggested") { try $0.suggested() }
        add(.post, "/messages/:id/feedbacks") { try $0.feedback() }
        add(.get, "/conversations") { try $0.conversations() }
        add(.delete, "/conversations/:id") { try $0.deleteConversation() }
        add(.post, "/conversations/:id/name") { try $0.renameConversation() }
        add(.post, "/files/upload") { try $0.upload() }
        add(.post, "/audio-to-text") { try $0.audioToText() }
        add(.get, "/form/human_input/:id") { try $0.form() }
        add(.post, "/form/human_input/:id") { try $0.submitForm() }
        router.on(.get, "/files/:name") { request in SampleFile.answer(try request.parameter("name")) }
        return router.handler
    }

    /// Answers requests, errors in Dify's envelope.
    func handler() -> HTTPHandler {
        let routes = routes()
        let (observe, watch, clock) = (settings.observe, settings.watch, settings.clock)
        if observe == nil, watch == nil { return { try await Self.enveloped($0, routes) } }
        return { request in
            let start = ContinuousClock.now
            let time = clock.now
            let response = try await Self.enveloped(request, routes)
            // The sample files are no part of the API.
            if request.path.hasPrefix("/v1/") { watch?.exchange(request, response) }
            observe?(
                WireCall(
                    kind: .platform, method: request.method.rawValue, target: request.path, time: time,
                    status: response.status, duration: ContinuousClock.now - start,
                    parameters: (try? JSON(parsing: request.body)) ?? (try? Form.decode(request.query.utf8)) ?? [:]))
            return response
        }
    }

    private static func enveloped(_ request: HTTPRequest, _ routes: HTTPHandler) async throws -> HTTPResponse {
        do {
            let response = try await routes(request)
            return response.status == 404 && response.headers["Content-Type"] != "application/json"
                ? DifyError.notFound("The requested URL was not found on the server.").response : response
        } catch let error as DifyError {
            return error.response
        } catch let error as HTTPError {
            let code = error.status == 404 ? "not_found" : error.status == 405 ? "method_not_allowed" : "bad_request"
            return DifyError(status: error.status, code: code, message: error.message).response
        }
    }

    /// - Throws: 401 `unauthorized`, 403 `forbidden` when the app's API is switched off.
    private func app(of request: HTTPRequest) throws -> App {
        let header = request.headers["Authorization"] ?? ""
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw DifyError(
                status: 401, code: "unauthorized",
                message: "Authorization header must be provided and start with 'Bearer'")
        }
        guard let app = records.withLock({ $0.apps[String(parts[1])] }) else {
            throw DifyError(status: 401, code: "unauthorized", message: "Access token is invalid")
        }
        guard app.isEnabled else {
            throw DifyError(status: 403, code: "forbidden", message: "The app's API service has been disabled.")
        }
        return app
    }
}

// MARK: - What the app is

extension DifyCall {
    func info() -> HTTPResponse {
        .dify { out in
            out.member("name", app.name)
            out.member("description", "An app of the simulated Dify.")
            out.member("tags", array: ["sandbox"]) { $0.string($1) }
            out.member("mode", app.mode.rawValue)
            out.member("author_name", "BitBot")
        }
    }

    func parameters() -> HTTPResponse {
        .dify { out in
            out.member("opening_statement", app.openingStatement)
            out.member("suggested_questions", array: app.openingQuestions) { $0.string($1) }
            out.member("suggested_questions_after_answer") { $0.member("enabled", app.suggestedQuestions != nil) }
            out.member("speech_to_text") { $0.member("enabled", app.transcribe != nil) }
            out.member("text_to_speech") { out in
                out.member("enabled", false)
                out.member("voice", "")
                out.member("language", "")
            }
            out.member("retriever_resource") { $0.member("enabled", false) }
            out.member("annotation_reply") { $0.member("enabled", false) }
            out.member("more_like_this") { $0.member("enabled", false) }
            out.member("sensitive_word_avoidance") { $0.member("enabled", false) }
            out.member("user_input_form", array: app.form) { $1.write(to: &$0) }
            out.member("file_upload") { writeFileUpload(app.fileUpload, to: &$0) }
            out.member("system_parameters") { out in
                out.member("file_size_limit", 15)
                out.member("image_file_size_limit", 10)
                out.member("audio_file_size_limit", 50)
                out.member("video_file_size_limit", 100)
                out.member("workflow_file_upload_limit", 10)
            }
        }
    }
}

private func writeFileUpload(_ upload: SimulatedDify.App.FileUpload, to out: inout JSONText) {
    out.member("enabled", !upload.types.isEmpty)
    out.member("allowed_file_types", array: upload.types) { $0.string($1) }
    out.member("allowed_file_extensions", array: upload.extensions) { $0.string($1) }
    out.member("allowed_file_upload_methods", array: upload.methods) { $0.string($1) }
    out.member("number_limits", upload.limit)
    out.member("image") { out in
        out.member("enabled", upload.types.contains("image"))
        out.member("number_limits", upload.limit)
        out.member("detail", "high")
        out.member("transfer_methods", array: upload.methods) { $0.string($1) }
    }
}

// MARK: - Stopping

extension DifyCall {
    func stopChat() throws -> HTTPResponse {
        guard app.mode.hasConversations else { throw DifyError.notChatApp }
        return try stop(byAnyUser: false)
    }

    func stopCompletion() throws -> HTTPResponse {
        guard app.mode == .completion else { throw DifyError.appUnavailable }
        return try stop(byAnyUser: false)
    }

    func stopWorkflow() throws -> HTTPResponse {
        guard app.mode == .workflow else { throw DifyError.notWorkflowApp }
        return try stop(byAnyUser: true)
    }

    /// Says success whether or not it did anything.
    /// Documentation: `en/api-reference/guides/end-user-identity.mdx`.
    private func stop(byAnyUser: Bool) throws -> HTTPResponse {
        let user = try user(try body()["user"])
        let task: String = try request.parameter("id")
        let run = dify.records.withLock { $0.tasks[task] }
        if let run, run.app.id == app.id, byAnyUser || run.user == user { run.stop() }
        return .difySuccess
    }
}
