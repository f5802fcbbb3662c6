import Glibc

/// Builds the tree of ``Form/decode(_:limits:)`` on bytes, without a copy per pair or level.
struct FormDecoder {
    private typealias Bytes = UnsafeBufferPointer<UInt8>

    private let limits: Form.Limits
    private let root = FormNode()
    /// Room for a key or value without its escapes, which is never longer than with them.
    private let scratch: UnsafeMutableBufferPointer<UInt8>
    /// Where the key before was placed: senders write the members of one node after another.
    private var recent: (prefix: Bytes, node: FormNode)?

    private init(limits: Form.Limits, scratch: UnsafeMutableBufferPointer<UInt8>) {
        self.limits = limits
        self.scratch = scratch
    }

    static func decode(_ bytes: UnsafeBufferPointer<UInt8>, limits: Form.Limits) throws -> JSON {
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count) { scratch in
            var decoder = FormDecoder(limits: limits, scratch: scratch)
            var pairs = 0
            var start = 0
            while start < bytes.count {
                let end = find(UInt8(ascii: "&"), in: bytes, from: start)
                if end > start {
                    pairs += 1
                    guard pairs <= limits.keys else { throw FormError.tooManyKeys(limit: limits.keys) }
                    try decoder.read(Bytes(rebasing: bytes[start..<end]))
                }
                start = end + 1
            }
            return decoder.root.json
        }
    }

    /// Where the byte is, or the end.
    private static func find(_ byte: UInt8, in bytes: Bytes, from start: Int) -> Int {
        guard start < bytes.count, let found = memchr(bytes.baseAddress! + start, Int32(byte), bytes.count - start)
        else { return bytes.count }
        return UnsafeRawPointer(bytes.baseAddress!).distance(to: found)
    }

    private mutating func read(_ pair: Bytes) throws {
        let equals = Self.find(UInt8(ascii: "="), in: pair, from: 0)
        guard let place = try place(raw: Bytes(rebasing: pair[..<equals])) else { return }
        let value = unescaped(Bytes(rebasing: pair.dropFirst(equals + 1)))
        place.node.set(place.key, String(decoding: value, as: UTF8.self))
    }

    /// As ``place(_:)`` of the key without its escapes, sooner where only the last member differs from the key before.
    private mutating func place(raw key: Bytes) throws -> (node: FormNode, key: String?)? {
        guard let last = Self.lastMember(of: key) else {
            recent = nil
            return try place(unescaped(key))
        }
        let prefix = Bytes(rebasing: key[..<last.open])
        if let recent, recent.prefix.hasSameBytes(as: prefix) { return (recent.node, text(key[last.name])) }
        let found = try place(unescaped(key))
        recent = Self.namesOneNode(prefix) ? found.map { (prefix, $0.node) } : nil
        return found
    }

    /// Where the last member of a key like `a%5Bb%5D%5Bc%5D` begins and what its name is, if that has no escape.
    private static func lastMember(of key: Bytes) -> (open: Int, name: Range<Int>)? {
        let end = key.count - 3
        guard end > 4, key[end] == UInt8(ascii: "%"), isBracket(key, end, UInt8(ascii: "D")) else { return nil }
        var start = end
        while start > 0, key[start - 1] != UInt8(ascii: "%"), key[start - 1] != UInt8(ascii: "+") {
            start -= 1
            // A member ends at its first bracket, escaped or not.
            if key[start] == UInt8(ascii: "]") { return nil }
        }
        // The escape's own two digits are in front of the name.
        let open = start - 1
        let name = start + 2
        guard open > 0, name < end, isBracket(key, open, UInt8(ascii: "B")) else { return nil }
        return (open, name..<end)
    }

    /// Whether a prefix means the same node each time: its names are plain, and none is empty, which would be a new one.
    private static func namesOneNode(_ prefix: Bytes) -> Bool {
        var index = 0
        var previousOpened = false
        while index < prefix.count {
            switch prefix[index] {
            case UInt8(ascii: "%"):
                let opens = isBracket(prefix, index, UInt8(ascii: "B"))
                guard opens || isBracket(prefix, index, UInt8(ascii: "D")), !previousOpened else { return false }
                previousOpened = opens
                index += 3
            case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "+"): return false
            default:
                previousOpened = false
                index += 1
            }
        }
        return true
    }

    /// Whether an escape is that of `[` (`B`) or `]` (`D`).
    private static func isBracket(_ bytes: Bytes, _ index: Int, _ digit: UInt8) -> Bool {
        index + 2 < bytes.count && bytes[index] == UInt8(ascii: "%") && bytes[index + 1] == UInt8(ascii: "5")
            && bytes[index + 2] & 0xDF == digit
    }

    /// The bytes without their escapes, in `scratch`, until the next call.
    private func unescaped(_ bytes: Bytes) -> Bytes {
        var count = 0
        var index = 0
        while index < bytes.count {
            var byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "%"), index + 1 < bytes.count, let high = hexadecimalValue(bytes[index]),
                let low = hexadecimalValue(bytes[index + 1])
            {
                byte = high << 4 | low
                index += 2
            } else if byte == UInt8(ascii: "+") {
                byte = UInt8(ascii: " ")
            }
            scratch[count] = byte
            count += 1
        }
        return Bytes(rebasing: scratch[..<count])
    }

    /// The node and the key in it that a key means, its parents made; `nil` for a key without a name. A key in it that
    /// is `nil` takes the next free number.
    private func place(_ key: Bytes) throws -> (node: FormNode, key: String?)? {
        let start = key.firstIndex { $0 != UInt8(ascii: " ") } ?? key.endIndex
        var open = key[start...].firstIndex(of: UInt8(ascii: "[")) ?? key.endIndex
        guard open > start else { return nil }
        var node = root
        var name: String? = text(key[start..<open])
        var depth = 0
        while open < key.endIndex, key[open] == UInt8(ascii: "[") {
            guard let close = key[open...].firstIndex(of: UInt8(ascii: "]")) else {
                if depth == 0 { name = text(key[start..<open]) + "_" + text(key[(open + 1)...]) }
                break
            }
            depth += 1
            guard depth <= limits.depth else { throw FormError.tooDeep(limit: limits.depth) }
            node = node.child(name)
            name = member(key[(open + 1)..<close])
            open = close + 1
        }
        return (node, name)
    }

    /// The name between two brackets; `nil` if there is none, or one blank.
    private func member(_ bytes: Slice<Bytes>) -> String? {
        if bytes.isEmpty || bytes.count == 1 && bytes.first == UInt8(ascii: " ") { return nil }
        return text(bytes)
    }

    private func text(_ bytes: Slice<Bytes>) -> String {
        String(decoding: Bytes(rebasing: bytes), as: UTF8.self)
    }
}

