import Base

/// A Dify app of the kind Chatflow. Documentation: `en/api-reference/guides/chatflow.mdx`.
public struct DifyChatflow: FindsOutcome {
    let connection: DifyConnection
    let forms: DifyFormCache

    public init(_ configuration: PlatformConfiguration) { self.init(configuration, timing: DifyTiming()) }

    init(_ configuration: PlatformConfiguration, timing: DifyTiming) {
        connection = DifyConnection(configuration, timing: timing)
        forms = DifyFormCache(connection)
    }

    public func reply(to question: Question) -> AsyncThrowingStream<ReplyPart, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task { await answer(question, to: continuation) }
            continuation.onTermination = { if case .cancelled = $0 { task.cancel() } }
        }
    }

    /// The one question may become two requests: a conversation that is gone is begun anew.
    private func answer(
        _ question: Question, to reader: AsyncThrowingStream<ReplyPart, any Error>.Continuation
    ) async {
        let inputs = await forms.inputs(for: question)
        do {
            try Task.checkCancellation()
            do {
                try await ask(question, inputs, in: question.session, for: reader)
            } catch let refusal as DifyRefusal {
                guard let session = question.session, refusal.meansConversationIsGone(session) else { throw refusal }
                try await ask(question, inputs, in: nil, for: reader)
            }
        } catch let error as CancellationError {
            reader.finish(throwing: error)
        } catch {
            reader.finish(throwing: PlatformError(error, hiding: secrets(of: question)))
        }
    }

    private func ask(
        _ question: Question, _ inputs: JSON, in session: PlatformSession?,
        for reader: AsyncThrowingStream<ReplyPart, any Error>.Continuation
    ) async throws {
        let stream = try await connection.stream("/chat-messages", Self.body(question, inputs, session))
        var parser = ServerSentEventParser(maximumBytes: 32 * 1024 * 1024)
        var answer = DifyAnswer(session: session, origin: connection.origin)
        for try await piece in stream.body {
            for event in try parser.feed(piece) {
                guard try answer.take(event, say: { reader.yield($0) }) else { continue }
                // A task of its own: the reader, who has all he wants, may end this one now.
                Task { [parser] in await drain(stream.body, parser) }
                return reader.finish()
            }
        }
        try answer.checkEnd()
        reader.finish()
    }

    /// Reads on to the stream's end, so that the connection can be used again; not for longer than to the next ping.
    private func drain(_ body: HTTPClient.StreamedAnswer.Body, _ parser: ServerSentEventParser) async {
        var parser = parser
        var pieces = body.makeAsyncIterator()
        while let piece = try? await pieces.next(), let events = try? parser.feed(piece) {
            if events.contains(where: { $0.name == "ping" }) { return }
        }
    }

    private static func body(_ question: Question, _ inputs: JSON, _ session: PlatformSession?) -> JSON {
        var body: JSON = [
            "query": .string(storedText(question.text)), "inputs": inputs, "user": .string(question.user),
            "response_mode": "streaming", "files": [], "auto_generate_name": false,
        ]
        if let session { body["conversation_id"] = .string(session.id) }
        return body
    }

    /// A question's text as Dify stores it: its database knows no NUL.
    static func storedText(_ text: String) -> String {
        text.utf8.contains(0) ? text.filter { $0 != "\0" } : text
    }

    func secrets(of question: Question) -> [Secret] {
        Array(question.tokens.values) + (connection.key.map { [$0] } ?? [])
    }
}

extension PlatformType {
    static let difyChatflow = PlatformType(
        name: "dify_chatflow", displayName: "Dify Chatflow", defaultURL: "https://api.dify.ai/v1",
        make: { DifyChatflow($0) })
}
