import Glibc
import Synchronization

/// A private `redis-server` that keeps nothing on disk; it ends with the last reference to it, so hold it by
/// `defer { server.stop() }`.
public final class RedisServer: Sendable {
    public let port: Int
    private let password: String
    private let folder: TemporaryFolder
    private let process = Mutex<ChildProcess?>(nil)

    private init(port: Int, password: String) throws {
        self.port = port
        self.password = password
        folder = try TemporaryFolder()
    }

    /// Starts a server on a free port of 127.0.0.1 and waits until it answers.
    public static func start(password: String = "") async throws -> RedisServer {
        var attempt = 0
        while true {
            attempt += 1
            let server = try RedisServer(port: freePort(), password: password)
            do {
                try await server.run()
                return server
            } catch is EndedEarly where attempt < 5 {
                // Somebody else took the port between our look and the server's start.
                continue
            }
        }
    }

    /// The address in the form that `Redis.Address` reads.
    public var url: String { "redis://" + (password.isEmpty ? "" : ":\(password)@") + "127.0.0.1:\(port)" }

    /// Kills the server and waits until it is gone; everything it knew is lost.
    public func stop() { process.withLock { $0.take() }?.stop() }

    /// Lets the server hang: connections stay open and nothing is answered.
    public func pause() { process.withLock { $0?.signal(SIGSTOP) } }

    /// Lets a paused server go on.
    public func resume() { process.withLock { $0?.signal(SIGCONT) } }

    /// Starts it again, empty, on the same port, and waits until it answers.
    public func restart() async throws {
        stop()
        try await run()
    }

    private struct EndedEarly: Error {}

    private func run() async throws {
        let arguments = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--requirepass", password, "--dir", folder.path,
        ]
        let child = try ChildProcess("/usr/bin/redis-server", arguments)
        process.withLock { $0 = child }
        let port = port
        try await eventually {
            guard child.isRunning else { throw EndedEarly() }
            let answer = exchange(port: port, sending: "PING\r\n") ?? ""
            return answer.hasPrefix("+PONG") || answer.hasPrefix("-NOAUTH")
        }
    }
}
