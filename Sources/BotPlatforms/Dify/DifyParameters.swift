import Base

/// What an app tells of itself in `/parameters`. Anything missing or of another shape counts as switched off.
/// Documentation: the contract's `AppParametersResponse`.
struct DifyParameters: Decodable, Sendable {
    /// `nil` where it cannot be understood.
    var form: DifyInputForm?
    var openingStatement: String
    var suggestedQuestions: [String]
    var suggestsAfterAnswer: Bool
    var hearsSpeech: Bool
    /// Files that go with a message; `nil`: the app takes none.
    var files: DifyFileRule?
    var sizes: DifyFileSizes

    init(from decoder: any Decoder) throws { try self.init(JSON(from: decoder)) }

    /// - Throws: `DecodingError` for what is no object.
    init(_ json: JSON) throws {
        guard json.object != nil else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "not an object"))
        }
        form = json["user_input_form"]?.array.map(DifyInputForm.init)
        openingStatement = json["opening_statement"]?.string ?? ""
        suggestedQuestions = json["suggested_questions"]?.questions ?? []
        suggestsAfterAnswer = json["suggested_questions_after_answer"]?["enabled"]?.bool ?? false
        hearsSpeech = json["speech_to_text"]?["enabled"]?.bool ?? false
        files = json["file_upload"].flatMap(DifyFileRule.init(upload:))
        sizes = DifyFileSizes(json["system_parameters"] ?? [:])
    }

    /// The opening statement, its variables filled in; nothing if the app has none.
    func greeting(for question: Question) -> [ReplyPart] {
        let known = greetingVariables(question)
        let text = Self.fill(openingStatement, known)
        guard text.contains(where: { !$0.isWhitespace }) else { return [] }
        let choices = suggestedQuestions.map { question in
            let text = Self.fill(question, known)
            return Choice(label: text, value: text)
        }
        return [.text(text)] + (choices.isEmpty ? [] : [.choices(Choices(choices, isOptional: true))])
    }

    /// What the app declares and what BitBot knows; tokens are never shown.
    private func greetingVariables(_ question: Question) -> [String: String] {
        var known: [String: String] = [:]
        for field in form?.fields ?? [] { known[field.variable] = field.standard }
        for (name, value) in question.variables where !value.isEmpty { known[name] = value }
        return known
    }

    /// What has no value known by that name stays as it is.
    private static func fill(_ text: String, _ values: [String: String]) -> String {
        text.replacing(/\{\{\s*([^{}\s]+)\s*\}\}/) { match in
            values[String(match.1)] ?? String(match.0)
        }
    }
}

extension JSON {
    /// A list of questions, without empty ones.
    var questions: [String] {
        (array ?? []).compactMap(\.string).filter { $0.contains { !$0.isWhitespace } }
    }
}
