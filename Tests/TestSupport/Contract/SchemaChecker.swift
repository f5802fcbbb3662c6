import Base
import Foundation

/// Holds values against the schemas of an OpenAPI document, 3.0 or 3.1, as far as BitBot's own and those of the bot
/// platforms use them.
public struct SchemaChecker: Sendable {
    public let document: JSON

    public init(document: JSON) { self.document = document }

    /// What a value breaks of a schema; empty if it keeps to it.
    public func problems(_ value: JSON, _ schema: JSON, at place: String = "$") -> [String] {
        if value.isNull, schema["nullable"]?.bool == true { return [] }
        if let reference = schema["$ref"]?.string {
            let name = String(reference.split(separator: "/").last ?? "")
            guard let target = document["components"]?["schemas"]?[name] else { return ["\(place): no schema \(name)"] }
            return problems(value, target, at: place)
        }
        guard fitsType(value, schema) else {
            return ["\(place): \(value.text.prefix(60)) is no \(schema["type"]?.text ?? "")"]
        }
        return valueProblems(value, schema, at: place) + combinationProblems(value, schema, at: place)
            + partProblems(value, schema, at: place)
    }

    // MARK: The value itself

    private func fitsType(_ value: JSON, _ schema: JSON) -> Bool {
        guard let type = schema["type"] else { return true }
        let types = (type.array ?? [type]).compactMap(\.string)
        return types.contains { type in
            switch (type, value) {
            case ("null", .null), ("boolean", .bool), ("integer", .integer), ("number", .integer), ("number", .number),
                ("string", .string), ("array", .array), ("object", .object):
                true
            // OpenAPI 3.0 lists null among the values instead.
            case (_, .null): schema["enum"]?.array?.contains(.null) == true
            default: false
            }
        }
    }

    private func valueProblems(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
        var found: [String] = []
        if let allowed = schema["enum"]?.array, !allowed.contains(value) {
            found.append("\(place): \(value.text.prefix(60)) is none of the values")
        }
        if let constant = schema["const"], constant != value {
            found.append("\(place): \(value.text.prefix(60)) is not \(constant.text)")
        }
        if let text = value.string { found += textProblems(text, schema, at: place) }
        if let number = decimal(value) {
            if let least = schema["minimum"].flatMap(decimal), number < least { found.append("\(place): too small") }
            if let most = schema["maximum"].flatMap(decimal), number > most { found.append("\(place): too large") }
        }
        return found
    }

    private func textProblems(_ text: String, _ schema: JSON, at place: String) -> [String] {
        var found: [String] = []
        if let format = schema["format"]?.string, !fitsFormat(text, format) {
            found.append("\(place): \(text.prefix(60)) is no \(format)")
        }
        if let pattern = schema["pattern"]?.string, text.range(of: pattern, options: .regularExpression) == nil {
            found.append("\(place): \(text.prefix(60)) does not match \(pattern)")
        }
        if let least = schema["minLength"]?.integer, text.count < least { found.append("\(place): too short") }
        if let most = schema["maxLength"]?.integer, text.count > most { found.append("\(place): too long") }
        return found
    }

    private func fitsFormat(_ text: String, _ format: String) -> Bool {
        switch format {
        case "uuid": UUID(uuidString: text) != nil
        case "decimal": Double(text) != nil
        case "date-time": text.count == 24 && text.hasSuffix("Z")
        case "url", "uri": text.hasPrefix("http://") || text.hasPrefix("https://")
        default: true
        }
    }

    private func decimal(_ value: JSON) -> Double? {
        switch value {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    // MARK: Combined schemas

    private func combinationProblems(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
        var found = (schema["allOf"]?.array ?? []).flatMap { problems(value, $0, at: place) }
        if let choices = schema["anyOf"]?.array { found += problems(value, anyOf: choices, at: place) }
        if let choices = schema["oneOf"]?.array {
            let fitting = choices.count { problems(value, $0, at: place).isEmpty }
            // Objects that require nothing all fit an object of any of them: Dify's `user_input_form` is written so.
            let demandsNothing = choices.allSatisfy { $0["properties"] != nil && $0["required"] == nil }
            if fitting == 0 || demandsNothing {
                found += problems(value, anyOf: choices, at: place)
            } else if fitting > 1 {
                found.append("\(place): fits \(fitting) of oneOf")
            }
        }
        if let excluded = schema["not"], problems(value, excluded, at: place).isEmpty {
            found.append("\(place): is what it must not be")
        }
        return found
    }

    /// Says what is wrong with the choice that the value comes nearest to.
    private func problems(_ value: JSON, anyOf choices: [JSON], at place: String) -> [String] {
        var nearest: [String] = []
        for choice in choices {
            let found = problems(value, choice, at: place)
            if found.isEmpty { return [] }
            if nearest.isEmpty || found.count < nearest.count || isDeeper(found, nearest) { nearest = found }
        }
        return nearest.map { "\($0) (nearest of \(choices.count))" }
    }

    private func isDeeper(_ one: [String], _ other: [String]) -> Bool {
        one.count == other.count
            && (one.first?.prefix { $0 != ":" }.count ?? 0) > (other.first?.prefix { $0 != ":" }.count ?? 0)
    }

    // MARK: Elements and members

    private func partProblems(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
        switch value {
        case .array(let elements):
            guard let each = schema["items"] else {
                return schema["type"] == nil ? [] : ["\(place): a list without a schema for its items"]
            }
            return elements.enumerated().flatMap { problems($0.element, each, at: "\(place)[\($0.offset)]") }
        case .object(let members): return memberProblems(members, schema, at: place)
        default: return []
        }
    }

    private func memberProblems(_ members: Members<JSON>, _ schema: JSON, at place: String) -> [String] {
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
}
