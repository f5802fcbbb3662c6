import Base
import Foundation

/// What a bot platform has published of its API: its OpenAPI document, cut down to what BitBot uses, beside this file.
public struct Contract: Sendable {
    /// `openapi_service.json` of `langgenius/dify-docs`.
    public static let dify = Contract("dify", base: "/v1", events: "dify-events")
    /// The chat API of `baptisteArno/typebot.io`.
    public static let typebot = Contract("typebot", base: "/api")

    /// The document's operation that a request asks for.
    private struct Operation {
        var path: String
        var description: JSON
        var parameters: [String: String]
    }

    private let base: String
    private let checker: SchemaChecker
    private let events: SchemaChecker?

    private init(_ name: String, base: String, events: String? = nil) {
        self.base = base
        let document = Self.read(name)
        checker = SchemaChecker(document: document)
        self.events = events.map { name in
            // The events name schemas of the document.
            var events = Self.read(name)
            let schemas = document["components"]?["schemas"]?.object ?? [:]
            let ofEvents = events["components"]?["schemas"]?.object ?? [:]
            events["components"] = ["schemas": .object(schemas.merging(ofEvents))]
            return SchemaChecker(document: events)
        }
    }

    /// `null` if it is not there, which every check then says.
    private static func read(_ name: String) -> JSON {
        let folder = "Documents/\(name)"
        guard let url = Bundle.module.url(forResource: folder, withExtension: "json"),
            let bytes = try? Data(contentsOf: url)
        else { return .null }
        return (try? JSON(parsing: bytes)) ?? .null
    }

    // MARK: Checks

    /// What a request breaks of the contract; empty if it keeps to it.
    /// - Parameters:
    ///   - path: with or without the API's own beginning (`/v1`, `/api`).
    ///   - body: of `multipart/form-data`, an object of its parts.
    public func checkRequest(
        method: String, path: String, query: JSON = [:], type: String = "application/json", body: JSON?
    ) -> [String] {
        guard let operation = operation(method, path) else { return ["\(method) \(path): not in the contract"] }
        var found = parameterProblems(operation, query: query)
        if let expected = operation.description["requestBody"] {
            if let body {
                if let schema = expected["content"]?[type]?["schema"] {
                    found += checker.problems(body, schema)
                } else {
                    found.append("a body of type \(type)")
                }
            } else if expected["required"]?.bool == true {
                found.append("no body")
            }
        } else if body != nil {
            found.append("a body that is not described")
        }
        return found.map { "\(method) \(operation.path): \($0)" }
    }

    /// What an answer breaks of the contract. An error must have the platform's envelope, whichever status it has.
    public func checkAnswer(method: String, path: String, status: Int, body: JSON?) -> [String] {
        guard let operation = operation(method, path) else {
            return status >= 400 ? [] : ["\(method) \(path): answered \(status), but is not in the contract"]
        }
        let place = "\(method) \(operation.path) \(status)"
        let described = operation.description["responses"]?[String(status)]
        if status >= 400 {
            let schema = described?["content"]?["application/json"]?["schema"] ?? Self.envelope
            return checker.problems(body ?? .null, schema).map { "\(place): \($0)" }
        }
        guard let described else { return ["\(place): not in the contract"] }
        guard let schema = described["content"]?["application/json"]?["schema"] else {
            return body == nil ? [] : ["\(place): a body that is not described"]
        }
        return checker.problems(body ?? .null, schema).map { "\(place): \($0)" }
    }

    /// What an event of a stream breaks of the contract.
    /// - Parameter path: the route that the app is asked by, without the API's beginning.
    public func checkEvent(path: String, _ event: JSON) -> [String] {
        let name = event["event"]?.string ?? ""
        guard let events, let schema = events.document["components"]?["schemas"]?[name] else {
            return ["\(path): no event \(name)"]
        }
        var common = events.document["common"]?[path]?.array?.compactMap(\.string) ?? []
        if name == "error" { common.removeAll { $0 == "task_id" || $0 == "workflow_run_id" } }
        let missing = common.filter { event[$0] == nil }.map { "\(path) \(name): \($0) is missing" }
        return missing + events.problems(event, schema).map { "\(path) \(name): \($0)" }
    }

    /// What all errors look like where the contract has only examples.
    private static let envelope: JSON = [
        "type": "object", "required": ["code", "message", "status"],
        "properties": [
            "code": ["type": "string"], "message": ["type": "string"], "status": ["type": "integer"],
        ],
    ]

    // MARK: The document

    /// The contract's own examples of requests, with the route that each belongs to.
    public var exampleRequests: [(method: String, path: String, body: JSON)] {
        examples { $0["requestBody"] }
    }

    /// The contract's own examples of successful answers.
    public var exampleAnswers: [(method: String, path: String, body: JSON)] {
        examples { $0["responses"]?["200"] ?? $0["responses"]?["201"] }
    }

    private func examples(_ part: (JSON) -> JSON?) -> [(method: String, path: String, body: JSON)] {
        (checker.document["paths"]?.object ?? [:]).flatMap { path, methods in
            (methods.object ?? [:]).flatMap { method, description in
                (part(description)?["content"]?["application/json"]?["examples"]?.array ?? [])
                    .map { (method.uppercased(), path, $0) }
            }
        }
    }

    /// What a value breaks of a named schema.
    public func problems(_ value: JSON, _ name: String) -> [String] {
        checker.problems(value, ["$ref": .string("#/components/schemas/\(name)")])
    }

    /// The contract's names of a schema's members.
    public func members(_ name: String) -> Set<String> {
        Set((checker.document["components"]?["schemas"]?[name]?["properties"]?.object ?? [:]).keys)
    }

    private func operation(_ method: String, _ path: String) -> Operation? {
        let path = path.hasPrefix(base + "/") && !isKnown(path) ? String(path.dropFirst(base.count)) : path
        let segments = path.split(separator: "/")
        let found: [Operation] = (checker.document["paths"]?.object ?? [:]).compactMap { template, methods in
            guard let description = methods[method.lowercased()] else { return nil }
            let names = template.split(separator: "/")
            guard names.count == segments.count else { return nil }
            var parameters: [String: String] = [:]
            for (name, segment) in zip(names, segments) where name != segment {
                guard name.hasPrefix("{") else { return nil }
                parameters[String(name.dropFirst().dropLast())] = String(segment)
            }
            return Operation(path: template, description: description, parameters: parameters)
        }
        return found.min { $0.parameters.count < $1.parameters.count }
    }

    private func isKnown(_ path: String) -> Bool { checker.document["paths"]?[path] != nil }

    private func parameterProblems(_ operation: Operation, query: JSON) -> [String] {
        (operation.description["parameters"]?.array ?? []).flatMap { parameter -> [String] in
            let name = parameter["name"]?.string ?? ""
            let isInPath = parameter["in"] == "path"
            let value = isInPath ? operation.parameters[name].map(JSON.string) : query[name]
            guard let value else { return parameter["required"]?.bool == true ? ["\(name) is missing"] : [] }
            return checker.problems(typed(value, parameter["schema"] ?? [:]), parameter["schema"] ?? [:], at: name)
        }
    }

    /// A query's value as the type that its schema asks for.
    private func typed(_ value: JSON, _ schema: JSON) -> JSON {
        guard let text = value.string else { return value }
        return switch schema["type"] {
        case "integer": Int64(text).map(JSON.integer) ?? value
        case "boolean": text == "true" ? true : text == "false" ? false : value
        default: value
        }
    }
}
