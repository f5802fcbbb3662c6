import BotPlatforms

/// A bot's answer as its parts arrive: the one shape in which every platform's answer reaches the chat.
struct Reply: Sendable {
    enum Item: Sendable, Hashable {
        /// Markdown of one message.
        case text(String)
        case file(ReplyFile)
        case choices(Choices)
        case pause(Duration)
    }
    /// What became of the session.
    enum SessionChange: Sendable {
        case none
        case now(PlatformSession)
        case ended
    }
    private(set) var items: [Item] = []
    /// To be done when all has been said.
    private(set) var actions: [BotAction] = []
    private(set) var session = SessionChange.none
    /// What the platform calls the answer.
    private(set) var trace: AskTrace?
    /// Where more text goes; `nil`: into a message of its own.
    private var openText: Int?

    mutating func take(_ part: ReplyPart) {
        switch part {
        case .trace(let trace): self.trace = trace
        case .text(let more): add(more)
        case .replaceText(let whole):
            items.removeAll { if case .text = $0 { true } else { false } }
            openText = nil
            add(whole)
        case .nextMessage: openText = nil
        case .file(let file): items.append(.file(file))
        case .choices(let choices): items.append(.choices(choices))
        case .pause(let length):
            openText = nil
            items.append(.pause(length))
        case .action(let action): actions.append(action)
        case .session(let session): self.session = session.map(SessionChange.now) ?? .ended
        }
    }

    private mutating func add(_ more: String) {
        guard !more.isEmpty else { return }
        if let index = openText, case .text(let text) = items[index] {
            items[index] = .text(text + more)
        } else {
            openText = items.count
            items.append(.text(more))
        }
    }
}
