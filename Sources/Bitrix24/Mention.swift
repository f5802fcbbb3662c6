/// A mention of a bot in a text, `[USER=17]Bot[/USER]`.
///
/// Documentation: `api-reference/chat-bots/outdated/messages/events/on-imbot-message-add.md` (`MESSAGE_ORIGINAL`),
/// `api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/message-formatting.md` (small letters, `all`).
enum Mention {
    /// The text as it was meant for the bot: without its mention, and without the comma that parted the two.
    /// - Returns: `nil` if the text does not mention the bot.
    static func takenOut(of text: String, bot: Int64) -> String? {
        guard text.utf8.contains(UInt8(ascii: "[")) else { return nil }
        let text = inCapitals(text)
        let opening = "[USER=\(bot)"
        var result = ""
        var rest = text[...]
        var isFound = false
        while let start = rest.firstRange(of: opening) {
            let after = rest[start.upperBound...].first
            guard after == "]" || after == " " else {
                // Another user, whose number only begins like the bot's.
                result += rest[..<start.upperBound]
                rest = rest[start.upperBound...]
                continue
            }
            guard let end = rest[start.upperBound...].firstRange(of: "[/USER]") else { break }
            isFound = true
            result += rest[..<start.lowerBound]
            rest = joined(&result, rest[end.upperBound...])
        }
        return isFound ? withoutSeparator(result + rest) : nil
    }

    /// Whether the text mentions somebody.
    static func isIn(_ text: String) -> Bool {
        text.utf8.contains(UInt8(ascii: "[")) && inCapitals(text).contains("[USER=")
    }

    private static func inCapitals(_ text: String) -> String {
        text.contains("[user=")
            ? text.replacing("[user=", with: "[USER=").replacing("[/user]", with: "[/USER]") : text
    }

    /// Takes the gap away that a mention leaves between what was before and what comes after it.
    private static func joined(_ before: inout String, _ after: Substring) -> Substring {
        var rest = after
        if before.isEmpty || before.last?.isWhitespace == true {
            while rest.first == " " { rest.removeFirst() }
        }
        if let next = rest.first, ",.!?:;".contains(next) {
            while before.last == " " { before.removeLast() }
        }
        return rest
    }

    /// Without what parted the mention from the words: `, hello` is `hello`.
    static func withoutSeparator(_ text: String) -> String {
        var text = text[...]
        while let first = text.first, first.isWhitespace || ",:;".contains(first) { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
