import Base

/// Finds the names of an object's members in the order in which JSON text has them, which decoding loses.
struct JSONMemberNames {
    private let bytes: [UInt8]
    private var position = 0

    /// - Parameter path: names of members that lead from the top to the object.
    /// - Returns: none where there is no such object or the text is broken before it.
    static func of(_ path: [String], in bytes: [UInt8]) -> [String] {
        var scanner = JSONMemberNames(bytes: bytes)
        for name in path where !scanner.enter(name) { return [] }
        return scanner.names()
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
        skipSpace()
        let start = position
        guard skipString() else { return nil }
        let text = bytes[start..<position]
        guard skip(UInt8(ascii: ":")) else { return nil }
        let plain = text.dropFirst().dropLast()
        if !plain.contains(UInt8(ascii: "\\")) { return String(decoding: plain, as: UTF8.self) }
        return (try? JSON(parsing: text))?.string
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
