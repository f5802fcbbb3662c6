/// Collects the bytes of one JSON text, for what is written so often that a ``JSON`` of it would cost too much.
public struct JSONWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// What was written.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    public mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    /// Writes what is syntax or otherwise known to be right.
    public mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public mutating func integer(_ value: Int64) { append(value.description) }

    /// Infinities and NaN have no JSON form and become `null`.
    mutating func number(_ value: Double) {
        if let whole = Int64(exactly: value) {
            integer(whole)
        } else if value.isFinite {
            append(value.description)
        } else {
            raw("null")
        }
    }

    /// Escapes what JSON demands and also what a terminal or a line reader would act upon (DEL, C1 controls, the line
    /// and paragraph separators), so that the same text is safe in a log.
    public mutating func string(_ value: String) {
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { text in
            let raw = UnsafeRawBufferPointer(text)
            if Self.isPlain(raw) { return bytes.append(contentsOf: text) }
            var start = 0
            var index = 0
            while index < text.count {
                if index + 8 <= text.count, Self.isPlain(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) {
                    index += 8
                    continue
                }
                let width = Self.escapedWidth(text, index)
                if width == 0 {
                    index += 1
                    continue
                }
                bytes.append(contentsOf: text[start..<index])
                escape(text, index, width)
                index += width
                start = index
            }
            bytes.append(contentsOf: text[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// An object of texts, in their order.
    public mutating func object(_ members: some Sequence<(name: String, value: String)>) {
        raw("{")
        var isFirst = true
        for member in members {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            string(member.name)
            bytes.append(UInt8(ascii: ":"))
            string(member.value)
        }
        raw("}")
    }

    /// Members in the order of their names.
    public mutating func value(_ value: JSON) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): flag ? raw("true") : raw("false")
        case .integer(let integer): self.integer(integer)
        case .number(let number): self.number(number)
        case .string(let text): string(text)
        case .array(let items):
            raw("[")
            var first = true
            for item in items {
                if !first { raw(",") }
                first = false
                self.value(item)
            }
            raw("]")
        case .object(let members):
            raw("{")
            var first = true
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                if !first { raw(",") }
                first = false
                string(name)
                raw(":")
                self.value(member)
            }
            raw("}")
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Whether nothing in it must be escaped; where it is short, or that is uncertain, false.
    @inline(__always)
    private static func isPlain(_ text: UnsafeRawBufferPointer) -> Bool {
        let last = text.count - 8
        guard last >= 0 else { return false }
        var index = 0
        while index < last {
            guard isPlain(text.loadUnaligned(fromByteOffset: index, as: UInt64.self)) else { return false }
            index += 8
        }
        return isPlain(text.loadUnaligned(fromByteOffset: last, as: UInt64.self))
    }

    /// Whether none of eight bytes begins a character that must be escaped. They are looked at as one number: subtracting a
    /// limit sets the highest bit of a byte below it. What a byte borrows from the next may show one too many, never one too
    /// few; then they are looked at one by one.
    @inline(__always)
    private static func isPlain(_ bytes: UInt64) -> Bool {
        let each: UInt64 = 0x0101_0101_0101_0101
        func below(_ limit: UInt64, _ bytes: UInt64) -> UInt64 { (bytes &- each &* limit) & ~bytes }
        func equal(_ byte: UInt64, _ bytes: UInt64) -> UInt64 { below(1, bytes ^ each &* byte) }
        // 0xC2 and 0xE2 differ in one bit.
        let found =
            below(0x20, bytes) | equal(0x22, bytes) | equal(0x5C, bytes) | equal(0x7F, bytes)
            | equal(0xE2, bytes | each &* 0x20)
        return found & (each &* 0x80) == 0
    }

    /// How many bytes at `index` form one character that must be escaped; 0 if none.
    @inline(__always)
    private static func escapedWidth(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int {
        switch text[index] {
        case 0..<0x20, 0x22, 0x5C, 0x7F: 1
        // A Swift string is valid UTF-8, so the bytes that a first byte announces are there.
        case 0xC2 where text[index + 1] < 0xA0: 2
        case 0xE2 where text[index + 1] == 0x80 && text[index + 2] & 0xFE == 0xA8: 3
        default: 0
        }
    }

    private mutating func escape(_ text: UnsafeBufferPointer<UInt8>, _ index: Int, _ width: Int) {
        switch (text[index], width) {
        case (0x22, _): raw("\\\"")
        case (0x5C, _): raw("\\\\")
        case (0x0A, _): raw("\\n")
        case (0x0D, _): raw("\\r")
        case (0x09, _): raw("\\t")
        case (let byte, 1): hexadecimal(UInt16(byte))
        case (_, 2): hexadecimal(UInt16(text[index + 1]))
        default: hexadecimal(0x2000 | UInt16(text[index + 2] & 0x3F))
        }
    }

    private mutating func hexadecimal(_ unit: UInt16) {
        raw("\\u")
        for shift: UInt16 in [12, 8, 4, 0] { bytes.append(hexadecimalDigits[Int(unit >> shift & 0xF)]) }
    }
}

let hexadecimalDigits = Array("0123456789abcdef".utf8)
