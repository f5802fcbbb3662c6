import Base
import Foundation

/// A message as `startChat` and `continueChat` take it. Documentation: `packages/chat-api/src/schemas.ts`.
enum TypebotMessage: Sendable {
    case text(String, replyID: String?, attached: [String])
    case audio(String)
    case command(String)

    /// `nil` for none.
    /// - Throws: ``TypebotError`` for what is no message.
    static func read(_ value: JSON?) throws -> TypebotMessage? {
        guard let value, !value.isNull else { return nil }
        // A bare text is taken too, though the contract has it not.
        if let text = value.string { return .text(text, replyID: nil, attached: []) }
        switch value["type"]?.string {
        case "text"?:
            guard let text = value["text"]?.string else { throw invalid("message", "text") }
            let attached = value["attachedFileUrls"]
            if let attached, attached.array?.allSatisfy({ $0.string != nil }) != true {
                throw invalid("message", "attachedFileUrls")
            }
            return .text(
                text, replyID: value["metadata"]?["replyId"]?.string,
                attached: attached?.array?.compactMap(\.string) ?? [])
        case "audio"?:
            guard let url = value["url"]?.string else { throw invalid("message", "url") }
            return .audio(url)
        case "command"?:
            guard let command = value["command"]?.string else { throw invalid("message", "command") }
            return .command(command)
        default: throw invalid("message", "type")
        }
    }

    static func invalid(_ path: String...) -> TypebotError {
        .badRequest(
            "Input validation failed",
            data: ["issues": [["path": .array(path.map(JSON.string)), "message": "Invalid input"]]])
    }
}

/// What an input makes of a reply.
enum TypebotReply {
    case accepted(String, next: String? = nil, updates: Members<JSON> = [:])
    case skipped
    case refused
}

/// Checks replies as Typebot does. Documentation: `packages/bot-engine/src/validateAndParseInputMessage.ts`.
struct TypebotReplies {
    let input: SimulatedTypebot.Input
    let state: TypebotState

    private var options: Members<JSON> { input.options }
    /// The items that the person sees.
    private var items: [JSON] { TypebotInputs(state: state).items(input, blockID: "") }

    func judge(_ message: TypebotMessage?) -> TypebotReply {
        switch (input.kind, message) {
        case (.file, nil): return options["isRequired"]?.bool == false ? .skipped : .refused
        case (.file, .text(let text, _, _)?): return files(text)
        case (.file, .audio(let url)?): return files(url)
        case (.text, .text(let text, _, _)?): return .accepted(text)
        case (.text, .audio(let url)?): return .accepted(url)
        case (_, .text(let text, let replyID, _)?): return judge(text, replyID)
        default: return .refused
        }
    }

    private func judge(_ text: String, _ replyID: String?) -> TypebotReply {
        switch input.kind {
        case .email: accepted(email(text))
        case .phone: accepted(phone(text))
        case .url: isURL(text, needsTopLevel: true) ? .accepted(text) : .refused
        case .number: accepted(number(text))
        case .date: accepted(TypebotDates(options: options).date(text))
        case .time: accepted(TypebotDates(options: options).time(text))
        case .payment: text == "fail" ? .refused : .accepted(text)
        case .rating: accepted(rating(text))
        case .choice, .pictureChoice:
            options["isMultipleChoice"]?.bool == true ? several(text) : single(text, replyID)
        case .cards: card(text, replyID)
        case .text, .file: .accepted(text)
        }
    }

    private func accepted(_ content: String?) -> TypebotReply { content.map { .accepted($0) } ?? .refused }

    // MARK: Choices

    /// A button's label, a picture's title.
    private func content(_ item: JSON) -> String? {
        if let content = item["content"] { return content.string }
        return [item["title"]?.string, item["pictureSrc"]?.string].compactMap { $0 }.first { !$0.isEmpty }
    }

    private var longestFirst: [JSON] {
        items.enumerated().sorted { a, b in
            let (left, right) = (content(a.element)?.utf16.count ?? 0, content(b.element)?.utf16.count ?? 0)
            return left == right ? a.offset < b.offset : left > right
        }.map(\.element)
    }

