import Foundation
import Glibc
import Synchronization

/// A server that does to each connection what a test's script says, byte for byte. Each connection has a thread.
final class ScriptedServer: Sendable {
    let port: Int
    private let listener: Int32
    private let socketPath: String?
    private let counts = Mutex((connections: 0, closed: 0, requests: [ScriptedConnection.Request]()))

    var origin: String { "http://127.0.0.1:\(port)" }
    var connections: Int { counts.withLock { $0.connections } }
    /// Connections that the script has left.
    var closed: Int { counts.withLock { $0.closed } }
    var requests: [ScriptedConnection.Request] { counts.withLock { $0.requests } }

    /// - Parameters:
    ///   - unixSocket: listens there instead of at a port of 127.0.0.1.
    ///   - script: runs for each connection, with its number (from 1); the connection is closed when it returns.
    init(unixSocket: String? = nil, _ script: @escaping @Sendable (ScriptedConnection, Int) -> Void) throws {
        socketPath = unixSocket
        let listener = socket(unixSocket == nil ? AF_INET : AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var status: Int32
        if let unixSocket {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: unixSocket.utf8) }
            status = withUnsafeBytes(of: address) {
                bind(listener, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
            }
            self.listener = listener
            port = 0
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            status = withUnsafeBytes(of: address) {
                bind(listener, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
            }
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &address) {
                _ = getsockname(listener, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, &length)
            }
            self.listener = listener
            port = Int(UInt16(bigEndian: address.sin_port))
        }
        if status == 0 { status = listen(listener, 1024) }
        guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        Thread.detachNewThread { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                if descriptor < 0 { break }
                guard let server = self else {
                    close(descriptor)
                    break
                }
                let number = server.counts.withLock { counts in
                    counts.connections += 1
                    return counts.connections
                }
                let connection = ScriptedConnection(descriptor) { [weak server] request in
                    server?.counts.withLock { $0.requests.append(request) }
                }
                Thread.detachNewThread { [weak server] in
                    script(connection, number)
                    connection.close()
                    server?.counts.withLock { $0.closed += 1 }
                }
            }
            close(listener)
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        if let socketPath { unlink(socketPath) }
    }

    /// Answers every request of every connection with the same bytes.
    convenience init(always answer: String) throws {
        try self.init { connection, _ in
            while connection.readRequest() != nil { connection.write(answer) }
        }
    }
}

/// One connection of a ``ScriptedServer``; nothing of it waits for more than a minute.
final class ScriptedConnection: @unchecked Sendable {
    struct Request: Sendable {
        /// Request line and fields, without the empty line.
        var head: String
        var body: [UInt8]
    }

    private var descriptor: Int32
    private var unread: [UInt8] = []
    private let record: @Sendable (Request) -> Void

    init(_ descriptor: Int32, record: @escaping @Sendable (Request) -> Void) {
        self.descriptor = descriptor
        self.record = record
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    /// The next request, or `nil` when the client has closed.
    func readRequest() -> Request? {
        let mark = Array("\r\n\r\n".utf8)
        while true {
            if let end = unread.firstRange(of: mark) {
                let head = String(decoding: unread[..<end.lowerBound], as: UTF8.self)
                let length =
                    head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
                while unread.count < end.upperBound + length {
                    guard receive() else { return nil }
                }
                let body = Array(unread[end.upperBound..<(end.upperBound + length)])
                unread.removeSubrange(..<(end.upperBound + length))
                let request = Request(head: head, body: body)
                record(request)
                return request
            }
            guard receive() else { return nil }
        }
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        unread.append(contentsOf: buffer[..<count])
        return true
    }

    /// - Returns: whether all of it was taken.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// Takes what comes in small pieces with pauses between them, until `count` bytes are there.
    func readSlowly(_ count: Int) {
        var rest = count
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while rest > 0 {
            let taken = recv(descriptor, &buffer, buffer.count, 0)
            guard taken > 0 else { return }
            rest -= taken
            usleep(2000)
        }
    }

    /// Passes bytes on to and from a port of this machine until either side closes.
    func relay(toPort port: Int) {
        let other = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(other) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafeBytes(of: address) {
            connect(other, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
        }
        guard status == 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            var waiting = [descriptor, other].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&waiting, 2, 60_000) > 0 else { return }
            for (from, to) in [(0, 1), (1, 0)] where waiting[from].revents != 0 {
                let count = recv(waiting[from].fd, &buffer, buffer.count, 0)
                guard count > 0, send(waiting[to].fd, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
        }
    }

    /// Waits until the client has closed its side.
    func waitForClose() {
        while receive() {}
    }

    /// Closes with a reset.
    func reset() {
        var lingering = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}

/// Something that a script waits for and a test opens.
final class ScriptGate: Sendable {
    private let isOpen = Mutex(false)

    func open() { isOpen.withLock { $0 = true } }

    var isClosed: Bool { isOpen.withLock { !$0 } }

    /// Blocks the thread, a minute at most.
    func wait() {
        for _ in 0..<12_000 where isClosed { usleep(5000) }
    }
}
