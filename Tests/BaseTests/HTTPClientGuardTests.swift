import Testing

@testable import Base

struct HTTPClientGuardTests {
    private func untrusted(_ url: String) -> HTTPClient.Request { HTTPClient.Request(.get, url) }

    @Test(
        "an untrusted URL does not reach this machine, however its host is spelt",
        arguments: [
            "127.0.0.1", "localhost", "LOCALHOST", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001",
            "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "0.0.0.0", "0", "[::]", "127.0.0.1.",
            "user@127.0.0.1", "%31%32%37.0.0.1", "inside.lookup.test", "１２７.0.0.1",
        ])
    func spellings(host: String) async throws {
        let server = try ScriptedServer(always: okay)
        let error = await #expect(throws: HTTPClientError.self) {
            try await TestClient().client.send(untrusted("http://\(host):\(server.port)/"))
        }
        // Some spellings are no URL, or no name, to libcurl; what matters is that nothing was connected.
        switch error {
        case .addressNotAllowed, .cannotResolve, .invalidURL: break
        default: Issue.record("\(host): \(String(describing: error))")
        }
        #expect(server.connections == 0)
        #expect(error?.mayHaveArrived == false)
    }

    @Test("the guard's refusal names the host", arguments: ["127.0.0.1", "localhost", "inside.lookup.test", "[::1]"])
    func refusal(host: String) async throws {
        await #expect(throws: HTTPClientError.addressNotAllowed(host: host)) {
            try await TestClient().client.send(untrusted("http://\(host):1/"))
        }
    }

    /// Serves one request of each connection.
    private static func hasty() throws -> ScriptedServer {
        try ScriptedServer { connection, _ in
            if connection.readRequest() != nil { connection.write(okay) }
        }
    }

    @Test("a name is looked up once for a connection, and the address that is judged is the one that is connected to")
    func changingName() async throws {
        let server = try Self.hasty()
        let name = "changes.lookup.test"
        let url = "http://\(name):\(server.port)/"
        // A client each, so that none remembers what the name was before.
        #expect(try await TestClient().client.send(untrusted(url)).status == 200)
        #expect(NameLookups.changing.withLock { $0[name] } == 1)
        await #expect(throws: HTTPClientError.addressNotAllowed(host: name)) {
            try await TestClient().client.send(untrusted(url))
        }
        #expect(NameLookups.changing.withLock { $0[name] } == 2)
        #expect(server.connections == 1)
    }

    @Test("a client that goes on asking a name that has changed never reaches this machine")
    func changingNameLater() async throws {
        let server = try Self.hasty()
        let test = TestClient()
        let url = "http://changes-later.lookup.test:\(server.port)/"
        var reached = 0
        for _ in 0..<4 where (try? await test.client.send(untrusted(url))) != nil { reached += 1 }
        // What it reached was a public address each time: this machine plays that one, under another name.
        #expect(reached > 0 && server.requests.count == reached)
        #expect(server.requests.allSatisfy { $0.head.contains("changes-later") })
    }

    @Test("of a name's addresses the private ones are not tried, even where the public ones lead nowhere")
    func severalAddresses() async throws {
        let server = try ScriptedServer(always: okay)
        await #expect(throws: HTTPClientError.self) {
            try await TestClient().client.send(untrusted("http://several.lookup.test:\(server.port)/"))
        }
        #expect(server.connections == 0)
    }

    @Test("a link-local address with a zone is refused")
    func zone() async throws {
        await #expect(throws: HTTPClientError.self) {
            try await TestClient().client.send(untrusted("http://[fe80::1%25lo]:1/"))
        }
    }

    @Test("a kept connection that a trusted request opened serves no untrusted one")
    func poolsApart() async throws {
        let server = try ScriptedServer(always: okay)
        let loops = EventLoopGroup(count: 1)
        let client = HTTPClient(loops: loops)
        _ = try await client.send(HTTPClient.Request(.get, server.origin, trust: .privateAllowed))
        await #expect(throws: HTTPClientError.addressNotAllowed(host: "127.0.0.1")) {
            try await client.send(untrusted(server.origin))
        }
        _ = try await client.send(HTTPClient.Request(.get, server.origin, trust: .privateAllowed))
        #expect(server.connections == 1)
        #expect(server.requests.count == 2)
    }

    @Test("an origin that is always allowed passes the guard, and nothing else on its host does")
    func alwaysAllowed() async throws {
        let server = try ScriptedServer(always: okay)
        let other = try ScriptedServer(always: okay)
        let test = TestClient(
            alwaysAllowed: [server.origin, "not an origin"], environment: ["http_proxy": "http://127.0.0.1:1"])
        #expect(try await test.client.send(untrusted(server.origin + "/path")).status == 200)
        #expect(try await test.client.send(untrusted("HTTP://0x7f.1:\(server.port)/")).status == 200)
        for url in [other.origin, "http://localhost:\(server.port)", "https://127.0.0.1:\(server.port)"] {
            await #expect(throws: HTTPClientError.self) { try await test.client.send(untrusted(url)) }
        }
        #expect(other.connections == 0)
        #expect(server.connections <= 2)
    }

    @Test("behind a proxy an untrusted request is refused, unless the proxy is trusted to guard")
    func proxies() async throws {
        let proxy = try ScriptedServer(always: okay)
        let environment = ["http_proxy": "127.0.0.1:\(proxy.port)"]
        let careful = TestClient(environment: environment)
        await #expect(throws: HTTPClientError.addressNotAllowed(host: "example.test")) {
            try await careful.client.send(untrusted("http://example.test/x"))
        }
        #expect(proxy.connections == 0)
        #expect(try await careful.get("http://example.test/x").status == 200)
        let trusting = TestClient(proxyIsTrusted: true, environment: environment)
        #expect(try await trusting.client.send(untrusted("http://example.test/y")).status == 200)
        #expect(
            proxy.requests.map { $0.head.split(separator: "\r\n")[0] } == [
                "GET http://example.test/x HTTP/1.1", "GET http://example.test/y HTTP/1.1",
            ])
    }

    @Test("an https request goes through the proxy's tunnel, whose header is not the answer's")
    func tunnel() async throws {
        let proxy = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        }
        let test = TestClient(environment: ["HTTPS_PROXY": "http://127.0.0.1:\(proxy.port)"])
        await #expect(throws: HTTPClientError.cannotConnect(host: "127.0.0.1")) {
            try await test.get("https://example.test/")
        }
        #expect(proxy.requests[0].head.hasPrefix("CONNECT example.test:443 HTTP/1.1"))
    }

    @Test("no_proxy names hosts, domains and networks that are reached directly")
    func exceptions() throws {
        let proxies = HTTPClientProxies {
            [
                "http_proxy": "http://proxy.test:3128",
                "no_proxy": "example.test, .inner.test,10.0.0.0/8 [::1],192.168.1.7",
            ][$0]
        }
        func isDirect(_ url: String) throws -> Bool { proxies.proxy(for: try HTTPClientTarget(url).origin) == nil }
        for url in [
            "http://example.test/", "http://a.Example.TEST/", "http://example.test./", "http://inner.test",
            "http://x.inner.test",
            "http://10.1.2.3", "http://0xa.1/", "http://[::1]:80/", "http://192.168.1.7/", "https://any.test/",
        ] { #expect(try isDirect(url), "\(url)") }
        for url in ["http://anexample.test/", "http://example.test.evil/", "http://11.1.2.3/", "http://192.168.1.70/"] {
            #expect(try !isDirect(url), "\(url)")
        }
        #expect(
            HTTPClientProxies { ["all_proxy": "x", "no_proxy": "*"][$0] }.proxy(
                for: try HTTPClientTarget("http://a.test").origin) == nil)
        #expect(HTTPClientProxies { ["HTTP_PROXY": "http://x"][$0] }.isEmpty, "a client's header, in a CGI server")
    }
}
