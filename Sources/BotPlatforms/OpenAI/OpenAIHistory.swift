import Base

/// One message of a conversation, as the model and the session have it.
struct OpenAIMessage: Sendable, Equatable {
    enum Role: String, Sendable { case user, assistant }
    var role: Role
    var text: String

    var json: JSON { ["role": .string(role.rawValue), "content": .string(text)] }

    init(_ role: Role, _ text: String) {
        self.role = role
        self.text = text
    }

    init?(_ json: JSON) {
        guard let role = json["role"]?.string.flatMap(Role.init(rawValue:)), let text = json["content"]?.string else {
            return nil
        }
        self.init(role, text)
    }
}

/// The former messages of a conversation, kept in its session.
struct OpenAIHistory: Sendable {
    /// Of one message, and of all together, in UTF-8.
    static let mostBytesOfMessage = 16 * 1024
    static let mostBytes = 48 * 1024

    private static let key = "messages"

    let sessionID: String
    let messages: [OpenAIMessage]

    /// - Parameter count: how many messages are told at most, the newest.
    init(_ session: PlatformSession?, count: Int) {
        sessionID = session?.id ?? Vault.randomUUID()
        let stored = session?.data[Self.key]?.array?.compactMap(OpenAIMessage.init) ?? []
        messages = Self.bounded(stored, count: count)
    }

    /// The session after one more question and its answer.
    func session(adding question: String, answer: String, count: Int) -> PlatformSession {
        let all = messages + [OpenAIMessage(.user, question), OpenAIMessage(.assistant, answer)]
        let kept = Self.bounded(all, count: count)
        return PlatformSession(id: sessionID, data: .object([Self.key: .array(kept.map(\.json))]))
    }

    /// The newest messages that fit, beginning with one of the person's.
    static func bounded(_ messages: [OpenAIMessage], count: Int) -> [OpenAIMessage] {
        var kept: [OpenAIMessage] = []
        var bytes = 0
        for message in messages.suffix(count).reversed() {
            let text = shortened(message.text)
            bytes += text.utf8.count + 64
            if bytes > mostBytes { break }
            kept.append(OpenAIMessage(message.role, text))
        }
        return Array(kept.reversed().drop { $0.role != .user })
    }

    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > mostBytesOfMessage else { return text }
        return String(decoding: text.utf8.prefix(mostBytesOfMessage), as: UTF8.self) + "…"
    }
}
