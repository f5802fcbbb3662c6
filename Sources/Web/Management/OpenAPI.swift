import Base

/// The OpenAPI 3.1 document of the management API, written from the operations themselves.
enum OpenAPI {
    static func document(_ operations: [Operation], server: String) -> JSON {
        var paths: Members<JSON> = [:]
        var schemas: Members<JSON> = ["error": error]
        for operation in operations {
            var path = paths[operation.path] ?? [:]
            path[operation.method.rawValue.lowercased()] = describe(operation)
            paths[operation.path] = path
            switch operation.gives {
            case .one(let name, let fields), .page(let name, let fields):
                schemas[name] = schema(of: fields)
            case .nothing, .anything, .events: break
            }
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "BitBot management API", "version": "1",
                "description":
                    "Ids and cursors are opaque. Secrets are write-only. Times are ISO 8601 in UTC.",
            ],
            "servers": [["url": .string(server)]],
            "security": [["token": []]],
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
            ],
        ]
    }

    private static func schema(of fields: [Field]) -> JSON {
        [
            "type": "object", "properties": Field.properties(fields), "additionalProperties": false,
            "required": .array(fields.map { .string($0.name) }),
        ]
    }

    private static func describe(_ operation: Operation) -> JSON {
        var description: Members<JSON> = [
            "operationId": .string(operation.id), "summary": .string(operation.summary),
            "responses": [
                "\(operation.status)": answer(operation.gives),
                "default": [
                    "description": "What went wrong",
                    "content": ["application/json": ["schema": ["$ref": "#/components/schemas/error"]]],
                ],
            ],
        ]
        let parameters = parameters(of: operation)
        if !parameters.isEmpty { description["parameters"] = .array(parameters) }
        if let takes = operation.takes {
            description["requestBody"] = [
                "required": true,
                "content": ["application/json": ["schema": request(takes.fields, isPatch: takes.isPatch)]],
            ]
        }
        if operation.takesAnything {
            description["requestBody"] = [
                "required": true, "content": ["application/json": ["schema": ["type": "object"]]],
            ]
        }
        if operation.access == .anybody { description["security"] = [] }
        return .object(description)
    }

    private static func request(_ fields: [Field], isPatch: Bool) -> JSON {
        let writable = fields.filter { !$0.isReadOnly }
        var schema: Members<JSON> = ["type": "object", "properties": Field.properties(writable)]
        let required = writable.filter(\.isRequired).map { JSON.string($0.name) }
        if !isPatch, !required.isEmpty { schema["required"] = .array(required) }
        return .object(schema)
    }

    private static func parameters(of operation: Operation) -> [JSON] {
        let inPath = operation.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment -> JSON in
            [
                "name": .string(String(segment.dropFirst().dropLast())), "in": "path", "required": true,
                "schema": ["type": "string"],
            ]
        }
        let filters = operation.filters.map { filter -> JSON in
            [
                "name": .string(filter.name), "in": "query", "description": .string(filter.about),
                "schema": ["type": "string"],
            ]
        }
        guard case .page = operation.gives else { return inPath + filters }
        let paging: [JSON] = [
            [
                "name": "limit", "in": "query", "description": "How many at most.",
                "schema": ["type": "integer", "minimum": 1, "maximum": 200, "default": 50],
            ],
            [
                "name": "cursor", "in": "query", "description": "`next` of the page before.",
                "schema": ["type": "string"],
            ],
        ]
        return inPath + paging + filters
    }

    private static func answer(_ content: Operation.Content) -> JSON {
        let schema: JSON
        switch content {
        case .nothing: return ["description": "Done"]
        case .anything: schema = ["type": "object"]
        case .events(let events): return stream(of: events)
        case .one(let name, _): schema = ["$ref": .string("#/components/schemas/\(name)")]
        case .page(let name, _):
            schema = [
                "type": "object", "required": ["items", "next"], "additionalProperties": false,
                "properties": [
                    "items": ["type": "array", "items": ["$ref": .string("#/components/schemas/\(name)")]],
                    "next": ["type": ["string", "null"]],
                ],
            ]
        }
        return ["description": "Well", "content": ["application/json": ["schema": schema]]]
    }

    /// OpenAPI 3.1 has no words for the events of a stream: their schemas are told beside it.
    private static func stream(of events: [String: [Field]]) -> JSON {
        [
            "description": .string("A stream of events: \(events.keys.sorted().joined(separator: ", "))"),
            "content": [
                "text/event-stream": [
                    "schema": ["type": "string"], "x-events": .object(Members(events.mapValues(schema(of:)))),
                ]
            ],
        ]
    }

    private static let error: JSON = [
        "type": "object", "required": ["error"],
        "properties": [
            "error": [
                "type": "object", "required": ["code", "message"],
                "properties": [
                    "code": ["type": "string"], "message": ["type": "string"],
                    "fields": ["type": "object", "additionalProperties": ["type": "string"]],
                ],
            ]
        ],
    ]
}
