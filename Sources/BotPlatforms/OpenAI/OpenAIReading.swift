import Base

/// One question to a model and its answer, read in the reader's own task as far as he asks for it.
actor OpenAIReading {
    private struct Stream {
        var pieces: HTTPClient.StreamedAnswer.Body.AsyncIterator
        var body: HTTPClient.StreamedAnswer.Body
        var parser = ServerSentEventParser(maximumBytes: 4 * 1024 * 1024)
    }

    private enum End {
        case whole
        case failed(any Error)
    }

    private let bot: OpenAIBot
    private let question: Question
    private let history: OpenAIHistory
    private var said = ""
    private var answer = OpenAIAnswer()
    private var stream: Stream?
    /// Not yet given on, the next one last.
    private var parts: [ReplyPart] = []
    private var end: End?

    init(_ bot: OpenAIBot, _ question: Question) {
        self.bot = bot
        self.question = question
        history = OpenAIHistory(question.session, count: bot.options.history)
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
        var heard: [ReplyPart] = []
        do {
            try Task.checkCancellation()
            if stream == nil { try await ask(&heard) } else { try await read(&heard) }
        } catch let error as CancellationError {
            end = .failed(error)
        } catch {
            end = .failed(fault(error))
        }
        if end != nil { stream = nil }
        parts = heard.reversed()
    }

    private func fault(_ error: any Error) -> PlatformError {
        var known = error
        if let refusal = error as? OpenAIRefusal { known = refusal.error }
        if error is ServerSentEventError { known = PlatformError(.uncertain, "An event of the stream is too long.") }
        return PlatformError(known, hiding: bot.secrets(of: question))
    }

    private func ask(_ heard: inout [ReplyPart]) async throws {
        let turn = try await OpenAITurn(question, seesImages: bot.options.seesImages)
        said = turn.text
        let asked = try await bot.connection.ask(try bot.body(history.messages, turn, question).bytes)
        if asked.headers["Content-Type"]?.lowercased().contains("event-stream") ?? true {
            stream = Stream(pieces: asked.body.makeAsyncIterator(), body: asked.body)
            return
        }
        // A server that does not stream answers all at once.
        var whole: [UInt8] = []
        for try await piece in asked.body { whole += piece }
        let text = try answer.take(whole: whole)
        if !text.isEmpty { heard.append(.text(text)) }
        try finish(&heard)
    }

    /// Reads the next piece. What was said before a fault is given on before it.
    private func read(_ heard: inout [ReplyPart]) async throws {
        guard var stream else { return }
        self.stream = nil
        guard let piece = try await stream.pieces.next(isolation: self) else { return try finish(&heard) }
        for event in try stream.parser.feed(piece) {
            guard let text = try answer.take(event.data) else {
                stream.body.discardRest(within: .seconds(5))
                return try finish(&heard)
            }
            if !text.isEmpty { heard.append(.text(text)) }
        }
        self.stream = stream
    }

    private func finish(_ heard: inout [ReplyPart]) throws {
        try answer.checkEnd()
        heard.append(.session(history.session(adding: said, answer: answer.text, count: bot.options.history)))
        end = .whole
    }
}