    private func single(_ text: String, _ replyID: String?) -> TypebotReply {
        let trimmed = text.trimmed
        let match = longestFirst.first { item in
            let id = item["id"]?.string
            if id == replyID || id == text { return true }
            if let value = item["value"]?.string, !value.isEmpty, value.trimmed == trimmed { return true }
            return content(item).map { !$0.isEmpty && $0.trimmed == trimmed } ?? false
        }
        guard let match else { return .refused }
        let value = match["value"]?.string ?? ""
        let answer = value.isEmpty ? content(match) ?? "" : value
        return answer.isEmpty ? .refused : .accepted(answer, next: match["outgoingEdgeId"]?.string)
    }

    /// Finds ids, values and labels as whole words in any case, then numbers from 1.
    private func several(_ text: String) -> TypebotReply {
        var rest = text
        var matched: Set<String> = []
        let sorted = longestFirst
        func take(_ phrase: String?, _ item: JSON) {
            guard let id = item["id"]?.string, !matched.contains(id), let phrase, includes(rest, phrase) else { return }
            if let found = rest.range(of: phrase) { rest.replaceSubrange(found, with: "") }
            rest = rest.trimmed
            matched.insert(id)
        }
        for item in sorted { take(item["id"]?.string, item) }
        for item in sorted { take(item["value"]?.string, item) }
        for item in sorted { take(content(item), item) }
        for (index, item) in items.enumerated() { take(String(index + 1), item) }
        if matched.isEmpty { return .refused }
        let answers = items.filter { matched.contains($0["id"]?.string ?? "") }
            .map { $0["value"]?.string ?? content($0)?.trimmed ?? "" }
        return .accepted(answers.joined(separator: ", "))
    }

    private func includes(_ text: String, _ phrase: String) -> Bool {
        let words = phrase.split(whereSeparator: \.isWhitespace).map {
            NSRegularExpression.escapedPattern(for: String($0))
        }
        if words.isEmpty { return false }
        let edge = "[^\\p{L}\\p{N}\\p{M}]"
        let pattern = "(?:^|\(edge))\(words.joined(separator: "\\s+"))(?=$|\(edge))"
        return text.range(of: pattern, options: [.regularExpression, .caseInsensitive]) != nil
    }

    /// A button of a card by its id, else the first one of the card with that title.
    private func card(_ text: String, _ replyID: String?) -> TypebotReply {
        for item in items {
            let paths = item["paths"]?.array ?? []
            let byID = paths.first { $0["id"]?.string == text || (replyID != nil && $0["id"]?.string == replyID) }
            let isTitle = item["title"]?.string.map { $0.lowercased().trimmed == text.lowercased().trimmed } ?? false
            guard byID != nil || isTitle else { continue }
            let path = byID ?? paths.first
            let answer = item["title"]?.string ?? item["imageUrl"]?.string ?? ""
            if answer.isEmpty { return .refused }
            return .accepted(answer, next: path?["outgoingEdgeId"]?.string, updates: updates(item, path))
        }
        return .refused
    }

    private func updates(_ card: JSON, _ path: JSON?) -> Members<JSON> {
        var updates: Members<JSON> = [:]
        for mapping in options["saveResponseMapping"]?.array ?? [] {
            guard let name = SimulatedTypebot.Input.variable(mapping["variableId"]) else { continue }
            updates[name] =
                switch mapping["field"]?.string {
                case "Image URL": card["imageUrl"]
                case "Title": card["title"]
                case "Description": card["description"]
                case "Button": path?["text"]
                case "Internal Value": card["options"]?["internalValue"]
                default: nil
                }
        }
        return updates
    }

    // MARK: Files

    /// Any address will do, whether or not the file was uploaded here; its type is judged by its ending.
    private func files(_ text: String) -> TypebotReply {
        let urls = text.components(separatedBy: ", ")
        guard urls.contains(where: { isURL($0, needsTopLevel: false) }) else { return .refused }
        let allowed = options["allowedFileTypes"]
        if allowed?["isEnabled"]?.bool == true, let types = allowed?["types"]?.array, !types.isEmpty {
            let known = TypebotFileTypes(types.compactMap(\.string))
            guard urls.allSatisfy({ known.allowsEnding(of: $0) }) else { return .refused }
        }
        let takesOne = options["isMultipleAllowed"]?.bool != true && urls.count > 1
        return .accepted(takesOne ? String(text.prefix { $0 != "," }) : text)
    }

