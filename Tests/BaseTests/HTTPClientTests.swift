import TestSupport
import Testing

@testable import Base

/// A client on two loops of its own.
struct TestClient {
    let loops = EventLoopGroup(count: 2)
    let client: HTTPClient

    init(alwaysAllowed: Set<String> = [], proxyIsTrusted: Bool = false, environment: [String: String] = [:]) {
        client = HTTPClient(
            loops: loops, alwaysAllowed: alwaysAllowed, proxyIsTrusted: proxyIsTrusted,
            environment: { environment[$0] })
    }

    func get(_ url: String) async throws -> HTTPClient.Answer {
        try await client.send(HTTPClient.Request(.get, url, trust: .privateAllowed))
    }

    func post(_ url: String, _ body: String = "body") async throws -> HTTPClient.Answer {
        try await client.send(HTTPClient.Request(.post, url, body: Array(body.utf8), trust: .privateAllowed))
    }
}

let okay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

struct HTTPClientTests {
    @Test(
        "an answer brings status, header and body, whatever the status", arguments: [200, 204, 302, 404, 429, 500, 503])
    func answers(status: Int) async throws {
        let body = status == 204 ? "" : "text"
        let length = status == 204 ? "" : "Content-Length: 4\r\n"
        let server = try ScriptedServer(
            always: "HTTP/1.1 \(status) Word\r\n\(length)Location: /elsewhere\r\nX-Two:  a \r\nx-two: b\r\n\r\n\(body)")
        let answer = try await TestClient().get(server.origin + "/path?query=1")
        #expect(answer.status == status)
        #expect(answer.headers.all("X-Two") == ["a", "b"])
        #expect(answer.body == Array(body.utf8))
        #expect(server.requests.count == 1, "a redirect is not followed")
    }

    @Test("a request is sent as it was given")
    func requests() async throws {
        let server = try ScriptedServer(always: okay)
        let test = TestClient()
        var request = HTTPClient.Request(
            .post, server.origin + "/a%20b/c?d=e&f[]=g",
            headers: ["Authorization": "Bearer key", "Content-Type": "application/json", "X-Empty": ""],
            body: Array("{}".utf8), trust: .privateAllowed)
        _ = try await test.client.send(request)
        for method: HTTPMethod in [.get, .delete, .put, .patch, .options, "PROPFIND"] {
            request = HTTPClient.Request(method, server.origin + "/", trust: .privateAllowed)
            _ = try await test.client.send(request)
        }
        let heads = server.requests.map { $0.head.split(separator: "\r\n").map(String.init) }
        #expect(heads[0][0] == "POST /a%20b/c?d=e&f[]=g HTTP/1.1")
        #expect(heads[0].contains("Authorization: Bearer key"))
        #expect(heads[0].contains("Content-Type: application/json"))
        #expect(heads[0].contains("X-Empty:"))
        #expect(heads[0].contains("Content-Length: 2"))
        #expect(heads[0].contains("User-Agent: BitBot"))
        #expect(server.requests[0].body == Array("{}".utf8))
        #expect(
            heads[1...].map { $0[0] }
                == ["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "PROPFIND"].map { $0 + " / HTTP/1.1" })
        // What the caller did not ask for is not there; a method that means a body has a length.
        for (head, hasLength) in zip(heads[1...], [false, false, true, true, false, false]) {
            #expect(!head.contains { $0.lowercased().hasPrefix("content-type") || $0.hasPrefix("Authorization") })
            #expect(
                !head.contains { $0.lowercased().hasPrefix("accept-encoding") || $0.lowercased().hasPrefix("expect") })
            #expect(head.contains("Content-Length: 0") == hasLength)
        }
    }

    @Test("a large body is sent whole, without asking first")
    func largeRequest() async throws {
        let server = try ScriptedServer(always: okay)
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let answer = try await TestClient().client.send(
            HTTPClient.Request(.put, server.origin + "/", body: body, trust: .privateAllowed))
        #expect(answer.status == 200)
        #expect(server.requests[0].body == body)
        #expect(!server.requests[0].head.lowercased().contains("expect"))
    }

    @Test("requests one after another share a connection, requests at once have their own")
    func keepAlive() async throws {
        let server = try ScriptedServer(always: okay)
        let loops = EventLoopGroup(count: 1)
        let client = HTTPClient(loops: loops)
        let request = HTTPClient.Request(.get, server.origin + "/", trust: .privateAllowed)
        for _ in 0..<50 { _ = try await client.send(request) }
        #expect(server.connections == 1)
        try await withThrowingTaskGroup { group in
            for _ in 0..<200 { group.addTask { try await client.send(request).status } }
            for try await status in group { #expect(status == 200) }
        }
        #expect(server.requests.count == 250)
        #expect(await client.openTransfers() == 0)
    }

    @Test(
        "a connection is kept to each of more than a thousand servers", .enabled(if: EventLoop.mostOpenFiles >= 16_000))
    func keepsConnectionsToMany() async throws {
        let loops = EventLoopGroup(count: 1)
        let server = try await HTTPServer.start(
            on: .tcp(host: "0.0.0.0", port: 0), loops: loops, log: Log(level: .error, write: { _ in }), handler: echo)
        let client = HTTPClient(loops: loops)
        for number in 0..<1_200 {
            let url = "http://127.0.\(1 + number / 200).\(1 + number % 200):\(server.port)/"
            _ = try await client.send(HTTPClient.Request(.get, url, trust: .privateAllowed))
        }
        #expect(server.openConnections == 1_200)
        await client.shutdown()
        await server.shutdown(grace: .zero)
        loops.stop()
    }

    @Test("chunked answers are put together; interim answers, folded fields and trailers do no harm")
    func transferCodings() async throws {
        let server = try ScriptedServer(
            always: "HTTP/1.1 103 Early Hints\r\nX-A: early\r\n\r\nHTTP/1.1 201 Created\r\nX-A: one\r\n two\r\n"
                + "Transfer-Encoding: chunked\r\nTrailer: X-B\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-B: late\r\n\r\n"
        )
        let answer = try await TestClient().get(server.origin)
        #expect(answer.status == 201)
        #expect(answer.headers["X-A"] == "one two")
        #expect(answer.headers["X-B"] == nil)
        #expect(answer.body == Array("abcdefg".utf8))
    }

    @Test("an answer without a length ends with its connection")
    func untilClose() async throws {
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.0 200 OK\r\n\r\nall of it")
        }
        let test = TestClient()
        #expect(try await test.get(server.origin).body == Array("all of it".utf8))
        #expect(try await test.get(server.origin).body == Array("all of it".utf8))
    }

