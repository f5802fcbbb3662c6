import Base

/// The routes of the chat API. Documentation: the contract, `apps/docs/api-reference/chat`.
extension SimulatedTypebot {
    func handler() -> HTTPHandler {
        var router = Router()
        let add = {
            (
                method: HTTPMethod, path: String, route: Route,
                answer: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse
            ) in
            router.on(method, path) { [self] in try await self.answer($0, route, answer) }
        }
        add(.post, "/api/v1/typebots/:id/startChat", .startChat) { try await self.startChat($0) }
        add(.post, "/api/v1/typebots/:id/preview/startChat", .previewChat) { try await self.startPreview($0) }
        add(.post, "/api/v1/sessions/:id/continueChat", .continueChat) { try await self.continueChat($0) }
        add(.post, "/api/v3/generate-upload-url", .generateUploadURL) { try self.generateUploadURL($0) }
        add(.put, "/api/uploads/:token", .upload) { try self.upload($0) }
        add(.post, "/bucket", .upload) { try self.uploadForm($0) }
        router.on(.get, "/files/:name") { request in SampleFile.answer(try request.parameter("name")) }
        router.on(.get, "/files/*path") { [self] in try file($0) }
        let routes = router.handler
        return { request in
            do {
                let response = try await routes(request)
                return response.status == 404 && response.headers["Content-Type"]?.hasPrefix("application/json") != true
                    ? .text("Not found", status: 404) : response
            } catch let error as HTTPError {
                return .text(error.status == 404 ? "Not found" : error.message, status: error.status)
            }
        }
    }

    /// Answers with the fault that is meant for the request, if there is one, and shows the exchange to who looks on.
    private func answer(
        _ request: HTTPRequest, _ route: Route, _ answer: (HTTPRequest) async throws -> HTTPResponse
    ) async throws -> HTTPResponse {
        let start = ContinuousClock.now
        let time = settings.clock.now
        let fault = records.withLock { $0.meet(route) }
        var response: HTTPResponse
        switch fault {
        case .error(let status, let code, let message, let retryAfter)?:
            response = TypebotError(status: status, code: code, message: message).response
            if let retryAfter { response.headers["Retry-After"] = String(retryAfter) }
        case .page(let page, let status)?: response = .text(page, status: status, type: "text/html; charset=utf-8")
        case .unreachable?: throw breakConnection()
        case .delay?, .cut?, nil:
            if case .delay(let duration)? = fault { try await Task.sleep(for: duration) }
            do { response = try await answer(request) } catch let error as TypebotError { response = error.response }
        }
        show(request, route, response, isPage: fault.map(\.isPage) ?? false)
        settings.observe?(
            WireCall(
                kind: .platform, method: request.method.rawValue, target: request.path, time: time,
                status: response.status, duration: ContinuousClock.now - start,
                parameters: (try? JSON(parsing: request.body)) ?? [:]))
        guard case .cut(let count)? = fault, case .bytes(let bytes) = response.body else { return response }
        if count == 0 { throw breakConnection() }
        response.body = .stream { write in
            try await write(Array(bytes.prefix(count)))
            throw breakConnection()
        }
        return response
    }

    private func show(_ request: HTTPRequest, _ route: Route, _ response: HTTPResponse, isPage: Bool) {
        guard let watch = settings.watch, route != .upload else { return }
        // A page is no answer of Typebot's: the request alone is looked at.
        watch.exchange(request, isPage ? HTTPResponse(status: response.status, body: .stream { _ in }) : response)
    }

    // MARK: Starting

    private func startChat(_ request: HTTPRequest) async throws -> HTTPResponse {
        let publicID: String = try request.parameter("id")
        let body = try TypebotBody(request)
        guard let flow = records.withLock({ $0.flows[publicID] }) else {
            throw TypebotError.notFound("Typebot not found")
        }
        if flow.isSuspended { throw TypebotError.forbidden("This bot is now closed") }
        if let message = flow.closedMessage { throw TypebotError.badRequest(message) }
        let known = flow.remembersUsers ? body.resultID : nil
        let remembered = known.flatMap { id in records.withLock { $0.results[id] } }
        var state = TypebotState(flow: flow, resultID: (remembered == nil ? nil : known) ?? Self.randomID())
        state.variables = remembered ?? [:]
        return try await start(state, body, request)
    }

    /// Shows the flow under the typebot's own id to those who may edit it; its session outlives the flow.
    private func startPreview(_ request: HTTPRequest) async throws -> HTTPResponse {
        let id: String = try request.parameter("id")
        let body = try TypebotBody(request)
        let expected = "Bearer \(settings.previewToken.reveal())"
        guard request.headers["Authorization"] == expected else { throw TypebotError.unauthorized }
        guard let flow = records.withLock({ $0.flows.values.first { $0.id == id } }) else {
            throw TypebotError.notFound("Typebot not found")
        }
        return try await start(TypebotState(flow: flow, resultID: nil), body, request)
    }