    /// - Parameter needsTopLevel: whether the host must end with a domain such as `.com`, or be an address.
    private func isURL(_ text: String, needsTopLevel: Bool) -> Bool {
        var rest = Substring(text)
        if let scheme = rest.range(of: "://") {
            guard ["http", "https", "ftp"].contains(rest[..<scheme.lowerBound].lowercased()) else { return false }
            rest = rest[scheme.upperBound...]
        }
        if text.contains(where: \.isWhitespace) || text.contains("<") || text.contains(">") { return false }
        let host = rest.prefix { !"/?#:".contains($0) }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard !host.isEmpty,
            labels.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" } })
        else { return false }
        if labels.count == 4, labels.allSatisfy({ UInt8($0) != nil }) { return true }
        let last = labels.last ?? ""
        return labels.count > 1 ? last.count > 1 && last.allSatisfy(\.isLetter) : !needsTopLevel && host == "localhost"
    }

    // MARK: Numbers and addresses

    private func email(_ text: String) -> String? {
        let pattern = #"^[^<>()\[\]\\.,;:\s@"]+(\.[^<>()\[\]\\.,;:\s@"]+)*@([a-zA-Z\-0-9]+\.)+[a-zA-Z]{2,}$"#
        return text.range(of: pattern, options: .regularExpression) == nil ? nil : text.lowercased()
    }

    /// The first number in the text; without a country code it needs the block's.
    private func phone(_ text: String) -> String? {
        let codes = ["US": "1", "RU": "7", "FR": "33", "ES": "34", "IT": "39", "GB": "44", "DE": "49", "BR": "55"]
        guard let found = text.range(of: #"\+?\d[\d \-().]{5,18}\d"#, options: .regularExpression) else { return nil }
        let digits = text[found].filter(\.isNumber)
        guard (7...15).contains(digits.count) else { return nil }
        if text[found].hasPrefix("+") { return "+" + digits }
        guard let code = options["defaultCountryCode"]?.string.flatMap({ codes[$0] }) else { return nil }
        let national =
            digits.hasPrefix("0") || (code == "7" && digits.hasPrefix("8")) ? digits.dropFirst() : digits[...]
        return "+" + code + national
    }

    /// A comma works as a point, what follows the number is dropped, and a bound of 0 is none.
    private func number(_ text: String) -> String? {
        guard let value = leadingNumber(text) else { return nil }
        for (name, breaks) in [("min", { value < $0 }), ("max", { value > $0 })] as [(String, (Double) -> Bool)] {
            let bound = leadingNumber(bound(name)) ?? 0
            if bound != 0, breaks(bound) { return nil }
        }
        return text.hasPrefix("0") ? text : plain(value)
    }

    private func bound(_ name: String) -> String {
        options[name].map { $0.string.map(state.filled) ?? $0.text } ?? ""
    }

    private func leadingNumber(_ text: String) -> Double? {
        let text = text.replacing(",", with: ".").trimmed
        guard let found = text.range(of: #"^[+-]?(\d+\.?\d*|\.\d+)"#, options: .regularExpression) else { return nil }
        var digits = String(text[found])
        if digits.hasSuffix(".") { digits.removeLast() }
        return Double(digits)
    }

    private func plain(_ value: Double) -> String { Int64(exactly: value).map(String.init) ?? value.description }

    /// Only the upper bound counts, and an empty text is 0.
    private func rating(_ text: String) -> String? {
        let length = Double(options["length"]?.integer ?? 10)
        let value = text.trimmed.isEmpty ? 0 : Double(text.trimmed)
        return value.map { $0 <= length } == true ? text : nil
    }
}

extension StringProtocol {
    /// Without the blanks and line ends around it.
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
