import Base

/// A question as an app of its kind takes it.
struct DifyRequest: Sendable {
    /// An object without its closing bracket.
    private let fields: ArraySlice<UInt8>
    private let isInConversation: Bool

    /// - Parameter fields: at least one.
    fileprivate init(_ fields: JSON, isInConversation: Bool) {
        self.fields = fields.bytes.dropLast()
        self.isInConversation = isInConversation
    }

    /// In UTF-8.
    func body(_ session: PlatformSession?) -> [UInt8] {
        guard let session, isInConversation else { return fields + Array("}".utf8) }
        return fields + Array(#","conversation_id":\#(JSON.string(session.id).text)}"#.utf8)
    }
}

extension DifyApp {
    /// Turns a voice message into words, uploads files and fills in the app's variables.
    /// - Throws: ``PlatformError``, never `uncertain`.
    func request(for question: Question) async throws -> DifyRequest {
        var question = question
        let parameters = try? await parameters.known().get()
        if let text = try await transcript(of: question, parameters) {
            question.text = text
            question.chosen = []
            question.files = []
            question.variables["MESSAGE"] = text
        }
        let attachments = try await attachments(of: question, parameters)
        // All but the tokens where the app's form cannot be read.
        var inputs =
            try parameters?.form?.inputs(for: question) ?? question.variables.mapValues { .string($0.withoutNUL) }
        inputs.merge(attachments.inputs)
        let text = question.difyText(leavingOut: attachments.leftOut)
        var fields: JSON = [
            "user": .string(question.user), "response_mode": isBlocking ? "blocking" : "streaming",
            "files": .array(attachments.files),
        ]
        switch kind {
        case .workflow: break
        case .completion:
            inputs["query"] = .string(text)
            fields["query"] = .string(text)
        case .chatflow, .chat, .agent:
            fields["query"] = .string(text)
            fields["auto_generate_name"] = false
        }
        fields["inputs"] = .object(inputs)
        return DifyRequest(fields, isInConversation: kind.hasConversations)
    }

    /// What the app suggests to ask next, if it does so. Whatever goes wrong, the answer stands without it.
    /// Documentation: the contract's `/messages/{message_id}/suggested`.
    func suggestions(after message: String, user: String) async -> [ReplyPart] {
        struct Suggested: Decodable { var data: JSON? }
        guard kind.hasConversations, (try? await parameters.known().get())?.suggestsAfterAnswer == true else {
            return []
        }
        let found = try? await connection.read(
            "/messages/\(Form.percentEncode(message))/suggested", [("user", user)],
            within: connection.timing.suggestions, atMost: 1024 * 1024, as: Suggested.self)
        let questions = (found?.value.data?.questions ?? []).prefix(20)
        let choices = questions.map { Choice(label: $0, value: $0) }
        return choices.isEmpty ? [] : [.choices(Choices(choices, isOptional: true))]
    }
}
