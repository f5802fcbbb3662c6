import Glibc
import TestSupport
import Testing

@testable import Base

@Suite struct HTTPServerLifetimeTests {
    private func start(_ address: HTTPServer.Address, _ loops: EventLoopGroup) async throws -> HTTPServer {
        try await HTTPServer.start(on: address, loops: loops, log: .silent, handler: echo)
    }

    @Test("shutdown takes no new connection, finishes what is in flight and closes what is idle")
    func graceful() async throws {
        let gate = AsyncGate()
        let started = Recorder<String>()
        let handler: HTTPHandler = { request in
            started.add(request.path)
            if request.path == "/slow" { await gate.wait() }
            return .text(request.path)
        }
        try await withServer(handler: handler) { fixture in
            let idle = try fixture.connect()
            try idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await idle.answer().status == 200)
            let busy = try fixture.connect()
            try busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /queued HTTP/1.1\r\nHost: a\r\n\r\n")
            let half = try fixture.connect()
            try half.send("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh")
            try await eventually { started.all.contains("/slow") && fixture.server.openConnections == 3 }

            let stopped = Task { await fixture.server.shutdown(grace: .seconds(20)) }
            #expect(try await idle.isClosedQuietly())
            #expect(throws: RawClientError.self) { try fixture.connect() }
            await gate.open()
            #expect(try await busy.answer().text == "/slow")
            let last = try await busy.answer()
            #expect(last.text == "/queued")
            #expect(last.headers["Connection"] == "close")
            #expect(try await busy.isClosedQuietly())
            try half.send("i")
            let answer = try await half.answer()
            #expect(answer.text == "/half")
            #expect(answer.headers["Connection"] == "close")
            for client in [idle, busy, half] { client.close() }
            await stopped.value
            #expect(fixture.server.openConnections == 0)
        }
    }

    @Test("shutdown cuts what is still in flight after the grace time and cancels its handler")
    func graceEnds() async throws {
        let events = Recorder<String>()
        let handler: HTTPHandler = { _ in
            events.add("started")
            do { try await Task.sleep(for: .seconds(600)) } catch { events.add("cancelled") }
            return .text("")
        }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { events.all == ["started"] }
            await fixture.server.shutdown(grace: .milliseconds(50))
            #expect(fixture.server.openConnections == 0)
            try await eventually { events.all == ["started", "cancelled"] }
            await #expect(throws: RawClientError.self) { try await client.answer() }
        }
    }

    @Test("a client that leaves cancels its handler's task, also with a full pipeline", arguments: [1, 10])
    func disconnect(requests: Int) async throws {
        let events = Recorder<String>()
        let handler: HTTPHandler = { _ in
            events.add("started")
            do { try await Task.sleep(for: .seconds(600)) } catch {
                events.add("cancelled")
                throw error
            }
            return .text("")
        }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            try client.send(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: requests))
            try await eventually { events.all == ["started"] }
            client.close()
            try await eventually { events.all.prefix(2) == ["started", "cancelled"] }
            try await eventually { fixture.server.openConnections == 0 }
            #expect(fixture.logged.all.isEmpty)
        }
    }

    @Test("a client that has ended only its own side is still answered")
    func halfClosed() async throws {
        let gate = AsyncGate()
        let handler: HTTPHandler = { request in
            await gate.wait()
            return .text(request.path)
        }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            try client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            client.endSending()
            await gate.open()
            #expect(try await client.answer().text == "/1")
            #expect(try await client.answer().text == "/2")
            #expect(try await client.isClosedQuietly())
        }
    }

    @Test("clients that leave at any point leave no connection behind")
    func noLeaks() async throws {
        let handler: HTTPHandler = { request in
            try await Task.sleep(for: .milliseconds(5))
            return HTTPResponse(status: 200, body: .bytes([UInt8](repeating: 65, count: 1_000_000)))
        }
        try await withServer(handler: handler) { fixture in
            let request = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".utf8)
            for length in 0...request.count {
                let client = try fixture.connect()
                try client.send(Array(request[..<length]))
                if length % 3 == 0 { client.endSending() }
                if length % 7 == 0 { await Task.yield() }
                client.close()
            }
            try await eventually { fixture.server.openConnections == 0 }
            #expect(try await fixture.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
        }
    }

    @Test("a port that is taken is named in the error")
    func addressInUse() async throws {
        let loops = EventLoopGroup(count: 1)
        defer { loops.stop() }
        let server = try await start(.tcp(host: "127.0.0.1", port: 0), loops)
        await #expect(throws: HTTPServerError.addressInUse("127.0.0.1:\(server.port)")) {
            try await start(.tcp(host: "127.0.0.1", port: server.port), loops)
        }
        await server.shutdown(grace: .zero)
        let again = try await start(.tcp(host: "127.0.0.1", port: server.port), loops)
        await again.shutdown(grace: .zero)
    }

    @Test("an address that cannot be had is named in the error")
    func cannotListen() async throws {
        let loops = EventLoopGroup(count: 1)
        defer { loops.stop() }
        for (host, port) in [("192.0.2.1", 0), ("127.0.0.1", 70_000), ("no.such.host.invalid", 0)] {
            let error = await #expect(throws: HTTPServerError.self) {
                try await start(.tcp(host: host, port: port), loops)
            }
            guard case .cannotListen("\(host):\(port)", _) = error else {
                Issue.record("unexpected: \(String(describing: error))")
                continue
            }
        }
    }

    @Test("a Unix socket is private, replaces a dead one, respects a living one, and goes with its server")
    func unixSocket() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("control.sock")
        let loops = EventLoopGroup(count: 1)
        defer { loops.stop() }
        try leaveDeadSocket(path)
        let server = try await start(.unix(path: path), loops)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        let client = try RawClient(path: path)
        try client.send("GET /here HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try await client.answer().text == "GET /here ")
        await #expect(throws: HTTPServerError.addressInUse(path)) { try await start(.unix(path: path), loops) }
        await server.shutdown(grace: .zero)
        #expect(lstat(path, &status) != 0)
    }

    @Test("a file that is no socket, or a path that is too long, is refused and left alone")
    func unixSocketRefused() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("precious.txt")
        let loops = EventLoopGroup(count: 1)
        defer { loops.stop() }
        close(creat(path, 0o600))
        for path in [path, folder.file(String(repeating: "a", count: 200))] {
            await #expect(throws: HTTPServerError.self) { try await start(.unix(path: path), loops) }
        }
        var status = stat()
        #expect(lstat(path, &status) == 0)
    }

    /// Binds a socket and forgets it, as a killed server does.
    private func leaveDeadSocket(_ path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(status == 0)
        close(descriptor)
    }
}