    private func start(
        _ beginning: TypebotState, _ body: TypebotBody, _ request: HTTPRequest
    ) async throws -> HTTPResponse {
        var state = beginning
        if state.place(state.flow.groups.first?.id).flatMap(state.block) != nil {
            for (name, value) in body.prefilled { state.set(name, value) }
        }
        var engine = TypebotEngine(state, isMarkdown: body.isMarkdown)
        if !body.isOnlyRegistering { try engine.start(body.message) }
        try checkOrigin(request, state.flow)
        let id = Self.randomID()
        records.withLock { records in
            records.counts.sessionsStarted += 1
            records.sessions[id] = .init(state: engine.state)
            if let result = engine.state.resultID { records.results[result] = engine.state.variables }
        }
        var answer = engine.answer
        answer["sessionId"] = .string(id)
        answer["typebot"] = describe(state.flow)
        for name in ["clientSideActions", "logs"] where answer[name] == [] { answer[name] = nil }
        let needsSession = engine.input != nil || engine.expectsReply
        if needsSession, let result = engine.state.resultID { answer["resultId"] = .string(result) }
        return .json(answer, status: 200)
    }

    private func describe(_ flow: Flow) -> JSON {
        [
            "id": .string(flow.id), "version": "6.1", "settings": [:],
            "theme": flow.showsProgress ? ["general": ["progressBar": ["isEnabled": true]]] : [:],
            "publishedAt": .string(settings.clock.now.iso8601),
        ]
    }

    private func checkOrigin(_ request: HTTPRequest, _ flow: Flow) throws {
        guard let origin = request.headers["Origin"], !flow.allowedOrigins.isEmpty else { return }
        if !flow.allowedOrigins.contains(origin) { throw TypebotError.forbidden("Origin not allowed") }
    }

    // MARK: Going on

    /// Nothing locks the session meanwhile: of two requests at once, the later one wins.
    private func continueChat(_ request: HTTPRequest) async throws -> HTTPResponse {
        let id: String = try request.parameter("id")
        let body = try TypebotBody(request)
        guard let session = records.withLock({ $0.sessions[id] }) else {
            throw TypebotError.notFound("Session not found.")
        }
        try checkOrigin(request, session.state.flow)
        if session.isExpired {
            throw TypebotError.notFound("Session expired. You need to start a new session.")
        }
        if settings.thinking > .zero { try await Task.sleep(for: settings.thinking) }
        var engine = TypebotEngine(session.state, isMarkdown: body.isMarkdown)
        try engine.proceed(body.message)
        let state = engine.state
        records.withLock { records in
            if engine.isEnded, state.resultID != nil {
                records.sessions[id] = nil
                records.counts.sessionsEnded += 1
            } else {
                records.sessions[id] = .init(state: state)
            }
            if let result = state.resultID { records.results[result] = state.variables }
        }
        var answer = engine.answer
        if let format = engine.newFormat { answer["lastMessageNewFormat"] = .string(format) }
        return .json(answer, status: 200)
    }
}

extension SimulatedTypebot.Fault {
    fileprivate var isPage: Bool { if case .page = self { true } else { false } }
}

extension TypebotEngine {
    /// The members that both answers have.
    fileprivate var answer: JSON {
        var answer: JSON = [
            "messages": .array(messages), "clientSideActions": .array(actions), "logs": .array(logs),
        ]
        answer["input"] = input
        if state.progress != nil {
            let waiting = input?["id"]?.string.flatMap { TypebotInputs(state: state).progress(at: $0) }
            answer["progress"] = waiting.map(JSON.number) ?? (isEnded ? 100 : nil)
        }
        return answer
    }
}

/// The body of `startChat` or `continueChat`.
struct TypebotBody {
    var message: TypebotMessage?
    var prefilled: Members<JSON>
    var resultID: String?
    var isMarkdown: Bool
    var isOnlyRegistering: Bool

    /// - Throws: ``TypebotError`` for what the contract does not allow.
    init(_ request: HTTPRequest) throws {
        let body: JSON
        if request.body.isEmpty {
            body = [:]
        } else if let parsed = try? JSON(parsing: request.body), parsed.object != nil {
            body = parsed
        } else {
            throw TypebotError.badRequest(
                """
                Malformed request. Ensure the request body is properly formatted and the 'Content-Type' header is set \
                correctly.
                """)
        }
        message = try TypebotMessage.read(body["message"])
        if let value = body["prefilledVariables"], value.object == nil {
            throw TypebotMessage.invalid("prefilledVariables")
        }
        prefilled = body["prefilledVariables"]?.object ?? [:]
        if let value = body["resultId"], value.string == nil { throw TypebotMessage.invalid("resultId") }
        resultID = body["resultId"]?.string
        switch body["textBubbleContentFormat"] {
        case nil, "richText"?: isMarkdown = false
        case "markdown"?: isMarkdown = true
        default: throw TypebotMessage.invalid("textBubbleContentFormat")
        }
        if let value = body["isOnlyRegistering"], value.bool == nil {
            throw TypebotMessage.invalid("isOnlyRegistering")
        }
        isOnlyRegistering = body["isOnlyRegistering"]?.bool ?? false
    }
}
