/// Finds the handler of a request by method and path. A value: build it, then take its ``handler``.
///
/// A pattern is a path whose segments may be `:name` (one segment) or end with `*name` (the rest). Where several
/// patterns fit, a literal segment wins over a parameter, and a parameter over the rest. Answers 404 for an unknown
/// path, 405 with `Allow` for a known path with another method, 400 for a broken percent escape; `HEAD` falls back to
/// `GET`.
public struct Router: Sendable {
    /// Sorted, the more exact pattern first.
    private var routes: [Route] = []
    private var middleware: [HTTPMiddleware] = []

    private struct Route: Sendable {
        var method: HTTPMethod
        var segments: [Segment]
        var handler: HTTPHandler
    }

    private enum Segment: Sendable {
        case literal(String)
        case parameter(String)
        case rest(String)

        init(_ text: Substring) {
            switch text.first {
            case ":": self = .parameter(String(text.dropFirst()))
            case "*": self = .rest(String(text.dropFirst()))
            default: self = .literal(String(text))
            }
        }

        var rank: Int {
            switch self {
            case .literal: 0
            case .parameter: 1
            case .rest: 2
            }
        }
    }

    public init() {}

    /// Adds a route. Of two with the same method and pattern, the one added first answers.
    public mutating func on(_ method: HTTPMethod, _ pattern: String, _ handler: @escaping HTTPHandler) {
        let segments = Router.split(pattern).map(Segment.init)
        let ranks = segments.map(\.rank)
        let place = routes.firstIndex { ranks.lexicographicallyPrecedes($0.segments.map(\.rank)) }
        routes.insert(Route(method: method, segments: segments, handler: handler), at: place ?? routes.endIndex)
    }

    /// Wraps every route that was added so far and later; the first one added is the outermost. It sees the router's
    /// own answers too: 404 and 400 as thrown ``HTTPError``, 405 as an answer.
    public mutating func wrap(_ middleware: @escaping HTTPMiddleware) { self.middleware.append(middleware) }

    public var handler: HTTPHandler {
        let routes = routes
        let routing: HTTPHandler = { try await Router.route($0, routes) }
        return middleware.reversed().reduce(routing) { next, middleware in
            { try await middleware($0, next) }
        }
    }

    private static func route(_ request: HTTPRequest, _ routes: [Route]) async throws -> HTTPResponse {
        let path = try split(request.path).map(decoded)
        var found = find(request.method, path, in: routes)
        if found == nil, request.method == .head { found = find(.get, path, in: routes) }
        if let found {
            var request = request
            request.pathParameters = found.parameters
            return try await found.handler(request)
        }
        var allowed = Set(routes.filter { match($0.segments, path) != nil }.map(\.method))
        if allowed.isEmpty { throw HTTPError(404, "Not found") }
        if allowed.contains(.get) { allowed.insert(.head) }
        var response = HTTPResponse.text("Method not allowed", status: 405)
        response.headers["Allow"] = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        return response
    }

    private static func find(
        _ method: HTTPMethod, _ path: [String], in routes: [Route]
    ) -> (handler: HTTPHandler, parameters: [String: String])? {
        for route in routes where route.method == method {
            if let parameters = match(route.segments, path) { return (route.handler, parameters) }
        }
        return nil
    }

    /// - Returns: the parameters, if the pattern fits the path.
    private static func match(_ pattern: [Segment], _ path: [String]) -> [String: String]? {
        switch pattern.last {
        case .rest: if pattern.count > path.count { return nil }
        default: if pattern.count != path.count { return nil }
        }
        var parameters: [String: String] = [:]
        for (index, segment) in pattern.enumerated() {
            switch segment {
            case .literal(let text):
                if path[index] != text { return nil }
            case .parameter(let name):
                if path[index].isEmpty { return nil }
                parameters[name] = path[index]
            case .rest(let name):
                parameters[name] = path[index...].joined(separator: "/")
            }
        }
        return parameters
    }

    private static func split(_ path: String) -> [Substring] {
        path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst().map(Substring.init)
    }

    private static func decoded(_ segment: Substring) throws -> String {
        let bytes = segment.utf8
        guard bytes.contains(UInt8(ascii: "%")) else { return String(segment) }
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                throw HTTPError(400, "The path has a broken percent escape")
            }
            result.append(high << 4 | low)
        }
        guard let text = String(validating: result, as: UTF8.self), !result.contains(0) else {
            throw HTTPError(400, "The path is not valid UTF-8")
        }
        return text
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension HTTPRequest {
    /// A path parameter, percent-decoded and read as `T`.
    /// - Throws: ``HTTPError`` 404 when it cannot be read as one.
    public func parameter<T: LosslessStringConvertible>(_ name: String, as type: T.Type = T.self) throws -> T {
        guard let value = pathParameters[name].flatMap({ T($0) }) else { throw HTTPError(404, "Not found") }
        return value
    }
}
