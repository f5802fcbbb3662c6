import BotPlatforms

/// A reply in the pieces in which the chat shows it, one after another.
struct ReplyBlocks {
    enum Content {
        /// Markdown of one message; empty where only choices are offered.
        case text(String)
        case file(ReplyFile)
    }
    struct Block {
        var content: Content
        /// What the person may answer; only under a text.
        var choices: Choices?
        /// How long after the reply it is shown.
        var delay: Duration
    }

    /// Of one pause, and of all together.
    static let longestPause = Duration.seconds(60)
    static let longestPauses = Duration.seconds(300)
    private static let mostOptions = 200

    private(set) var blocks: [Block] = []
    private(set) var actions: [BotAction] = []
    /// How long after the reply its last piece is shown.
    private(set) var delay = Duration.zero
    private let separate: Bool
    /// More text joins the last block.
    private var isOpen = false
    /// Choices that came before any text.
    private var waiting: Choices?

    /// - Parameter separate: each text is a message of its own.
    init(_ reply: Reply, separate: Bool) {
        self.separate = separate
        for item in reply.items { take(item) }
        if let waiting { blocks.append(Block(content: .text(""), choices: waiting, delay: delay)) }
        for action in reply.actions where !actions.contains(action) { actions.append(action) }
        if actions.contains(.silent) { blocks = [] }
    }

    /// All that the reply offers.
    var offered: Choices? { blocks.compactMap(\.choices).reduce(nil) { $0?.joined(by: $1) ?? $1 } }

    private mutating func take(_ item: Reply.Item) {
        switch item {
        case .text(let markdown): add(markdown)
        case .file(let file):
            blocks.append(Block(content: .file(file), delay: delay))
            isOpen = false
        case .choices(let choices): offer(choices)
        case .pause(let length):
            delay = min(delay + min(max(length, .zero), Self.longestPause), Self.longestPauses)
            isOpen = false
        }
    }

    private mutating func add(_ markdown: String) {
        let (text, found) = Directives.taken(from: markdown)
        for action in found where !actions.contains(action) { actions.append(action) }
        guard text.contains(where: { !$0.isWhitespace }) else { return }
        if isOpen, !separate, let last = blocks.last, case .text(let before) = last.content {
            blocks[blocks.count - 1].content = .text(before + "\n\n" + text)
        } else {
            blocks.append(Block(content: .text(text), choices: waiting, delay: delay))
            waiting = nil
        }
        isOpen = true
    }

    /// They hang on the last text; on the next one if there is none yet.
    private mutating func offer(_ choices: Choices) {
        var choices = choices
        choices.options = choices.options.prefix(Self.mostOptions).compactMap(\.shown)
        guard !choices.options.isEmpty else { return }
        isOpen = false
        guard let index = blocks.lastIndex(where: { if case .text = $0.content { true } else { false } }) else {
            waiting = waiting?.joined(by: choices) ?? choices
            return
        }
        blocks[index].choices = blocks[index].choices?.joined(by: choices) ?? choices
    }
}

extension Choices {
    func joined(by more: Choices) -> Choices {
        Choices(
            options + more.options, several: several || more.several, isOptional: isOptional || more.isOptional,
            takesNumbers: takesNumbers && more.takesNumbers)
    }
}

extension Choice {
    /// With a label that can be shown on a line; `nil` if it has none.
    fileprivate var shown: Choice? {
        let words = (label.contains { !$0.isWhitespace } ? label : value).split(whereSeparator: \.isWhitespace)
        return words.isEmpty ? nil : Choice(label: String(words.joined(separator: " ").prefix(1_000)), value: value)
    }
}
