import CBase
import Glibc

/// Scheme, host and port, as libcurl understands them.
struct HTTPOrigin: Hashable, Sendable {
    var scheme: String
    var host: String
    var port: String
}

/// A URL as libcurl reads it. Nothing else may parse one: two parsers that disagree about the host are a hole.
///
/// Unchecked: the handle is set up in `init` and only read (copied by libcurl) after that.
final class HTTPClientTarget: @unchecked Sendable {
    let handle: OpaquePointer
    let origin: HTTPOrigin
    /// Whether the URL names a user; libcurl sends it as basic authentication.
    let hasUser: Bool

    /// - Throws: ``HTTPClientError/invalidURL`` or ``HTTPClientError/schemeNotAllowed(_:)``.
    init(_ url: String) throws(HTTPClientError) {
        guard let handle = curl_url() else { throw .invalidURL }
        self.handle = handle
        guard curl_url_set(handle, CURLUPART_URL, url, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK,
            let scheme = HTTPClientTarget.part(CURLUPART_SCHEME, of: handle)
        else {
            curl_url_cleanup(handle)
            throw .invalidURL
        }
        guard scheme == "http" || scheme == "https" else {
            curl_url_cleanup(handle)
            throw .schemeNotAllowed(scheme)
        }
        guard let host = HTTPClientTarget.part(CURLUPART_HOST, of: handle), !host.isEmpty,
            let port = HTTPClientTarget.part(CURLUPART_PORT, of: handle, flags: UInt32(CURLU_DEFAULT_PORT))
        else {
            curl_url_cleanup(handle)
            throw .invalidURL
        }
        hasUser = HTTPClientTarget.part(CURLUPART_USER, of: handle) != nil
        origin = HTTPOrigin(scheme: scheme, host: host.lowercased(), port: port)
    }

    func part(_ part: CURLUPart) -> String? { Self.part(part, of: handle) }

    deinit { curl_url_cleanup(handle) }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer, flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
