/// Reads the few addresses that decide where tokens are sent: strictly, so that what is checked is what is called.
enum PortalAddress {
    /// A host name or IPv4 address, with a port or without; nothing else that a URL may hold.
    static func isHost(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty, name.utf8.count <= 253, parts.count <= 2 else { return false }
        if parts.count == 2, UInt16(parts[1]) == nil { return false }
        return name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    /// The REST root that a redirect of `method` points to, if it can be the same portal under a new name.
    ///
    /// The scheme may only get better, the path must be a REST call of that method.
    /// Documentation: `settings/how-to-call-rest-api/change-domen.md`.
    static func moved(to location: String, from endpoint: String, method: String) -> String? {
        let schemes = endpoint.lowercased().hasPrefix("https://") ? ["https://"] : ["https://", "http://"]
        guard let scheme = schemes.first(where: { location.lowercased().hasPrefix($0) }) else { return nil }
        let rest = location.dropFirst(scheme.count).prefix { $0 != "?" && $0 != "#" }
        let host = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(host.count)
        if path.hasSuffix(".json") { path = path.dropLast(5) }
        guard isHost(host), path.hasPrefix("/rest/"), path.lowercased().hasSuffix("/" + method.lowercased()) else {
            return nil
        }
        path = path.dropLast(method.count)
        let allowed = path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
        return allowed && !path.contains("/..") ? scheme + host.lowercased() + path : nil
    }
}
