import Base
import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

@Suite("The OpenAPI document")
struct OpenAPITests {
    @Test("every operation that it names can be called, and answers in the shape that it promises")
    func everyOperation() async throws {
        try await Stage.with { stage in
            let described = try await Described(stage)
            let installed = try await stage.installed()
            try await setUp(described, installed)
            let bot = try await bots(described, installed)
            try await dialogs(described, bot)
            try await tearDown(described, installed, bot)
            let configuration = try await described.call("export", path: [:])
            _ = try await described.call("import", configuration)
            try await signIn(described)
            #expect(described.notCalled == [], "operations that no test calls")
        }
    }

    private func signIn(_ api: Described) async throws {
        _ = try await api.call("token_for_code", ["code": .string(try await api.stage.oneTimeCode())])
        let password: JSON = "correct horse battery"
        _ = try await api.call(
            "choose_password", ["code": .string(try await api.stage.oneTimeCode()), "password": password])
        _ = try await api.call("sign_in", ["password": password])
        _ = try await api.call("read_session", path: [:])
        let token = try await api.call("create_token", ["name": "Script", "expires_in_days": 30])
        _ = try await api.call("list_tokens", path: [:])
        _ = try await api.call("delete_token", at: token)
        _ = try await api.call("sign_out", path: [:])
        _ = try await api.call("sign_out_everywhere", path: [:])
        #expect(try await api.call("list_changes", path: [:])["items"]?.array?.isEmpty == false)
        let ticket = try await api.stage.ticket(of: try await api.stage.installed(page: true))
        _ = try await api.call("renew_session", path: [:], token: ticket)
    }

