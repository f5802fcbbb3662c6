/// A request method, as sent (`GET`, `POST`, …; case matters).
public struct HTTPMethod: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { rawValue = value }

    public static let get: HTTPMethod = "GET"
    public static let head: HTTPMethod = "HEAD"
    public static let post: HTTPMethod = "POST"
    public static let put: HTTPMethod = "PUT"
    public static let patch: HTTPMethod = "PATCH"
    public static let delete: HTTPMethod = "DELETE"
    public static let options: HTTPMethod = "OPTIONS"
}

/// Header fields in the order in which they were sent; names compare without regard to case.
public struct HTTPHeaders: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    public struct Field: Sendable, Hashable {
        public var name: String
        public var value: String
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
    public private(set) var fields: [Field]

    public init(_ fields: [Field] = []) { self.fields = fields }
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The first value of a field; setting replaces all of its values, `nil` removes them.
    public subscript(name: String) -> String? {
        get { fields.first { equalIgnoringCase($0.name, name) }?.value }
        set {
            fields.removeAll { equalIgnoringCase($0.name, name) }
            if let newValue { fields.append(Field(name: name, value: newValue)) }
        }
    }

    public mutating func add(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }

    /// Every value of a field, in order.
    public func all(_ name: String) -> [String] { fields.filter { equalIgnoringCase($0.name, name) }.map(\.value) }
}

/// Compares ASCII names without regard to case.
func equalIgnoringCase(_ a: String, _ b: String) -> Bool {
    let left = a.utf8
    let right = b.utf8
    guard left.count == right.count else { return false }
    return zip(left, right).allSatisfy { lowercased($0) == lowercased($1) }
}

@inline(__always) private func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

/// A request as a handler sees it: whole, its body already read.
public struct HTTPRequest: Sendable {
    public var method: HTTPMethod
    /// Percent-encoded path without the query, always beginning with `/`.
    public var path: String
    /// The raw query without `?`; empty if there is none.
    public var query: String
    public var headers: HTTPHeaders
    public var body: [UInt8]
    /// The peer's IP address, without port; empty on a Unix socket.
    public var remoteAddress: String
    /// What the router found in the path; read it with ``parameter(_:as:)``.
    public var pathParameters: [String: String]

    public init(
        method: HTTPMethod, path: String, query: String = "", headers: HTTPHeaders = [:], body: [UInt8] = [],
        remoteAddress: String = "", pathParameters: [String: String] = [:]
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
        self.pathParameters = pathParameters
    }
}

/// What a handler answers.
public struct HTTPResponse: Sendable {
    public enum Body: Sendable {
        case bytes([UInt8])
        /// Written piece by piece; `write` waits while the client reads slowly and throws when it has gone.
        case stream(@Sendable (_ write: @escaping HTTPBodyWriter) async throws -> Void)
    }

    public var status: Int
    public var headers: HTTPHeaders
    public var body: Body

    public init(status: Int, headers: HTTPHeaders = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A text answer in UTF-8.
    public static func text(
        _ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8"
    ) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": type], body: .bytes(Array(text.utf8)))
    }
}

/// Takes the pieces of a streamed answer; returns when the piece has been accepted for sending.
public typealias HTTPBodyWriter = @Sendable (_ piece: [UInt8]) async throws -> Void

/// Answers a request. An error that is not an ``HTTPError`` becomes a plain 500.
public typealias HTTPHandler = @Sendable (HTTPRequest) async throws -> HTTPResponse

/// Something that wraps a handler: a value, put together with `router.wrap` or by hand.
public typealias HTTPMiddleware = @Sendable (_ request: HTTPRequest, _ next: HTTPHandler) async throws -> HTTPResponse

/// An error that names the answer that the client gets.
public struct HTTPError: Error, Sendable {
    public var status: Int
    public var message: String
    public init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }
}
