/// Any JSON value, for what has no fixed shape. Where the shape is known, decode a `Decodable` type instead.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object(Members<JSON>)

    /// The member of an object, or `nil`.
    public subscript(_ name: String) -> JSON? {
        get { if case .object(let members) = self { members[name] } else { nil } }
        set {
            guard case .object(var members) = self else { return }
            // Nobody else has them now, so they are not copied.
            self = .null
            members[name] = newValue
            self = .object(members)
        }
    }

    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    public var object: Members<JSON>? { if case .object(let value) = self { value } else { nil } }
    public var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }
    public var isNull: Bool { self == .null }

    /// Reads JSON of any kind at the top. A number without a fraction that fits becomes ``integer(_:)``, whatever way it
    /// was written; half a surrogate pair and invalid UTF-8 become U+FFFD. Of two members of one name the later counts.
    /// - Parameter names: of an object at the top, only the members of these names, written without escapes. It spares most
    ///   of the cost; the others need not be well-formed inside.
    /// - Throws: `DecodingError` when the bytes are no JSON, or are nested more than 512 deep.
    public init(parsing bytes: some Sequence<UInt8>, only names: Names? = nil) throws {
        do {
            self =
                try bytes.withContiguousStorageIfAvailable { try JSONReader.read($0, only: names) }
                ?? Array(bytes).withUnsafeBufferPointer { try JSONReader.read($0, only: names) }
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "not JSON"))
        }
    }

    /// Compact JSON with sorted keys; a number that JSON cannot express is written as `null`.
    public var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.reserve(256)
        writer.value(self)
        return writer.bytes
    }

    /// The same as ``bytes``, as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension JSON: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode(Members<JSON>.self) {
            self = .object(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else {
            self = .number(try container.decode(Double.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Members(elements))
    }
}
