import Glibc

/// Reads JSON into ``JSON`` in one pass over its bytes, which the caller lends for that long.
struct JSONReader {
    struct Broken: Error {}

    private static let deepest = 512

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    /// Members and elements of what is not closed yet: their number is known before their place is made.
    private var members: [(String, JSON)] = []
    private var elements: [JSON] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// - Parameter names: of an object at the top, only the members of these names; the others are passed over.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>, only names: Names? = nil) throws(Broken) -> JSON {
        var reader = JSONReader(bytes)
        reader.members.reserveCapacity(8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        let value = try reader.value(depth: 0, only: names)
        guard reader.next() == nil else { throw Broken() }
        return value
    }

    /// The next byte that is no space, which is not passed.
    private mutating func next() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    mutating func passes(_ byte: UInt8) -> Bool {
        guard next() == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int, only names: Names? = nil) throws(Broken) -> JSON {
        guard depth <= Self.deepest else { throw Broken() }
        switch next() {
        case UInt8(ascii: "\""):
            position += 1
            return .string(try string())
        case UInt8(ascii: "{"):
            position += 1
            return try object(depth: depth + 1, only: names)
        case UInt8(ascii: "["):
            position += 1
            return try array(depth: depth + 1)
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int, only names: Names?) throws(Broken) -> JSON {
        if passes(UInt8(ascii: "}")) { return .object(Members()) }
        let first = members.count
        repeat {
            if let name = if let names { try wantedName(names) } else { try name() } {
                members.append((name, try value(depth: depth)))
            } else {
                try passValue()
            }
        } while passes(UInt8(ascii: ","))
        guard passes(UInt8(ascii: "}")) else { throw Broken() }
        let object = Members(members[first...])
        members.removeLast(members.count - first)
        return .object(object)
    }

    /// The name of a member, the colon passed too.
    mutating func name() throws(Broken) -> String {
        guard passes(UInt8(ascii: "\"")) else { throw Broken() }
        let name = try string()
        guard passes(UInt8(ascii: ":")) else { throw Broken() }
        return name
    }

    /// The same; `nil` where it is none of these.
    private mutating func wantedName(_ names: Names) throws(Broken) -> String? {
        guard passes(UInt8(ascii: "\"")) else { throw Broken() }
        let start = position
        try passString()
        let name = UnsafeBufferPointer(rebasing: bytes[start..<position - 1])
        guard passes(UInt8(ascii: ":")) else { throw Broken() }
        return names.name(name)
    }

    private mutating func array(depth: Int) throws(Broken) -> JSON {
        if passes(UInt8(ascii: "]")) { return .array([]) }
        let first = elements.count
        repeat { elements.append(try value(depth: depth)) } while passes(UInt8(ascii: ","))
        guard passes(UInt8(ascii: "]")) else { throw Broken() }
        let array = Array(elements[first...])
        elements.removeLast(array.count)
        return .array(array)
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(Broken) -> JSON {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count,
            bytes[position..<position + count].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: count))
        else { throw Broken() }
        position += count
        return value
    }

    // MARK: What is not wanted

