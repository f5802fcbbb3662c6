import Base

/// Walks through JSON text for what decoding loses, the order of an object's members, and for what decoding would give at four
/// times the cost: the text of each of the hundreds of events that an answer comes in.
struct JSONWalk {
    private let bytes: [UInt8]
    private var position = 0

    /// The names of an object's members in the order in which the text has them.
    /// - Parameter path: names of members that lead from the top to the object.
    /// - Returns: none where there is no such object or the text is broken before it.
    static func names(at path: [String], in bytes: [UInt8]) -> [String] {
        var walk = JSONWalk(bytes: bytes)
        for name in path where !walk.enter(name) { return [] }
        return walk.names()
    }

    /// Texts among the members of the object at the top; `nil` for one that is missing or `null`.
    /// - Returns: `nil` where a decoder has to tell: one of them is no text, or the text of the JSON is broken.
    static func texts(_ names: [StaticString], in bytes: [UInt8]) -> [String?]? {
        var walk = JSONWalk(bytes: bytes)
        var texts = [String?](repeating: nil, count: names.count)
        guard walk.skip(UInt8(ascii: "{")) else { return nil }
        repeat {
            guard let name = walk.skippedName() else { return nil }
            if let index = names.firstIndex(where: { walk.bytes[name].isText($0) }) {
                guard walk.take(into: &texts[index]) else { return nil }
            } else {
                guard walk.skipValue() else { return nil }
            }
        } while walk.skip(UInt8(ascii: ","))
        guard walk.skip(UInt8(ascii: "}")) else { return nil }
        walk.skipSpace()
        return walk.position == bytes.count ? texts : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Moves to the value of a member of the object here.
    private mutating func enter(_ name: String) -> Bool {
        guard skip(UInt8(ascii: "{")) else { return false }
        while let found = memberName() {
            if found == name { return true }
            guard skipValue(), skip(UInt8(ascii: ",")) else { return false }
        }
        return false
    }

    private mutating func names() -> [String] {
        guard skip(UInt8(ascii: "{")) else { return [] }
        var names: [String] = []
        while let name = memberName() {
            names.append(name)
            guard skipValue(), skip(UInt8(ascii: ",")) else { break }
        }
        return names
    }

    /// The name of a member and the colon after it.
    private mutating func memberName() -> String? {
        guard let name = skippedName() else { return nil }
        return text(name)
    }

    /// Where the name of a member stands; the colon is passed too.
    private mutating func skippedName() -> Range<Int>? {
        skipSpace()
        let start = position + 1
        guard skipString() else { return nil }
        let end = position - 1
        return skip(UInt8(ascii: ":")) ? start..<end : nil
    }

    /// Reads a text or `null`.
    private mutating func take(into result: inout String?) -> Bool {
        skipSpace()
        let start = position
        if skipString() {
            result = text(start + 1..<position - 1)
            return result != nil
        }
        guard skipValue(), bytes[start..<position].isText("null") else { return false }
        result = nil
        return true
    }

    /// What stands between two quotes, without its escapes; `nil` where they are broken.
    private func text(_ range: Range<Int>) -> String? {
        guard bytes[range].contains(UInt8(ascii: "\\")) else { return String(decoding: bytes[range], as: UTF8.self) }
        return (try? JSON(parsing: bytes[range.lowerBound - 1...range.upperBound]))?.string
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipString() -> Bool {
        guard skip(UInt8(ascii: "\"")) else { return false }
        while position < bytes.count {
            let byte = bytes[position]
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return true }
        }
        return false
    }

    /// Counts brackets instead of descending: the text may be nested as deep as it likes.
    private mutating func skipValue() -> Bool {
        var depth = 0
        repeat {
            skipSpace()
            guard position < bytes.count else { return false }
            switch bytes[position] {
            case UInt8(ascii: "\""): guard skipString() else { return false }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { return false }
                depth -= 1
                position += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { return false }
                position += 1
            default:
                while position < bytes.count, !",:{}[]\" \t\r\n".utf8.contains(bytes[position]) { position += 1 }
            }
        } while depth > 0
        return true
    }
}

extension ArraySlice<UInt8> {
    fileprivate func isText(_ text: StaticString) -> Bool { text.withUTF8Buffer { elementsEqual($0) } }
}
