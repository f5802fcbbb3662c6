import Base
import Foundation
import Sandbox

struct LoadPlan: Sendable {
    var messages: Int
    var dialogs: Int
    var inFlight: Int
    /// Messages a second at most; `nil`: as fast as it goes.
    var rate: Double?
}

/// BitBot as a child, connected to parties simulated here whose limits are off.
struct LoadRun: Sendable {
    let process: MeasuredProcess
    let portal: SimulatedPortal
    let dify: SimulatedDify
    let management: Management
    let line: Int

    static func start(bitbot: String) async throws -> LoadRun {
        let loops = EventLoopGroup(count: 1)
        let log = Log(level: .error)
        let http = HTTPClient(loops: loops, alwaysAllowed: [])
        let authorization = try await SimulatedAuthorizationServer.start(loops: loops, log: log)
        var settings = SimulatedPortal.Settings()
        settings.limit = nil
        settings.sendDelay = .zero...(.zero)
        settings.messagesKept = 4
        settings.logEntries = 10
        let portal = try await SimulatedPortal.start(
            settings: settings, authorization: authorization, loops: loops, http: http, log: log)
        let key = Secret("app-load")
        let dify = try await SimulatedDify.start(apps: [], loops: loops, log: log)
        dify.put(
            SimulatedDify.App(key: key, name: "Load", script: { [.text("You said "), .text($0.query), .text(".")] }))
        let port = 18_080
        let token = Secret(Vault.randomToken())
        let process = try MeasuredProcess(
            bitbot, ["serve"],
            [
                "BITBOT_LISTEN": "127.0.0.1:\(port)", "BITBOT_ADMIN_TOKEN": token.reveal(),
                "BITBOT_OAUTH_URL": authorization.origin, "BITBOT_LOG_LEVEL": "warning",
            ])
        let management = Management(url: "http://127.0.0.1:\(port)", token: token, http: http)
        let line = try await connect(portal: portal, dify: dify, key: key, management: management)
        return LoadRun(process: process, portal: portal, dify: dify, management: management, line: line)
    }

    /// - Returns: an open channel with the bot attached.
    private static func connect(
        portal: SimulatedPortal, dify: SimulatedDify, key: Secret, management: Management
    ) async throws -> Int {
        try await management.waitUntilReady()
        _ = try await management.create(
            "portals",
            [
                "member_id": .string(portal.settings.memberID), "domain": .string(portal.domain), "allow_private": true,
                "limit": ["burst": 50, "per_second": 0],
            ])
        let application = SimulatedPortal.Application(
            clientID: "local.load", clientSecret: Secret("load-secret"), installURL: "")
        let app = try await management.create(
            "apps",
            [
                "name": "Load", "client_id": .string(application.clientID),
                "client_secret": .string(application.clientSecret.reveal()), "bitbot": true,
            ])
        var installed = application
        installed.installURL = app["events_url"]?.string ?? ""
        _ = try await portal.install(installed)
        let installation = try await management.first("installations")
        let provider = try await management.create(
            "providers", ["name": "Dify", "type": "dify_chatflow", "url": .string(dify.baseURL)])
        let connector = try await management.create(
            "connectors", ["provider_id": provider["id"] ?? .null, "name": "Load", "key": .string(key.reveal())])
        let bot = try await management.create(
            "bots",
            [
                "name": "Load", "installation_id": installation["id"] ?? .null,
                "connector_id": connector["id"] ?? .null,
                "type": "openline",
            ])
        guard let botID = bot["bot_id"]?.integer else {
            throw LoadError(message: "the bot is not registered: \(bot.text)")
        }
        return portal.createOpenChannel("Load", bot: Int(botID))
    }

    func stop() { process.stop() }

    /// Keeps `inFlight` messages under way until all are answered.
    func measure(_ plan: LoadPlan, title: String) async {
        let chats = (0..<plan.dialogs).compactMap { try? portal.startDialog(line: line, customer: "C\($0)").id }
        let before = process.reading
        let sentBefore = portal.sentByBots
        let started = ContinuousClock.now
        var written = 0
        while portal.sentByBots - sentBefore < plan.messages {
            let answered = portal.sentByBots - sentBefore
            let due = plan.rate.map { Int($0 * ((ContinuousClock.now - started) / .seconds(1))) } ?? plan.messages
            while written < min(plan.messages, due), written - answered < plan.inFlight {
                _ = try? portal.customerWrites("Hello number \(written)", in: chats[written % chats.count])
                written += 1
            }
            try? await Task.sleep(for: .milliseconds(2))
            if ContinuousClock.now - started > .seconds(120) {
                print("  stuck at \(portal.sentByBots - sentBefore) of \(plan.messages)")
                break
            }
        }
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let after = process.reading
        let cpu = (after.cpuSeconds - before.cpuSeconds) / Double(plan.messages) * 1_000_000
        print(
            "\(title): \(plan.messages) messages, \(plan.dialogs) dialogs, \(plan.inFlight) in flight: "
                + "\(Int(Double(plan.messages) / seconds)) messages/s, \(Int(cpu)) µs CPU per message, "
                + "\(after.residentBytes / 1_048_576) MB")
    }

    /// One message at a time.
    func measureLatency(messages: Int) async {
        guard let chat = try? portal.startDialog(line: line, customer: "Latency").id else { return }
        var times: [Double] = []
        for number in 0..<messages {
            let before = portal.sentByBots
            let started = ContinuousClock.now
            _ = try? portal.customerWrites("One \(number)", in: chat)
            while portal.sentByBots == before { try? await Task.sleep(for: .microseconds(200)) }
            times.append((ContinuousClock.now - started) / .milliseconds(1))
        }
        times.sort()
        func at(_ part: Double) -> String { String(format: "%.1f", times[Int(Double(times.count - 1) * part)]) }
        print("one at a time, customer to delivered reply: p50 \(at(0.5)) ms, p95 \(at(0.95)) ms, p99 \(at(0.99)) ms")
    }
}

struct LoadError: Error { var message: String }

/// BitBot's management API.
struct Management: Sendable {
    let url: String
    let token: Secret
    let http: HTTPClient

    func create(_ collection: String, _ body: JSON) async throws -> JSON {
        let answer = try await send(.post, collection, body.bytes)
        guard answer.status == 201 else {
            throw LoadError(message: "\(collection): \(String(decoding: answer.body, as: UTF8.self))")
        }
        return try JSON(parsing: answer.body)
    }

    func first(_ collection: String) async throws -> JSON {
        let answer = try JSON(parsing: try await send(.get, collection, []).body)
        guard let first = answer["items"]?.array?.first else { throw LoadError(message: "no \(collection)") }
        return first
    }

    func waitUntilReady() async throws {
        for _ in 0..<200 {
            if let answer = try? await http.send(.init(.get, url + "/readyz", trust: .privateAllowed)),
                answer.status == 200
            {
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw LoadError(message: "BitBot does not become ready")
    }

    private func send(_ method: HTTPMethod, _ collection: String, _ body: [UInt8]) async throws -> HTTPClient.Answer {
        try await http.send(
            HTTPClient.Request(
                method, "\(url)/api/v1/\(collection)",
                headers: ["Authorization": "Bearer \(token.reveal())", "Content-Type": "application/json"], body: body,
                trust: .privateAllowed))
    }
}
