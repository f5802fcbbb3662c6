import Base
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Sandbox

/// A simulated portal with its authorization server, and an application's server that writes down what is posted to it.
final class PortalFixture: Sendable {
    static let loops = EventLoopGroup(count: 2)
    static let http = HTTPClient(loops: loops)

    let authorization: SimulatedAuthorizationServer
    let portal: SimulatedPortal
    let sink: EventSink

    static let clientID = "local.test"
    static let clientSecret = Secret("secret-of-the-application")

    init(
        settings: SimulatedPortal.Settings = .quick, tokens: SimulatedAuthorizationServer.Settings = .init()
    ) async throws {
        authorization = try await .start(settings: tokens, loops: Self.loops, log: .silent)
        portal = try await .start(
            settings: settings, authorization: authorization, loops: Self.loops, http: Self.http, log: .silent)
        sink = try await EventSink(loops: Self.loops)
    }

    /// Runs a test with a portal and stops it afterwards.
    static func run(
        settings: SimulatedPortal.Settings = .quick, tokens: SimulatedAuthorizationServer.Settings = .init(),
        _ body: (PortalFixture) async throws -> Void
    ) async throws {
        let fixture = try await PortalFixture(settings: settings, tokens: tokens)
        do {
            try await body(fixture)
        } catch {
            await fixture.stop()
            throw error
        }
        await fixture.stop()
    }

    private func stop() async {
        await portal.stop()
        await authorization.stop()
        await sink.stop()
    }

    var application: SimulatedPortal.Application {
        SimulatedPortal.Application(
            clientID: Self.clientID, clientSecret: Self.clientSecret, installURL: sink.url("/install"))
    }

    /// Installs the application and returns the administrator's tokens, as `ONAPPINSTALL` brought them.
    @discardableResult
    func install() async throws -> (access: String, refresh: String) {
        try await portal.install(application)
        let auth = try #require(sink.posts.last?.form["auth"])
        return (try #require(auth["access_token"]?.string), try #require(auth["refresh_token"]?.string))
    }

    /// Calls a method with JSON and the access token, or at a webhook's address.
    func call(
        _ method: String, _ parameters: JSON = [:], token: String? = nil, webhook: Secret? = nil
    ) async throws -> RESTAnswer {
        var body = parameters
        if let token { body["auth"] = .string(token) }
        let root = webhook?.reveal() ?? portal.clientEndpoint
        return try await send(
            .post, root + method, body: body.bytes, type: "application/json")
    }

    func send(_ method: HTTPMethod, _ url: String, body: [UInt8] = [], type: String? = nil) async throws -> RESTAnswer {
        var headers = HTTPHeaders()
        headers["Content-Type"] = type
        let answer = try await Self.http.send(
            HTTPClient.Request(method, url, headers: headers, body: body, trust: .privateAllowed))
        return RESTAnswer(status: answer.status, headers: answer.headers, json: try? JSON(parsing: answer.body))
    }

    /// Registers a second generation bot that is called at the sink.
    func registerBot(
        token: String, code: String = "helper", type: String = "openline", fields extra: Members<JSON> = [:]
    ) async throws -> Int {
        var fields: Members<JSON> = [
            "code": .string(code), "type": .string(type), "properties": ["name": "Helper"], "eventMode": "webhook",
            "webhookUrl": .string(sink.url("/bot")),
        ]
        fields.merge(extra)
        let answer = try await call("imbot.v2.Bot.register", ["fields": .object(fields)], token: token)
        return Int(try #require(answer.result?["bot"]?["id"]?.integer))
    }
}

extension SimulatedPortal.Settings {
    /// No limit and no waiting.
    static var quick: Self {
        var settings = Self()
        settings.limit = nil
        settings.sendDelay = .zero ... .zero
        return settings
    }
}

struct RESTAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var json: JSON?
    var result: JSON? { json?["result"] }
    var error: String? { json?["error"]?.string }
    /// The status and error code, `"200"` for a success.
    var outcome: String { error.map { "\(status) \($0)" } ?? String(status) }
}

/// An application's server: answers 200 and keeps what was posted.
final class EventSink: Sendable {
    struct Post: Sendable {
        var path: String
        var query: String
        var type: String
        var form: JSON
        var event: String { form["event"]?.string ?? "" }
        var data: JSON { form["data"] ?? .null }
    }

    private let received = Mutex<[Post]>([])
    private let server: HTTPServer

    init(loops: EventLoopGroup) async throws {
        let box = Box()
        server = try await HTTPServer.start(on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: .silent) {
            box.sink.withLock { $0 }?.take($0)
            return HTTPResponse(status: 200)
        }
        box.sink.withLock { $0 = self }
    }

    private final class Box: Sendable { let sink = Mutex<EventSink?>(nil) }

    var posts: [Post] { received.withLock { $0 } }
    func posts(of event: String) -> [Post] { posts.filter { $0.event == event } }
    func url(_ path: String) -> String { "http://127.0.0.1:\(server.port)\(path)" }
    func stop() async { await server.shutdown(grace: .zero) }

    private func take(_ request: HTTPRequest) {
        let type = request.headers["Content-Type"] ?? ""
        let form = type == "application/json" ? try? JSON(parsing: request.body) : try? Form.decode(request.body)
        received.withLock {
            $0.append(Post(path: request.path, query: request.query, type: type, form: form ?? .null))
        }
    }

    /// Waits for an event and returns the first of its name.
    func first(_ event: String) async throws -> Post {
        try await eventually { !posts(of: event).isEmpty }
        return try #require(posts(of: event).first)
    }
}

/// The documentation's examples as data.
enum Examples {
    static func load(_ name: String) -> [JSON] {
        let url = Bundle.module.url(forResource: "Fixtures/" + name, withExtension: "json")
        let data = url.flatMap { try? Data(contentsOf: $0) } ?? Data()
        return (try? JSON(parsing: data))?.array ?? []
    }

    /// Where an answer lacks what the documented one has, or has another type there.
    static func differences(_ documented: JSON, _ actual: JSON?, at path: String = "result") -> [String] {
        guard let actual else { return ["\(path) is missing"] }
        switch (documented, actual) {
        case (.null, _), (.bool, .bool), (.string, .string): return []
        case (.integer, .integer), (.integer, .number), (.number, .integer), (.number, .number): return []
        case (.array(let wanted), .array(let found)):
            guard let first = wanted.first, let shown = found.first else { return [] }
            return differences(first, shown, at: path + "[0]")
        case (.object(let wanted), .object(let found)):
            let isMap = !wanted.isEmpty && wanted.keys.allSatisfy { Int($0) != nil }
            if isMap, let first = wanted.first, let shown = found.first {
                return differences(first.value, shown.value, at: path + ".{id}")
            }
            return wanted.sorted { $0.key < $1.key }.flatMap {
                differences($0.value, found[$0.key], at: path + "." + $0.key)
            }
        // PHP writes an empty map as a list.
        case (.object(let wanted), .array(let found)) where wanted.isEmpty && found.isEmpty: return []
        case (.array(let wanted), .object(let found)) where wanted.isEmpty && found.isEmpty: return []
        default: return ["\(path) is \(actual.text.prefix(40)), documented is \(documented.text.prefix(40))"]
        }
    }
}
