/// Builds the tree of ``Form/decode(_:limits:)`` on bytes, without a copy per pair or level.
struct FormDecoder {
    private let limits: Form.Limits
    private let root = FormNode()
    /// The key or value at hand without its escapes; kept so that its memory is used again.
    private var scratch: [UInt8] = []

    static func decode(_ bytes: UnsafeBufferPointer<UInt8>, limits: Form.Limits) throws -> JSON {
        guard countPairs(bytes) <= limits.keys else { throw FormError.tooManyKeys(limit: limits.keys) }
        var decoder = FormDecoder(limits: limits)
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            decoder.unescape(pair[..<equals])
            guard let place = try decoder.place() else { continue }
            decoder.unescape(pair[equals...].dropFirst())
            place.node.set(place.key, decoder.scratch.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) })
        }
        return decoder.root.json
    }

    private init(limits: Form.Limits) { self.limits = limits }

    private static func countPairs(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var count = 0
        var previous = UInt8(ascii: "&")
        for byte in bytes {
            if previous == UInt8(ascii: "&"), byte != UInt8(ascii: "&") { count += 1 }
            previous = byte
        }
        return count
    }

    private mutating func unescape(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        let bytes = UnsafeBufferPointer(rebasing: bytes)
        scratch.removeAll(keepingCapacity: true)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "%"), index + 1 < bytes.count, let high = hexadecimalValue(bytes[index]),
                let low = hexadecimalValue(bytes[index + 1])
            {
                scratch.append(high << 4 | low)
                index += 2
            } else {
                scratch.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
    }

    /// The node and the key in it that the key in `scratch` means, its parents made; `nil` for a key without a name.
    /// An empty key takes the next free number.
    private func place() throws -> (node: FormNode, key: String?)? {
        try scratch.withUnsafeBufferPointer { key in
            let start = key.firstIndex { $0 != UInt8(ascii: " ") } ?? key.endIndex
            let firstOpen = key[start...].firstIndex(of: UInt8(ascii: "[")) ?? key.endIndex
            guard firstOpen > start else { return nil }
            var node = root
            var name: String? = text(key[start..<firstOpen])
            var open = firstOpen
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
    }

    /// The name between two brackets; `nil` if there is none, or one blank.
    private func member(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
        if bytes.isEmpty || bytes.count == 1 && bytes.first == UInt8(ascii: " ") { return nil }
        return text(bytes)
    }

    private func text(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes), as: UTF8.self)
    }
}

/// What has members while a form is read.
private final class FormNode {
    private enum Entry {
        case text(String)
        case node(FormNode)
    }

    private var members: [String: Entry] = [:]
    private var nextNumber: Int64 = 0

    func set(_ key: String?, _ value: String) { members[self.key(key)] = .text(value) }

    func child(_ key: String?) -> FormNode {
        let key = self.key(key)
        if case .node(let node) = members[key] { return node }
        let node = FormNode()
        members[key] = .node(node)
        return node
    }

    var json: JSON {
        .object(
            members.mapValues { entry in
                switch entry {
                case .text(let text): .string(text)
                case .node(let node): node.json
                }
            })
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
