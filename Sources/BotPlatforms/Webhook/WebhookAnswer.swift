import Base

/// What a webhook answered (`docs/webhook-bots.md`). It is taken kindly: what has no meaning is left out.
struct WebhookAnswer {
    /// Where the bot's own session is in ``PlatformSession/data``.
    static let sessionKey = "session"

    private static let mostMessages = 100
    private static let mostButtons = 100
    private static let mostFiles = 50
    private static let mostSessionBytes = 64 * 1024

    private enum Body {
        case nothing
        case text(String)
        case object(JSON)
    }

    private let body: Body
    private let log: Log

    /// - Throws: ``PlatformError`` for what is no answer.
    init(_ answer: HTTPClient.Answer, log: Log) throws {
        self.log = log
        let type = MediaType(rawValue: answer.headers["Content-Type"] ?? "")
        if answer.status == 204 || answer.body.isEmpty {
            body = .nothing
        } else if type.rawValue == "text/plain" {
            body = .text(String(decoding: answer.body, as: UTF8.self))
        } else if PlatformAnswers.isPage(answer.body) {
            throw PlatformError(.final, "The bot's URL answered with a page for people: is the URL the bot's?")
        } else {
            body = try Self.read(answer.body, type)
        }
    }

    private static func read(_ bytes: [UInt8], _ type: MediaType) throws -> Body {
        guard let json = try? JSON(parsing: bytes) else {
            // Many small servers call every text a page.
            if type.rawValue.hasPrefix("text/") { return .text(String(decoding: bytes, as: UTF8.self)) }
            throw PlatformError(
                .final, "The bot's answer is neither JSON nor text/plain: \(PlatformAnswers.excerpt(bytes))")
        }
        switch json {
        case .null: return .nothing
        case .string(let text): return .text(text)
        case .object: return .object(json)
        case .array: return .object(["messages": json])
        case .bool, .integer, .number:
            throw PlatformError(.final, "The bot's answer is no object: \(PlatformAnswers.excerpt(bytes))")
        }
    }

    /// - Parameter session: the one that was asked; an answer that says nothing of it leaves it as it is.
    /// - Throws: ``PlatformError``.
    func parts(following session: PlatformSession?) throws -> [ReplyPart] {
        var parts: [ReplyPart] = []
        var changes: JSON?
        switch body {
        case .nothing: break
        case .text(let text): parts = text.isEmpty ? [] : [.text(text)]
        case .object(let answer):
            parts = messages(answer) + actions(answer)
            changes = answer["session"]
        }
        switch changes {
        case nil: if let session { parts.append(.session(session)) }
        case .null?: parts.append(.session(nil))
        case let value?:
            guard value.bytes.count <= Self.mostSessionBytes else {
                throw PlatformError(.final, "The session in the bot's answer is larger than 64 KB.")
            }
            parts.append(
                .session(
                    PlatformSession(id: session?.id ?? Vault.randomUUID(), data: .object([Self.sessionKey: value]))))
        }
        return parts
    }

    private func messages(_ answer: JSON) -> [ReplyPart] {
        let list = answer["messages"]?.array ?? [answer["messages"] ?? answer]
        if list.count > Self.mostMessages {
            log.warning("a webhook's answer has too many messages", ["messages": .integer(Int64(list.count))])
        }
        let messages = list.prefix(Self.mostMessages).map(Self.message).filter { !$0.isEmpty }
        return Array(messages.joined(separator: [.nextMessage]))
    }

    private static func message(_ json: JSON) -> [ReplyPart] {
        var parts: [ReplyPart] = []
        if let text = word(json) ?? json["text"].flatMap(word), !text.isEmpty { parts.append(.text(text)) }
        parts += (json["files"]?.array ?? []).prefix(mostFiles).compactMap(file).map(ReplyPart.file)
        let choices = (json["buttons"]?.array ?? []).prefix(mostButtons).compactMap(choice)
        if !choices.isEmpty { parts.append(.choices(Choices(choices, isOptional: true))) }
        return parts
    }

    private static func choice(_ json: JSON) -> Choice? {
        guard let label = word(json) ?? json["text"].flatMap(word), !label.isEmpty else { return nil }
        let value = json["value"].flatMap { $0.isNull ? nil : word($0) ?? $0.text }
        return Choice(label: label, value: value ?? label)
    }

    private static func file(_ json: JSON) -> ReplyFile? {
        guard let url = json.string ?? json["url"]?.string,
            ["https:", "http:", "data:"].contains(where: url.lowercased().hasPrefix)
        else { return nil }
        let last = url.hasPrefix("data:") ? "" : url.prefix { $0 != "?" && $0 != "#" }.split(separator: "/").last ?? ""
        let name = json["name"]?.string ?? Form.percentDecode(last) ?? ""
        return ReplyFile(url: url, name: name)
    }

    /// A text, or what people read as one.
    private static func word(_ json: JSON) -> String? {
        switch json {
        case .string(let text): text
        case .integer, .number: json.text
        default: nil
        }
    }

    private func actions(_ answer: JSON) -> [ReplyPart] {
        let words = answer["action"]?.array ?? [answer["action"] ?? .null]
        return words.prefix(10).compactMap { word in
            guard !word.isNull else { return nil }
            if let action = word.string.flatMap({ BotAction(word: $0) }) { return .action(action) }
            log.warning("a webhook's answer has an unknown action", ["action": .text(String(word.text.prefix(50)))])
            return nil
        }
    }
}
