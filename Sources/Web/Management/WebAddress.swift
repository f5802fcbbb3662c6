import Base

/// Checks addresses that people give; what they lead to is judged when they are called.
enum WebAddress {
    /// - Throws: ``APIError`` 422 unless it is `http://` or `https://` with a host. A user and password in it would be shown to
    ///   whoever reads it, and no request carries a fragment.
    static func checked(_ url: String, field: String = "url") throws -> String {
        let rest = ["https://", "http://"].lazy.compactMap { url.hasPrefix($0) ? url.dropFirst($0.count) : nil }.first
        guard let rest, let authority = rest.split(separator: "/", omittingEmptySubsequences: false).first,
            !authority.isEmpty, (try? HTTPAddress(url)) != nil,
            url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") })
        else { throw APIError.invalid([field: "must be an address that begins with https:// or http://"]) }
        guard !authority.contains("@"), !url.contains("#") else {
            throw APIError.invalid([field: "must hold neither a user, nor a password, nor a #"])
        }
        return url
    }

    /// As ``checked(_:field:)``, or a path on this server.
    static func checkedPage(_ url: String, field: String) throws -> String {
        if url.hasPrefix("/"), !url.hasPrefix("//"), url.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "\\") }) {
            return url
        }
        return try checked(url, field: field)
    }
}
