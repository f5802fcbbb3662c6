/// Reading and writing of `application/x-www-form-urlencoded` with PHP's bracketed keys
/// (`data[BOT][55][AUTH][access_token]=…`), as Bitrix24 sends and takes it.
public enum Form {
    public struct Limits: Sendable {
        public var keys = 5_000
        public var depth = 32
        public init() {}
    }

    /// The tree that PHP would build: objects of objects and strings. `a[]=` takes the next free number as its key, so
    /// a list is an object with the keys `"0"`, `"1"`…. A key that is given both a value and members keeps the later.
    /// Invalid UTF-8 becomes U+FFFD.
    ///
    /// Also as PHP does it: a broken escape stays as it is; `a` without `=` is an empty string; what follows a closing
    /// bracket without opening another is ignored (`a[b]c` is `a[b]`); a first bracket that is never closed becomes `_`
    /// (`a[b` is `a_b`), a later one ends the key (`a[b][c` is `a[b]`); leading spaces of a key do not count and a pair
    /// without a name is skipped. Unlike PHP, dots and spaces inside a name stay.
    /// - Throws: ``FormError`` at the first key too many, and at the first one too deep.
    public static func decode(_ bytes: some Collection<UInt8>, limits: Limits = Limits()) throws -> JSON {
        let decoded = try bytes.withContiguousStorageIfAvailable { try FormDecoder.decode($0, limits: limits).tree }
        return try decoded
            ?? Array(bytes).withUnsafeBufferPointer { try FormDecoder.decode($0, limits: limits).tree }
    }

    /// As ``decode(_:limits:)``, for a form of which only some is of use, which spares most of the cost.
    /// - Parameter names: values of these names, at any depth, and of numbers are kept; the others are as if they had not been
    ///   sent.
    /// - Returns: the tree, and the part of the form that it was made of.
    /// - Throws: as that one, whether kept or not.
    public static func decode(
        _ bytes: [UInt8], only names: Names, limits: Limits = Limits()
    ) throws -> (tree: JSON, kept: [UInt8]) {
        try bytes.withUnsafeBufferPointer { try FormDecoder.decode($0, only: names, limits: limits) }
    }

    /// As PHP's `http_build_query`: booleans are `1` and `0`, `null` and empty lists or objects are left out. Members
    /// are written in the order of their names. What is neither object nor list at the top gives an empty text.
    public static func encode(_ value: JSON) -> String {
        var pairs: [UInt8] = []
        append(value, key: [], to: &pairs)
        return String(decoding: pairs, as: UTF8.self)
    }

    /// Percent-encodes all but unreserved characters.
    public static func percentEncode(_ text: String) -> String {
        var bytes: [UInt8] = []
        appendEncoded(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `nil` if an escape is broken or the result is no UTF-8. `+` stays a plus unless `plusIsSpace`.
    public static func percentDecode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(hexadecimalValue), let low = rest.next().flatMap(hexadecimalValue)
                else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func append(_ value: JSON, key: [UInt8], to pairs: inout [UInt8]) {
        switch value {
        case .null: break
        case .bool(let flag): append(flag ? "1" : "0", key: key, to: &pairs)
        case .integer(let integer): append(String(integer), key: key, to: &pairs)
        case .number(let number) where number.isFinite: append(JSON.number(number).text, key: key, to: &pairs)
        case .number: break
        case .string(let text): append(text, key: key, to: &pairs)
        case .array(let items):
            for (index, item) in items.enumerated() { append(item, key: member(String(index), of: key), to: &pairs) }
        case .object(let members):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                append(member, key: self.member(name, of: key), to: &pairs)
            }
        }
    }

    private static func append(_ text: String, key: [UInt8], to pairs: inout [UInt8]) {
        guard !key.isEmpty else { return }
        if !pairs.isEmpty { pairs.append(UInt8(ascii: "&")) }
        pairs.append(contentsOf: key)
        pairs.append(UInt8(ascii: "="))
        appendEncoded(text, to: &pairs)
    }

    private static func member(_ name: String, of key: [UInt8]) -> [UInt8] {
        var result = key
        if !key.isEmpty { result.append(contentsOf: "%5B".utf8) }
        appendEncoded(name, to: &result)
        if !key.isEmpty { result.append(contentsOf: "%5D".utf8) }
        return result
    }

    private static func appendEncoded(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes.append(UInt8(ascii: "%"))
                bytes.append(upperCaseDigits[Int(byte >> 4)])
                bytes.append(upperCaseDigits[Int(byte & 0xF)])
            }
        }
    }
}

public enum FormError: Error, Sendable, Equatable {
    case tooManyKeys(limit: Int)
    case tooDeep(limit: Int)
    case malformed(String)
}

private let upperCaseDigits = Array("0123456789ABCDEF".utf8)

@inline(__always)
func hexadecimalValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}
