extension BBCode {
    /// Cuts a long text at paragraph ends (else line ends, sentence ends, words), each piece at most `limit` characters,
    /// tags closed and opened again at a cut. Characters are counted as Unicode's code points.
    public static func split(_ text: String, limit: Int = longestMessage) -> [String] {
        guard text.utf8.count > limit, text.unicodeScalars.count > limit else { return [text] }
        var pieces: [String] = []
        var open: [Tag] = []
        var rest = text[...]
        while !rest.isEmpty {
            var opening = open.map(\.opening).joined()
            // Tags that would fill a piece by themselves are left out.
            if opening.unicodeScalars.count + open.closingLength > limit / 2 {
                open = []
                opening = ""
            }
            let room = max(1, limit - opening.unicodeScalars.count)
            let cut = Cut(of: rest, room: room, open: open)
            let body = rest[..<cut.end]
            let piece = opening + body + cut.open.reversed().map(\.closing).joined()
            let trimmed = piece.trimmingLineEnds()
            if !trimmed.isEmpty { pieces.append(trimmed) }
            open = cut.open
            // A program's line begins where it begins.
            let isProgram = open.contains { $0.name == "code" }
            rest = rest[cut.end...].drop { $0 == "\n" || ($0 == " " && !isProgram) }
        }
        return pieces.isEmpty ? [""] : pieces
    }

    struct Tag {
        var name: String
        /// As written, with its brackets.
        var opening: String
        var closing: String { "[/\(name)]" }
    }
}

/// Where a piece ends, and the tags that are open there.
private struct Cut {
    var end: String.Index
    var open: [BBCode.Tag]

    /// How good a place is; the last of the best kind wins, as long as the piece is not too short.
    private enum Quality: Int { case anywhere, word, sentence, line, paragraph }

    init(of text: Substring, room: Int, open: [BBCode.Tag]) {
        var tags = open
        var used = 0
        var best: (quality: Quality, end: String.Index, open: [BBCode.Tag], used: Int)?
        var index = text.startIndex
        while index < text.endIndex {
            let (next, tag) = Self.token(in: text, at: index)
            let length = text.unicodeScalars.distance(from: index, to: next)
            var after = tags
            if let tag { after.apply(tag) }
            if used + length + after.closingLength > room {
                // A single token that does not fit is cut by force, so that there is an end.
                if best == nil, used == 0 {
                    let end = text.index(after: text.startIndex)
                    (self.end, self.open) = (end, open)
                    return
                }
                break
            }
            used += length
            index = next
            tags = after
            let quality = Self.quality(text, index)
            let isBetter = best.map {
                quality.rawValue >= $0.quality.rawValue || ($0.used < room / 3 && quality != .anywhere)
            }
            if isBetter ?? true {
                best = (quality, index, tags, used)
            }
        }
        if index == text.endIndex || best == nil {
            (end, self.open) = (index, tags)
        } else if let best {
            (end, self.open) = (best.end, best.open)
        } else {
            (end, self.open) = (index, tags)
        }
    }

    /// The next character, or the next tag as a whole.
    private static func token(in text: Substring, at index: String.Index) -> (String.Index, String?) {
        let next = text.index(after: index)
        guard text[index] == "[" else { return (next, nil) }
        let window = text[next...].prefix(2_048)
        guard let close = window.firstIndex(where: { $0 == "]" || $0 == "[" || $0 == "\n" }), text[close] == "]" else {
            return (next, nil)
        }
        let inside = String(text[next..<close])
        guard BBCode.Tag.isKnown(inside) else { return (next, nil) }
        return (text.index(after: close), inside)
    }

    private static func quality(_ text: Substring, _ end: String.Index) -> Quality {
        guard end < text.endIndex else { return .paragraph }
        let next = text[end]
        guard next.isWhitespace else { return .anywhere }
        if next.isNewline {
            let following = text.index(after: end)
            return following < text.endIndex && text[following].isNewline ? .paragraph : .line
        }
        let last = text[text.index(before: end)]
        return ".!?…。".contains(last) ? .sentence : .word
    }
}

extension BBCode.Tag {
    fileprivate static let names: Set<String> = [
        "b", "i", "u", "s", "url", "code", "size", "color", "user", "chat", "put", "send", "call", "context", "quote",
        "img",
    ]

    /// - Parameter inside: what stands between the brackets.
    fileprivate static func isKnown(_ inside: String) -> Bool { names.contains(name(of: inside)) }

    fileprivate static func name(of inside: String) -> String {
        let start = inside.hasPrefix("/") ? inside.dropFirst() : inside[...]
        return start.prefix { $0 != "=" && $0 != " " }.lowercased()
    }
}

extension [BBCode.Tag] {
    fileprivate var closingLength: Int { reduce(0) { $0 + $1.name.unicodeScalars.count + 3 } }

    fileprivate mutating func apply(_ inside: String) {
        let name = BBCode.Tag.name(of: inside)
        if !inside.hasPrefix("/") {
            append(BBCode.Tag(name: name, opening: "[\(inside)]"))
        } else if let index = lastIndex(where: { $0.name == name }) {
            remove(at: index)
        }
    }
}

extension String {
    fileprivate func trimmingLineEnds() -> String {
        var text = self[...]
        while text.last == "\n" || text.last == " " { text.removeLast() }
        return String(text)
    }
}
