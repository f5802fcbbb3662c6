import Base
import Sandbox
import Synchronization

/// A small server with BitBot's outside: what the sandbox needs of the management API, and a bot that asks Dify and
/// answers. It stands where BitBot stands, so that the sandbox can be tested alone.
final class StandInBot: Sendable {
    struct State {
        var collections: [String: [JSON]] = [:]
        var nextID = 0
        /// From the installation's post.
        var accessToken = ""
        var restRoot = ""
        var conversations: [String: String] = [:]
        /// Whether an installation is confirmed.
        var confirms = true
    }

    static let token = Secret("stand-in-admin-token")
    static let eventSecret = Secret("stand-in-random-part-of-the-address")
    let state = Mutex(State())
    private let http: HTTPClient
    private let server = Mutex<HTTPServer?>(nil)

    init(http: HTTPClient) { self.http = http }

    func start(loops: EventLoopGroup) async throws {
        var router = Router()
        router.on(.get, "/readyz") { _ in .text("ready") }
        router.on(.get, "/api/v1/:collection") { [self] in try list($0) }
        router.on(.post, "/api/v1/:collection") { [self] in try await create($0) }
        router.on(.get, "/api/v1/:collection/:id") { [self] in try read($0) }
        router.on(.delete, "/api/v1/:collection/:id") { [self] in try remove($0) }
        router.on(.post, "/install/:app") { [self] in try install($0) }
        router.on(.post, "/events/:secret") { [self] request in
            Task { try await self.take(Form.decode(request.body)) }
            return .text("")
        }
        let handler = router.handler
        let started = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: .silent, handler: handler)
        server.withLock { $0 = started }
    }

    func stop() async { await server.withLock { $0 }?.shutdown(grace: .zero) }

    var url: String { "http://127.0.0.1:\(server.withLock { $0?.port ?? 0 })" }

    func items(_ collection: String) -> [JSON] { state.withLock { $0.collections[collection] ?? [] } }

    // MARK: The management API

    private func list(_ request: HTTPRequest) throws -> HTTPResponse {
        try checkToken(request)
        return answer(["items": .array(items(try request.parameter("collection"))), "next": nil])
    }

    private func read(_ request: HTTPRequest) throws -> HTTPResponse {
        try checkToken(request)
        let id: String = try request.parameter("id")
        guard let item = items(try request.parameter("collection")).first(where: { $0["id"]?.string == id }) else {
            throw HTTPError(404, "no such item")
        }
        return answer(item)
    }

    private func create(_ request: HTTPRequest) async throws -> HTTPResponse {
        try checkToken(request)
        let collection: String = try request.parameter("collection")
        var item = try JSON(parsing: request.body)
        let id = state.withLock { state in
            state.nextID += 1
            return String(state.nextID)
        }
        item["id"] = .string(id)
        if collection == "apps" {
            item["install_url"] = .string("\(url)/install/\(id)")
            item["settings_url"] = .string("\(url)/settings/\(id)")
        }
        if collection == "bots" { item["bot_id"] = try await register(item["name"]?.string ?? "", code: id) }
        let made = item
        state.withLock { $0.collections[collection, default: []].append(made) }
        return answer(item, status: 201)
    }

    /// An app takes its installations with it, a portal its bots too.
    private func remove(_ request: HTTPRequest) throws -> HTTPResponse {
        try checkToken(request)
        let collection: String = try request.parameter("collection")
        let id: String = try request.parameter("id")
        state.withLock { state in
            state.collections[collection]?.removeAll { $0["id"]?.string == id }
            if collection == "portals" {
                state.collections["installations"]?.removeAll { $0["portal_id"]?.string == id }
                state.collections["bots"] = []
            }
        }
        return HTTPResponse(status: 204)
    }

    private func checkToken(_ request: HTTPRequest) throws {
        guard request.headers["Authorization"] == "Bearer \(Self.token.reveal())" else {
            throw HTTPError(401, "wrong token")
        }
    }

    private func answer(_ json: JSON, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(json.bytes))
    }

    // MARK: The portal

    private func install(_ request: HTTPRequest) throws -> HTTPResponse {
        let post = try Form.decode(request.body)
        let domain = try Form.decode(request.query.utf8)["DOMAIN"]?.string ?? ""
        let app: String = try request.parameter("app")
        state.withLock { state in
            guard state.confirms else { return }
            state.accessToken = post["AUTH_ID"]?.string ?? ""
            state.restRoot = "http://\(domain)/rest/"
            state.nextID += 2
            let portal = String(state.nextID)
            state.collections["portals", default: []].append(["id": .string(portal)])
            state.collections["installations", default: []].append([
                "id": .string(String(state.nextID - 1)), "app_id": .string(app), "portal_id": .string(portal),
                "kind": "sandbox", "status": "active",
            ])
        }
        return .text("")
    }

    private func register(_ name: String, code: String) async throws -> JSON? {
        let fields: JSON = [
            "code": .string("stand-in-\(code)"), "properties": ["name": .string(name)], "eventMode": "webhook",
            "webhookUrl": .string(url + "/events/" + Self.eventSecret.reveal()),
        ]
        return try await call("imbot.v2.Bot.register", ["fields": fields])["result"]?["bot"]?["id"]
    }

    @discardableResult
    func call(_ method: String, _ parameters: JSON) async throws -> JSON {
        let (root, token) = state.withLock { ($0.restRoot, $0.accessToken) }
        var parameters = parameters
        parameters["auth"] = .string(token)
        let request = HTTPClient.Request(
            .post, root + method, headers: ["Content-Type": "application/json"], body: parameters.bytes,
            trust: .privateAllowed)
        return try JSON(parsing: try await http.send(request).body)
    }

    /// Shows that it types, asks Dify, and sends what Dify said with two buttons.
    private func take(_ event: JSON) async throws {
        guard event["event"]?.string == "ONIMBOTV2MESSAGEADD", let data = event["data"],
            let dialog = data["chat"]?["dialogId"]?.string, let bot = data["bot"]?["id"]?.string
        else { return }
        try await call("imbot.v2.Chat.InputAction.notify", ["botId": .string(bot), "dialogId": .string(dialog)])
        let text = try await ask(data["message"]?["text"]?.string ?? "", dialog: dialog, of: bot)
        let keyboard: JSON = [
            ["TEXT": "More", "ACTION": "SEND", "ACTION_VALUE": "More"], ["TYPE": "NEWLINE"],
            ["TEXT": "Site", "LINK": "https://example.com"],
        ]
        try await call(
            "imbot.v2.Chat.Message.send",
            [
                "botId": .string(bot), "dialogId": .string(dialog),
                "fields": ["message": .string(text), "keyboard": keyboard],
            ])
    }

    private func ask(_ query: String, dialog: String, of bot: String) async throws -> String {
        let body: JSON = [
            "query": .string(query), "inputs": [:], "user": .string(dialog), "response_mode": "blocking",
            "conversation_id": .string(state.withLock { $0.conversations[dialog] ?? "" }),
        ]
        let asked = items("bots").first { $0["bot_id"]?.integer.map(String.init) == bot }
        let connector = items("connectors").first { $0["id"] == asked?["connector_id"] }
        let provider = items("providers").first { $0["id"] == connector?["provider_id"] }
        let request = HTTPClient.Request(
            .post, (provider?["url"]?.string ?? "") + "/chat-messages",
            headers: [
                "Content-Type": "application/json",
                "Authorization": "Bearer \(connector?["key"]?.string ?? "")",
            ], body: body.bytes, trust: .privateAllowed)
        let answer = try JSON(parsing: try await http.send(request).body)
        let conversation = answer["conversation_id"]?.string
        state.withLock { $0.conversations[dialog] = conversation ?? $0.conversations[dialog] }
        return answer["answer"]?.string ?? answer["message"]?.string ?? ""
    }
}
