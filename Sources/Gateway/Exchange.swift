import Base
import BotPlatforms
import Foundation
import Storage

/// What a bot platform was asked and answered, as it is kept with the transcript. It never holds a token.
public struct Exchange: Sendable, Decodable, Equatable {
    public struct Asked: Sendable, Decodable, Equatable {
        /// `nil` in the store where the variable `MESSAGE` says the same.
        public var text: String?
        public var variables: Members<String>
        public var files: [String]
        /// The platform's own id of the conversation.
        public var session: String?
    }
    public struct Answered: Sendable, Decodable, Equatable {
        /// Markdown; `nil` in the store where the bot's line says the same.
        public var text: String?
        public var trace: AskTrace?
        public var choices: [Choice]
        public var files: [String]
    }
    /// The connector's name.
    public var connector: String
    /// The provider's name and kind.
    public var provider: String
    public var asked: Asked
    public var answered: Answered?
}

extension Exchange {
    /// From what the store keeps, with what it left out; `nil` if it cannot be read.
    public init?(_ record: ExchangeRecord) {
        guard let content = record.content,
            var exchange = try? JSONDecoder().decode(Exchange.self, from: Data(content.utf8))
        else { return nil }
        exchange.asked.text = exchange.asked.text ?? exchange.asked.variables["MESSAGE"] ?? ""
        if exchange.answered != nil, exchange.answered?.text == nil { exchange.answered?.text = record.answer ?? "" }
        self = exchange
    }
}

/// The exchange of a question that was not answered yet, as the store keeps it: while the bot is waited for, that takes less
/// memory than what it says. It is written for each message, so by hand: that takes half the time of going by a tree.
struct AskedExchange: Sendable {
    /// An object without its closing bracket.
    private let fields: String

    /// The question's tokens are apart from its variables, and stay out.
    init(_ question: Question, _ setting: Conversation.Setting) {
        var provider = setting.provider.name
        if let type = PlatformType.named(setting.provider.type) { provider += " (\(type.displayName))" }
        let isSaidTwice = question.variables["MESSAGE"] == question.text
        let asked = Exchange.Asked(
            text: isSaidTwice ? nil : question.text, variables: question.variables, files: question.files.map(\.name),
            session: question.session?.id)
        var json = JSONWriter()
        json.reserve(1024)
        json.raw(#"{"connector":"#)
        json.string(setting.connector.name)
        json.raw(#","provider":"#)
        json.string(provider)
        json.raw(#","asked":"#)
        asked.write(to: &json)
        fields = json.text
    }

    /// Without an answer.
    var json: String { fields + "}" }

    /// - Parameter line: what the transcript says of it.
    func answered(with reply: Reply, line: String) -> String {
        let text = reply.text
        let answered = Exchange.Answered(
            text: text == line ? nil : text, trace: reply.trace, choices: reply.options, files: reply.fileNames)
        var json = JSONWriter()
        json.reserve(512)
        json.raw(#","answered":"#)
        answered.write(to: &json)
        json.raw("}")
        return fields + json.text
    }
}

extension Exchange {
    /// In characters; what is longer is cut.
    private static let longestText = 20_000
    private static let longestVariable = 2_000

    fileprivate static func kept(_ text: String) -> String { text.cut(to: longestText) }

    fileprivate static func kept(_ variable: (name: String, value: String)) -> String {
        variable.value.cut(to: variable.name == "MESSAGE" ? longestText : longestVariable)
    }
}

extension Exchange.Asked {
    fileprivate func write(to json: inout JSONWriter) {
        json.raw(#"{"variables":"#)
        json.object(variables.lazy.map { name, value in (name, Exchange.kept((name, value))) })
        json.raw(#","files":"#)
        json.value(.array(files.map(JSON.string)))
        if let text {
            json.raw(#","text":"#)
            json.string(Exchange.kept(text))
        }
        if let session {
            json.raw(#","session":"#)
            json.string(session)
        }
        json.raw("}")
    }
}

extension Exchange.Answered {
    fileprivate func write(to json: inout JSONWriter) {
        json.raw(#"{"choices":"#)
        json.value(.array(choices.map { ["label": .string($0.label), "value": .string($0.value)] }))
        json.raw(#","files":"#)
        json.value(.array(files.map(JSON.string)))
        if let text {
            json.raw(#","text":"#)
            json.string(Exchange.kept(text))
        }
        if let trace {
            json.raw(#","trace":"#)
            trace.write(to: &json)
        }
        json.raw("}")
    }
}

extension AskTrace {
    /// As the store keeps it, and its decoder reads it.
    var json: String {
        var json = JSONWriter()
        json.reserve(256)
        write(to: &json)
        return json.text
    }

    fileprivate func write(to json: inout JSONWriter) {
        let ids = [
            ("conversationID", conversationID), ("messageID", messageID), ("taskID", taskID), ("runID", runID),
        ]
        json.object(ids.lazy.compactMap { name, id in id.map { (name, $0) } })
    }
}

extension Reply {
    /// All that is said, in Markdown.
    var text: String {
        let texts = items.compactMap { if case .text(let text) = $0 { text } else { nil } }
        return texts.joined(separator: "\n\n")
    }

    var options: [Choice] {
        items.flatMap { item -> [Choice] in if case .choices(let choices) = item { choices.options } else { [] } }
    }

    var fileNames: [String] { items.compactMap { if case .file(let file) = $0 { file.name } else { nil } } }
}

extension String {
    /// At most so many characters; what is left out shows as `…`.
    func cut(to count: Int) -> String {
        // Bytes are counted at once, characters one by one.
        utf8.count > count && self.count > count ? prefix(count - 1) + "…" : self
    }
}