    @Test("the answer to HEAD has a length and no body")
    func head() async throws {
        let server = try ScriptedServer(always: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        let test = TestClient()
        for _ in 0..<2 {
            let answer = try await test.client.send(HTTPClient.Request(.head, server.origin, trust: .privateAllowed))
            #expect(answer.headers["Content-Length"] == "99999999999")
            #expect(answer.body.isEmpty)
        }
        #expect(server.requests.allSatisfy { $0.head.hasPrefix("HEAD / ") })
        // The next request on the same handle reads its body.
        await #expect(throws: HTTPClientError.tooLarge) { try await test.get(server.origin) }
        await #expect(throws: HTTPClientError.tooLarge) { try await test.post(server.origin) }
    }

    @Test("a compressed answer is handed over as it came, since none was asked for")
    func noDecompression() async throws {
        let server = try ScriptedServer(
            always: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")
        #expect(try await TestClient().get(server.origin).body == Array("abcd".utf8))
    }

    @Test("a Unix socket is reached when the address is trusted, and only then")
    func unixSocket() async throws {
        let path = "/tmp/bitbot-client-\(UInt32.random(in: 0 ... .max)).socket"
        let server = try ScriptedServer(unixSocket: path) { connection, _ in
            while connection.readRequest() != nil { connection.write(okay) }
        }
        let test = TestClient()
        var request = HTTPClient.Request(.get, "http://bitbot/status", trust: .privateAllowed)
        request.unixSocket = path
        #expect(try await test.client.send(request).status == 200)
        #expect(server.requests[0].head.contains("Host: bitbot"))
        request.trust = .publicOnly
        await #expect(throws: HTTPClientError.addressNotAllowed(host: "bitbot")) { try await test.client.send(request) }
        // The next request on the same handle does not go there.
        await #expect(throws: HTTPClientError.cannotResolve(host: "none.lookup.test")) {
            try await test.get("http://none.lookup.test/")
        }
    }

    @Test("what is no URL, or not http, is refused before anything is sent")
    func urls() async throws {
        let test = TestClient()
        for url in [
            "", "nonsense", "http://", "http://a b/", "http://a/\r\nX: y", "http://host:99999/", "localhost:80/x",
            "//host/",
        ] {
            await #expect(throws: HTTPClientError.invalidURL, "\(url)") { try await test.get(url) }
        }
        for (url, scheme) in [
            ("file:///etc/passwd", "file"), ("ftp://host/x", "ftp"), ("gopher://host/x", "gopher"),
            ("FILE:///x", "file"),
            ("ws://host/", "ws"),
        ] {
            await #expect(throws: HTTPClientError.schemeNotAllowed(scheme), "\(url)") { try await test.get(url) }
        }
    }

    @Test(
        "a field that would break the header is refused by its name, never by its value",
        arguments: [
            ("Authorization", "Bearer key\r\nX: y"), ("X-A", "a\nb"), ("X-A", "a\0b"), ("X A", "b"), ("X:", "b"),
        ])
    func badFields(name: String, value: String) async throws {
        let request = HTTPClient.Request(
            .get, "http://127.0.0.1:1/", headers: HTTPHeaders([.init(name: name, value: value)]), trust: .privateAllowed
        )
        let isName = !name.contains(" ") && !name.contains(":")
        await #expect(throws: HTTPClientError.invalidHeader(isName ? name : "")) {
            try await TestClient().client.send(request)
        }
    }

    @Test("fields and a user of one request do not show up in the next")
    func nothingIsLeft() async throws {
        let server = try ScriptedServer(always: okay)
        let loops = EventLoopGroup(count: 1)
        let client = HTTPClient(loops: loops)
        let address = "127.0.0.1:\(server.port)"
        _ = try await client.send(
            HTTPClient.Request(
                .post, "http://me:secret@\(address)/", headers: ["X-A": "b"], body: [1], trust: .privateAllowed))
        _ = try await client.send(HTTPClient.Request(.get, "http://\(address)/", trust: .privateAllowed))
        let heads = server.requests.map(\.head)
        #expect(heads[0].contains("Authorization: Basic"))
        #expect(!heads[1].contains("Authorization"))
        #expect(!heads[1].contains("X-A"))
        #expect(!heads[1].contains("Content-"))
    }

    @Test("shutting down ends what is under way, and nothing starts after it")
    func shutdown() async throws {
        let server = try ScriptedServer { connection, _ in connection.waitForClose() }
        let test = TestClient()
        let waiting = (0..<20).map { _ in Task { try await test.get(server.origin) } }
        try await eventually { server.connections == 20 }
        await test.client.shutdown()
        for task in waiting {
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        await #expect(throws: CancellationError.self) { try await test.get(server.origin) }
        await test.client.shutdown()
    }
}
