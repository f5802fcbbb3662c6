import CBase
import Glibc

/// Making the listening socket.
extension HTTPServerListener {
    /// - Returns: a listening, non-blocking descriptor and the port in use.
    static func listen(on address: HTTPServer.Address) throws -> (descriptor: Int32, port: Int) {
        switch address {
        case .tcp(let host, let port): try listen(host: host, port: port)
        case .unix(let path): (try listen(path: path), 0)
        }
    }

    private static let backlog: Int32 = 4096

    private static func listen(host: String, port: Int) throws -> (descriptor: Int32, port: Int) {
        let name = "\(host):\(port)"
        guard let number = UInt16(exactly: port) else {
            throw HTTPServerError.cannotListen(name, reason: "a port is a number up to 65535")
        }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(bare.isEmpty ? nil : bare, "\(number)", &hints, &found)
        guard status == 0, let found else {
            throw HTTPServerError.cannotListen(name, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(found) }
        let descriptor = try bound(name, family: found.pointee.ai_family) { descriptor in
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            return bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen)
        }
        return (descriptor, port == 0 ? localPort(of: descriptor) : port)
    }

    private static func listen(path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path), !bytes.isEmpty, !bytes.contains(0) else {
            throw HTTPServerError.cannotListen(path, reason: "the path of a Unix socket has 1 to 107 bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        try removeDeadSocket(path, address)
        return try bound(path, family: AF_UNIX) { descriptor in
            // Before `bind`, so that the file never has another mode.
            fchmod(descriptor, 0o600)
            let status = withSocketAddress(address) { bind(descriptor, $0, $1) }
            if status == 0 { chmod(path, 0o600) }
            return status
        }
    }

    private static func withSocketAddress<T>(
        _ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T
    ) -> T {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// Removes a socket's file that nobody listens on.
    private static func removeDeadSocket(_ path: String, _ address: sockaddr_un) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw HTTPServerError.cannotListen(path, reason: "a file that is not a socket is in the way")
        }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        defer { close(probe) }
        // A full backlog (EAGAIN) is a living server too.
        let isDead = withSocketAddress(address) { connect(probe, $0, $1) } != 0 && errno == ECONNREFUSED
        guard isDead else { throw HTTPServerError.addressInUse(path) }
        unlink(path)
    }

    private static func bound(_ name: String, family: Int32, _ bind: (Int32) -> Int32) throws -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw failure(name) }
        guard bind(descriptor) == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let error = failure(name)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func failure(_ name: String) -> HTTPServerError {
        let code = errno
        return code == EADDRINUSE
            ? .addressInUse(name) : .cannotListen(name, reason: String(cString: strerror(code)))
    }

    private static func localPort(of descriptor: Int32) -> Int {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            _ = getsockname(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
            // The port is at the same place for both families, in network order.
            return Int(bytes[2]) << 8 | Int(bytes[3])
        }
    }
}

/// The IP address of a socket's peer; empty on a Unix socket.
func peerAddress(of descriptor: Int32) -> String {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let text = withUnsafeMutablePointer(to: &address) { pointer -> String? in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            guard getpeername(descriptor, address, &length) == 0, Int32(address.pointee.sa_family) != AF_UNIX else {
                return nil
            }
            var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            guard getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0 else {
                return nil
            }
            return host.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        }
    }
    guard let text else { return "" }
    return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
}
