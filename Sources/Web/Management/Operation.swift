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
    var status: Int
    var gives: Content
    var isOpen = false
    var filters: [(name: String, about: String)] = []
    var handler: HTTPHandler

    /// The path as the router wants it.
    var pattern: String { path.replacing("{", with: ":").replacing("}", with: "") }
}

/// A collection of records as the management API shows it: the operations that every collection has, made in one place.
struct Collection<Record: Sendable>: Sendable {
    /// `apps`; the path under `/api/v1/` is the same unless given.
    var name: String
    /// `app`
    var singular: String
    var path: String
    var fields: [Field]
    var json: @Sendable (Record) -> JSON

    init(
        _ name: String, _ singular: String, path: String? = nil, fields: [Field],
        json: @escaping @Sendable (Record) -> JSON
    ) {
        self.name = name
        self.singular = singular
        self.path = path ?? "/api/v1/\(name)"
        self.fields = fields
        self.json = json
    }

    func list(
        filters: [(name: String, about: String)] = [],
        _ page: @escaping @Sendable (HTTPRequest, _ limit: Int, _ cursor: String?) async throws -> Page<Record>
    ) -> Operation {
        Operation(
            id: "list_\(name)", method: .get, path: path, summary: "Lists \(name), newest first", status: 200,
            gives: .page(of: singular, fields), filters: filters,
            handler: { request in
                let query = try Query(request)
                return .json(self.page(try await page(request, query.limit, query.cursor)))
            })
    }

    func create(_ summary: String, _ make: @escaping @Sendable (HTTPRequest, Draft) async throws -> Record) -> Operation
    {
        Operation(
            id: "create_\(singular)", method: .post, path: path, summary: summary, takes: (fields, false), status: 201,
            gives: .one(singular, fields),
            handler: { request in
                let draft = try Draft(request, fields: fields, isPatch: false)
                return .json(json(try await make(request, draft)), status: 201)
            })
    }

    func read(_ find: @escaping @Sendable (HTTPRequest) async throws -> Record) -> Operation {
        Operation(
            id: "read_\(singular)", method: .get, path: path + "/{id}", summary: "Shows one \(singular)", status: 200,
            gives: .one(singular, fields), handler: { .json(json(try await find($0))) })
    }

    func change(_ summary: String, _ apply: @escaping @Sendable (HTTPRequest, Draft) async throws -> Record)
        -> Operation
    {
        Operation(
            id: "change_\(singular)", method: .patch, path: path + "/{id}", summary: summary, takes: (fields, true),
            status: 200, gives: .one(singular, fields),
            handler: { request in
                .json(json(try await apply(request, try Draft(request, fields: fields, isPatch: true))))
            })
    }

    func delete(_ summary: String, _ remove: @escaping @Sendable (HTTPRequest) async throws -> Void) -> Operation {
        Operation(
            id: "delete_\(singular)", method: .delete, path: path + "/{id}", summary: summary, status: 204,
            gives: .nothing,
            handler: { request in
                try await remove(request)
                return HTTPResponse(status: 204)
            })
    }

    private func page(_ page: Page<Record>) -> JSON {
        ["items": .array(page.items.map(json)), "next": page.next.map(JSON.string) ?? .null]
    }
}

/// `?limit=` and `?cursor=` of a list, and its filters.
struct Query {
    private let values: JSON
    var limit = 50
    var cursor: String?

    /// - Throws: ``APIError``.
    init(_ request: HTTPRequest) throws {
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

    func text(_ name: String) -> String? { values[name]?.string }

    /// - Throws: ``APIError`` 422 when it is no id.
    func id<Record>(_ name: String, of type: Record.Type = Record.self) throws -> ID<Record>? {
        guard let text = values[name]?.string else { return nil }
        guard let id = ID<Record>(text) else { throw APIError.invalid([name: "is not an id"]) }
        return id
    }
}

extension HTTPRequest {
    /// The id in the path.
    /// - Throws: ``APIError`` 404 when it cannot be one.
    func id<Record>(_ name: String = "id", of what: String) throws -> ID<Record> {
        guard let id = ID<Record>(pathParameters[name] ?? "") else { throw APIError.notFound(what) }
        return id
    }
}

extension JSON {
    init<Record>(_ id: ID<Record>?) { self = id.map { .string($0.description) } ?? .null }
    init(_ time: Timestamp?) { self = time.map { .string($0.iso8601) } ?? .null }
    init(_ text: String?) { self = text.map(JSON.string) ?? .null }
    init(_ secret: Secret?) { self = secret.map { .string($0.masked) } ?? .null }
}
