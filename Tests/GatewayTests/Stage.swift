import Base
import Bitrix24
import Foundation
import Storage
import Synchronization
import TestSupport

@testable import BotPlatforms
@testable import Gateway

/// A gateway on a real store, with one server that plays the portal and Dify and remembers what it was asked.
final class Stage: Sendable {
    struct Seen: Sendable {
        /// Questions that Dify was asked.
        var questions: [String] = []
        /// REST methods with the text that they were to say.
        var sends: [(method: String, text: String)] = []
        /// REST calls with their parameters.
        var calls: [(method: String, parameters: JSON)] = []
        var faults = 0
        /// What was told with the questions as `OPERATOR_TRANSCRIPT`.
        var transcripts: [String?] = []
        /// Refresh tokens that were used.
        var renewals: [String] = []
    }
    static let loops = EventLoopGroup(count: 2)

    let store: Store
    /// Answers instead of Dify, if the test wants that.
    let platform: FakePlatform?
    private let running: Mutex<Gateway>
    private let makeGateway: @Sendable () -> Gateway
    let bot: BotRecord
    let installation: InstallationRecord
    let portal: PortalRecord
    private let seen: Memory
    private let server: HTTPServer
    private let folder: TemporaryFolder

    /// What the server and the log remember.
    final class Memory: Sendable {
        let state = Mutex(Seen())
        /// Questions that Dify answers only when the test says.
        let held = Mutex<Set<String>>([])
        /// What is answered under `/files/`, one after another, the last again and again.
        let files = Mutex<[String: [HTTPResponse]]>([:])
        /// Errors that REST methods answer once.
        let refusals = Mutex<[String: HTTPResponse]>([:])
    }

