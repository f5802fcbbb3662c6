import Base

/// One question to a Dify app and its answer, read in the reader's own task as far as he asks for it.
///
/// Functions are kept from being inlined where their caller may wait for long: what they need would wait with it.
actor DifyReading {
    private final class Stream {
        let body: HTTPClient.StreamedAnswer.Body
        var parser = ServerSentEventParser(maximumBytes: 40 * 1024 * 1024)
        /// Ends the wait for what follows the answer.
        var epilogue: Task<Void, Never>?

        init(_ body: HTTPClient.StreamedAnswer.Body) {
            self.body = body
        }
    }

    private enum End {
        case whole
        case failed(any Error)
    }

    /// How far it went in one go.
    private struct Step {
        var said: [ReplyPart] = []
        var fault: (any Error)?
    }

    /// After the answer is whole Dify still tells how its run ended: so long that is let pass.
    private static let rest = Duration.seconds(5)

    private let app: DifyApp
    private var question: Question
    /// What no error may tell.
    private let secrets: [Secret]
    private let words: DifyWords
    /// The conversation that is asked; none once it turned out to be gone.
    private var session: PlatformSession?
    /// What is sent; kept, so that files are uploaded once.
    private var request: DifyRequest?
    private var answer: DifyAnswer?
    private var stream: Stream?
    /// Looks at a run that goes on after a form.
    private var watch: Task<Void, Never>?
    /// Said by Dify and not yet given on, the next one last.
    private var parts: [ReplyPart] = []
    /// Whether the answer is whole and suggestions may follow it.
    private var isAnswered = false
    private var end: End?

    init(_ app: DifyApp, _ question: Question) {
        self.app = app
        self.question = question
        secrets = app.secrets(of: question)
        words = DifyWords(question)
        session = question.session
    }

    deinit { watch?.cancel() }

    /// - Throws: ``PlatformError``, `CancellationError`.
    func next() async throws -> ReplyPart? {
        while true {
            if let part = parts.popLast() { return part }
            switch end {
            case .whole: return nil
            case .failed(let error): throw error
            case nil: take(stream == nil && !isAnswered ? await goOnApart() : await goOn())
            }
        }
    }

    /// In a task of its own: until it ends, a task keeps the memory of its deepest call, and what follows may take long.
    @inline(never)
    private func goOnApart() async -> Step {
        async let step = goOn()
        return await step
    }

    @inline(never)
    private func goOn() async -> Step {
        parts = []
        var step = Step()
        do {
            try Task.checkCancellation()
            if isAnswered {
                try await suggest(into: &step.said)
            } else if stream != nil {
                try await read(into: &step.said)
            } else {
                try await begin(into: &step.said)
            }
        } catch {
            step.fault = error
        }
        return step
    }

    @inline(never)
    private func take(_ step: Step) {
        if let fault = step.fault { take(fault) }
        if end != nil || isAnswered {
            stream = nil
            watch?.cancel()
        }
        parts = step.said.reversed()
    }

    private func take(_ error: any Error) {
        stream = nil
        if let refusal = error as? DifyRefusal, session.map(refusal.meansConversationIsGone) == true {
            // Asked again without it; then there is nothing more that could be gone.
            session = nil
            answer = nil
        } else if error is CancellationError {
            end = .failed(error)
        } else if answer?.isSaid == true {
            isAnswered = true
        } else {
            end = .failed(PlatformError(error, hiding: secrets))
        }
    }

    // MARK: Asking

    @inline(never)
    private func begin(into said: inout [ReplyPart]) async throws {
        if question.kind != .command, let form = session?.difyForm {
            try await fillIn(form, into: &said)
        } else {
            try await ask(into: &said)
        }
    }

    private func ask(into said: inout [ReplyPart]) async throws {
        let request = if let request { request } else { try await app.request(for: question) }
        // It says all that they say, and is needed again only where the conversation may turn out to be gone.
        question.variables = [:]
        question.tokens = [:]
        question.id = ""
        self.request = session == nil ? nil : request
        if app.isBlocking {
            try take(whole: await app.connection.ask(app.kind.path, request.body(session)), into: &said)
        } else {
            try await follow(app.connection.stream(app.kind.path, request.body(session)))
        }
    }

    @inline(never)
    private func take(whole: [UInt8], into said: inout [ReplyPart]) throws {
        var answer = DifyAnswer(app, session: session, words: words)
        _ = try answer.take(whole: whole) { said.append($0) }
        self.answer = answer
        isAnswered = true
    }

    @inline(never)
    private func follow(_ source: HTTPClient.StreamedAnswer) {
        answer = DifyAnswer(app, session: session, words: words)
        stream = Stream(source.body)
    }

    // MARK: A form that waits

    /// Puts what the person said into the form; when it is filled in, submits it and follows the run that goes on.
    private func fillIn(_ form: DifyForm, into said: inout [ReplyPart]) async throws {
        var form = form
        var files: [JSON] = []
        var text = question.text.withoutNUL
        if let rule = form.nextField?.files {
            files = try await upload(rule)
        } else if !question.files.isEmpty {
            text = try await app.transcript(of: question, try? app.parameters.known().get()) ?? text
        }
        let understood = form.take(text, chosen: question.chosen.first?.value, files: files) == .taken
        guard let submission = form.submission(by: question.user) else {
            return ask(form, again: !understood, into: &said)
        }
        do {
            try await app.connection.post("/form/human_input/\(Form.percentEncode(form.token))", submission)
        } catch let refusal as DifyRefusal {
            switch (refusal.status, refusal.code) {
            case (400, "invalid_form_data"?):
                form.clear()
                return ask(form, again: true, into: &said)
            // Somebody else was first, or it was too late: either way the run goes on.
            case (412, _): break
            case (404, "not_found"?):
                session = app.kind.hasConversations ? session?.with(nil) : nil
                said.append(.session(session))
                return
            default: throw refusal
            }
        }
        session = app.kind.hasConversations ? session?.with(nil) : nil
        let trace = AskTrace(
            conversationID: session?.id, messageID: session?.data[PlatformSession.newestMessage]?.string,
            runID: form.run)
        said += [.trace(trace), .session(session)]
        try await resume(
            form, DifyAnswer(app, session: session, words: words, resumed: form, trace: trace), into: &said)
    }

    /// Listens to the run. One that has ended or waits again by then may tell nothing any more: it is also looked at.
    private func resume(_ form: DifyForm, _ answer: DifyAnswer, into said: inout [ReplyPart]) async throws {
        let opening = Task { [app, question] in
            try await app.connection.events(ofRun: form.run, user: question.user)
        }
        watch = Task { [app] in
            guard await app.settling(ofRun: form.run) else { return }
            opening.cancel()
            (try? await opening.value)?.body.discardRest(within: Self.rest)
        }
        do {
            let source = try await withTaskCancellationHandler {
                try await opening.value
            } onCancel: {
                opening.cancel()
            }
            self.answer = answer
            stream = Stream(source.body)
        } catch is CancellationError where !Task.isCancelled {
            self.answer = answer
            try await lookForRest(answer, into: &said)
        }
    }

    private func lookForRest(_ answer: DifyAnswer, into said: inout [ReplyPart]) async throws {
        if !answer.said.isEmpty { said.append(.replaceText("")) }
        let rest = try await app.rest(of: question, answer.trace)
        said += rest
        isAnswered = true
        // Nothing is suggested while a form waits.
        if rest.contains(where: { if case .session(let next?) = $0 { next.difyForm != nil } else { false } }) {
            end = .whole
        }
    }

    private func ask(_ form: DifyForm, again: Bool, into said: inout [ReplyPart]) {
        if again { said.append(.text(words.notAccepted + "\n\n")) }
        said += form.askedNext(in: words)
        if let session { said.append(.session(session.with(form))) }
        end = .whole
    }

    private func upload(_ rule: DifyFileRule) async throws -> [JSON] {
        var uploaded: [JSON] = []
        for file in question.files where uploaded.count < rule.count {
            guard let type = rule.type(of: file) else { continue }
            if let file = try await app.upload(file, as: type, of: question, nil) { uploaded.append(file) }
        }
        return uploaded
    }

    // MARK: Reading

    /// Reads the next piece. What was said before a fault is given on before it.
    private func read(into said: inout [ReplyPart]) async throws {
        guard var pieces = stream?.body.makeAsyncIterator() else { return }
        guard let piece = try await pieces.next(isolation: self) else { return try await endStream(into: &said) }
        if try take(piece, into: &said) { try await finish(into: &said) }
    }

    @inline(never)
    private func endStream(into said: inout [ReplyPart]) async throws {
        stream?.epilogue?.cancel()
        if let answer, answer.lacksEnd { return try await lookForRest(answer, into: &said) }
        try answer?.end { said.append($0) }
        try await finish(into: &said)
    }

    /// - Returns: whether the answer is whole.
    @inline(never)
    private func take(_ piece: [UInt8], into said: inout [ReplyPart]) throws -> Bool {
        for event in try stream?.parser.feed(piece) ?? [] {
            if case .whole = try answer?.take(event, say: { said.append($0) }) {
                stream?.epilogue?.cancel()
                stream?.body.discardRest(within: Self.rest)
                return true
            }
        }
        if answer?.isSaid == true, let stream, stream.epilogue == nil { stream.epilogue = endSoon(stream.body) }
        return false
    }

    private func endSoon(_ body: HTTPClient.StreamedAnswer.Body) -> Task<Void, Never> {
        Task { [patience = app.connection.timing.epilogue] in
            try? await Task.sleep(for: patience)
            if !Task.isCancelled { body.discardRest(within: Self.rest) }
        }
    }

    @inline(never)
    private func finish(into said: inout [ReplyPart]) async throws {
        isAnswered = true
        // A run that had ended before its stream was opened tells its end alone: then only its message has the text.
        if let answer, answer.lacksText { said += (try? await app.rest(of: question, answer.trace)) ?? [] }
    }

    // MARK: Suggestions

    private func suggest(into said: inout [ReplyPart]) async throws {
        end = .whole
        guard let answer, !answer.waitsForPerson, let message = answer.trace.messageID else { return }
        said += await app.suggestions(after: message, user: question.user)
    }
}
