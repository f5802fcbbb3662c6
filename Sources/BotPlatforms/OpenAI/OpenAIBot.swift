import Base
import Foundation

/// A model behind an interface like OpenAI's (`/chat/completions`), with a system prompt of the connector's. The
/// conversation's history is in the session: the server keeps nothing.
/// Documentation: `platform.openai.com/docs/api-reference/chat`.
public struct OpenAIBot: BotPlatform {
    let options: OpenAIOptions
    let connection: OpenAIConnection

    public init(_ configuration: PlatformConfiguration) {
        options = OpenAIOptions(configuration.options)
        connection = OpenAIConnection(configuration)
    }

    public func reply(to question: Question) -> ReplyParts {
        let reading = OpenAIReading(self, question)
        return ReplyParts { try await reading.next() }
    }

    /// - Throws: ``PlatformError`` of the kind `final`.
    func body(_ history: [OpenAIMessage], _ turn: OpenAITurn, _ question: Question) throws -> JSON {
        let model = try options.namedModel()
        var messages: [JSON] = []
        let prompt = PromptTemplate.filled(
            options.systemPrompt, variables: question.variables, tokens: options.sendsTokens ? question.tokens : [:])
        if !prompt.isEmpty { messages.append(["role": "system", "content": .string(prompt)]) }
        messages += history.map(\.json)
        messages.append(["role": "user", "content": turn.content])
        var body: JSON = ["model": .string(model), "messages": .array(messages), "stream": true]
        if let temperature = options.temperature { body["temperature"] = .number(temperature) }
        return body
    }

    func secrets(of question: Question) -> [Secret] {
        Array(question.tokens.values) + (connection.key.map { [$0] } ?? [])
    }
}

extension PlatformType {
    static let openAI = PlatformType(
        name: "openai", displayName: "OpenAI-compatible", defaultURL: "https://api.openai.com/v1",
        options: OpenAIOptions.table, check: { _ = try OpenAIOptions($0.options).namedModel() },
        make: { OpenAIBot($0) })
}

/// What a connector's `options` say.
struct OpenAIOptions: Sendable {
    /// The server knows no default: without a model nothing can be asked.
    var model: String?
    var systemPrompt: String
    var temperature: Double?
    /// Former messages that go with a question.
    var history: Int
    var seesImages: Bool
    var sendsTokens: Bool

    static let table: [PlatformOption] = [
        PlatformOption("model", .text, "The model's name, as the server knows it; needed."),
        PlatformOption(
            "system_prompt", .text,
            "What the model is told first. `{{FIRST_NAME}}` stands for that variable; without it, nothing is told."),
        PlatformOption(
            "temperature", .number(0...2), "How freely the model answers; without it, as the server has it."),
        PlatformOption("history", .integer(0...200), "How many former messages go with a question; 20 without it."),
        PlatformOption("vision", .flag, "Whether the model gets images that people send; not without it."),
        PlatformOption(
            "send_tokens", .flag, "Whether tokens of Bitrix24 may stand in the system prompt; not without it."),
    ]

    /// - Throws: ``PlatformError`` of the kind `final`.
    func namedModel() throws -> String {
        guard let model else {
            throw PlatformError(.final, "The connector names no model: set its option model.")
        }
        return model
    }

    init(_ json: JSON) {
        model = json["model"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        systemPrompt = json["system_prompt"]?.string ?? ""
        temperature =
            switch json["temperature"] {
            case .integer(let value): Double(value)
            case .number(let value): value
            default: nil
            }
        history = Int(min(max(json["history"]?.integer ?? 20, 0), 200))
        seesImages = json["vision"]?.bool ?? false
        sendsTokens = json["send_tokens"]?.bool ?? false
    }
}

/// Fills `{{name}}` in a text.
enum PromptTemplate {
    /// A variable that is not there leaves nothing; what is filled in is not looked at again.
    static func filled(_ template: String, variables: Members<String>, tokens: Members<Secret>) -> String {
        var result = ""
        var rest = template[...]
        while let open = rest.range(of: "{{"), let close = rest[open.upperBound...].range(of: "}}") {
            result += rest[..<open.lowerBound]
            let name = rest[open.upperBound..<close.lowerBound].filter { !$0.isWhitespace }
            result += variables[name] ?? tokens[name]?.reveal() ?? ""
            rest = rest[close.upperBound...]
        }
        return result + rest
    }
}