    /// - Parameter holding: questions that Dify does not answer before ``release(_:)``.
    /// - Parameter settings: the bot's.
    /// - Parameter type: the bot's.
    init(
        generation: BotGeneration = .second, holding: Set<String> = [], settings: JSON = [:], type: String = "openline",
        platform: FakePlatform? = nil
    ) async throws {
        self.platform = platform
        let memory = Memory()
        memory.held.withLock { $0 = holding }
        seen = memory
        folder = try TemporaryFolder()
        server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: Self.loops, log: .silent
        ) { try await Self.answer($0, memory) }
        let origin = "http://127.0.0.1:\(server.port)"
        let log = Log(level: .error) { _ in memory.state.withLock { $0.faults += 1 } }
        let metrics = Metrics()
        let database = try await Database.open(path: folder.file("bitbot.db"), log: log, metrics: metrics)
        store = try await Store(database: database, vault: Vault(key: [UInt8](repeating: 7, count: 32)))
        let http = HTTPClient(loops: Self.loops, alwaysAllowed: [origin])
        let portals = Portals(
            store: store, http: http, authorization: AuthorizationServer(url: origin, http: http), clock: .system,
            log: log, metrics: metrics)
        let types = platform.map { platform in
            [PlatformType(name: "dify_chatflow", displayName: "Fake", defaultURL: "", make: { _ in platform })]
        }
        let makeGateway = { @Sendable [store] in
            Gateway(
                store: store, sessions: OwnSessionStore(), portals: portals,
                platforms: Platforms(
                    http: http, privateUpstreams: .admin, types: types ?? PlatformType.all, clock: .system, log: log),
                settings: Gateway.Settings(), loops: Self.loops, log: log, metrics: metrics)
        }
        self.makeGateway = makeGateway
        running = Mutex(makeGateway())
        (bot, installation, portal) = try await Self.configure(store, origin, generation, settings, type)
    }

    var gateway: Gateway { running.withLock { $0 } }

    /// Another gateway takes over the store.
    func restart() async {
        await gateway.stop(grace: .zero)
        running.withLock { $0 = makeGateway() }
        await gateway.start()
    }

    static func configure(
        _ store: Store, _ origin: String, _ generation: BotGeneration, _ settings: JSON, _ type: String
    ) async throws -> (BotRecord, InstallationRecord, PortalRecord) {
        let now = WallClock.system.now
        let app = try await store.createApp(
            name: "App", clientID: "local.1", clientSecret: Secret("client-secret"), bitbot: true, pageURL: nil,
            sandbox: false, now: now)
        let installation = try await store.saveInstallation(
            ConfirmedInstallation(
                memberID: "bac1cd5c8940947a75e0d71b1a84e348", domain: "some-domain.bitrix24.com", appID: app.id,
                sandbox: false, scope: "imbot", clientEndpoint: origin + "/rest/", serverEndpoint: origin + "/rest/",
                applicationToken: Secret("application-token"), userID: "1", admin: true,
                accessToken: Secret("access-token"), refreshToken: Secret("refresh-token"),
                expiresAt: now + .seconds(3600)), now: now)
        let portal = try await store.update(installation.portalID) { portal in
            portal.limitPerSecond = 0
            return portal
        }
        let provider = try await store.createProvider(
            name: "Dify", type: "dify_chatflow", url: origin + "/v1", now: now)
        var connector = ConnectorDraft(providerID: provider.id, name: "Support")
        connector.key = Secret("app-key")
        var draft = BotDraft(installationID: installation.id, name: "Bot", code: "bot")
        draft.connectorID = try await store.createConnector(connector, now: now).id
        draft.api = generation.rawValue
        draft.settings = settings
        draft.type = type
        let bot = try await store.update(try await store.createBot(draft, now: now).id, now: now) { bot in
            bot.botID = generation == .first ? 567 : 456
            bot.status = .active
            bot.settings = settings
            return bot
        }
        return (bot, installation, portal)
    }

    func stop() async {
        await gateway.stop(grace: .seconds(1))
        await server.shutdown(grace: .zero)
        await store.database.close()
    }

    static func with(
        generation: BotGeneration = .second, holding: Set<String> = [], settings: JSON = [:],
        type: String = "openline", platform: FakePlatform? = nil, _ body: (Stage) async throws -> Void
    ) async throws {
        let stage = try await Stage(
            generation: generation, holding: holding, settings: settings, type: type, platform: platform)
        do {
            try await body(stage)
            await stage.stop()
        } catch {
            await stage.stop()
            throw error
        }
    }

    // MARK: What a test does

    func release(_ question: String) { seen.held.withLock { _ = $0.remove(question) } }

    /// The documentation's example of a message, with other words.
    /// - Parameter isInternal: in a chat of the portal's own people; else in an open channel.
    func say(
        _ text: String, id: Int, in dialog: String = "chat5", isInternal: Bool = false,
        _ change: (inout JSON) -> Void = { _ in }
    ) async throws {
        let isFirst = bot.api == "v1"
        var tree = try (isFirst ? Example.firstPrivate : .second).tree()
        if isFirst {
            tree[path: ["data", "PARAMS", "MESSAGE"]] = .string(text)
            tree[path: ["data", "PARAMS", "MESSAGE_ID"]] = .string("\(id)")
            tree[path: ["data", "PARAMS", "DIALOG_ID"]] = .string(dialog)
        } else {
            tree[path: ["data", "message", "text"]] = .string(text)
            tree[path: ["data", "message", "id"]] = .string("\(id)")
            tree[path: ["data", "chat", "dialogId"]] = .string(dialog)
            if !isInternal {
                tree[path: ["data", "chat", "entityType"]] = "LINES"
                tree[path: ["data", "user", "connector"]] = "1"
            }
        }
        change(&tree)
        try await take(tree)
    }

    /// An event as Bitrix24 posts it.
    func take(_ tree: JSON) async throws {
        let body = Array(Form.encode(tree).utf8)
        try await gateway.inbox.take(
            try PortalEvent(decoding: body, contentType: nil), addressed: bot, installation: installation,
            portal: portal)
    }

    func run(_ sql: String) async throws { try await store.database.write { _ = try $0.run(sql) } }

    func count(_ rows: String) async throws -> Int64 {
        try await store.database.read { try $0.row("SELECT count(*) FROM \(rows)") { $0.integer(0) } } ?? 0
    }

    var questions: [String] { seen.state.withLock { $0.questions } }
    var sends: [String] { seen.state.withLock { $0.sends.map(\.text) } }
    var methods: [String] { seen.state.withLock { $0.sends.map(\.method) } }
    var transcripts: [String?] { seen.state.withLock { $0.transcripts } }
    var calls: [(method: String, parameters: JSON)] { seen.state.withLock { $0.calls } }

    var renewals: [String] { seen.state.withLock { $0.renewals } }

    /// Puts a file where the bot's own server has its files.
    func serve(_ name: String, _ answers: HTTPResponse...) -> String {
        seen.files.withLock { $0["/files/\(name)"] = answers }
        return "http://127.0.0.1:\(server.port)/files/\(name)"
    }

    /// The next call of a method is refused.
    func refuse(_ method: String, _ code: String, status: Int = 400) {
        let answer: JSON = ["error": .string(code), "error_description": "No"]
        seen.refusals.withLock {
            $0[method] = HTTPResponse(
                status: status, headers: ["Content-Type": "application/json"], body: .bytes(answer.bytes))
        }
    }

    /// Errors that were logged.
    var faults: Int { seen.state.withLock { $0.faults } }

    // MARK: The other side

    private static func answer(_ request: HTTPRequest, _ memory: Memory) async throws -> HTTPResponse {
        switch request.path {
        case "/v1/parameters":
            let form: JSON = ["text-input": ["variable": "OPERATOR_TRANSCRIPT", "label": "", "required": false]]
            return json(["user_input_form": [form]])
        case "/v1/chat-messages":
            let body = try JSON(parsing: request.body)
            let question = body["query"]?.string ?? ""
            memory.state.withLock {
                $0.questions.append(question)
                $0.transcripts.append(body["inputs"]?["OPERATOR_TRANSCRIPT"]?.string)
            }
            if question == "Fail" { return HTTPResponse(status: 400, body: .bytes(Array("{}".utf8))) }
            while memory.held.withLock({ $0.contains(question) }) { try await Task.sleep(for: .milliseconds(2)) }
            return events(question)
        case "/oauth/token/":
            let token = try Form.decode(request.query.utf8)["refresh_token"]?.string ?? ""
            memory.state.withLock { $0.renewals.append(token) }
            return json(["access_token": "renewed", "refresh_token": .string("next " + token), "expires_in": 3600])
        case _ where request.path.hasPrefix("/rest/"):
            let body = try JSON(parsing: request.body)
            let text = (body["fields"]?["message"] ?? body["MESSAGE"])?.string ?? ""
            let method = String(request.path.dropFirst(6))
            memory.state.withLock {
                // A slow machine may show that the bot is typing.
                if !method.contains("InputAction") { $0.sends.append((method, text)) }
                $0.calls.append((method, body))
            }
            if let refusal = memory.refusals.withLock({ $0.removeValue(forKey: method) }) { return refusal }
            return json(["result": history[request.path] ?? ["id": 1, "messageId": 2], "time": [:]])
        case _ where request.path.hasPrefix("/files/"):
            return memory.files.withLock { files in
                let answers = files[request.path] ?? []
                if answers.count > 1 { files[request.path] = Array(answers.dropFirst()) }
                return answers.first ?? HTTPResponse(status: 404)
            }
        default: return json(["data": []])
        }
    }

    /// Session 343 as an operator held it.
    private static let history: Members<JSON> = [
        "/rest/imopenlines.session.history.get": [
            "message": [
                "12": ["id": "12", "senderid": "27", "text": "I see"],
                "13": ["id": "13", "senderid": "587", "text": "Thanks"],
            ],
            "users": ["27": ["connector": false, "bot": false], "587": ["connector": true, "bot": false]],
        ]
    ]

    private static func json(_ value: JSON) -> HTTPResponse {
        HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: .bytes(value.bytes))
    }

    private static func events(_ question: String) -> HTTPResponse {
        let ids: JSON = [
            "conversation_id": "c0000000-0000-4000-8000-000000000001", "message_id": "m1", "task_id": "t1",
        ]
        var text = ""
        for (name, answer) in [("message", "You said: \(question)"), ("message_end", "")] {
            var event = ids
            event["event"] = .string(name)
            event["answer"] = .string(answer)
            text += "data: \(event.text)\n\n"
        }
        return HTTPResponse(
            status: 200, headers: ["Content-Type": "text/event-stream"], body: .bytes(Array(text.utf8)))
    }
}
