import Base
import Foundation
import Testing

/// Dify's contract, cut down to what the simulated server answers: `Fixtures/dify-contract.json`.
struct DifyContract {
    private let document: JSON

    init() throws {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/dify-contract", withExtension: "json"))
        document = try JSON(parsing: Data(contentsOf: url))
    }

    /// The contract's example requests of a route.
    func exampleRequests(_ route: String) -> [JSON] { document["requests"]?[route]?.array ?? [] }

    /// What a value breaks of a named schema; empty if it keeps to it.
    func problems(_ value: JSON, _ schema: String) -> [String] {
        guard let schema = document["schemas"]?[schema] else { return ["no schema \(schema)"] }
        return problems(value, schema, at: "$")
    }

    private func problems(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
        if let reference = schema["$ref"]?.string {
            let name = String(reference.split(separator: "/").last ?? "")
            if value.isNull, schema["nullable"]?.bool == true { return [] }
            guard let target = document["schemas"]?[name] else { return ["\(place): no schema \(name)"] }
            return problems(value, target, at: place)
        }
        if value.isNull {
            let allowed = schema["nullable"]?.bool == true || schema["enum"]?.array?.contains(.null) == true
            return allowed || schema["type"] == nil ? [] : ["\(place): null"]
        }
        var found = typeProblems(value, schema, at: place)
        if let allowed = schema["enum"]?.array, !allowed.contains(value) {
            found.append("\(place): \(value.text) is none of the values")
        }
        // The contract's `oneOf` over forms without required members can be satisfied by none: any of them will do.
        for keyword in ["oneOf", "anyOf"] {
            guard let choices = schema[keyword]?.array else { continue }
            if !choices.contains(where: { problems(value, $0, at: place).isEmpty }) {
                found.append("\(place): fits none of \(keyword)")
            }
        }
        return found + memberProblems(value, schema, at: place)
    }

    private func typeProblems(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
        guard let type = schema["type"]?.string else { return [] }
        let fits =
            switch (type, value) {
            case ("string", .string(let text)): fitsFormat(text, schema["format"]?.string)
            case ("integer", .integer), ("number", .integer), ("number", .number), ("boolean", .bool),
                ("array", .array), ("object", .object):
                true
            default: false
            }
        return fits ? [] : ["\(place): \(value.text.prefix(40)) is no \(type) \(schema["format"]?.string ?? "")"]
    }

    private func fitsFormat(_ text: String, _ format: String?) -> Bool {
        switch format {
        case "uuid": UUID(uuidString: text) != nil
        case "decimal": Double(text) != nil
        default: true
        }
    }

    private func memberProblems(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
        switch value {
        case .array(let elements):
            guard let items = schema["items"] else { return [] }
            return elements.enumerated().flatMap { problems($1, items, at: "\(place)[\($0)]") }
        case .object(let members):
            let required = schema["required"]?.array?.compactMap(\.string) ?? []
            var found = required.filter { members[$0] == nil }.map { "\(place): \($0) is missing" }
            for (name, member) in members {
                if let known = schema["properties"]?[name] {
                    found += problems(member, known, at: "\(place).\(name)")
                } else if let other = schema["additionalProperties"], other.object != nil {
                    found += problems(member, other, at: "\(place).\(name)")
                }
            }
            return found
        default: return []
        }
    }

    /// The contract's names of a schema's members.
    func members(_ schema: String) -> Set<String> {
        Set((document["schemas"]?[schema]?["properties"]?.object ?? [:]).keys)
    }
}
