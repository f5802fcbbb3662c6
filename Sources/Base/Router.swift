/// Finds the handler of a request by method and path. A value: build it, then take its ``handler``.
///
/// A pattern is a path whose segments may be `:name` (one segment) or end with `*name` (the rest). Answers 404 for an
/// unknown path, 405 with `Allow` for a known path with another method; `HEAD` falls back to `GET`.
public struct Router: Sendable {
    public init() {}

    public mutating func on(_ method: HTTPMethod, _ pattern: String, _ handler: @escaping HTTPHandler) {
        fatalError("skeleton")
    }

    /// Wraps every route that was added so far and later; the first one added is the outermost.
    public mutating func wrap(_ middleware: @escaping HTTPMiddleware) { fatalError("skeleton") }

    public var handler: HTTPHandler { fatalError("skeleton") }
}

extension HTTPRequest {
    /// A path parameter, percent-decoded and read as `T`.
    /// - Throws: ``HTTPError`` 404 when it cannot be read as one.
    public func parameter<T: LosslessStringConvertible>(_ name: String, as type: T.Type = T.self) throws -> T {
        fatalError("skeleton")
    }
}
