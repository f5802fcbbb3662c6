import Base
import Storage

/// One operation of the management API: what the router serves and what the OpenAPI document says, in one value.
struct Operation: Sendable {
    enum Content: Sendable {
        case nothing
        case one(String, [Field])
        case page(of: String, [Field])
        case anything
        /// Server-sent events by their names.
        case events([String: [Field]])
    }
    var id: String
    var method: HTTPMethod
    /// With `{name}` parameters.
    var path: String
    var summary: String
    /// What goes in, if anything.
    var takes: (fields: [Field], isPatch: Bool)?
    /// Takes any JSON object.
    var takesAnything = false
    var status: Int
    var gives: Content
    /// Who may call it.
    var access = Principal.Access.admin
    /// Whether it changes what is set up, so that the log of changes has it.
    var isChange: Bool { method != .get && !isQuestion }
    /// Asks and changes nothing, though it is no `GET`.
    var isQuestion = false
    /// The largest body.
    var mostBytes = 1024 * 1024
    var filters: [(name: String, about: String)] = []
    var handler: APIHandler

    /// The path as the router wants it.
    var pattern: String { path.replacing("{", with: ":").replacing("}", with: "") }

    /// The same for more people.
    func allowed(to more: Principal.Access) -> Operation {
        var operation = self
        operation.access = min(access, more)
        return operation
    }
}

/// A collection of records as the management API shows it: the operations that every collection has, made in one place.
struct Collection<Record: Sendable>: Sendable {
    /// `apps`; the path under `/api/v1/` is the same unless given.
    var name: String
    /// `app`
    var singular: String
    var path: String
    var fields: [Field]
    var json: @Sendable (Record) async throws -> JSON

    init(
        _ name: String, _ singular: String, path: String? = nil, fields: [Field],
        json: @escaping @Sendable (Record) async throws -> JSON
    ) {
        self.name = name
        self.singular = singular
        self.path = path ?? "/api/v1/\(name)"
        self.fields = fields
        self.json = json
    }

    func list(
        filters: [(name: String, about: String)] = [],
        _ page: @escaping @Sendable (APIRequest, _ limit: Int, _ cursor: String?) async throws -> Page<Record>
    ) -> Operation {
        Operation(
            id: "list_\(name)", method: .get, path: path, summary: "Lists \(name), newest first", status: 200,
            gives: .page(of: singular, fields), filters: filters,
            handler: { request in
                let query = try Query(request)
                let found = try await page(request, query.limit, query.cursor)
                var items: [JSON] = []
                for item in found.items { items.append(try await json(item)) }
                return .json(["items": .array(items), "next": JSON(found.next)])
            })
    }

    func create(_ summary: String, _ make: @escaping @Sendable (APIRequest, Draft) async throws -> Record) -> Operation
    {
        Operation(
            id: "create_\(singular)", method: .post, path: path, summary: summary, takes: (fields, false), status: 201,
            gives: .one(singular, fields),
            handler: { request in
                let draft = try Draft(request, fields: fields, isPatch: false)
                return .json(try await json(try await make(request, draft)), status: 201)
            })
    }

    func read(_ find: @escaping @Sendable (APIRequest) async throws -> Record) -> Operation {
        Operation(
            id: "read_\(singular)", method: .get, path: path + "/{id}", summary: "Shows one \(singular)", status: 200,
            gives: .one(singular, fields), handler: { .json(try await json(try await find($0))) })
    }

    func change(_ summary: String, _ apply: @escaping @Sendable (APIRequest, Draft) async throws -> Record)
        -> Operation
    {
        Operation(
            id: "change_\(singular)", method: .patch, path: path + "/{id}", summary: summary, takes: (fields, true),
            status: 200, gives: .one(singular, fields),
            handler: { request in
                .json(try await json(try await apply(request, try Draft(request, fields: fields, isPatch: true))))
            })
    }

    func delete(_ summary: String, _ remove: @escaping @Sendable (APIRequest) async throws -> Void) -> Operation {
        Operation(
            id: "delete_\(singular)", method: .delete, path: path + "/{id}", summary: summary, status: 204,
            gives: .nothing,
            handler: { request in
                try await remove(request)
                return HTTPResponse(status: 204)
            })
    }
}

/// `?limit=` and `?cursor=` of a list, and its filters.
struct Query {
    private let values: JSON
    var limit = 50
    var cursor: String?

    /// - Throws: ``APIError``.
    init(_ request: APIRequest) throws {
        guard let values = try? Form.decode(request.query.utf8) else {
            throw APIError.badRequest("The query cannot be read")
        }
        self.values = values
        if let text = values["limit"]?.string {
            guard let limit = Int(text), (1...200).contains(limit) else {
                throw APIError.invalid(["limit": "must be a number from 1 to 200"])
            }
            self.limit = limit
        }
        cursor = values["cursor"]?.string
    }

    /// - Throws: ``APIError`` 422 unless it is `true` or `false`.
    func flag(_ name: String) throws -> Bool? {
        guard let text = values[name]?.string else { return nil }
        guard let flag = Bool(text) else { throw APIError.invalid([name: "must be true or false"]) }
        return flag
    }

    func text(_ name: String) -> String? { values[name]?.string }

    /// - Throws: ``APIError`` 422 when it is no id.
    func id<Record>(_ name: String, of type: Record.Type = Record.self) throws -> ID<Record>? {
        guard let text = values[name]?.string else { return nil }
        guard let id = ID<Record>(text) else { throw APIError.invalid([name: "is not an id"]) }
        return id
    }
}

extension JSON {
    init<Record>(_ id: ID<Record>?) { self = id.map { .string($0.description) } ?? .null }
    init(_ time: Timestamp?) { self = time.map { .string($0.iso8601) } ?? .null }
    init(_ text: String?) { self = text.map(JSON.string) ?? .null }
    init(_ secret: Secret?) { self = secret.map { .string($0.masked) } ?? .null }
}
