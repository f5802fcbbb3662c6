import Glibc

/// Builds the tree of ``Form/decode(_:limits:)`` on bytes, without a copy per pair or level.
struct FormDecoder {
    private typealias Bytes = UnsafeBufferPointer<UInt8>

    private let limits: Form.Limits
    private let names: Names?
    /// What has members; the first is the whole form.
    private var nodes = [FormNode()]
    /// Room for a key or value without its escapes, which is never longer than with them.
    private let scratch: UnsafeMutableBufferPointer<UInt8>
    /// The pairs of the form that were wanted, where not all are.
    private var kept: [UInt8] = []
    /// Where the key before was placed, once something is: senders write the members of one node after another.
    private var recent: (prefix: Bytes, node: Int?)?

    private init(limits: Form.Limits, names: Names?, scratch: UnsafeMutableBufferPointer<UInt8>) {
        self.limits = limits
        self.names = names
        self.scratch = scratch
        nodes.reserveCapacity(16)
    }

    static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, only names: Names? = nil, limits: Form.Limits
    ) throws -> (tree: JSON, kept: [UInt8]) {
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count) { scratch in
            var decoder = FormDecoder(limits: limits, names: names, scratch: scratch)
            if names != nil { decoder.kept.reserveCapacity(bytes.count) }
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
            return (decoder.json(0), decoder.kept)
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
        if names != nil {
            if !kept.isEmpty { kept.append(UInt8(ascii: "&")) }
            kept.append(contentsOf: pair)
        }
        let value = unescaped(Bytes(rebasing: pair.dropFirst(equals + 1)))
        nodes[place.node].set(place.key, String(decoding: value, as: UTF8.self))
    }

    /// As ``place(_:)`` of the key without its escapes, sooner where only the last member differs from the key before.
    private mutating func place(raw key: Bytes) throws -> (node: Int, key: String?)? {
        var name = recent.flatMap { Self.name(in: key, after: $0.prefix) }
        if name == nil {
            // What it meant until now may be replaced.
            recent = plainPrefix(of: key).map { ($0, nil) }
            name = recent.flatMap { Self.name(in: key, after: $0.prefix) }
        }
        guard let name, let (prefix, node) = recent else { return try place(unescaped(key)) }
        guard let name = wanted(name) else { return nil }
        if let node { return (node, name) }
        let made = self.node(prefix)
        recent?.node = made
        return (made, name)
    }

    /// The name as a text; `nil` if it is not wanted.
    private func wanted(_ name: Bytes) -> String? {
        guard let names else { return String(decoding: name, as: UTF8.self) }
        if let wanted = names.name(name) { return wanted }
        guard let first = name.first, first &- UInt8(ascii: "0") < 10 || first == UInt8(ascii: "-") else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    /// The last name of a key that is `prefix` and one more member, if it is plain.
    private static func name(in key: Bytes, after prefix: Bytes) -> Bytes? {
        let start = prefix.count + 3
        let end = key.count - 3
        guard start < end, isBracket(key, prefix.count, UInt8(ascii: "B")), isBracket(key, end, UInt8(ascii: "D")),
            key.starts(withBytesOf: prefix)
        else { return nil }
        let name = Bytes(rebasing: key[start..<end])
        return name.contains(where: isSpecial) ? nil : name
    }

    /// What stands before the last member of a key like `a%5Bb%5D%5Bc%5D`. Such a prefix means the same node each time: no
    /// name in it is empty, which would be a new one, or has to be read otherwise than it is written. One that is too deep
    /// counts as not plain.
    private func plainPrefix(of key: Bytes) -> Bytes? {
        var index = 0
        var last = 0
        var depth = 0
        while true {
            let start = index
            while index < key.count, !Self.isSpecial(key[index]) { index += 1 }
            guard index > start else { return nil }
            if start > 0 {
                guard Self.isBracket(key, index, UInt8(ascii: "D")) else { return nil }
                index += 3
            }
            if index == key.count { return last > 0 ? Bytes(rebasing: key[..<last]) : nil }
            depth += 1
            guard depth <= limits.depth, Self.isBracket(key, index, UInt8(ascii: "B")) else { return nil }
            last = index
            index += 3
        }
    }

    /// Whether a byte of a name does not stand for itself, or not always.
    @inline(__always)
    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: " "), UInt8(ascii: "["), UInt8(ascii: "]"): true
        default: false
        }
    }

    /// The node that a plain prefix means.
    private mutating func node(_ prefix: Bytes) -> Int {
        var node = 0
        var start = 0
        while start < prefix.count {
            let end = Self.find(UInt8(ascii: "%"), in: prefix, from: start)
            node = child(text(prefix[start..<end]), of: node)
            // A bracket that opens follows the first name, one that closes and one that opens the others.
            start = end + (start == 0 ? 3 : 6)
        }
        return node
    }

    /// Whether an escape is that of `[` (`B`) or `]` (`D`).
    private static func isBracket(_ bytes: Bytes, _ index: Int, _ digit: UInt8) -> Bool {
        index + 2 < bytes.count && bytes[index] == UInt8(ascii: "%") && bytes[index + 1] == UInt8(ascii: "5")
            && bytes[index + 2] & 0xDF == digit
    }

    /// The bytes without their escapes, in `scratch` where they have any, until the next call.
    private func unescaped(_ bytes: Bytes) -> Bytes {
        var index = Self.find(UInt8(ascii: "%"), in: bytes, from: 0)
        if index == bytes.count, Self.find(UInt8(ascii: "+"), in: bytes, from: 0) == index { return bytes }
        var count = 0
        index = 0
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

    /// The node and the key in it that a key means, its parents made; `nil` for a key without a name, or with one that is
    /// not wanted. A key in it that is `nil` takes the next free number.
    private mutating func place(_ key: Bytes) throws -> (node: Int, key: String?)? {
        let start = key.firstIndex { $0 != UInt8(ascii: " ") } ?? key.endIndex
        var open = key[start...].firstIndex(of: UInt8(ascii: "[")) ?? key.endIndex
        guard open > start else { return nil }
        var parents: [String?] = []
        var name: String? = text(key[start..<open])
        while open < key.endIndex, key[open] == UInt8(ascii: "[") {
            guard let close = key[open...].firstIndex(of: UInt8(ascii: "]")) else {
                if parents.isEmpty { name = text(key[start..<open]) + "_" + text(key[(open + 1)...]) }
                break
            }
            parents.append(name)
            guard parents.count <= limits.depth else { throw FormError.tooDeep(limit: limits.depth) }
            name = member(key[(open + 1)..<close])
            open = close + 1
        }
        if var name, name.withUTF8(wanted) == nil { return nil }
        return (parents.reduce(0) { child($1, of: $0) }, name)
    }

    /// The name between two brackets; `nil` if there is none, or one blank.
    private func member(_ bytes: Slice<Bytes>) -> String? {
        if bytes.isEmpty || bytes.count == 1 && bytes.first == UInt8(ascii: " ") { return nil }
        return text(bytes)
    }

    private func text(_ bytes: Slice<Bytes>) -> String {
        String(decoding: Bytes(rebasing: bytes), as: UTF8.self)
    }

    private mutating func child(_ key: String?, of node: Int) -> Int {
        let (child, isNew) = nodes[node].child(key, orNew: nodes.count)
        if isNew { nodes.append(FormNode()) }
        return child
    }

    /// Can be asked for once.
    private mutating func json(_ node: Int) -> JSON {
        var members = Members<JSON>()
        swap(&members, &nodes[node].members)
        for (key, child) in nodes[node].children { members[key] = json(child) }
        return .object(members)
    }
}

/// What has members while a form is read.
private struct FormNode {
    var members = Members<JSON>()
    /// Those that have members of their own, by their numbers; they are `null` until the end.
    var children = Members<Int>()
    private var nextNumber: Int64 = 0

    init() { members.reserveCapacity(12) }

    mutating func set(_ key: String?, _ text: String) {
        let key = self.key(key)
        members[key] = .string(text)
        if !children.isEmpty { children[key] = nil }
    }

    mutating func child(_ key: String?, orNew number: Int) -> (child: Int, isNew: Bool) {
        let key = self.key(key)
        if let child = children[key] { return (child, false) }
        members[key] = JSON.null
        children[key] = number
        return (number, true)
    }

    /// A key as it is, or the next free number; keeps count of the numbers.
    private mutating func key(_ key: String?) -> String {
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
    fileprivate func starts(withBytesOf other: Self) -> Bool {
        count >= other.count && (other.isEmpty || memcmp(baseAddress!, other.baseAddress!, other.count) == 0)
    }
}
