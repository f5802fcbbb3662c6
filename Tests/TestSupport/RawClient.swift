import Base
import Dispatch
import Glibc

/// What a server answered.
public struct RawAnswer: Sendable {
    public var status: Int
    public var headers: HTTPHeaders
    public var body: [UInt8]

    public var text: String { String(decoding: body, as: UTF8.self) }
}

public enum RawClientError: Error {
    case cannotConnect(Int32)
    case closed(soFar: String)
    case reset
    case timedOut(soFar: String)
    case notHTTP(String)
}

/// A client that sends exactly the bytes it is told to, on a blocking socket. Reading happens on a thread of its own.
///
/// Unchecked: a test uses a client from one task at a time.
public final class RawClient: @unchecked Sendable {
    private var descriptor: Int32
    private var received: [UInt8] = []

    public init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        try connect(address)
    }

    public init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        try connect(address)
    }

    private func connect<Address>(_ address: Address) throws {
        var patience = timeval(tv_sec: 15, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        if status != 0 { throw RawClientError.cannotConnect(errno) }
    }

    deinit { close() }

    public func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Says that nothing more will be sent.
    public func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    public func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 { throw RawClientError.reset }
            sent += count
        }
    }

    /// Sends as much as the system takes at once.
    /// - Returns: the number of bytes taken.
    public func sendWithoutWaiting(_ bytes: ArraySlice<UInt8>) -> Int {
        max(
            0,
            bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            })
    }

    /// Reads one whole answer, skipping none.
    public func answer(toHead: Bool = false) async throws -> RawAnswer {
        let end = try await position { RawClient.headEnd($0) }
        let head = String(decoding: received[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
        received.removeFirst(end)
        let first = head.first?.split(separator: " ", maxSplits: 2) ?? []
        guard first.count >= 2, first[0] == "HTTP/1.1", let status = Int(first[1]) else {
            throw RawClientError.notHTTP(head.first ?? "")
        }
        var headers = HTTPHeaders()
        for line in head.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers.add(String(parts[0]), String((parts.last ?? "").drop { $0 == " " }))
        }
        var body: [UInt8] = []
        if toHead || status < 200 || status == 204 || status == 304 {
        } else if headers["Transfer-Encoding"] == "chunked" {
            body = try await chunks()
        } else if let length = headers["Content-Length"].flatMap({ Int($0) }) {
            body = try await take(length)
        } else {
            body = try await rest()
        }
        return RawAnswer(status: status, headers: headers, body: body)
    }

    private func chunks() async throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let end = try await position { bytes in bytes.firstIndex(of: 10).map { $0 + 1 } }
            let line = String(decoding: try await take(end).dropLast(2), as: UTF8.self)
            guard let size = Int(line, radix: 16) else { throw RawClientError.notHTTP(line) }
            body += try await take(size)
            guard try await take(2) == [13, 10] else { throw RawClientError.notHTTP("chunk end") }
            if size == 0 { return body }
        }
    }

    public func take(_ count: Int) async throws -> [UInt8] {
        _ = try await position { $0.count >= count ? count : nil }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    /// Reads until the server closes.
    public func rest() async throws -> [UInt8] {
        while try await receive() {}
        defer { received = [] }
        return received
    }

    /// Whether the server ended the connection without another byte.
    public func isClosedQuietly() async throws -> Bool { try await rest().isEmpty }

    private func position(_ find: ([UInt8]) -> Int?) async throws -> Int {
        while true {
            if let position = find(received) { return position }
            guard try await receive() else {
                throw RawClientError.closed(soFar: String(decoding: received.prefix(500), as: UTF8.self))
            }
        }
    }

    /// - Returns: `false` at the end of the connection.
    private func receive() async throws -> Bool {
        let descriptor = descriptor
        let (count, bytes, code) = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var bytes = [UInt8](repeating: 0, count: 256 * 1024)
                let count = recv(descriptor, &bytes, bytes.count, 0)
                continuation.resume(returning: (count, bytes, errno))
            }
        }
        if count > 0 { received.append(contentsOf: bytes[..<count]) }
        if count < 0 {
            throw code == EAGAIN
                ? RawClientError.timedOut(soFar: String(decoding: received.prefix(500), as: UTF8.self))
                : RawClientError.reset
        }
        return count > 0
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (4...bytes.count).first { bytes[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
    }
}
