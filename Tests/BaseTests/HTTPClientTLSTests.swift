import Glibc
import TestSupport
import Testing

@testable import Base

/// A TLS server for `localhost` with a certificate of its own making: Debian's `openssl s_server`.
private struct TLSServer {
    let port: Int
    let certificate: String
    private let process: ChildProcess
    private let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        certificate = folder.path + "/certificate.pem"
        let key = folder.path + "/key.pem"
        let making = try ChildProcess(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            ])
        try await eventually { !making.isRunning }
        let port = try freePort()
        self.port = port
        process = try ChildProcess(
            "/usr/bin/openssl",
            ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www", "-quiet"])
        let client = TestClient()
        try await eventually {
            do {
                _ = try await client.get("http://127.0.0.1:\(port)/")
            } catch HTTPClientError.cannotConnect {
                return false
            } catch {}
            return true
        }
    }

    func stop() { process.stop() }

    /// It answers a line that begins with GET, wherever it comes.
    func request(_ host: String = "localhost") -> HTTPClient.Request {
        HTTPClient.Request(
            .post, "https://\(host):\(port)/", body: Array("GET / HTTP/1.0\r\n\r\n".utf8), trust: .privateAllowed)
    }
}

struct HTTPClientTLSTests {
    @Test("a server is believed when its certificate names the host and is from an authority that SSL_CERT_FILE names")
    func certificates() async throws {
        let server = try await TLSServer()
        defer { server.stop() }
        let loops = EventLoopGroup(count: 1)
        let knowing = HTTPClient(loops: loops, environment: { ["SSL_CERT_FILE": server.certificate][$0] })
        let other = HTTPClient(loops: loops, environment: { _ in nil })
        #expect(try await knowing.send(server.request()).status == 200)
        for (client, host) in [(knowing, "127.0.0.1"), (other, "localhost")] {
            let error = await #expect(throws: HTTPClientError.self) { try await client.send(server.request(host)) }
            guard case .tls(host, let reason) = error else {
                Issue.record("not a TLS error: \(String(describing: error))")
                continue
            }
            #expect(reason.contains("certificate"))
            #expect(error?.mayHaveArrived == false)
        }
    }

    @Test("a POST goes through a proxy's tunnel, which counts as nothing sent to the server")
    func tunnel() async throws {
        let server = try await TLSServer()
        defer { server.stop() }
        let proxy = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
            connection.relay(toPort: server.port)
        }
        let client = HTTPClient(
            loops: EventLoopGroup(count: 1),
            environment: {
                ["https_proxy": "http://127.0.0.1:\(proxy.port)", "SSL_CERT_FILE": server.certificate][$0]
            })
        let answer = try await client.send(server.request())
        #expect(answer.status == 200)
        #expect(answer.headers["X-Proxy"] == nil)
        #expect(proxy.requests[0].head.hasPrefix("CONNECT localhost:\(server.port) "))
    }
}
