import Base
import BotPlatforms

/// Directives: lines of an answer that are not said but done (`[[operator]]`, `[[queue:3]]`, `[[silent]]`…).
enum Directives {
    /// Takes them out of a text; what stands in a code block is left alone.
    /// - Parameter markdown: of one message.
    static func taken(from markdown: String) -> (text: String, actions: [BotAction]) {
        guard markdown.hasBytes(of: "[[") else { return (markdown, []) }
        var actions: [BotAction] = []
        var code = CodeBlocks()
        let lines = markdown.split(omittingEmptySubsequences: false) { $0.isNewline }.filter { line in
            guard !code.holds(line), let action = action(line) else { return true }
            actions.append(action)
            return false
        }
        return actions.isEmpty ? (markdown, []) : (lines.joined(separator: "\n"), actions)
    }

    /// Without a last line that may yet become a directive, for a text that still grows.
    static func settled(_ markdown: String) -> String {
        let start = markdown.lastIndex(where: \.isNewline).map { markdown.index(after: $0) } ?? markdown.startIndex
        let words = markdown[start...].drop(while: \.isWhitespace)
        return words == "[" || words.hasPrefix("[[") ? String(markdown[..<start]) : markdown
    }

    private static func action(_ line: Substring) -> BotAction? {
        let words = line.filter { !$0.isWhitespace }
        guard words.count <= 60, words.hasPrefix("[["), words.hasSuffix("]]") else { return nil }
        return BotAction(word: words.dropFirst(2).dropLast(2))
    }
}

/// Follows a text line by line, and knows which of them stand in a code block of Markdown or BB code.
private struct CodeBlocks {
    /// What ends the block under way.
    private var end: String?

    /// Whether this line, which follows those asked before, is in a code block or begins or ends one.
    mutating func holds(_ line: Substring) -> Bool {
        let line = line.lowercased()
        if let end {
            let isFence = end != "[/code]"
            let words = line.filter { !$0.isWhitespace }
            let ends = isFence ? words.hasPrefix(end) && words.allSatisfy { $0 == end.first } : line.contains(end)
            if ends { self.end = nil }
            return true
        }
        let start = line.drop { $0 == " " }
        for mark: Character in ["`", "~"] {
            let fence = start.prefix { $0 == mark }
            if fence.count >= 3, !start.dropFirst(fence.count).contains("`") {
                end = String(fence)
                return true
            }
        }
        guard let begin = line.range(of: "[code]") else { return false }
        if !line[begin.upperBound...].contains("[/code]") { end = "[/code]" }
        return true
    }
}
