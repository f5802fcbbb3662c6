import Base
import Storage

/// The fields of a request, checked against a collection's table. Reading one that was not sent gives the given value.
struct Draft: Sendable {
    private let values: Members<JSON>

    /// - Parameter isPatch: fields may be missing; RFC 7396.
    /// - Throws: ``APIError`` 400 or 422.
    init(_ request: APIRequest, fields: [Field], isPatch: Bool) throws {
        // Where every field may be left out, so may the body.
        let mayBeEmpty = !isPatch && !fields.contains(where: \.isRequired)
        let body = request.body.isEmpty && mayBeEmpty ? [:] : try? JSON(parsing: request.body)
        guard let members = body?.object else {
            throw APIError.badRequest("The body must be a JSON object")
        }
        var faults: Members<String> = [:]
        var values: Members<JSON> = [:]
        for (name, value) in members {
            guard let field = fields.first(where: { $0.name == name }) else {
                // Enough to find the mistake: the answer must not grow with what anybody sends.
                if faults.count < 20 { faults[String(name.prefix(50))] = "is not a field here" }
                continue
            }
            // What was read may be sent back whole.
            if field.isReadOnly { continue }
            if case .secret = field.kind, value.string?.hasPrefix("••••") == true { continue }
            faults[name] = field.fault(in: value)
            values[name] = value
        }
        if !isPatch {
            for field in fields where field.isRequired && values[field.name] == nil {
                faults[field.name] = "is missing"
            }
        }
        guard faults.isEmpty else { throw APIError.invalid(faults) }
        self.values = values
    }

    func has(_ name: String) -> Bool { values[name] != nil }

    func value(_ name: String) -> JSON? { values[name] }
    func text(_ name: String, else given: String) -> String { values[name]?.string ?? given }
    func flag(_ name: String, else given: Bool) -> Bool { values[name]?.bool ?? given }
    func list(_ name: String) -> [JSON]? { values[name]?.array }

    /// `null` empties.
    func textIfAny(_ name: String, else given: String?) -> String? {
        values[name].map { $0.string.flatMap { $0.isEmpty ? nil : $0 } } ?? given
    }
    func secret(_ name: String, else given: Secret?) -> Secret? {
        values[name].map { $0.string.map(trimmed).flatMap { $0.isEmpty ? nil : Secret($0) } } ?? given
    }

    /// An object merged into the one that is there (RFC 7396).
    func merged(_ name: String, into given: JSON) -> JSON { values[name].map { Self.merge($0, into: given) } ?? given }

    /// - Throws: ``APIError`` 422 when it is no id.
    func id<Record>(_ name: String, else given: ID<Record>?) throws -> ID<Record>? {
        guard let value = values[name] else { return given }
        guard let text = value.string else { return nil }
        guard let id = ID<Record>(text) else { throw APIError.invalid([name: "does not exist"]) }
        return id
    }

    private static func merge(_ patch: JSON, into target: JSON) -> JSON {
        guard let changes = patch.object else { return patch }
        var members = target.object ?? [:]
        for (name, value) in changes {
            members[name] = value.isNull ? JSON?.none : merge(value, into: members[name] ?? [:])
        }
        return .object(members)
    }
}

/// Without white space at both ends.
func trimmed(_ text: String) -> String {
    let start = text.drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
}
