import Base

/// One field of a collection: what it may hold, who may write it. The same table checks requests and writes the OpenAPI
/// document, so that the two cannot disagree.
struct Field: Sendable {
    indirect enum Kind: Sendable {
        case text
        /// Write-only; read as its masked form.
        case secret
        case flag
        case integer
        case number
        case oneOf([String])
        /// The id of a record of another collection.
        case id
        /// Any JSON object.
        case object
        case list(of: [Field])
        case texts
        case structure([Field])
        /// Checked and described elsewhere: a JSON Schema, and what is wrong with a value.
        case checked(schema: Members<JSON>, fault: @Sendable (JSON) -> String?)
        /// ISO 8601, UTC.
        case time
    }

    var name: String
    var kind: Kind
    var about: String
    var isReadOnly = false
    var isRequired = false
    var isNullable = false

    static func required(_ name: String, _ kind: Kind, _ about: String) -> Field {
        Field(name: name, kind: kind, about: about, isRequired: true)
    }
    static func optional(_ name: String, _ kind: Kind, _ about: String) -> Field {
        Field(name: name, kind: kind, about: about, isNullable: true)
    }
    /// May be left out, for its default, but not emptied.
    static func defaulted(_ name: String, _ kind: Kind, _ about: String) -> Field {
        Field(name: name, kind: kind, about: about)
    }
    static func shown(_ name: String, _ kind: Kind, _ about: String) -> Field {
        Field(name: name, kind: kind, about: about, isReadOnly: true)
    }
    /// Shown as `null` while there is none.
    static func shownIfAny(_ name: String, _ kind: Kind, _ about: String) -> Field {
        Field(name: name, kind: kind, about: about, isReadOnly: true, isNullable: true)
    }

    /// What is wrong with a value for this field, or `nil`.
    func fault(in value: JSON) -> String? {
        if value.isNull { return isNullable ? nil : "must not be empty" }
        return switch kind {
        case .text, .secret, .time:
            value.string.map(fault(in:)) ?? "must be a text"
        case .flag: value.bool == nil ? "must be true or false" : nil
        case .integer: value.integer == nil ? "must be a whole number" : nil
        case .number: value.integer == nil && !isNumber(value) ? "must be a number" : nil
        case .oneOf(let words):
            value.string.map(words.contains) == true ? nil : "must be one of: \(words.joined(separator: ", "))"
        case .id: value.string == nil ? "must be an id, as a text" : nil
        case .object: value.object == nil ? "must be an object" : nil
        case .structure(let fields): faults(of: fields, in: value)
        case .texts: value.array?.allSatisfy { $0.string != nil } == true ? nil : "must be a list of texts"
        case .checked(_, let fault): fault(value)
        case .list(let fields):
            value.array.map { $0.lazy.compactMap { faults(of: fields, in: $0) }.first } ?? "must be a list"
        }
    }

    private func fault(in text: String) -> String? {
        if isRequired, text.allSatisfy(\.isWhitespace) { return "must not be empty" }
        // A key is pasted with a line end often enough; that one is cut off.
        let allowed: [UInt8] = if case .secret = kind { [] } else { [0x09, 0x0A, 0x0D] }
        if trimmed(text).utf8.contains(where: { ($0 < 0x20 || $0 == 0x7F) && !allowed.contains($0) }) {
            return "must not hold control characters"
        }
        return text.utf8.count > 10_000 ? "must not be longer than 10,000 bytes" : nil
    }

    private func isNumber(_ value: JSON) -> Bool { if case .number = value { true } else { false } }

    private func faults(of fields: [Field], in value: JSON) -> String? {
        guard let members = value.object else { return "must be an object" }
        if let unknown = members.keys.first(where: { name in !fields.contains { $0.name == name } }) {
            return "has no \(unknown.prefix(50))"
        }
        return fields.lazy.compactMap { field in
            guard let member = members[field.name] else { return field.isRequired ? "needs \(field.name)" : nil }
            return field.fault(in: member).map { "\(field.name) \($0)" }
        }.first
    }

    /// JSON Schema (OpenAPI 3.1).
    var schema: JSON {
        var schema: Members<JSON> = ["description": .string(about)]
        var type: JSON = "string"
        switch kind {
        case .text, .id: break
        case .secret: schema["description"] = .string(about + " Write-only: reads show `••••` and its end.")
        case .time: schema["format"] = "date-time"
        case .flag: type = "boolean"
        case .integer: type = "integer"
        case .number: type = "number"
        case .oneOf(let words):
            schema["enum"] = .array(words.map(JSON.string) + (isNullable ? [.null] : []))
        case .object: type = "object"
        case .structure(let fields):
            type = "object"
            schema.merge(Self.members(fields))
        case .texts:
            type = "array"
            schema["items"] = ["type": "string"]
        case .checked(let checked, _):
            type = checked["type"] ?? "object"
            schema.merge(checked)
        case .list(let fields):
            type = "array"
            schema["items"] = .object(Self.members(fields).merging(["type": "object"]))
        }
        schema["type"] = isNullable ? [type, "null"] : type
        if isReadOnly { schema["readOnly"] = true }
        return .object(schema)
    }

    private static func members(_ fields: [Field]) -> Members<JSON> {
        let required = fields.filter(\.isRequired).map { JSON.string($0.name) }
        var schema: Members<JSON> = ["properties": properties(fields), "additionalProperties": false]
        if !required.isEmpty { schema["required"] = .array(required) }
        return schema
    }

    static func properties(_ fields: [Field]) -> JSON {
        .object(Members(fields.map { ($0.name, $0.schema) }))
    }
}
