import Glibc
import TestSupport

/// A port of this machine that nobody has any business with: it counts who connects.
final class Trap: Sendable {
    let port: Int
    private let descriptors: [Int32]

    init() throws {
        port = try freePort()
        let v4 = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        try Self.open(v4, address)
        // Where the machine has no IPv6, nobody can come by it.
        let v6 = socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var only: Int32 = 1
        setsockopt(v6, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &only, socklen_t(MemoryLayout<Int32>.size))
        var second = sockaddr_in6()
        second.sin6_family = sa_family_t(AF_INET6)
        second.sin6_port = UInt16(port).bigEndian
        try? Self.open(v6, second)
        descriptors = [v4, v6]
    }

    deinit { for descriptor in descriptors where descriptor >= 0 { close(descriptor) } }

    private static func open<Address>(_ descriptor: Int32, _ address: Address) throws {
        let status = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard status == 0, listen(descriptor, 128) == 0 else { throw SystemFailure(call: "listen", code: errno) }
    }

    /// Whether anybody has connected since the last look.
    var isSprung: Bool {
        var isSprung = false
        for descriptor in descriptors {
            while case let connection = accept(descriptor, nil, nil), connection >= 0 {
                isSprung = true
                close(connection)
            }
        }
        return isSprung
    }

    /// Every way to write this machine that a URL parser or a name server might know.
    static let hosts = [
        "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433",
        "017700000001", "0177.0.0.1", "0177.0x0.0.1", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "0.0.0.0", "0", "[::]", "127.0.0.1.", "127.255.0.1",
        "%31%32%37.0.0.1", "１２７.0.0.1", "127。0。0。1", "ⓛocalhost", "ip6-localhost",
    ]

    /// Addresses at the trap, with a path.
    func urls(_ path: String, scheme: String = "http") -> [String] {
        Self.hosts.map { "\(scheme)://\($0):\(port)\(path)" } + [
            "\(scheme)://example.com@127.0.0.1:\(port)\(path)", "\(scheme)://127.0.0.1:\(port)\\@example.com\(path)",
            "\(scheme)://example.com:80@127.0.0.1:\(port)\(path)", "\(scheme):127.0.0.1:\(port)\(path)",
            "\(scheme):///127.0.0.1:\(port)\(path)", "\(scheme)://127.0.0.1:\(port)#@example.com\(path)",
            "\(scheme.uppercased())://127.0.0.1:\(port)\(path)", " \(scheme)://127.0.0.1:\(port)\(path)",
            "ftp://127.0.0.1:\(port)\(path)", "gopher://127.0.0.1:\(port)/_x", "file://127.0.0.1:\(port)/etc/passwd",
        ]
    }
}
