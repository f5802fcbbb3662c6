/// What to know of a text before it is read as Markdown.
enum MarkdownBounds {
    /// Bytes; a longer text stays as it is.
    static let longestText = 100 * 1024
    /// cmark-gfm's tables take time by the square of their columns.
    static let columns = 30
    static let rows = 200

    /// Whether the text has nothing that Markdown would change, down to its line ends.
    static func isPlain(_ text: String) -> Bool {
        var isLineStart = true
        var last = UInt8(ascii: "\n")
        var beforeLast = last
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "`"), UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: "~"),
                UInt8(ascii: "["), UInt8(ascii: "<"), UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "\t"),
                UInt8(ascii: "\r"), 0:
                return false
            // Quotes, headings, lists, rules, and indentation begin a line; also trimming is left to the renderer.
            case UInt8(ascii: ">"), UInt8(ascii: "#"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "="),
                UInt8(ascii: " "), UInt8(ascii: "0")...UInt8(ascii: "9"):
                if isLineStart { return false }
            case UInt8(ascii: "\n"):
                if last == UInt8(ascii: " ") || (last == byte && beforeLast == byte) { return false }
            default: break
            }
            isLineStart = byte == UInt8(ascii: "\n")
            beforeLast = last
            last = byte
        }
        return last != UInt8(ascii: " ") && (last != UInt8(ascii: "\n") || text.isEmpty)
    }

    /// Whether every table in the text is small enough to be read as one. Lines with a bar in a row count as its rows.
    static func tablesAreSmall(_ text: String) -> Bool {
        var bars = 0
        var tableLines = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "|") {
                bars += 1
                // A table may have bars at both its sides.
                if bars > columns + 1 { return false }
            } else if byte == UInt8(ascii: "\n") {
                tableLines = bars > 0 ? tableLines + 1 : 0
                if tableLines > rows + 2 { return false }
                bars = 0
            }
        }
        return true
    }

    /// A line like `[note]: important` defines a link's target and is not shown. Where nothing refers to it, or it names
    /// no address, it is meant to be read: its bracket is escaped.
    static func withoutVanishingDefinitions(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "[")), text.contains("]:") else { return text }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // Looking for what refers to a definition takes a walk through the text; nobody needs so many.
        var looks = 50
        for index in lines.indices {
            let line = lines[index].drop { $0 == " " }
            guard line.first == "[", let end = line.firstRange(of: "]:") else { continue }
            let label = line[line.index(after: line.startIndex)..<end.lowerBound]
            let target = line[end.upperBound...].drop { $0 == " " || $0 == "\t" }.lowercased()
            let isAddress = ["http://", "https://", "mailto:", "<"].contains { target.hasPrefix($0) }
            if isAddress, looks > 0 {
                looks -= 1
                if text.ranges(of: "[\(label)]").prefix(2).count == 2 { continue }
            }
            lines[index] = "\\" + line
        }
        return lines.joined(separator: "\n")
    }
}
