import CBase
import Glibc

/// The proxies that the process's environment names, by curl's rules: `http_proxy` (lower case only: a CGI server puts
/// a client's header into the other), `https_proxy`, `all_proxy`, `no_proxy`.
struct HTTPClientProxies: Sendable {
    struct Proxy: Sendable, Hashable {
        /// As in the environment; may hold a password.
        var url: String
        /// For error messages.
        var host: String
    }

    private let http: Proxy?
    private let https: Proxy?
    private let exceptions: [Exception]

    var isEmpty: Bool { http == nil && https == nil }

    init(environment: (String) -> String?) {
        func proxy(_ names: String...) -> Proxy? {
            for case let value? in names.map(environment) where !value.isEmpty {
                return Proxy(url: value, host: Self.host(of: value))
            }
            return nil
        }
        http = proxy("http_proxy", "all_proxy", "ALL_PROXY")
        https = proxy("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        exceptions = (environment("no_proxy") ?? environment("NO_PROXY") ?? "")
            .split { $0 == "," || $0 == " " || $0 == "\t" }.map { Exception(String($0).lowercased()) }
    }

    func proxy(for origin: HTTPOrigin) -> Proxy? {
        guard let proxy = origin.scheme == "http" ? http : https else { return nil }
        return exceptions.contains { $0.covers(origin.host) } ? nil : proxy
    }

    private static func host(of url: String) -> String {
        guard let handle = curl_url() else { return "proxy" }
        defer { curl_url_cleanup(handle) }
        let flags = UInt32(CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME)
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_set(handle, CURLUPART_URL, url, flags) == CURLUE_OK,
            curl_url_get(handle, CURLUPART_HOST, &text, 0) == CURLUE_OK, let text
        else { return "proxy" }
        defer { curl_free(text) }
        return String(cString: text)
    }

    /// One entry of `no_proxy`.
    private enum Exception: Sendable {
        case all
        /// The name itself and what is below it.
        case name(String)
        case network([UInt8], bits: Int)

        init(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1)
            let bare = text.hasPrefix(".") ? String(text.dropFirst()) : text
            if text == "*" {
                self = .all
            } else if parts.count == 2, let address = addressBytes(String(parts[0])), let bits = Int(parts[1]),
                0...address.count * 8 ~= bits
            {
                self = .network(address, bits: bits)
            } else if let address = addressBytes(bare) {
                self = .network(address, bits: address.count * 8)
            } else {
                self = .name(bare)
            }
        }

        func covers(_ host: String) -> Bool {
            switch self {
            case .all:
                return true
            case .name(let name):
                let host = host.hasSuffix(".") ? String(host.dropLast()) : host
                return !name.isEmpty && (host == name || host.hasSuffix("." + name))
            case .network(let prefix, let bits):
                guard let address = addressBytes(host), address.count == prefix.count else { return false }
                return (0..<bits).allSatisfy { bit in
                    let difference = address[bit / 8] ^ prefix[bit / 8]
                    return difference & (0x80 >> UInt8(bit % 8)) == 0
                }
            }
        }
    }
}

/// The 4 or 16 bytes of a numeric host, with or without brackets.
private func addressBytes(_ host: String) -> [UInt8]? {
    let bare = host.hasPrefix("[") ? String(host.dropFirst().prefix { $0 != "]" && $0 != "%" }) : host
    for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
        var bytes = [UInt8](repeating: 0, count: count)
        if inet_pton(family, bare, &bytes) == 1 { return bytes }
    }
    return nil
}
