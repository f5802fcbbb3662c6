/// A header's value with parameters: `form-data; name="a"; filename="b.txt"`.
struct HeaderValue {
    /// What stands before the first semicolon, in lower case.
    let value: String
    /// By lower-case name; the first of equal names counts.
    private(set) var parameters: [String: String] = [:]

    init(_ text: String) {
        var rest = Substring(text).utf8[...]
        value = String(Self.take(&rest, until: ";")).trimmingBlanks().lowercased()
        while rest.popFirst() != nil {
            let name = String(Self.take(&rest, until: "=", or: ";")).trimmingBlanks().lowercased()
            guard rest.first == UInt8(ascii: "=") else { continue }
            rest.removeFirst()
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
            let value = rest.first == UInt8(ascii: "\"") ? Self.takeQuoted(&rest) : nil
            let token = String(Self.take(&rest, until: ";")).trimmingBlanks()
            if !name.isEmpty, parameters[name] == nil { parameters[name] = value ?? token }
        }
    }

    private static func take(
        _ rest: inout Substring.UTF8View, until end: Unicode.Scalar, or other: Unicode.Scalar? = nil
    ) -> Substring {
        let ends = [UInt8(ascii: end), other.map { UInt8(ascii: $0) } ?? UInt8(ascii: end)]
        let stop = rest.firstIndex { ends.contains($0) } ?? rest.endIndex
        defer { rest = rest[stop...] }
        return Substring(rest[..<stop])
    }

    /// Reads up to the closing quote. A backslash counts only before a quote or another backslash, since old browsers
    /// send whole Windows paths.
    private static func takeQuoted(_ rest: inout Substring.UTF8View) -> String {
        var bytes: [UInt8] = []
        rest.removeFirst()
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\"), let next = rest.first,
                next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\")
            {
                bytes.append(next)
                rest.removeFirst()
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    func trimmingBlanks() -> String {
        let start = drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
