import Base

/// Reads values as PHP writes them: numbers and flags as strings, `[]` or `false` for an empty object, lists as objects
/// with number keys, nothing as `null` or an empty string. A value that cannot be what was asked for is `nil`, never an
/// error; where its absence matters, the caller says so.
///
/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/events/events.md` ("Data Types in Webhook Mode"),
/// `settings/how-to-call-rest-api/batch.md`.
extension JSON {
    /// Text that is not empty; a number is written out.
    var looseText: String? {
        switch self {
        case .string(let text): text.isEmpty ? nil : text
        case .integer(let number): String(number)
        case .number(let number): Int64(exactly: number).map(String.init) ?? String(number)
        case .null, .bool, .array, .object: nil
        }
    }

    /// A whole number, also one written as text.
    var looseInteger: Int64? {
        switch self {
        case .integer(let number): number
        case .number(let number): Int64(exactly: number)
        case .string(let text): Int64(text)
        case .null, .bool, .array, .object: nil
        }
    }

    /// A number, also one written as text; never infinite.
    var looseNumber: Double? {
        let number: Double? =
            switch self {
            case .integer(let number): Double(number)
            case .number(let number): number
            case .string(let text): Double(text)
            case .null, .bool, .array, .object: nil
            }
        return number.flatMap { $0.isFinite ? $0 : nil }
    }

    /// `true`, `1`, `"Y"`… or `false`, `0`, `"N"`….
    var looseFlag: Bool? {
        switch self {
        case .bool(let flag): flag
        case .integer(let number): number == 0 ? false : (number == 1 ? true : nil)
        case .string("Y"), .string("y"), .string("1"), .string("true"): true
        case .string("N"), .string("n"), .string("0"), .string("false"): false
        case .null, .number, .string, .array, .object: nil
        }
    }

    /// The members of an object; a list's elements under their numbers. Everything else has none.
    var looseObject: Members<JSON> {
        switch self {
        case .object(let members): members
        case .array(let elements):
            Members(elements.enumerated().lazy.map { (String($0.offset), $0.element) })
        case .null, .bool, .integer, .number, .string: [:]
        }
    }

    /// The elements of a list, or of an object in the order of its keys, numbers first.
    var looseList: [JSON] { looseEntries.map(\.value) }

    /// As ``looseList``, with the keys.
    var looseEntries: [(key: String, value: JSON)] {
        switch self {
        case .array(let elements): elements.enumerated().map { (String($0.offset), $0.element) }
        case .object(let members):
            members.count < 2 ? members.map { ($0.key, $0.value) } : members.sorted { comesBefore($0.key, $1.key) }
        case .null, .bool, .integer, .number, .string: []
        }
    }
}

private func comesBefore(_ a: String, _ b: String) -> Bool {
    switch (Int64(a), Int64(b)) {
    case (let a?, let b?): a < b
    case (.some, nil): true
    case (nil, .some): false
    case (nil, nil): a < b
    }
}
