import Base

/// A method's parameters, read as PHP reads them: numbers may come as strings, lists as objects with numeric keys.
struct RESTParameters: Sendable {
    var members: Members<JSON>

    init(_ members: Members<JSON> = [:]) { self.members = members }
    init(_ value: JSON?) { members = value?.object ?? [:] }

    subscript(name: String) -> JSON? { members[name] }

    func has(_ name: String) -> Bool { members[name].map { !$0.isNull } ?? false }

    /// A whole number, also as text; `nil` if there is none.
    func number(_ name: String) -> Int? { members[name]?.wholeNumber }

    /// A number above zero.
    func id(_ name: String) -> Int? { number(name).flatMap { $0 > 0 ? $0 : nil } }

    /// A text; numbers count as text, an empty one is `""`.
    func text(_ name: String) -> String? {
        switch members[name] {
        case .string(let value): value
        case .integer(let value): String(value)
        case .number(let value): String(value)
        default: nil
        }
    }

    /// A text that is not empty.
    func filled(_ name: String) -> String? { text(name).flatMap { $0.isEmpty ? nil : $0 } }

    /// `true`, `"Y"`, `"1"` and 1 are true. Documentation: `api-reference/chat-bots/chat-bots-v2/index.md`.
    func flag(_ name: String) -> Bool? {
        switch members[name] {
        case .bool(let value): value
        case .integer(let value): value != 0
        case .string(let value): ["Y", "y", "1", "true"].contains(value)
        default: nil
        }
    }

    /// The members of an object or list by key, empty if it is none.
    func group(_ name: String) -> RESTParameters { RESTParameters(members[name]) }

    func list(_ name: String) -> [JSON] { members[name]?.listed ?? [] }

    /// The first generation takes its parameters' names in any case.
    var uppercased: RESTParameters {
        RESTParameters(Members(members.map { ($0.key.uppercased(), $0.value) }))
    }
}

extension JSON {
    /// A whole number, also when it is written as text.
    var wholeNumber: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .number(let value): Int(exactly: value)
        case .string(let value): Int(value)
        default: nil
        }
    }

    /// The members of a list, or of an object with numeric keys, in order.
    var listed: [JSON]? {
        switch self {
        case .array(let values): values
        case .object(let members) where members.keys.allSatisfy { Int($0) != nil }:
            members.sorted { (Int($0.key) ?? 0) < (Int($1.key) ?? 0) }.map(\.value)
        default: nil
        }
    }

    /// As PHP writes a map: `[]` when empty, a list when its keys count up from 0.
    static func phpMap(_ entries: [(key: String, value: JSON)]) -> JSON {
        let isList = entries.enumerated().allSatisfy { String($0.offset) == $0.element.key }
        if isList { return .array(entries.map(\.value)) }
        return .object(Members(entries.map { ($0.key, $0.value) }))
    }
}

extension JSON {
    init(_ value: Int) { self = .integer(Int64(value)) }
    init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    /// As the first generation and webhook bodies write numbers.
    static func text(_ value: Int) -> JSON { .string(String(value)) }
    static func yesNo(_ value: Bool) -> JSON { .string(value ? "Y" : "N") }
}
