import Glibc
import TestSupport
import Testing

@testable import Base

struct HTTPClientFaultTests {
    @Test("a kept connection that the server closed meanwhile is replaced, and nobody notices")
    func closedWhileIdle() async throws {
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write(okay)
        }
        let loops = EventLoopGroup(count: 1)
        let client = HTTPClient(loops: loops)
        let request = HTTPClient.Request(.post, server.origin, body: [1], trust: .privateAllowed)
        for count in 1...5 {
            #expect(try await client.send(request).status == 200)
            #expect(server.connections == count)
            // From then on the connection is known to be of no use.
            try await eventually { server.closed == count }
        }
        #expect(server.requests.count == 5, "each was sent once")
    }

    @Test("a POST that the server took from a kept connection and then hung up on is not sent again")
    func takenThenClosed() async throws {
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write(okay)
            _ = connection.readRequest()
        }
        let loops = EventLoopGroup(count: 1)
        let client = HTTPClient(loops: loops)
        let request = HTTPClient.Request(.post, server.origin, body: [1], trust: .privateAllowed)
        _ = try await client.send(request)
        let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
        #expect(error?.mayHaveArrived == true)
        guard case .connectionLost(host: "127.0.0.1", _) = error else {
            Issue.record("not a lost connection: \(String(describing: error))")
            return
        }
        #expect(server.requests.count == 2)
    }

    @Test("a GET that the server took from a kept connection and then hung up on is asked again")
    func takenThenClosedGet() async throws {
        let server = try ScriptedServer { connection, number in
            _ = connection.readRequest()
            connection.write(okay)
            if connection.readRequest() != nil, number > 1 { connection.write(okay) }
        }
        let loops = EventLoopGroup(count: 1)
        let client = HTTPClient(loops: loops)
        let request = HTTPClient.Request(.get, server.origin, trust: .privateAllowed)
        _ = try await client.send(request)
        #expect(try await client.send(request).status == 200)
        #expect(server.connections == 2)
    }

    @Test(
        "an answer that breaks off is a lost connection, and the request may have arrived",
        arguments: [
            "", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "this is not HTTP\r\n\r\n", "\0\0\0\0\0\0\0\0",
        ], [false, true])
    func brokenAnswer(answer: String, withReset: Bool) async throws {
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write(answer)
            if withReset { connection.reset() }
        }
        let test = TestClient()
        let error = await #expect(throws: HTTPClientError.self) { try await test.post(server.origin) }
        guard case .connectionLost(host: "127.0.0.1", _) = error else {
            Issue.record("not a lost connection: \(String(describing: error))")
            return
        }
        #expect(error?.mayHaveArrived == true)
        #expect(await test.client.openTransfers() == 0)
    }

    @Test("a port that nobody listens on cannot be connected to, and the request has not arrived")
    func refused() async throws {
        let port = try freePort()
        let error = await #expect(throws: HTTPClientError.cannotConnect(host: "127.0.0.1")) {
            try await TestClient().post("http://127.0.0.1:\(port)/")
        }
        #expect(error?.mayHaveArrived == false)
    }

    @Test("a name that is not known cannot be resolved")
    func unknownName() async throws {
        let error = await #expect(throws: HTTPClientError.cannotResolve(host: "none.lookup.test")) {
            try await TestClient().post("http://none.lookup.test/")
        }
        #expect(error?.mayHaveArrived == false)
    }

    @Test("a server that does not speak TLS is a TLS error")
    func noTLS() async throws {
        let server = try ScriptedServer { connection, _ in connection.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
        let error = await #expect(throws: HTTPClientError.self) {
            try await TestClient().post("https://127.0.0.1:\(server.port)/")
        }
        guard case .tls(host: "127.0.0.1", let reason) = error else {
            Issue.record("not a TLS error: \(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("no error tells the path, the query or the user of a URL")
    func errorsKeepSecrets() async throws {
        let closing = try ScriptedServer { connection, _ in _ = connection.readRequest() }
        let test = TestClient()
        for url in [
            "http://user-secret:secret@127.0.0.1:\(closing.port)/secret?secret",
            "http://127.0.0.1:\(try freePort())/secret?secret",
            "https://127.0.0.1:\(try freePort())/secret", "http://secret@none.lookup.test/secret", "http://a b/secret",
        ] {
            let error = await #expect(throws: HTTPClientError.self) { try await test.post(url) }
            #expect(!"\(String(describing: error))".contains("secret"))
        }
    }

    @Test("each wait has its own limit, and says whether the request may have arrived")
    func timeouts() async throws {
        let test = TestClient()
        func fails(_ url: String, _ change: (inout HTTPClient.Timeouts) -> Void) async -> HTTPClientError? {
            var request = HTTPClient.Request(.post, url, body: [1], trust: .privateAllowed)
            change(&request.timeouts)
            return await #expect(throws: HTTPClientError.self) { try await test.client.send(request) }
        }
        let host = "127.0.0.1"
        let silent = try ScriptedServer { connection, _ in connection.waitForClose() }
        let half = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            connection.waitForClose()
        }
        let dripping = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            while connection.write("x") { usleep(10_000) }
        }
        #expect(await fails(silent.origin) { $0.firstByte = .milliseconds(50) } == .answerTimeout(host: host))
        #expect(await fails(silent.origin) { $0.total = .milliseconds(50) } == .answerTimeout(host: host))
        #expect(await fails(half.origin) { $0.idle = .milliseconds(50) } == .answerTimeout(host: host))
        #expect(await fails(dripping.origin) { $0.total = .milliseconds(100) } == .answerTimeout(host: host))
        #expect(
            await fails("https://127.0.0.1:\(silent.port)/") { $0.connect = .milliseconds(50) }
                == .connectTimeout(host: host))
        #expect(
            await fails("https://127.0.0.1:\(silent.port)/") { $0.total = .milliseconds(50) }
                == .connectTimeout(host: host))
        #expect(await test.client.openTransfers() == 0)
        try await eventually { silent.requests.count == 0 && silent.connections == 4 }
    }

    @Test("a stream that keeps speaking is not cut by the limits on silence")
    func silenceIsCountedAnew() async throws {
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n")
            for _ in 0..<30 {
                usleep(20_000)
                connection.write("x")
            }
        }
        var request = HTTPClient.Request(.get, server.origin, trust: .privateAllowed)
        request.timeouts.connect = .milliseconds(300)
        request.timeouts.firstByte = .milliseconds(300)
        request.timeouts.idle = .milliseconds(300)
        #expect(try await TestClient().client.send(request).body.count == 30)
    }

    @Test("a long body that the server takes slowly is not cut by the limit on the answer's first byte")
    func slowUpload() async throws {
        let body = [UInt8](repeating: 7, count: 24_000_000)
        let server = try ScriptedServer { connection, _ in
            connection.readSlowly(body.count)
            connection.write(okay)
        }
        var request = HTTPClient.Request(.post, server.origin, body: body, trust: .privateAllowed)
        request.timeouts.firstByte = .milliseconds(400)
        #expect(try await TestClient().client.send(request).status == 200)
    }

    @Test("a cancelled request ends at once, whatever it waits for")
    func cancellation() async throws {
        let silent = try ScriptedServer { connection, _ in connection.waitForClose() }
        let half = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\nhalf")
            connection.waitForClose()
        }
        let test = TestClient()
        for url in [silent.origin, half.origin, "https://127.0.0.1:\(silent.port)/"] {
            let before = silent.connections + half.connections
            let tasks = (0..<50).map { _ in Task { try await test.get(url) } }
            try await eventually { silent.connections + half.connections == before + 50 }
            for task in tasks { task.cancel() }
            for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
            #expect(await test.client.openTransfers() == 0)
        }
    }

    @Test("a request of a task that is cancelled already is not sent")
    func cancelledBefore() async throws {
        let server = try ScriptedServer(always: okay)
        let test = TestClient()
        for _ in 0..<100 {
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await test.post(server.origin)
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(await test.client.openTransfers() == 0)
    }

    @Test("cancelling at any moment, on handles that are used again, hits no other request")
    func cancellationStorm() async throws {
        let server = try ScriptedServer(always: okay)
        let loops = EventLoopGroup(count: 2)
        let client = HTTPClient(loops: loops)
        let answered = try await withThrowingTaskGroup { group in
            for worker in 0..<16 {
                group.addTask {
                    var answered = 0
                    for turn in 0..<60 {
                        let task = Task {
                            try await client.send(
                                HTTPClient.Request(.post, server.origin, body: [1, 2], trust: .privateAllowed))
                        }
                        let isCancelled = turn % 2 == worker % 2
                        if isCancelled {
                            for _ in 0..<(turn * 7 % 40) { await Task.yield() }
                            task.cancel()
                            _ = await task.result
                        } else {
                            answered += try await task.value.status == 200 ? 1 : 0
                        }
                    }
                    return answered
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(answered == 16 * 30)
        #expect(await client.openTransfers() == 0)
    }
}

/// Apart, and one after another: they share the name server that does not answer.
@Suite(.serialized)
struct HTTPClientHungLookupTests {
    @Test("a request that hangs in a name lookup is cancelled at once, and its neighbours go on")
    func cancelled() async throws {
        let server = try ScriptedServer(always: okay)
        let loops = EventLoopGroup(count: 1)
        let client = HTTPClient(loops: loops)
        let before = NameLookups.hanging.withLock { $0 }
        let tasks = (0..<5).map { number in
            Task { try await client.send(HTTPClient.Request(.get, "http://hangs\(number).lookup.test/")) }
        }
        try await eventually { NameLookups.hanging.withLock { $0 } == before + 5 }
        let neighbour = HTTPClient.Request(.get, server.origin, trust: .privateAllowed)
        #expect(try await client.send(neighbour).status == 200)
        for task in tasks { task.cancel() }
        for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
        #expect(try await client.send(neighbour).status == 200)
        #expect(await client.openTransfers() == 0)
        #expect(NameLookups.hanging.withLock { $0 } == before + 5, "the lookups themselves still hang")
    }

    @Test("a request that hangs in a name lookup ends with its limit on connecting")
    func timedOut() async throws {
        var request = HTTPClient.Request(.get, "http://hangs.lookup.test/")
        request.timeouts.connect = .milliseconds(50)
        let request2 = request
        await #expect(throws: HTTPClientError.connectTimeout(host: "hangs.lookup.test")) {
            try await TestClient().client.send(request2)
        }
    }

    @Test("shutting down does not wait for a name lookup")
    func shutdown() async throws {
        let test = TestClient()
        let before = NameLookups.hanging.withLock { $0 }
        let task = Task { try await test.get("http://hangs.lookup.test/") }
        try await eventually { NameLookups.hanging.withLock { $0 } > before }
        await test.client.shutdown()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(NameLookups.hanging.withLock { $0 } > before)
    }
}