/// What has members while a form is read.
private final class FormNode {
    // One decoder touches a node, and nothing that it calls comes back to it: there is nothing to check.
    @exclusivity(unchecked) private var texts: [String: JSON] = [:]
    @exclusivity(unchecked) private var nodes: [String: FormNode] = [:]
    @exclusivity(unchecked) private var nextNumber: Int64 = 0

    init() { texts.reserveCapacity(24) }

    func set(_ key: String?, _ text: String) {
        let key = self.key(key)
        if !nodes.isEmpty { nodes[key] = nil }
        texts[key] = .string(text)
    }

    func child(_ key: String?) -> FormNode {
        let key = self.key(key)
        if let node = nodes[key] { return node }
        let node = FormNode()
        nodes[key] = node
        return node
    }

    /// Can be asked for once.
    var json: JSON {
        var members = texts
        texts = [:]
        for (name, node) in nodes { members[name] = node.json }
        return .object(members)
    }

    /// A key as it is, or the next free number; keeps count of the numbers.
    private func key(_ key: String?) -> String {
        let key = key ?? String(nextNumber)
        if let first = key.utf8.first, first &- UInt8(ascii: "0") < 10,
            first != UInt8(ascii: "0") || key.utf8.count == 1,
            let number = Int64(key), number >= nextNumber
        {
            nextNumber = number == .max ? number : number + 1
        }
        return key
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func hasSameBytes(as other: Self) -> Bool {
        count == other.count && (isEmpty || memcmp(baseAddress!, other.baseAddress!, count) == 0)
    }
}
