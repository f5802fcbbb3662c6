import Base
import Bitrix24
import Foundation
import Sandbox
import Storage
import Synchronization
import TestSupport
import Web

@testable import Gateway

/// A whole BitBot on a free port with a store of its own, a simulated Bitrix24 and a simulated Dify.
final class Stage: Sendable {
    static let loops = EventLoopGroup(count: 2)
    static let key = Secret("app-0123456789abcdef")

    let folder: TemporaryFolder
    let database: Database
    let store: Store
    let gateway: Gateway
    let metrics: Metrics
    let http: HTTPClient
    let authorization: SimulatedAuthorizationServer
    let portal: SimulatedPortal
    let dify: SimulatedDify
    let origin: String
    let adminToken = Secret("admin-token-of-this-test")
    let lines: LogLines
    private let server: HTTPServer
    private let control: HTTPHandler

    struct Options: Sendable {
        /// Whether BitBot takes the simulated authorization server for the sandbox's own instead of Bitrix24's.
        var isSandbox = false
        var portal = SimulatedPortal.Settings()
        var sessions: (any SessionStore)?
        /// Bitrix24 gave no keys to start with.
        init() {
            portal.limit = nil
            portal.sendDelay = .zero...(.zero)
        }
    }

    static func start(_ options: Options = Options()) async throws -> Stage {
        let log = LogLines()
        let authorization = try await SimulatedAuthorizationServer.start(loops: loops, log: .silent)
        let simulator = HTTPClient(loops: loops, userAgent: "Simulated Bitrix24")
        let portal = try await SimulatedPortal.start(
            settings: options.portal, authorization: authorization, loops: loops, http: simulator, log: .silent)
        let app = SimulatedDify.App(key: key) { ask in [.text("You said: \(ask.query)")] }
        let dify = try await SimulatedDify.start(apps: [app], loops: loops, log: .silent)
        return try await Stage(options, authorization, portal, dify, simulator, log)
    }

    private init(
        _ options: Options, _ authorization: SimulatedAuthorizationServer, _ portal: SimulatedPortal,
        _ dify: SimulatedDify, _ simulator: HTTPClient, _ lines: LogLines
    ) async throws {
        self.authorization = authorization
        self.portal = portal
        self.dify = dify
        self.lines = lines
        folder = try TemporaryFolder()
        metrics = Metrics()
        let log = Log(level: .debug) { lines.add($0) }
        database = try await Database.open(path: folder.file("bitbot.db"), log: log, metrics: metrics)
        store = try await Store(database: database, vault: try Vault(key: Vault.randomBytes(32)))
        http = HTTPClient(loops: Self.loops, alwaysAllowed: [authorization.origin, portal.origin, dify.origin])
        let late = Mutex<HTTPHandler?>(nil)
        let box = Late(late)
        server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: Self.loops, limits: Site.limits, log: log,
            handler: { try await box.answer($0) })
        origin = "http://127.0.0.1:\(server.port)"
        let official = options.isSandbox ? "http://127.0.0.1:1" : authorization.origin
        let bitrix = AuthorizationServer(
            url: official, alsoKnown: options.isSandbox ? [authorization.origin] : [], http: http)
        let portals = Portals(
            store: store, http: http, authorization: bitrix, clock: .system, log: log, metrics: metrics)
        let sessions = options.sessions ?? OwnSessionStore()
        gateway = Gateway(
            store: store, sessions: sessions, portals: portals,
            platforms: Platforms(http: http, privateUpstreams: .admin, clock: .system, log: log),
            settings: Self.settings, loops: Self.loops, log: log, metrics: metrics)
        let addresses = Addresses(publicURL: origin)
        let registrar = Registrar(store: store, portals: portals, addresses: addresses)
        let site = Site(
            Site.Parts(
                store: store, sessions: sessions, gateway: gateway,
                installer: Installer(
                    store: store, authorization: bitrix, portals: portals, addresses: addresses,
                    sandboxServers: options.isSandbox ? [authorization.origin] : [], log: log),
                registrar: registrar,
                webhooks: WebhookInstaller(
                    store: store, portals: portals, registrar: registrar, sandboxOrigins: [portal.origin], log: log),
                addresses: addresses, adminToken: adminToken, clock: .system, log: log, metrics: metrics))
        box.set(site.handler)
        control = site.controlHandler
        await gateway.start()
    }

    /// Bots that fetch their events are polled more often than Bitrix24 allows.
    private static var settings: Gateway.Settings {
        var settings = Gateway.Settings()
        settings.polling = .init(idle: .milliseconds(50), more: .milliseconds(20))
        return settings
    }

    func stop() async {
        gateway.live.finish()
        await server.shutdown(grace: .seconds(1))
        await gateway.stop(grace: .seconds(1))
        await portal.stop()
        await dify.shutdown()
        await authorization.stop()
        await http.shutdown()
        await database.close()
    }

    /// What another command asks over the socket in the data folder.
    func command(_ method: HTTPMethod, _ path: String) async throws -> JSON {
        let answer = try await control(HTTPRequest(method: method, path: path))
        guard case .bytes(let body) = answer.body else { return .null }
        return try JSON(parsing: body)
    }

    static func with<T>(
        _ options: Options = Options(), _ body: (Stage) async throws -> T
    ) async throws -> T {
        let stage = try await start(options)
        do {
            let result = try await body(stage)
            await stage.stop()
            return result
        } catch {
            await stage.stop()
            throw error
        }
    }
}

/// A handler that is known later than the server that asks it.
final class Late: Sendable {
    private let handler: Mutex<HTTPHandler?>
    init(_ handler: consuming Mutex<HTTPHandler?>) { self.handler = handler }
    func set(_ new: @escaping HTTPHandler) { handler.withLock { $0 = new } }
    func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let handler = handler.withLock({ $0 }) else { throw HTTPError(503, "not yet") }
        return try await handler(request)
    }
}

/// What was logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    func count(_ text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }
    func contains(_ text: String) -> Bool { lines.withLock { $0.contains { $0.contains(text) } } }
}
