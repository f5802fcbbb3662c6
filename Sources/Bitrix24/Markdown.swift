import CBase
import Glibc
import Synchronization

/// Reads GitHub's flavour of Markdown with cmark-gfm, whose pointers do not leave this file.
public enum Markdown {
    /// A piece of a document as it is met on the way through it.
    enum Node {
        case paragraph, heading, quote, thematicBreak, table, tableHeader, tableRow, tableCell
        case list(start: Int?)
        case item(isChecked: Bool?)
        case codeBlock(String)
        case htmlBlock(String)
        case text(String)
        case code(String)
        case html(String)
        case softBreak, lineBreak
        case emphasis, strong, strikethrough
        /// `isBare`: its text is its address.
        case link(url: String, isBare: Bool)
        case image(url: String)
        case other
    }

    /// Goes through a document in its order: each node is entered, and left too if it can have children.
    /// - Parameters:
    ///   - tables: without, tables are read as the paragraphs that they look like.
    ///   - visit: `line` is the source's line in which the node begins, counted from 1; known of blocks.
    static func walk(_ text: String, tables: Bool, visit: (_ node: Node, _ isEntering: Bool, _ line: Int) -> Void) {
        // The extensions' special characters are set in the library's global tables for the time of each parse.
        parsing.withLock { _ in
            guard let parser = parser(tables: tables) else { return }
            defer { cmark_parser_free(parser) }
            var text = text
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { cmark_parser_feed(parser, $0.baseAddress, $0.count) }
            }
            guard let root = cmark_parser_finish(parser) else { return }
            defer { cmark_node_free(root) }
            guard let iterator = cmark_iter_new(root) else { return }
            defer { cmark_iter_free(iterator) }
            while true {
                let event = cmark_iter_next(iterator)
                guard event == CMARK_EVENT_ENTER || event == CMARK_EVENT_EXIT else { return }
                guard let node = cmark_iter_get_node(iterator) else { continue }
                visit(read(node), event == CMARK_EVENT_ENTER, Int(cmark_node_get_start_line(node)))
            }
        }
    }

    /// HTML of a text of our own: HTML in it stays as it is.
    public static func html(ofOwn text: String) -> String {
        parsing.withLock { _ in
            guard let parser = parser(tables: true) else { return "" }
            defer { cmark_parser_free(parser) }
            var text = text
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { cmark_parser_feed(parser, $0.baseAddress, $0.count) }
            }
            guard let root = cmark_parser_finish(parser) else { return "" }
            defer { cmark_node_free(root) }
            guard let html = cmark_render_html(root, CMARK_OPT_UNSAFE, cmark_parser_get_syntax_extensions(parser))
            else {
                return ""
            }
            defer { free(html) }
            return String(cString: html)
        }
    }

    private static let parsing: Mutex<Void> = {
        cmark_gfm_core_extensions_ensure_registered()
        return Mutex(())
    }()

    private static func parser(tables: Bool) -> OpaquePointer? {
        guard let parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE) else {
            return nil
        }
        for name in ["strikethrough", "autolink", "tasklist"] + (tables ? ["table"] : []) {
            if let syntax = cmark_find_syntax_extension(name) { cmark_parser_attach_syntax_extension(parser, syntax) }
        }
        return parser
    }

    private static func read(_ node: OpaquePointer) -> Node {
        guard let name = cmark_node_get_type_string(node) else { return .other }
        switch String(cString: name) {
        case "paragraph": return .paragraph
        case "heading": return .heading
        case "block_quote": return .quote
        case "thematic_break": return .thematicBreak
        case "list":
            let isOrdered = cmark_node_get_list_type(node) == CMARK_ORDERED_LIST
            return .list(start: isOrdered ? Int(cmark_node_get_list_start(node)) : nil)
        case "item": return .item(isChecked: nil)
        case "tasklist": return .item(isChecked: cmark_gfm_extensions_get_tasklist_item_checked(node))
        case "code_block": return .codeBlock(literal(node))
        case "html_block": return .htmlBlock(literal(node))
        case "table": return .table
        case "table_header": return .tableHeader
        case "table_row": return .tableRow
        case "table_cell": return .tableCell
        case "text": return .text(literal(node))
        case "code": return .code(literal(node))
        case "html_inline": return .html(literal(node))
        case "softbreak": return .softBreak
        case "linebreak": return .lineBreak
        case "emph": return .emphasis
        case "strong": return .strong
        case "strikethrough": return .strikethrough
        case "link": return link(node)
        case "image": return .image(url: url(node))
        default: return .other
        }
    }

    private static func link(_ node: OpaquePointer) -> Node {
        let url = url(node)
        var text: String?
        if let child = cmark_node_first_child(node), cmark_node_next(child) == nil,
            cmark_node_get_type(child) == CMARK_NODE_TEXT
        {
            text = literal(child)
        }
        let isBare = text == url || text.map { url == "http://" + $0 || url == "mailto:" + $0 } == true
        return .link(url: url, isBare: isBare)
    }

    private static func literal(_ node: OpaquePointer) -> String {
        cmark_node_get_literal(node).map { String(cString: $0) } ?? ""
    }

    private static func url(_ node: OpaquePointer) -> String {
        cmark_node_get_url(node).map { String(cString: $0) } ?? ""
    }
}
