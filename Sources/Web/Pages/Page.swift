import Base

extension HTTPResponse {
    /// A page that loads nothing from elsewhere, and whose scripts and styles are files of this server.
    /// - Parameters:
    ///   - framedBy: the origin that may show it in a frame; nobody if `nil`.
    ///   - scripts: another origin whose scripts it needs.
    static func page(
        _ html: String, status: Int = 200, framedBy ancestor: String? = nil, scripts: String = ""
    ) -> HTTPResponse {
        let policy = [
            "default-src 'none'", "script-src 'self'\(scripts.isEmpty ? "" : " " + scripts)", "style-src 'self'",
            "img-src 'self' data:", "connect-src 'self'", "form-action 'self'", "base-uri 'none'",
            "frame-ancestors \(ancestor ?? "'none'")",
        ]
        return HTTPResponse(
            status: status,
            headers: [
                "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy.joined(separator: "; "),
                "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
            ], body: .bytes(Array(html.utf8)))
    }
}
