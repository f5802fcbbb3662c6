/// Bitrix24's text markup.
///
/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/message-formatting.md`.
public enum BBCode {
    /// Characters of one message; Bitrix24 cuts longer ones.
    public static let longestMessage = 20_000

    /// Turns a bot's Markdown (GitHub's flavour) into BB code: bold, italic, strike, code, links, lists, quotes, headings,
    /// and tables readable as text. Markup of Bitrix24 that the bot wrote itself is kept. Runs off the event loops; input
    /// that would stall the renderer is kept as text.
    public nonisolated(nonsending) static func render(markdown: String) async -> String {
        if MarkdownBounds.isPlain(markdown) { return markdown }
        // The caller may prefer an event loop as its executor.
        return await withTaskExecutorPreference(globalConcurrentExecutor) { convert(markdown) }
    }

    private static func convert(_ markdown: String) -> String {
        guard markdown.utf8.count <= MarkdownBounds.longestText else { return tidied(markdown) }
        return tidied(codeBlocks(of: markdown).map { $0.isCode ? $0.text : renderPiece($0.text) }.joined())
    }

    /// Renders what stands before, between or after code blocks; the space around it is kept.
    private static func renderPiece(_ markdown: String) -> String {
        let before = markdown.prefix { $0.isWhitespace }
        let lines = markdown.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        let source = MarkdownBounds.withoutVanishingDefinitions(lines)
        var renderer = BBCodeRenderer(source: source)
        Markdown.walk(source, tables: MarkdownBounds.tablesAreSmall(source)) { renderer.visit($0, $1, $2) }
        let after = before.endIndex == markdown.endIndex ? "" : String(markdown.reversed().prefix { $0.isWhitespace })
        return before + renderer.output + String(after.reversed())
    }

    /// Cuts out what stands in `[code]` already: it is not Markdown.
    private static func codeBlocks(of text: String) -> [(text: String, isCode: Bool)] {
        guard text.utf8.contains(UInt8(ascii: "[")) else { return [(text, false)] }
        let bytes = Array(text.utf8)
        var pieces: [(text: String, isCode: Bool)] = []
        var start = 0
        var open: Int?
        for index in bytes.indices where bytes[index] == UInt8(ascii: "[") {
            if let begin = open, bytes[index...].beginsLike("[/code]") {
                let end = index + "[/code]".utf8.count
                pieces.append((String(decoding: bytes[start..<begin], as: UTF8.self), false))
                pieces.append((String(decoding: bytes[begin..<end], as: UTF8.self), true))
                start = end
                open = nil
            } else if open == nil, bytes[index...].beginsLike("[code]") {
                open = index
            }
        }
        pieces.append((String(decoding: bytes[start...], as: UTF8.self), false))
        return pieces
    }

    /// Trimmed, with at most two line ends in a row.
    private static func tidied(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var lineEnds = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\r"): continue
            case UInt8(ascii: "\n"):
                lineEnds += 1
                if lineEnds > 2 { continue }
            default: lineEnds = 0
            }
            bytes.append(byte)
        }
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A }
        let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? 0
        let start = bytes.firstIndex { !isSpace($0) } ?? 0
        return start < end ? String(decoding: bytes[start..<end], as: UTF8.self) : ""
    }
}

extension ArraySlice<UInt8> {
    /// Whether it begins with `word`, in small letters or capitals.
    fileprivate func beginsLike(_ word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            count >= word.count && zip(self, word).allSatisfy { $0 == $1 || $0 | 0x20 == $1 && $1 > 0x60 }
        }
    }
}
