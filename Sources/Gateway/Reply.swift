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
    /// In UTF-8, of all texts: some fifty messages. More is no answer but a fault, and would flood the chat.
    static let mostText = 1024 * 1024
    static let mostItems = 1_000
    static let mostFiles = 100

    private(set) var items: [Item] = []
    /// Whether something was left out because there was too much of it.
    private(set) var isCut = false
    /// To be done when all has been said.
    private(set) var actions: [BotAction] = []
    private(set) var session = SessionChange.none
    /// What the platform calls the answer.
    private(set) var trace: AskTrace?
    /// Where more text goes; `nil`: into a message of its own.
    private var openText: Int?
    private var textBytes = 0
    private var files = 0

    mutating func take(_ part: ReplyPart) {
        switch part {
        case .trace(let trace): self.trace = trace
        case .text(let more): add(more)
        case .replaceText(let whole):
            items.removeAll { if case .text = $0 { true } else { false } }
            openText = nil
            textBytes = 0
            add(whole)
        case .nextMessage: openText = nil
        case .file(let file):
            files += 1
            if files <= Self.mostFiles { append(.file(file)) } else { isCut = true }
        case .choices(let choices): append(.choices(choices))
        case .pause(let length):
            openText = nil
            append(.pause(length))
        case .action(let action): if !actions.contains(action) { actions.append(action) }
        case .session(let session): self.session = session.map(SessionChange.now) ?? .ended
        }
    }

    private mutating func add(_ more: String) {
        guard !more.isEmpty else { return }
        let room = Self.mostText - textBytes
        guard room > 0 else {
            isCut = true
            return
        }
        let isWhole = more.utf8.count <= room
        let more = isWhole ? more : String(decoding: more.utf8.prefix(room), as: UTF8.self) + "…"
        if !isWhole { isCut = true }
        textBytes += more.utf8.count
        if let index = openText, case .text(var text) = items[index] {
            // Held once only, it grows where it is.
            items[index] = .text("")
            text += more
            items[index] = .text(text)
        } else {
            openText = items.count
            append(.text(more))
            if openText == items.count { openText = nil }
        }
    }

    private mutating func append(_ item: Item) {
        if items.count < Self.mostItems { items.append(item) } else { isCut = true }
    }
}
