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
        let reading = DifyReading(self, question)
        return AsyncThrowingStream { try await reading.next() }
    }

    static func body(_ question: Question, _ inputs: JSON, _ session: PlatformSession?) -> JSON {
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
