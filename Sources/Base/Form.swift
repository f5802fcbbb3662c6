/// Reading and writing of `application/x-www-form-urlencoded` with PHP's bracketed keys
/// (`data[BOT][55][AUTH][access_token]=…`), as Bitrix24 sends and takes it.
public enum Form {
    public struct Limits: Sendable {
        public var keys = 5_000
        public var depth = 32
        public init() {}
    }

    /// The tree that PHP would build: objects of objects and strings. `a[]=` takes the next free number as its key, so
    /// a list is an object with the keys `"0"`, `"1"`…. A key that is given both a value and members keeps the later.
    /// Invalid UTF-8 becomes U+FFFD.
    /// - Throws: ``FormError``.
    public static func decode(_ bytes: some Collection<UInt8>, limits: Limits = Limits()) throws -> JSON {
        fatalError("skeleton")
    }

    /// As PHP's `http_build_query`: booleans are `1` and `0`, `null` and empty lists or objects are left out.
    public static func encode(_ value: JSON) -> String { fatalError("skeleton") }

    /// Percent-encodes all but unreserved characters.
    public static func percentEncode(_ text: String) -> String { fatalError("skeleton") }

    /// `nil` if an escape is broken or the result is no UTF-8. `+` stays a plus unless `plusIsSpace`.
    public static func percentDecode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        fatalError("skeleton")
    }
}

public enum FormError: Error, Sendable, Equatable {
    case tooManyKeys(limit: Int)
    case tooDeep(limit: Int)
    case malformed(String)
}

/// `multipart/form-data`.
public enum Multipart {
    public struct Part: Sendable, Equatable {
        public var name: String
        public var filename: String?
        public var contentType: String?
        public var body: [UInt8]
        public init(name: String, filename: String? = nil, contentType: String? = nil, body: [UInt8]) {
            self.name = name
            self.filename = filename
            self.contentType = contentType
            self.body = body
        }
    }

    /// - Parameter contentType: the request's `Content-Type` header, which names the boundary.
    /// - Throws: ``FormError``.
    public static func decode(_ body: [UInt8], contentType: String) throws -> [Part] { fatalError("skeleton") }

    /// The body and its `Content-Type`.
    public static func encode(_ parts: [Part]) -> (body: [UInt8], contentType: String) { fatalError("skeleton") }
}
