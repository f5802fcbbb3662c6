import Base
import Bitrix24
import Storage
import Synchronization
import TestSupport

@testable import BotPlatforms
@testable import Gateway

/// A data folder, a portal and a bot platform that outlive the gateways over them.
final class ModelWorld: Sendable {
    /// A gateway and all that goes with its process.
    struct Life: Sendable {
        let database: Database
        let store: Store
        let http: HTTPClient
        let gateway: Gateway
        let connection: ModelConnection
    }
    struct Records: Sendable {
        let bot: BotRecord
        let installation: InstallationRecord
        let portal: PortalRecord
    }

    let platform: ModelPlatform
    let portal: ModelPortal
    let records: Records
    /// Whether the platform can tell what became of a question.
    let finds: Bool
    private let folder: TemporaryFolder
    private let server: HTTPServer
    private let current: Mutex<Life>
    private let dead = Mutex<[Life]>([])

    init(seed: UInt64, finds: Bool) async throws {
        self.finds = finds
        let (platform, portal) = (ModelPlatform(seed: seed), ModelPortal(seed: seed ^ 1))
        (self.platform, self.portal) = (platform, portal)
        folder = try TemporaryFolder()
        server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: Stage.loops, log: .silent
        ) { try portal.answer($0) }
        let life = try await Self.begin(folder, port: server.port, platform, finds: finds)
        let (bot, installation, record) = try await Stage.configure(
            life.store, "http://127.0.0.1:\(server.port)", .second, [:], "bot")
        records = Records(bot: bot, installation: installation, portal: record)
        current = Mutex(life)
        await life.gateway.start()
    }

    private static func begin(
        _ folder: TemporaryFolder, port: Int, _ platform: ModelPlatform, finds: Bool
    ) async throws -> Life {
        let metrics = Metrics()
        let database = try await Database.open(path: folder.file("bitbot.db"), log: .silent, metrics: metrics)
        let store = try await Store(database: database, vault: Vault(key: [UInt8](repeating: 7, count: 32)))
        let origin = "http://127.0.0.1:\(port)"
        let http = HTTPClient(loops: Stage.loops, alwaysAllowed: [origin])
        let connection = ModelConnection(platform)
        let type = PlatformType(
            name: "dify_chatflow", displayName: "Model", defaultURL: "",
            make: { _ in
                if finds { return FindingConnection(connection: connection) }
                return connection
            })
        let gateway = Gateway(
            store: store, sessions: OwnSessionStore(),
            portals: Portals(
                store: store, http: http, authorization: AuthorizationServer(url: origin, http: http), clock: .system,
                log: .silent, metrics: metrics),
            platforms: Platforms(
                http: http, privateUpstreams: .admin, types: [type], clock: .system, log: .silent),
            settings: Gateway.Settings(), loops: Stage.loops, log: .silent, metrics: metrics)
        return Life(database: database, store: store, http: http, gateway: gateway, connection: connection)
    }

    var life: Life { current.withLock { $0 } }

    /// The process is gone between two instants: what is not in the store by then never will be.
    func kill() async throws {
        let former = life
        former.connection.die()
        await former.database.close()
        await former.http.shutdown()
        dead.withLock { $0.append(former) }
        try await liveOn()
        await former.gateway.stop(grace: .zero)
    }

    /// The process ends as it is asked to, and another begins.
    func restart() async throws {
        let former = life
        await former.gateway.stop(grace: .seconds(10))
        former.connection.die()
        await former.database.close()
        await former.http.shutdown()
        try await liveOn()
    }

    private func liveOn() async throws {
        let next = try await Self.begin(folder, port: server.port, platform, finds: finds)
        current.withLock { $0 = next }
        await next.gateway.start()
    }

    func end() async {
        await life.gateway.stop(grace: .zero)
        for life in dead.withLock({ $0 }) { life.connection.bury() }
        await life.http.shutdown()
        await life.database.close()
        await server.shutdown(grace: .zero)
    }

    // MARK: What the portal posts

    /// - Throws: what Bitrix24 is answered 503 for; it does not post that again.
    func post(_ event: String, _ message: Int, _ text: String, in dialog: String) async throws {
        var tree = try Example.second.tree()
        tree[path: ["event"]] = .string(event)
        tree[path: ["data", "chat", "dialogId"]] = .string(dialog)
        tree[path: ["data", "message", "text"]] = .string(text)
        tree[path: ["data", "message", "id"]] = .string("\(message)")
        if event == "ONIMBOTV2MESSAGEDELETE" {
            tree[path: ["data", "message"]] = .null
            tree[path: ["data", "messageId"]] = .string("\(message)")
        }
        let body = Array(Form.encode(tree).utf8)
        try await life.gateway.inbox.take(
            try PortalEvent(decoding: body, contentType: nil), addressed: records.bot,
            installation: records.installation, portal: records.portal)
    }

    /// How many events are known by an identity, or the beginning of one, in a state.
    func count(_ knownAs: String, _ state: String = "%") async throws -> Int64 {
        try await life.store.database.read {
            try $0.row(
                "SELECT count(*) FROM events WHERE known_as LIKE ? AND state LIKE ?", [.text(knownAs), .text(state)]
            ) { $0.integer(0) } ?? 0
        }
    }

    /// Work that is neither done nor given up.
    func openWork() async throws -> Int64 {
        try await life.store.database.read {
            try $0.row(
                """
                SELECT (SELECT count(*) FROM events WHERE state NOT IN ('done', 'failed'))
                    + (SELECT count(*) FROM outbox WHERE state NOT IN ('done', 'failed'))
                """
            ) { $0.integer(0) } ?? 0
        }
    }
}
