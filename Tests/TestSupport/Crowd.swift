import Glibc
import Synchronization

/// Many connections to one server, none of which waits for anything.
public final class Crowd: Sendable {
    private struct Member {
        let descriptor: Int32
        var received = 0
        /// The first bytes that came.
        var begin: [UInt8] = []
        var isOver = false
    }
    private let members = Mutex<[Member]>([])

    /// Connects so many to a port of this machine.
    /// - Parameter window: bytes that each lets wait unread; `nil`: what the system gives.
    /// - Throws: ``SystemFailure``.
    public init(of count: Int, port: Int, window: Int32? = nil) throws {
        for _ in 0..<count {
            let descriptor = try Self.connect(to: port, window: window)
            members.withLock { $0.append(Member(descriptor: descriptor)) }
        }
    }

    deinit { leave() }

    private static func connect(to port: Int, window: Int32?) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFailure(call: "socket", code: errno) }
        if var window {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = loopback(port: port)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            defer { close(descriptor) }
            throw SystemFailure(call: "connect", code: errno)
        }
        return descriptor
    }

    /// Each sends as much of a text as the system takes at once.
    public func send(_ text: String) {
        let bytes = Array(text.utf8)
        for member in members.withLock({ $0 }) where !member.isOver {
            _ = Glibc.send(member.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// Each reads what there is, up to a bound.
    public func read(atMost most: Int = 64 * 1024) {
        members.withLock { members in
            var buffer = [UInt8](repeating: 0, count: most)
            for index in members.indices where !members[index].isOver {
                let count = recv(members[index].descriptor, &buffer, most, Int32(MSG_DONTWAIT))
                if count > 0 {
                    members[index].received += count
                    members[index].begin += buffer[..<min(count, max(0, 12 - members[index].begin.count))]
                } else if count == 0 || errno != EAGAIN {
                    members[index].isOver = true
                }
            }
        }
    }

    /// Those whose connection the server has ended, as far as it was read.
    public var ended: Int { members.withLock { $0.filter(\.isOver).count } }

    /// Those whose first answer has a status.
    public func answered(_ status: Int) -> Int {
        let begin = Array("HTTP/1.1 \(status)".utf8)
        return members.withLock { $0.filter { $0.begin == begin }.count }
    }

    /// All end their connections.
    /// - Parameter rudely: with a reset.
    public func leave(rudely: Bool = false) {
        members.withLock { members in
            for member in members {
                var reset = linger(l_onoff: rudely ? 1 : 0, l_linger: 0)
                setsockopt(member.descriptor, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
                close(member.descriptor)
            }
            members = []
        }
    }
}
