/// Writes a Markdown document as BB code, block by block.
///
/// Blocks stand as far apart as in the source: one line end, or two where the source has an empty line.
/// Documentation: `…/imbot.v2/messages/message-formatting.md`.
struct BBCodeRenderer {
    private(set) var output = ""

    private struct List {
        /// The number of the next item; `nil` for bullets.
        var next: Int?
    }
    private enum Link {
        /// Its text is enough.
        case plain
        case tagged(url: String, textStart: Int)
        /// An address that Bitrix24 makes no link of, shown after its text.
        case named(url: String)
    }

    private var lists: [List] = []
    private var marker: String?
    /// How deep in quotes, and a number for the outermost one.
    private var quotes = 0
    private var quoteNumber = 0
    /// The quote that the block before stood in.
    private var lastQuote = 0
    /// For each line of the source whether it is empty, but for a quote's marks.
    private let emptyLines: [Bool]
    /// Line ends due before the next text.
    private var gap = 0
    private var gapIsInQuote = false
    private var bold = 0
    private var italic = 0
    private var struck = 0
    private var links: [Link] = []
    private var isFirstCell = true
    private var isFirstRow = true

    /// - Parameter source: what is going to be read, with line feeds alone as line ends.
    init(source: String) {
        emptyLines = source.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ">") }
        }
    }

    /// - Parameter line: the first one of a block, counted from 1.
    mutating func visit(_ node: Markdown.Node, _ isEntering: Bool, _ line: Int) {
        switch node {
        case .paragraph, .heading, .codeBlock, .htmlBlock, .thematicBreak, .table:
            visitBlock(node, isEntering, line)
        case .quote, .list, .item: visitContainer(node, isEntering)
        case .tableHeader, .tableRow, .tableCell: visitTablePart(node, isEntering)
        case .text, .code, .html, .softBreak, .lineBreak: visitText(node)
        case .emphasis: tag("i", \.italic, isEntering)
        case .strong: tag("b", \.bold, isEntering)
        case .strikethrough: tag("s", \.struck, isEntering)
        case .link(let url, let isBare): isEntering ? open(url, isBare: isBare) : close()
        case .image(let url): isEntering ? open(url, isBare: false) : close()
        case .other: break
        }
    }

    // MARK: Blocks

    private mutating func visitBlock(_ node: Markdown.Node, _ isEntering: Bool, _ line: Int) {
        if isEntering { startBlock(at: line) }
        switch node {
        case .heading: tag("b", \.bold, isEntering)
        case .codeBlock(let code): writeCode(code)
        case .htmlBlock(let html): writeLines(html)
        case .thematicBreak: write("———")
        case .table where isEntering: isFirstRow = true
        default: break
        }
        lastQuote = quotes > 0 ? quoteNumber : 0
    }

    private mutating func startBlock(at line: Int) {
        guard !output.isEmpty else { return }
        gap = max(gap, line >= 2 && line - 2 < emptyLines.count && emptyLines[line - 2] ? 2 : 1)
        gapIsInQuote = quotes > 0 && lastQuote == quoteNumber
    }

    private mutating func visitContainer(_ node: Markdown.Node, _ isEntering: Bool) {
        switch node {
        case .quote:
            if isEntering, quotes == 0 { quoteNumber += 1 }
            quotes += isEntering ? 1 : -1
        case .list(let start):
            if isEntering { lists.append(List(next: start)) } else { _ = lists.popLast() }
        case .item(let isChecked): isEntering ? openItem(isChecked) : closeItem()
        default: break
        }
    }

    private mutating func openItem(_ isChecked: Bool?) {
        // An item that begins with another list has no text of its own.
        closeItem()
        guard !lists.isEmpty else { return }
        if let isChecked {
            marker = isChecked ? "☑ " : "☐ "
        } else if let number = lists[lists.count - 1].next {
            marker = "\(number). "
            lists[lists.count - 1].next = number &+ 1
        } else {
            marker = "• "
        }
    }

    private mutating func closeItem() {
        guard marker != nil else { return }
        if !output.isEmpty { gap = max(gap, 1) }
        write("")
    }

    private mutating func visitTablePart(_ node: Markdown.Node, _ isEntering: Bool) {
        switch node {
        case .tableHeader, .tableRow:
            if isEntering {
                if !isFirstRow { breakLine() }
                isFirstRow = false
                isFirstCell = true
            }
            if case .tableHeader = node { tag("b", \.bold, isEntering) }
        case .tableCell where isEntering:
            if !isFirstCell { write(" | ") }
            isFirstCell = false
        default: break
        }
    }

    private mutating func writeCode(_ code: String) {
        let code = code.hasSuffix("\n") ? String(code.dropLast()) : code
        // In a quote each line begins with its mark; and a text that ends the tag itself cannot stand in it.
        if quotes > 0 || code.lowercased().contains("[/code") {
            writeLines(code)
        } else {
            write("[code]")
            output += code
            output += "[/code]"
        }
    }

    // MARK: Text

    private mutating func visitText(_ node: Markdown.Node) {
        switch node {
        case .text(let text): write(text)
        case .code(let code):
            write(code.lowercased().contains("[/code") ? code : "[code]\(code)[/code]")
        case .html(let html):
            let name = html.lowercased().filter { $0 != " " && $0 != "/" }
            if name == "<br>" { breakLine() } else { writeLines(html) }
        case .softBreak, .lineBreak: breakLine()
        default: break
        }
    }

    /// A tag within itself is left out.
    private mutating func tag(_ name: String, _ depth: WritableKeyPath<Self, Int>, _ isEntering: Bool) {
        if isEntering {
            self[keyPath: depth] += 1
            if self[keyPath: depth] == 1 { write("[\(name)]") }
        } else {
            if self[keyPath: depth] == 1 { write("[/\(name)]") }
            self[keyPath: depth] -= 1
        }
    }

    private mutating func open(_ url: String, isBare: Bool) {
        write("")
        if isBare || url.isEmpty || !links.isEmpty {
            links.append(.plain)
            return
        }
        let scheme = url.prefix { $0 != ":" }.lowercased()
        if ["http", "https", "mailto", "tel"].contains(scheme) {
            let safe = url.replacing("[", with: "%5B").replacing("]", with: "%5D").replacing(" ", with: "%20")
            output += "[url=\(safe)]"
            links.append(.tagged(url: url, textStart: output.utf8.count))
        } else {
            links.append(["javascript", "data", "vbscript"].contains(scheme) ? .plain : .named(url: url))
        }
    }

    private mutating func close() {
        switch links.popLast() {
        case .tagged(let url, let textStart):
            if output.utf8.count == textStart { output += url }
            output += "[/url]"
        case .named(let url): write(" (\(url))")
        case .plain, nil: break
        }
    }

    // MARK: Lines

    private mutating func write(_ text: String) {
        if gap > 0 {
            output += gap == 1 ? "\n" : (gapIsInQuote ? "\n>>\n" : "\n\n")
            gap = 0
            startLine()
        } else if output.isEmpty {
            startLine()
        }
        output += text
    }

    private mutating func writeLines(_ text: String) {
        var isFirst = true
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if !isFirst { breakLine() }
            isFirst = false
            write(String(line))
        }
    }

    private mutating func breakLine() {
        write("")
        output += "\n"
        startLine()
    }

    private mutating func startLine() {
        if quotes > 0 { output += ">>" }
        // Deep nesting means nothing to a reader and would make the output grow with its square.
        let depth = min(lists.count, 8)
        if depth > 1 { output += String(repeating: "    ", count: depth - 1) }
        if let marker {
            output += marker
            self.marker = nil
        } else if depth > 0 {
            output += "  "
        }
    }
}
