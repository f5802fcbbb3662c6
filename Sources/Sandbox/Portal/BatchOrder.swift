import Base

/// The order in which the commands of a `batch` were written; a decoded body has lost it.
enum BatchOrder {
    /// The keys of `cmd` in a JSON body, `nil` if it has no object of that name.
    static func keys(inJSON body: [UInt8]) -> [String]? {
        var scanner = Scanner(bytes: body)
        return scanner.keys(of: "cmd")
    }

    /// The keys of `cmd[…]` in a form body or query, in the order of their first appearance.
    static func keys(inForm text: String) -> [String] {
        var seen: Set<String> = []
        var keys: [String] = []
        for pair in text.split(separator: "&") {
            let name = pair.prefix { $0 != "=" }
            guard let decoded = Form.percentDecode(name, plusIsSpace: true), decoded.hasPrefix("cmd[") else { continue }
            let key = String(decoded.dropFirst(4).prefix { $0 != "]" })
            if seen.insert(key).inserted { keys.append(key) }
        }
        return keys
    }

    /// Walks JSON only as far as it must; broken JSON ends the walk.
    private struct Scanner {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func keys(of member: String) -> [String]? {
            guard take("{") else { return nil }
            while let name = string() {
                guard take(":") else { return nil }
                if name == member {
                    guard take("{") else { return nil }
                    return objectKeys()
                }
                skipValue()
                guard take(",") else { return nil }
            }
            return nil
        }

        private mutating func objectKeys() -> [String] {
            var keys: [String] = []
            while let key = string() {
                keys.append(key)
                guard take(":") else { break }
                skipValue()
                guard take(",") else { break }
            }
            return keys
        }

        private mutating func space() {
            while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            space()
            guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        /// The text of a string, with its quotes taken off.
        private mutating func string() -> String? {
            space()
            let start = position
            guard skipString() else { return nil }
            let slice = bytes[start..<position]
            guard slice.contains(UInt8(ascii: "\\")) else {
                return String(decoding: slice.dropFirst().dropLast(), as: UTF8.self)
            }
            return try? JSON(parsing: slice).string
        }

        private mutating func skipString() -> Bool {
            guard take("\"") else { return false }
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "\\"): position += 2
                case UInt8(ascii: "\""):
                    position += 1
                    return true
                default: position += 1
                }
            }
            return false
        }

        private mutating func skipValue() {
            space()
            var depth = 0
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "\""):
                    if !skipString() { return }
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return }
                    depth -= 1
                    position += 1
                case UInt8(ascii: ",") where depth == 0: return
                default: position += 1
                }
            }
        }
    }
}
