import TestSupport

@testable import Base

/// A server of its own for one test.
struct ServerFixture: Sendable {
    let server: HTTPServer
    let logged: Recorder<String>

    var port: Int { server.port }

    func connect() throws -> RawClient { try RawClient(port: port) }

    /// Sends one request on a connection of its own and reads the answer.
    func exchange(_ request: String) async throws -> RawAnswer {
        let client = try connect()
        try client.send(request)
        return try await client.answer()
    }
}

/// Starts a server, runs `body`, and stops it.
func withServer(
    loops count: Int = 1, limits: HTTPServer.Limits = HTTPServer.Limits(), handler: @escaping HTTPHandler,
    body: (ServerFixture) async throws -> Void
) async throws {
    let loops = EventLoopGroup(count: count)
    let logged = Recorder<String>()
    let server = try await HTTPServer.start(
        on: .tcp(host: "127.0.0.1", port: 0), loops: loops, limits: limits,
        log: Log(level: .debug, write: { logged.add($0) }), handler: handler)
    do {
        try await body(ServerFixture(server: server, logged: logged))
    } catch {
        await server.shutdown(grace: .zero)
        loops.stop()
        throw error
    }
    await server.shutdown(grace: .zero)
    loops.stop()
}

/// Answers with what was asked.
let echo: HTTPHandler = { request in
    .text("\(request.method.rawValue) \(request.path) \(String(decoding: request.body, as: UTF8.self))")
}

/// Something that tasks wait for until a test opens it.
actor AsyncGate {
    private var isOpen = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    func wait() async {
        if isOpen { return }
        await withCheckedContinuation { waiters.append($0) }
    }

    func open() {
        isOpen = true
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}