    /// Passes a value by counting its brackets: nested as deep as it likes, and well-formed inside or not.
    mutating func passValue() throws(Broken) {
        var depth = 0
        repeat {
            guard let byte = next() else { throw Broken() }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                try passString()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { throw Broken() }
                depth -= 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw Broken() }
            default:
                passWord()
                continue
            }
            position += 1
        } while depth > 0
    }

    /// Passes the rest of a string whose opening quote is passed.
    private mutating func passString() throws(Broken) {
        let start = position
        while let base = bytes.baseAddress,
            let found = memchr(base + position, Int32(UInt8(ascii: "\"")), bytes.count - position)
        {
            let quote = UnsafeRawPointer(base).distance(to: found)
            position = quote + 1
            // Of two backslashes the second is escaped itself.
            var backslashes = 0
            while quote - backslashes > start, bytes[quote - backslashes - 1] == UInt8(ascii: "\\") { backslashes += 1 }
            if backslashes.isMultiple(of: 2) { return }
        }
        throw Broken()
    }

    private mutating func passWord() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["),
                UInt8(ascii: "]"), UInt8(ascii: "\""), 0x20, 0x09, 0x0A, 0x0D:
                return
            default: position += 1
            }
        }
    }

    // MARK: Texts

    /// What stands before the closing quote, which is passed too.
    private mutating func string() throws(Broken) -> String {
        var index = position
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                defer { position = index + 1 }
                return text(position..<index)
            case UInt8(ascii: "\\"): return try stringWithEscapes(from: index)
            case 0..<0x20: throw Broken()
            default: index += 1
            }
        }
        throw Broken()
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    /// - Parameter escape: where the first one is.
    private mutating func stringWithEscapes(from escape: Int) throws(Broken) -> String {
        var unescaped = Array(bytes[position..<escape])
        position = escape
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: unescaped, as: UTF8.self)
            case UInt8(ascii: "\\"): unescaped.append(contentsOf: String(try escaped()).utf8)
            case 0..<0x20: throw Broken()
            default: unescaped.append(byte)
            }
        }
        throw Broken()
    }

    /// What an escape means, whose backslash is passed; U+FFFD for half of a surrogate pair.
    private mutating func escaped() throws(Broken) -> Unicode.Scalar {
        guard position < bytes.count else { throw Broken() }
        let letter = bytes[position]
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            guard let unit = unit(at: position) else { throw Broken() }
            position += 4
            guard 0xD800..<0xDC00 ~= unit, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u"), let low = self.unit(at: position + 2),
                0xDC00..<0xE000 ~= low
            else { return Unicode.Scalar(unit) ?? "\u{FFFD}" }
            position += 6
            return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFD}"
        default: throw Broken()
        }
    }

    /// The UTF-16 unit that four digits stand for.
    private func unit(at index: Int) -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for digit in bytes[index..<index + 4] {
            guard let value = hexadecimalValue(digit) else { return nil }
            unit = unit << 4 | UInt32(value)
        }
        return unit
    }

    // MARK: Numbers

    private mutating func number() throws(Broken) -> JSON {
        let start = position
        let isNegative = takes(UInt8(ascii: "-"))
        let startsWithZero = position < bytes.count && bytes[position] == UInt8(ascii: "0")
        var magnitude: Int64? = 0
        let digits = passDigits { digit in
            magnitude = magnitude.flatMap {
                let (tens, overflows) = $0.multipliedReportingOverflow(by: 10)
                let (sum, alsoOverflows) = tens.subtractingReportingOverflow(Int64(digit))
                return overflows || alsoOverflows ? nil : sum
            }
        }
        guard digits > 0, digits == 1 || !startsWithZero else { throw Broken() }
        var isWhole = true
        if takes(UInt8(ascii: ".")) {
            isWhole = false
            guard passDigits({ _ in }) > 0 else { throw Broken() }
        }
        if takes(UInt8(ascii: "e")) || takes(UInt8(ascii: "E")) {
            isWhole = false
            if !takes(UInt8(ascii: "+")) { _ = takes(UInt8(ascii: "-")) }
            guard passDigits({ _ in }) > 0 else { throw Broken() }
        }
        // Counted downwards, as there is one negative number more.
        if isWhole, let magnitude, isNegative || magnitude != .min {
            return .integer(isNegative ? magnitude : -magnitude)
        }
        guard let number = Double(text(start..<position)), number.isFinite else { throw Broken() }
        return Int64(exactly: number).map(JSON.integer) ?? .number(number)
    }

    private mutating func takes(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func passDigits(_ each: (UInt8) -> Void) -> Int {
        let start = position
        while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] {
            each(bytes[position] - UInt8(ascii: "0"))
            position += 1
        }
        return position - start
    }
}
