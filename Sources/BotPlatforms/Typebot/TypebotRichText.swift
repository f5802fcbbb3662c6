import Base

/// A text bubble as Markdown in which every character of plain text means itself. Marks are written as Bitrix24's own
/// (`[b]`), which our renderer keeps: unlike stars they hold wherever a word is cut, and Markdown has none to underline.
///
/// Elements are `p`, `a`, `ul`/`ol` > `li` > `lic`; what a variable brought can be more, and stand inside a paragraph
/// (`packages/rich-text/src/parseVariablesInRichText.ts`).
struct TypebotRichText {
    static func markdown(_ elements: [JSON]) -> String { joined(blocks(elements)) }

    /// Plain text as Markdown.
    static func escaped(_ text: String) -> String {
        var line = TypebotLine()
        line.write(text)
        return line.markdown
    }

    private struct Block {
        var text: String
        /// Whether the next line would be taken into it.
        var isOpen = false
    }

    /// Paragraphs are a line each; an empty one is an empty line.
    private static func joined(_ blocks: [Block]) -> String {
        var text = ""
        var former: Block?
        for block in blocks {
            if let former { text += former.isOpen && !block.isOpen && !block.text.isEmpty ? "\n\n" : "\n" }
            text += block.text
            former = block
        }
        return text
    }

    private static func blocks(_ elements: [JSON]) -> [Block] {
        var blocks: [Block] = []
        var inline: [JSON] = []
        // Lists that follow each other take turns with their marks, or they would be one.
        var turn = false
        func endLine() {
            if !inline.isEmpty { blocks.append(Block(text: line(inline))) }
            inline = []
        }
        for element in elements {
            let type = element["type"]?.string
            guard type != nil, type != "a" else {
                inline.append(element)
                continue
            }
            endLine()
            switch type {
            case "ul", "ol":
                turn.toggle()
                let text = list(element, isNumbered: type == "ol", turn: turn, indent: "").joined(separator: "\n")
                blocks.append(Block(text: text, isOpen: true))
            case "blockquote":
                let inside = joined(Self.blocks(children(element))).split(
                    separator: "\n", omittingEmptySubsequences: false)
                blocks.append(Block(text: inside.map { "> " + $0 }.joined(separator: "\n"), isOpen: true))
            case "code_block":
                let lines = children(element).map(plain).joined(separator: "\n")
                blocks.append(Block(text: "~~~~\n\(lines)\n~~~~"))
            case "hr": blocks.append(Block(text: "* * *"))
            case "h1", "h2", "h3", "h4", "h5", "h6":
                blocks.append(Block(text: line(children(element), marks: [.bold])))
            case "tr":
                let cells = children(element).map { line(children($0)) }
                blocks.append(Block(text: cells.joined(separator: " \\| ")))
            default: blocks += paragraph(element)
            }
        }
        endLine()
        return blocks
    }

    private static let containers: Set<String> = ["ul", "ol", "blockquote", "code_block", "table", "tr", "hr"]

    /// A paragraph, with what else a variable may have put into it.
    private static func paragraph(_ element: JSON) -> [Block] {
        let inside = children(element)
        if inside.contains(where: { containers.contains($0["type"]?.string ?? "") }) { return blocks(inside) }
        let text = line(inside)
        guard let style = element["listStyleType"]?.string else { return [Block(text: text)] }
        let depth = min(max(element["indent"]?.double ?? 1, 1), 8)
        let start = element["listStart"]?.integer ?? 1
        let mark = style == "decimal" ? "\(start). " : "- "
        return [Block(text: String(repeating: "    ", count: Int(depth) - 1) + mark + text, isOpen: true)]
    }

    private static func list(_ element: JSON, isNumbered: Bool, turn: Bool, indent: String) -> [String] {
        var lines: [String] = []
        // Each line of a deep list begins with all of it.
        let inner = indent.count < 40 ? indent + "    " : indent
        for (index, item) in children(element).enumerated() {
            let mark = isNumbered ? "\(index + 1)\(turn ? "." : ")")" : turn ? "-" : "*"
            let parts = children(item)
            let isList = { (part: JSON) in ["ul", "ol"].contains(part["type"]?.string ?? "") }
            let own = parts.contains { $0["type"] != nil } ? parts.filter { !isList($0) } : [item]
            let text = own.map { $0["type"] == nil ? line([$0]) : line(children($0)) }.joined(separator: "\n")
            lines.append("\(indent)\(mark) \(text.replacing("\n", with: "\n" + inner))")
            var innerTurn = false
            for part in parts where isList(part) {
                innerTurn.toggle()
                lines += list(part, isNumbered: part["type"] == "ol", turn: innerTurn, indent: inner)
            }
        }
        return lines
    }

    private static func line(_ elements: [JSON], marks: [TypebotLine.Mark] = []) -> String {
        var line = TypebotLine()
        write(elements, marks, to: &line)
        line.setMarks([])
        return line.markdown
    }

    private static func write(_ elements: [JSON], _ marks: [TypebotLine.Mark], to line: inout TypebotLine) {
        var formerWasBlock = false
        for element in elements {
            let type = element["type"]?.string
            if type == "a" {
                line.setMarks([])
                line.writeLink(to: element["url"]?.string) { write(children(element), marks, to: &$0) }
            } else if element["children"] != nil {
                if formerWasBlock { line.write("\n") }
                write(children(element), marks, to: &line)
            } else if let text = element["text"]?.string, !text.isEmpty {
                line.setMarks(TypebotLine.Mark.allCases.filter { marks.contains($0) || element[$0.name]?.bool == true })
                element["code"]?.bool == true ? line.writeCode(text) : line.write(text)
            }
            formerWasBlock = type != nil && type != "a"
        }
    }

    private static func plain(_ element: JSON) -> String {
        element["text"]?.string ?? children(element).map(plain).joined()
    }

    private static func children(_ element: JSON) -> [JSON] { element["children"]?.array ?? [] }
}