    private func setUp(_ api: Described, _ installed: Installed) async throws {
        let app = try await api.call("create_app", ["name": "Another"])
        _ = try await api.call("read_app", at: app)
        _ = try await api.call("change_app", at: app, ["page_url": "https://example.com/"])
        _ = try await api.call("list_apps")
        _ = try await api.call("delete_app", at: app)
        let portal = try await api.call("create_portal", ["member_id": "another", "domain": "another.bitrix24.com"])
        _ = try await api.call("read_portal", at: portal)
        _ = try await api.call("change_portal", at: portal, ["limit": ["burst": 250, "per_second": 5]])
        _ = try await api.call("list_portals")
        _ = try await api.call("delete_portal", at: portal)
        let installedOn = try #require(try await api.call("list_portals")["items"]?.array?.first)
        _ = try await api.call("check_portal", at: installedOn)
        _ = try await api.call("repair_portal", at: installedOn)
        _ = try await api.call("list_channels", at: installedOn)
        let webhook = try await api.call(
            "create_installation", ["webhook_url": .string(api.stage.portal.addWebhook().reveal())])
        #expect(webhook["kind"] == "webhook" && webhook["webhook_url"] == "••••")
        _ = try await api.call("list_installations")
        _ = try await api.call("read_installation", path: ["id": installed.id])
        _ = try await api.call("change_installation", path: ["id": installed.id], ["notice": nil])
        let provider = try await api.call("create_provider", ["name": "Flows", "type": "dify_chatflow"])
        #expect(provider["url"] == "https://api.dify.ai/v1")
        #expect(provider["display_name"] == "Flows (Dify Chatflow)")
        _ = try await api.call("read_provider", at: provider)
        _ = try await api.call("list_providers")
        let connector = try await api.call(
            "create_connector", ["name": "Flow", "provider_id": try #require(provider["id"]), "key": "app-1234567890"])
        _ = try await api.call("read_connector", at: connector)
        _ = try await api.call("change_connector", at: connector, ["shared": true])
        _ = try await api.call("list_connectors")
        #expect(try await api.call("test_connector", at: connector, ["text": "Hello"])["well"] == false)
        let played = try await api.events("play", ["connector_id": try #require(connector["id"]), "text": "Hello"])
        #expect(played.map(\.name) == ["failed"])
        _ = try await api.call("list_platforms")
        _ = try await api.call("read_platform", path: ["id": "openai"])
        _ = try await api.call("delete_connector", at: connector)
        _ = try await api.call("change_provider", at: provider, ["name": "Other flows"])
        _ = try await api.call("delete_provider", at: provider)
    }

    private func bots(_ api: Described, _ installed: Installed) async throws -> JSON {
        let bot = try await api.call(
            "create_bot", ["name": "Helper", "type": "bot", "installation_id": .string(installed.id)])
        #expect(bot["status"] == "active", "\(bot.text)")
        _ = try await api.call("read_bot", at: bot)
        _ = try await api.call("change_bot", at: bot, ["name": "Helping hand"])
        _ = try await api.call("list_bots")
        let owner = ["bot_id": try bot.field("id")]
        let command = try await api.call(
            "create_command", path: owner,
            ["command": "help", "translations": [["language": "en", "title": "Helps", "params": "topic"]]])
        let path = owner.merging(["id": try command.field("id")], uniquingKeysWith: { $1 })
        _ = try await api.call("read_command", path: path)
        _ = try await api.call("list_commands", path: owner)
        _ = try await api.call("change_command", path: path, ["hidden": true])
        _ = try await api.call("delete_command", path: path)
        return bot
    }

    /// The bot has no connector: what is written to it fails and waits for the administrator.
    private func dialogs(_ api: Described, _ bot: JSON) async throws {
        let stage = api.stage
        let chat = try stage.portal.privateChat(of: 2, with: Int(try #require(bot["bot_id"]?.integer)))
        try stage.portal.employeeWrites("Hello?", as: 2, in: chat.id)
        try stage.portal.employeeWrites("Anybody?", as: 2, in: chat.id)
        await stage.portal.settle()
        try await eventually {
            try await stage.read("work")["items"]?.array?.filter { $0["state"] == "failed" }.count == 2
        }
        let work = try #require(try await api.call("list_work")["items"]?.array).filter { $0["state"] == "failed" }
        let dialog = try #require(try await api.call("list_dialogs")["items"]?.array?.first)
        _ = try await api.call("read_dialog", at: dialog)
        let line = try #require(try await api.call("list_messages", at: dialog)["items"]?.array?.first)
        let path = ["id": try dialog.field("id"), "message_id": try line.field("id")]
        #expect(try await api.call("read_exchange", path: path)["error"]?.string?.contains("connector") == true)
        _ = try await api.call("read_overview")
        _ = try await api.call("read_statistics")
        #expect(try await api.call("resume_dialog", at: dialog)["state"] == "bot")
        _ = try await api.call("retry_piece_of_work", at: work[0])
        _ = try await api.call("delete_piece_of_work", at: work[1])
        let happened = try await api.firstEvent("watch") {
            try stage.portal.employeeWrites("Still there?", as: 2, in: chat.id)
        }
        #expect(happened?.name == "happened")
        _ = try await api.call("delete_dialog", at: dialog)
    }

    private func tearDown(_ api: Described, _ installed: Installed, _ bot: JSON) async throws {
        _ = try await api.call("delete_bot", at: bot)
        _ = try await api.call("delete_installation", path: ["id": installed.id])
    }
}

/// The management API as its document describes it.
private final class Described: Sendable {
    struct Operation: Sendable {
        var method: HTTPMethod
        var path: String
        var description: JSON
    }

    let stage: Stage
    private let checker: SchemaChecker
    private let operations: [String: Operation]
    private let called = Mutex<Set<String>>([])

    init(_ stage: Stage) async throws {
        self.stage = stage
        let document = try await stage.send(.get, "/api/v1/openapi.json").json
        checker = SchemaChecker(document: document)
        var operations: [String: Operation] = [:]
        for (path, methods) in try #require(document["paths"]?.object) {
            for (method, description) in methods.object ?? [:] {
                let id = try description.field("operationId")
                #expect(operations[id] == nil, "\(id) is there twice")
                operations[id] = Operation(
                    method: HTTPMethod(rawValue: method.uppercased()), path: path, description: description)
            }
        }
        self.operations = operations
    }

    var notCalled: [String] { called.withLock { Set(operations.keys).subtracting($0).sorted() } }

    func call(_ id: String, at record: JSON, _ body: JSON? = nil) async throws -> JSON {
        try await call(id, path: ["id": try record.field("id")], body)
    }

    func call(_ id: String, _ body: JSON) async throws -> JSON { try await call(id, path: [:], body) }

    /// Calls an operation, which must succeed with the status that the document names.
    func call(
        _ id: String, path: [String: String] = [:], _ body: JSON? = nil, token: String? = nil
    ) async throws -> JSON {
        let operation = try #require(operations[id], "no operation \(id)")
        var url = operation.path
        for (name, value) in path { url = url.replacingOccurrences(of: "{\(name)}", with: value) }
        let token = "Bearer \(token ?? stage.adminToken.reveal())"
        if let body {
            let schema = operation.description["requestBody"]?["content"]?["application/json"]?["schema"]
            #expect(checker.problems(body, try #require(schema, "\(id) takes no body")) == [])
        }
        let reply = try await stage.send(
            operation.method, url, headers: ["Authorization": token], body: body?.bytes ?? [])
        let answer = try #require(operation.description["responses"]?["\(reply.status)"], "\(id): \(reply.text)")
        if let schema = answer["content"]?["application/json"]?["schema"] {
            #expect(checker.problems(reply.json, schema) == [], "\(id)")
        } else {
            #expect(reply.text.isEmpty)
        }
        called.withLock { _ = $0.insert(id) }
        return reply.json
    }

    /// Calls an operation that answers with events, to its end.
    func events(_ id: String, _ body: JSON) async throws -> [ServerSentEvent] {
        let operation = try #require(operations[id], "no operation \(id)")
        let reply = try await stage.send(operation.method, operation.path, headers: stage.signedIn, body: body.bytes)
        try #require(reply.status == 200, "\(reply.text)")
        var parser = ServerSentEventParser()
        let events = try parser.feed(Array(reply.text.utf8))
        for event in events { try check(event, of: operation) }
        called.withLock { _ = $0.insert(id) }
        return events
    }

    /// Calls an operation whose events have no end, and reads the first one that follows what is done.
    func firstEvent(_ id: String, after act: () throws -> Void) async throws -> ServerSentEvent? {
        let operation = try #require(operations[id], "no operation \(id)")
        var reader = EventReader(
            try await stage.stream(operation.method, String(operation.path.dropFirst("/api/v1/".count))))
        try act()
        let event = try await reader.next()
        if let event { try check(event, of: operation) }
        called.withLock { _ = $0.insert(id) }
        return event
    }

    private func check(_ event: ServerSentEvent, of operation: Operation) throws {
        let content = operation.description["responses"]?["200"]?["content"]?["text/event-stream"]
        let schema = try #require(content?["x-events"]?[event.name], "\(event.name) is not described")
        #expect(checker.problems(try JSON(parsing: event.data.utf8), schema) == [])
    }
}
