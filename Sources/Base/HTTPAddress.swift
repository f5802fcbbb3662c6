import CBase
import Glibc

/// A web address in the parts that the HTTP client will use. What is judged here is what is called: there is no second
/// parser that could read another host.
public struct HTTPAddress: Sendable, Hashable {
    /// `http` or `https`.
    public var scheme: String
    /// In lower case.
    public var host: String
    /// `nil` for the scheme's own.
    public var port: String?
    public var path: String
    /// A user, a password, a query or a fragment is there too.
    public var hasMore: Bool

    /// `example.com`, or `example.com:8080`.
    public var domain: String { port.map { "\(host):\($0)" } ?? host }
    public var origin: String { "\(scheme)://\(domain)" }

    /// - Throws: ``HTTPClientError/invalidURL`` or ``HTTPClientError/schemeNotAllowed(_:)``.
    public init(_ url: String) throws(HTTPClientError) {
        let target = try HTTPClientTarget(url)
        scheme = target.origin.scheme
        host = target.origin.host
        port = target.origin.port == (scheme == "https" ? "443" : "80") ? nil : target.origin.port
        path = target.part(CURLUPART_PATH) ?? "/"
        hasMore = [CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT].contains {
            target.part($0) != nil
        }
    }
}
