import Base
import Foundation
import Synchronization
import Testing

/// The internet outside of BitBot's network, played by this process, and a trap inside: a BitBot that was started with
/// ``environment`` finds both behind the names and addresses of `Tests/Outside`.
final class Outside: Sendable {
    /// An origin that somebody names who wants BitBot to connect to the trap.
    struct Address: Sendable {
        var origin: String
        var leads: Leads
        /// Whether it says itself where it is.
        var isPlain: Bool { !origin.contains(".outside.test") }
    }

    /// How an address leads to the trap.
    enum Leads: Sendable {
        /// By itself.
        case straight
        /// A server outside is there, which sends its callers on.
        case jumping
        /// A server outside is there; its name is inside as soon as it is looked up again.
        case changing
    }

    typealias Handler = @Sendable (HTTPRequest) async throws -> HTTPResponse

    let trap: Trap
    /// What servers outside give to everybody whom no handler answers.
    static let content = Array("from outside".utf8)
    static let file = HTTPResponse(status: 200, headers: ["Content-Type": "image/png"], body: .bytes(content))
    private let loops: EventLoopGroup
    private let server: HTTPServer
    private let http: HTTPClient
    private let visits = Visits()

    private final class Visits: Sendable {
        let hosts = Mutex<Set<String>>([])
        let handler = Mutex<Handler>({ _ in file })
    }

    static func with(_ body: (Outside) async throws -> Void) async throws {
        let outside = try await Outside()
        let result: Result<Void, any Error>
        do { result = .success(try await body(outside)) } catch { result = .failure(error) }
        // Whoever has come in waits for an answer, and the test may have run out of patience before it looked.
        if outside.trap.isSprung { Issue.record("somebody has connected to the trap") }
        await outside.server.shutdown(grace: .zero)
        await outside.http.shutdown()
        outside.loops.stop()
        try result.get()
    }

    private init() async throws {
        trap = try Trap()
        loops = EventLoopGroup(count: 1)
        http = HTTPClient(loops: loops)
        server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: .silent
        ) { [visits, inside = "http://127.0.0.1:\(trap.port)"] request in
            let host = String(request.headers["Host"]?.split(separator: ":").first ?? "")
            visits.hosts.withLock { _ = $0.insert(host) }
            if host.hasPrefix("jumps") { return Self.redirect(request, to: inside) }
            return try await visits.handler.withLock { $0 }(request)
        }
    }

    var environment: [String: String] {
        let library = (RunningBitBot.program as NSString).deletingLastPathComponent + "/libOutside.so"
        return ["LD_PRELOAD": library, "OUTSIDE_PORT": "\(server.port)", "INSIDE_PORT": "\(trap.port)"]
    }

    /// Addresses for one door, with names of its own.
    func addresses(for door: String) -> [Address] {
        let inside = [
            "127.0.0.1:\(trap.port)", "0x7f.1:\(trap.port)", "[::ffff:127.0.0.1]:\(trap.port)",
            "localhost:\(trap.port)", "10.0.0.1", "169.254.169.254", "inside-\(door).outside.test:\(trap.port)",
        ]
        return inside.map { Address(origin: "http://\($0)", leads: .straight) } + [
            Address(origin: "http://jumps-\(door).outside.test:\(trap.port)", leads: .jumping),
            Address(origin: "http://changes-\(door).outside.test:\(trap.port)", leads: .changing),
        ]
    }

    /// Whether the servers outside were asked by this door: its way leads to where its addresses say.
    func wasAsked(by door: String) -> Bool {
        visits.hosts.withLock { hosts in
            ["jumps", "changes"].allSatisfy { hosts.contains("\($0)-\(door).outside.test") }
        }
    }

    /// Answers what comes to hosts outside that do not send their callers on.
    func answer(with handler: @escaping Handler) { visits.handler.withLock { $0 = handler } }

    static func redirect(_ request: HTTPRequest, to origin: String) -> HTTPResponse {
        HTTPResponse(status: 307, headers: ["Location": origin + request.path])
    }

    /// Passes a request on and gives what comes back, with what JSON calls `name` being another text.
    func pass(
        _ request: HTTPRequest, to origin: String, naming name: String = "", _ text: String? = nil
    ) async throws -> HTTPResponse {
        let query = request.query.isEmpty ? "" : "?" + request.query
        var passed = HTTPClient.Request(
            request.method, origin + request.path + query, body: request.body, trust: .privateAllowed)
        for field in ["Content-Type", "User-Agent", "Authorization"] {
            passed.headers[field] = request.headers[field]
        }
        let answer = try await http.send(passed)
        var body = answer.body
        if let text {
            body = Array(
                String(decoding: body, as: UTF8.self)
                    .replacing(try Regex(#""\#(name)"\s*:\s*"[^"]*""#), with: #""\#(name)":"\#(text)""#).utf8)
        }
        var headers: HTTPHeaders = [:]
        for field in ["Content-Type", "Content-Disposition"] { headers[field] = answer.headers[field] }
        return HTTPResponse(status: answer.status, headers: headers, body: .bytes(body))
    }
}
