/// Writes the text of one block, piece by piece, as Markdown.
struct TypebotLine {
    enum Mark: CaseIterable {
        case bold, italic, underline, strikethrough

        var name: String { "\(self)" }
        fileprivate var tag: String {
            switch self {
            case .bold: "b"
            case .italic: "i"
            case .underline: "u"
            case .strikethrough: "s"
            }
        }
    }

    private(set) var markdown = ""
    private var marks: [Mark] = []
    private var isLineStart = true
    private var isLabel = false

    /// Of what is written from now on.
    mutating func setMarks(_ new: [Mark]) {
        guard new != marks else { return }
        for mark in marks.reversed() { tag("[/\(mark.tag)]") }
        for mark in new { tag("[\(mark.tag)]") }
        marks = new
    }

    private mutating func tag(_ tag: String) {
        markdown += tag
        isLineStart = false
    }

    mutating func writeCode(_ text: String) {
        let fence = text.contains("`") ? "```" : "`"
        tag("\(fence)\(text.replacing("\n", with: " "))\(fence)")
    }

    mutating func writeLink(to url: String?, label write: (inout TypebotLine) -> Void) {
        var label = TypebotLine()
        label.isLineStart = false
        label.isLabel = true
        write(&label)
        label.setMarks([])
        if let link = TypebotLink.markdown(url) {
            tag(label.markdown.trimmed.isEmpty ? link : "[\(label.markdown)](\(link))")
        } else {
            tag(label.markdown)
        }
    }

    /// Plain text, of one or more lines.
    mutating func write(_ text: String) {
        var isFirst = true
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if !isFirst {
                markdown += "\n"
                isLineStart = true
            }
            isFirst = false
            writeWithinLine(line)
        }
    }

    private mutating func writeWithinLine(_ text: Substring) {
        var rest = text
        if isLineStart {
            rest = rest.drop(while: \.isWhitespace)
            if rest.isEmpty { return }
            isLineStart = false
            // A word to BitBot, `[[operator]]`, must stay one.
            if rest.hasPrefix("[["), rest.count < 80, rest.trimmed.hasSuffix("]]") {
                markdown += rest
                return
            }
            writeLineStart(&rest)
        }
        while let first = rest.first {
            let run = first.isWhitespace ? rest.prefix(while: \.isWhitespace) : rest.prefix { !$0.isWhitespace }
            rest = rest[run.endIndex...]
            if first.isWhitespace { markdown += run } else { writeWord(run) }
        }
    }

    /// What would begin a heading, a list, or a line beneath one.
    private mutating func writeLineStart(_ rest: inout Substring) {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        if !digits.isEmpty, let next = rest[digits.endIndex...].first, next == "." || next == ")" {
            markdown += "\(digits)\\\(next)"
            rest = rest[digits.endIndex...].dropFirst()
        } else if let first = rest.first, "#+-=".contains(first) {
            markdown += "\\"
        }
    }

    private mutating func writeWord(_ word: Substring) {
        guard !isLabel, let address = Self.address(in: word) else { return escape(word) }
        escape(word[..<address.lowerBound])
        // Nothing in an address may be escaped.
        markdown += word[address].hasPrefix("www.") ? String(word[address]) : "<\(word[address])>"
        escape(word[address.upperBound...])
    }

    private mutating func escape(_ text: Substring) {
        for character in text {
            switch character {
            case "\0": continue
            case "\\", "`", "*", "_", "~", "[", "]", "<", ">", "&", "|": markdown += "\\"
            // Behind a bracket of ours these would make a link of it, and before one a picture.
            case "(", ":": if markdown.utf8.last == UInt8(ascii: "]") { markdown += "\\" }
            case "!": markdown += "\\"
            default: break
            }
            markdown.append(character)
        }
    }

    /// A web address in a word.
    private static func address(in word: Substring) -> Range<Substring.Index>? {
        let starts = ["https://", "http://"].compactMap { word.firstRange(of: $0)?.lowerBound }
        guard let start = starts.min() ?? (word.hasPrefix("www.") ? word.startIndex : nil) else { return nil }
        let address = word[start...].prefix { !#"<>"`\^{}|[]"#.contains($0) }
        let hasBrackets = address.contains("(")
        var end = address.endIndex
        while end > start {
            let last = address.index(before: end)
            guard ".,;:!?'*_~)".contains(address[last]) else { break }
            if address[last] == ")", hasBrackets { break }
            end = last
        }
        return address[..<end].count > "https://".count ? start..<end : nil
    }
}
