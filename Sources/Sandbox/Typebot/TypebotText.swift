import Base

/// Typebot's rich text: variables in it, and its Markdown form.
/// Documentation: `packages/rich-text` and its tests.
struct TypebotText {
    let state: TypebotState

    // MARK: Variables

    func filled(_ elements: [JSON]) -> [JSON] { elements.flatMap(filled) }

    private func filled(_ element: JSON) -> [JSON] {
        guard let children = element["children"]?.array else { return leaf(element) }
        let parsed = filled(children)
        // A variable alone in its element takes the element's place, as the blocks that its value reads as.
        if children.count == 1, let text = children[0]["text"]?.string, isVariable(text), element["type"] != "a" {
            return parsed
        }
        var result = element
        result["children"] = .array(parsed)
        if let url = element["url"]?.string { result["url"] = .string(state.filled(url)) }
        return [result]
    }

    private func isVariable(_ text: String) -> Bool {
        text.hasPrefix("{{") && text.hasSuffix("}}") && !text.dropFirst(2).dropLast(2).contains { "{}".contains($0) }
    }

    private func leaf(_ leaf: JSON) -> [JSON] {
        guard let text = leaf["text"]?.string, text.contains("{{") else { return [leaf] }
        let marks = ["bold", "italic", "underline"].filter { leaf[$0]?.bool == true }
        if isVariable(text), marks.isEmpty { return Self.read(markdown: state.filled(text)) }
        var result: [JSON] = []
        var rest = Substring(text)
        func add(_ text: Substring) {
            if text.isEmpty { return }
            var piece = leaf
            piece["text"] = .string(String(text))
            result.append(piece)
        }
        while let start = rest.range(of: "{{"), let end = rest[start.upperBound...].range(of: "}}") {
            add(rest[..<start.lowerBound])
            let value = state.filled(String(rest[start.lowerBound..<end.upperBound]))
            for block in Self.read(markdown: value) {
                for var piece in Self.leaves(block) {
                    for mark in marks { piece[mark] = true }
                    result.append(piece)
                }
            }
            rest = rest[end.upperBound...]
        }
        add(rest)
        return result
    }

    /// The texts inside an element; an empty paragraph between others is an empty line.
    private static func leaves(_ element: JSON) -> [JSON] {
        guard let children = element["children"]?.array else { return [element] }
        if element["type"] == "p", children == [.leaf("")] { return [.leaf("\n\n")] }
        return children.flatMap(leaves)
    }

    // MARK: Reading Markdown

    /// The blocks that a variable's value reads as: paragraphs, and lists of one level.
    static func read(markdown text: String) -> [JSON] {
        if text.isEmpty { return [] }
        var blocks: [JSON] = []
        for (index, part) in text.split(separator: "\n\n").enumerated() {
            if index > 0 { blocks.append(.paragraph("")) }
            let lines = part.split(separator: "\n")
            if !lines.isEmpty, lines.allSatisfy({ $0.hasPrefix("* ") || $0.hasPrefix("- ") }) {
                blocks.append(.list(lines.map { [["type": "lic", "children": .array(inline($0.dropFirst(2)))]] }))
            } else {
                blocks.append(.paragraph(inline(part)))
            }
        }
        return blocks
    }

    private static func inline(_ text: Substring) -> [JSON] {
        var found: [JSON] = []
        var plain = ""
        var rest = text
        func flush() {
            if !plain.isEmpty { found.append(.leaf(plain)) }
            plain = ""
        }
        while let character = rest.first {
            if let (leaf, end) = mark(rest) ?? link(rest) {
                flush()
                found.append(leaf)
                rest = rest[end...]
            } else {
                plain.append(character)
                rest.removeFirst()
            }
        }
        flush()
        return found.isEmpty ? [.leaf("")] : found
    }

    private static func mark(_ text: Substring) -> (JSON, String.Index)? {
        for (sign, mark) in [("**", "bold"), ("~~", "strikethrough"), ("_", "italic"), ("*", "italic")]
        where text.hasPrefix(sign) {
            let inside = text.dropFirst(sign.count)
            guard let end = inside.range(of: sign), end.lowerBound > inside.startIndex, inside.first != " " else {
                continue
            }
            return (.leaf(String(inside[..<end.lowerBound]), mark), end.upperBound)
        }
        return nil
    }

    private static func link(_ text: Substring) -> (JSON, String.Index)? {
        guard text.hasPrefix("["), let middle = text.range(of: "]("),
            let end = text[middle.upperBound...].firstIndex(of: ")")
        else { return nil }
        let label = text[text.index(after: text.startIndex)..<middle.lowerBound]
        return (.link(String(label), String(text[middle.upperBound..<end])), text.index(after: end))
    }

    // MARK: Writing Markdown

    /// Nothing is escaped; an empty paragraph is an empty line.
    static func markdown(_ elements: [JSON]) -> String {
        elements.map { block($0, indent: "") }.joined(separator: "\n")
    }

    private static func block(_ element: JSON, indent: String) -> String {
        let children = element["children"]?.array ?? []
        switch element["type"]?.string {
        case "ul"?, "ol"?:
            let isNumbered = element["type"] == "ol"
            return children.enumerated().map { index, item in
                let sign = isNumbered ? "\(index + 1). " : "* "
                let inner = indent + String(repeating: " ", count: sign.count)
                let parts = (item["children"]?.array ?? []).map { part in
                    part["type"] == "lic"
                        ? indent + sign + text(part["children"]?.array ?? []) : block(part, indent: inner)
                }
                return parts.joined(separator: "\n")
            }.joined(separator: "\n")
        case "p"?, "lic"?: return text(children)
        default: return text([element])
        }
    }

    private static func text(_ children: [JSON]) -> String {
        children.map { child in
            if child["type"] == "a" {
                let label = text(child["children"]?.array ?? [])
                let url = child["url"]?.string ?? ""
                return label.isEmpty ? url : "[\(label)](\(url))"
            }
            if let inner = child["children"]?.array { return text(inner) }
            var text = child["text"]?.string ?? ""
            if text.isEmpty { return "" }
            if child["underline"]?.bool == true { text = "<u>\(text)</u>" }
            if child["strikethrough"]?.bool == true { text = "~~\(text)~~" }
            if child["italic"]?.bool == true { text = "_\(text)_" }
            if child["bold"]?.bool == true { text = "**\(text)**" }
            return text
        }.joined()
    }
}
