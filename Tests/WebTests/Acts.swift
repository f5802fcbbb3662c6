import Base
import Bitrix24
import Gateway
import Sandbox
import Storage
import TestSupport
import Testing

/// An answer as the tests look at it.
struct Reply {
    var status: Int
    var headers: HTTPHeaders
    var text: String
    /// `null` if the body is no JSON.
    var json: JSON { (try? JSON(parsing: text.utf8)) ?? .null }
    var code: String? { json["error"]?["code"]?.string }
    var fields: Members<JSON> { json["error"]?["fields"]?.object ?? [:] }
}

/// What administrators, Bitrix24 and strangers do.
extension Stage {
    func send(
        _ method: HTTPMethod, _ url: String, headers: HTTPHeaders = [:], body: [UInt8] = []
    ) async throws -> Reply {
        let url = url.hasPrefix("http") ? url : origin + url
        let request = HTTPClient.Request(method, url, headers: headers, body: body, trust: .privateAllowed)
        let answer = try await http.send(request)
        return Reply(
            status: answer.status, headers: answer.headers, text: String(decoding: answer.body, as: UTF8.self))
    }

    /// A call of the management API.
    func api(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, token: String? = nil
    ) async throws -> Reply {
        var headers: HTTPHeaders = ["Authorization": "Bearer \(token ?? adminToken.reveal())"]
        if body != nil { headers["Content-Type"] = "application/json" }
        return try await send(method, "/api/v1/" + path, headers: headers, body: body?.bytes ?? [])
    }

    func make(_ collection: String, _ body: JSON) async throws -> JSON {
        let reply = try await api(.post, collection, body)
        try #require(reply.status == 201, "\(reply.text)")
        return reply.json
    }

    func read(_ path: String) async throws -> JSON {
        let reply = try await api(.get, path)
        try #require(reply.status == 200, "\(reply.text)")
        return reply.json
    }

    func post(_ tree: JSON, to url: String) async throws -> Reply {
        try await post(Form.encode(tree), to: url)
    }

    func post(
        _ body: String, to url: String, type: String = "application/x-www-form-urlencoded"
    ) async throws -> Reply {
        try await send(.post, url, headers: ["Content-Type": type], body: Array(body.utf8))
    }

    /// An application that both sides know, not installed yet.
    func application(
        page: Bool = false, scope: [String] = ["imbot", "im", "imopenlines", "user_brief"]
    ) async throws -> (app: JSON, simulated: SimulatedPortal.Application) {
        let clientID = "local." + randomHexadecimal(digits: 12)
        let secret = "secret-" + randomHexadecimal(digits: 20)
        let app = try await make(
            "apps",
            ["name": "Support", "client_id": .string(clientID), "client_secret": .string(secret), "bitbot": true])
        let simulated = SimulatedPortal.Application(
            clientID: clientID, clientSecret: Secret(secret), installURL: try app.field("install_url"),
            pageURL: page ? try app.field("settings_url") : nil, scope: scope)
        return (app, simulated)
    }

    /// An application that is installed on the simulated portal.
    func installed(
        page: Bool = false, scope: [String] = ["imbot", "im", "imopenlines", "user_brief"]
    ) async throws -> Installed {
        let (app, simulated) = try await application(page: page, scope: scope)
        let answer = try await portal.install(simulated)
        try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        if page { try portal.installFinish(simulated.clientID) }
        let installation = try #require(try await read("installations")["items"]?.array?.first)
        return Installed(app: app, simulated: simulated, id: try installation.field("id"))
    }

    /// A bot of an installation, with the simulated Dify behind it unless told otherwise.
    func bot(
        of installed: Installed, name: String = "Helper", api: String = "v2", type: String = "bot",
        isConnected: Bool = true
    ) async throws -> JSON {
        var body: JSON = [
            "name": .string(name), "installation_id": .string(installed.id), "api": .string(api), "type": .string(type),
        ]
        if isConnected { body["connector_id"] = .string(try await connector().field("id")) }
        let bot = try await make("bots", body)
        try #require(bot["status"]?.string == "active", "\(bot.text)")
        return bot
    }

    func connector() async throws -> JSON {
        let provider = try await make(
            "providers", ["name": "Dify", "type": "dify_chatflow", "url": .string(dify.baseURL)])
        return try await make(
            "connectors",
            ["name": "Flow", "provider_id": try #require(provider["id"]), "key": .string(Stage.key.reveal())])
    }

    func status(of installed: Installed) async throws -> String? {
        try await read("installations/\(installed.id)")["status"]?.string
    }

    func notice(of installed: Installed) async throws -> String? {
        try await read("installations/\(installed.id)")["notice"]?.string
    }

    /// How many events the store holds.
    func storedEvents() async throws -> Int64 {
        try await store.database.read { try $0.row("SELECT count(*) FROM events", []) { $0.integer(0) } } ?? 0
    }
}

struct Installed {
    var app: JSON
    var simulated: SimulatedPortal.Application
    /// The installation's id.
    var id: String
    var clientID: String { simulated.clientID }
    var eventsURL: String { app["events_url"]?.string ?? "" }
}

extension JSON {
    func field(_ name: String) throws -> String { try #require(self[name]?.string, "no \(name) in \(text)") }
}
