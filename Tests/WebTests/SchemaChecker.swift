import Base

/// Holds values against the schemas of an OpenAPI 3.1 document, as far as BitBot's uses them.
struct SchemaChecker {
    let document: JSON

    /// What a value breaks of a schema; empty if it keeps to it.
    func problems(_ value: JSON, _ schema: JSON, at place: String = "$") -> [String] {
        if let reference = schema["$ref"]?.string {
            let name = String(reference.split(separator: "/").last ?? "")
            guard let target = document["components"]?["schemas"]?[name] else { return ["\(place): no schema \(name)"] }
            return problems(value, target, at: place)
        }
        let types = schema["type"]?.array ?? schema["type"].map { [$0] } ?? []
        guard types.isEmpty || types.contains(where: { $0.string == kind(of: value) || fits(value, $0.string) }) else {
            return ["\(place): \(value.text.prefix(60)) is none of \(types.map(\.text))"]
        }
        if let allowed = schema["enum"]?.array, !allowed.contains(value) {
            return ["\(place): \(value.text.prefix(60)) is none of the values"]
        }
        switch value {
        case .array(let items):
            guard let each = schema["items"] else { return ["\(place): a list without a schema for its items"] }
            return items.enumerated().flatMap { problems($0.element, each, at: "\(place)[\($0.offset)]") }
        case .object(let members): return problems(members, schema, at: place)
        case .string(let text) where schema["format"]?.string == "date-time":
            return text.count == 24 && text.hasSuffix("Z") ? [] : ["\(place): \(text) is no time"]
        default: return []
        }
    }

    private func problems(_ members: [String: JSON], _ schema: JSON, at place: String) -> [String] {
        let required = schema["required"]?.array?.compactMap(\.string) ?? []
        var found = required.filter { members[$0] == nil }.map { "\(place): \($0) is missing" }
        for (name, member) in members {
            if let known = schema["properties"]?[name] {
                found += problems(member, known, at: "\(place).\(name)")
            } else if schema["additionalProperties"]?.bool == false {
                found.append("\(place): \(name) is not described")
            } else if let other = schema["additionalProperties"], other.object != nil {
                found += problems(member, other, at: "\(place).\(name)")
            }
        }
        return found
    }

    private func kind(of value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private func fits(_ value: JSON, _ type: String?) -> Bool {
        if case .integer = value { type == "number" } else { false }
    }
}
