import Base
import Foundation

/// Debian's nginx as a reverse proxy that passes on what comes, with connections kept on both sides.
struct Nginx: Sendable {
    let process: MeasuredProcess
    let origin: String
    /// The same over TLS.
    let secureOrigin: String
    /// A file with its certificate, which is its own authority.
    var certificate: String { place.path + "/certificate.pem" }
    private let place: TemporaryPlace

    /// - Parameter origins: to each of these goes what comes under `/NAME/`.
    static func start(_ origins: [String: String], loops: EventLoopGroup, http: HTTPClient) async throws -> Nginx {
        let place = try TemporaryPlace()
        let port = try await freePort(loops: loops)
        let securePort = try await freePort(loops: loops)
        try makeCertificate(in: place.path)
        try place.write(
            configuration(origins, port: port, securePort: securePort, place.path), to: "nginx.conf")
        let process = try MeasuredProcess(
            "/usr/sbin/nginx", ["-c", place.path + "/nginx.conf", "-e", place.path + "/error.log", "-g", "daemon off;"])
        let nginx = Nginx(
            process: process, origin: "http://127.0.0.1:\(port)", secureOrigin: "https://127.0.0.1:\(securePort)",
            place: place)
        for _ in 0..<100 {
            if (try? await http.send(.init(.get, nginx.origin + "/", trust: .privateAllowed))) != nil { return nginx }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw LoadError(message: "nginx does not start")
    }

    private static func makeCertificate(in folder: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/key.pem", "-out", folder + "/certificate.pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw LoadError(message: "openssl makes no certificate") }
    }

    private static func configuration(
        _ origins: [String: String], port: Int, securePort: Int, _ folder: String
    ) -> String {
        let upstreams = origins.map { name, origin in
            "upstream \(name) { server \(origin.dropFirst("http://".count)); keepalive 256; keepalive_requests 1000000; }"
        }
        let locations = origins.keys.map { "location /\($0)/ { proxy_pass http://\($0)/; }" }
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        return """
            worker_processes auto;
            pid \(folder)/nginx.pid;
            events { worker_connections 16384; }
            http {
                access_log off;
                keepalive_requests 1000000;
                client_body_buffer_size 64k;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                \(kinds.joined(separator: "\n    "))
                \(upstreams.joined(separator: "\n    "))
                server {
                    listen 127.0.0.1:\(port);
                    listen 127.0.0.1:\(securePort) ssl;
                    ssl_certificate \(folder)/certificate.pem;
                    ssl_certificate_key \(folder)/key.pem;
                    location / { return 204; }
                    \(locations.joined(separator: "\n        "))
                }
            }
            """
    }
}
