import Base

/// One question to a Dify app and its answer, read in the reader's own task as far as he asks for it.
actor DifyReading {
    private struct Stream {
        var body: HTTPClient.StreamedAnswer.Body
        var pieces: HTTPClient.StreamedAnswer.Body.AsyncIterator
        var parser = ServerSentEventParser(maximumBytes: 32 * 1024 * 1024)
        var answer: DifyAnswer
    }

    private enum End {
        case whole
        case failed(any Error)
    }

    /// After the answer is whole a chatflow still tells how its run ended: so long that is let pass.
    private static let epilogue = Duration.seconds(5)

    private let app: DifyChatflow
    private let question: Question
    /// The conversation that is asked; none once it turned out to be gone.
    private var session: PlatformSession?
    private var stream: Stream?
    /// Said by Dify and not yet given on, the next one last.
    private var parts: [ReplyPart] = []
    private var end: End?

    init(_ app: DifyChatflow, _ question: Question) {
        self.app = app
        self.question = question
        session = question.session
    }

    /// - Throws: ``PlatformError``, `CancellationError`.
    func next() async throws -> ReplyPart? {
        while true {
            if let part = parts.popLast() { return part }
            switch end {
            case .whole: return nil
            case .failed(let error): throw error
            case nil: await readOn()
            }
        }
    }

    private func readOn() async {
        var said: [ReplyPart] = []
        do {
            try Task.checkCancellation()
            if stream == nil { stream = try await ask() }
            try await read(into: &said)
        } catch let refusal as DifyRefusal where session.map(refusal.meansConversationIsGone) == true {
            // Asked again without it; then there is nothing more that could be gone.
            session = nil
            stream = nil
        } catch let error as CancellationError {
            end = .failed(error)
        } catch {
            end = .failed(PlatformError(error, hiding: app.secrets(of: question)))
        }
        if end != nil { stream = nil }
        parts = said.reversed()
    }

    private func ask() async throws -> Stream {
        let inputs = await app.forms.inputs(for: question)
        let body = try await app.connection.stream(
            "/chat-messages", DifyChatflow.body(question, inputs, session)
        ).body
        return Stream(
            body: body, pieces: body.makeAsyncIterator(),
            answer: DifyAnswer(session: session, origin: app.connection.origin))
    }

    /// Reads the next piece. What was said before a fault is given on before it.
    private func read(into said: inout [ReplyPart]) async throws {
        guard var stream else { return }
        self.stream = nil
        guard let piece = try await stream.pieces.next(isolation: self) else {
            try stream.answer.checkEnd()
            end = .whole
            return
        }
        for event in try stream.parser.feed(piece) {
            guard try stream.answer.take(event, say: { said.append($0) }) else { continue }
            stream.body.discardRest(within: Self.epilogue)
            end = .whole
            return
        }
        self.stream = stream
    }
}
