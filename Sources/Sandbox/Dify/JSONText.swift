import Base

/// Writes compact JSON in raw UTF-8, member by member in the order given: an event stream is many small objects, and a
/// tree for each would cost more than the event.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init() { bytes.reserveCapacity(512) }

    /// Bytes as they are, between two documents.
    mutating func raw(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
        needsComma = false
    }

    mutating func raw(_ text: [UInt8]) {
        bytes.append(contentsOf: text)
        needsComma = false
    }

    mutating func object(_ members: (inout JSONText) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
        members(&self)
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    mutating func array<Element>(_ elements: [Element], _ each: (inout JSONText, Element) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
        for element in elements { each(&self, element) }
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// A member whose value is an object.
    mutating func member(_ name: StaticString, object members: (inout JSONText) -> Void) {
        key(name)
        object(members)
    }

    mutating func member<Element>(
        _ name: StaticString, array elements: [Element], _ each: (inout JSONText, Element) -> Void
    ) {
        key(name)
        array(elements, each)
    }

    mutating func member(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    mutating func member(_ name: StaticString, literal value: StaticString) {
        key(name)
        bytes.append(UInt8(ascii: "\""))
        value.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    mutating func member(_ name: StaticString, _ value: Int?) {
        key(name)
        if let value { plain(String(value)) } else { null() }
    }

    mutating func member(_ name: StaticString, _ value: Double) {
        key(name)
        plain(value.description)
    }

    mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        plain(value ? "true" : "false")
    }

    mutating func member(_ name: StaticString, _ value: JSON) {
        key(name)
        self.value(value)
    }

    /// Members that were written before, without braces.
    mutating func members(_ fragment: [UInt8]) {
        separate()
        bytes.append(contentsOf: fragment)
        needsComma = true
    }

    mutating func value(_ value: JSON) {
        switch value {
        case .null: null()
        case .bool(let flag): plain(flag ? "true" : "false")
        case .integer(let number): plain(String(number))
        case .number(let number): plain(number.description)
        case .string(let text): string(text)
        case .array(let elements): array(elements) { $0.value($1) }
        case .object(let members):
            object { out in
                for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                    out.string(name)
                    out.bytes.append(UInt8(ascii: ":"))
                    out.needsComma = false
                    out.value(value)
                }
            }
        }
    }

    mutating func string(_ text: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for (index, byte) in utf8.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                bytes.append(contentsOf: utf8[start..<index])
                escape(byte)
                start = index + 1
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: bytes.append(byte)
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        }
    }

    private mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func null() { plain("null") }

    private mutating func plain(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }
}

extension HTTPResponse {
    /// A JSON answer, written as Dify writes it.
    static func dify(status: Int = 200, _ members: (inout JSONText) -> Void) -> HTTPResponse {
        var text = JSONText()
        text.object(members)
        return HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(text.bytes))
    }

    static var difySuccess: HTTPResponse { .dify { $0.member("result", "success") } }
}
