import Base
import Bitrix24
import Dispatch
import Foundation
import Gateway
import Sandbox
import Storage
import Web

/// Runs the server until it is told to stop.
/// - Throws: an error whose description is one sentence for the operator.
func serve(_ configuration: Configuration) async throws {
    // From the first moment: a stop that comes while it starts is one too.
    let signals = Signals()
    let log = Log(level: configuration.logLevel)
    let metrics = Metrics()
    let folderLock = try await plainly("BITBOT_DATA_DIR") { try StoreLock(folder: configuration.dataFolder) }
    let vault = try await plainly("BITBOT_DATA_DIR") {
        try Vault.forDataFolder(configuration.dataFolder, environmentKey: configuration.secretKey)
    }
    let storeLock = try await plainly { try StoreLock(database: configuration.databasePath) }
    for path in StoreFiles.hideFromOthers(database: configuration.databasePath, folder: configuration.dataFolder) {
        log.warning("others can read what BitBot keeps: take that from them with chmod go-rwx", ["path": .text(path)])
    }
    let database = try await plainly {
        try await Database.open(path: configuration.databasePath, log: log, metrics: metrics)
    }
    let store = try await plainly { try await Store(database: database, vault: vault) }
    let loops = EventLoopGroup(count: configuration.threads)
    let server = try await Server(configuration, store: store, loops: loops, log: log, metrics: metrics)
    await signals.untilAsked()
    log.info("stopping")
    await server.stop()
    await database.close()
    withExtendedLifetime((folderLock, storeLock)) {}
}

/// A running server and what it stands on.
struct Server {
    let gateway: Gateway
    let http: HTTPClient
    let listeners: [HTTPServer]
    let redis: Redis?
    let sandbox: Sandbox?
    private let reconciling: Task<Void, Never>

    init(
        _ configuration: Configuration, store: Store, loops: EventLoopGroup, log: Log, metrics: Metrics
    ) async throws {
        let clock = WallClock.system
        // Somebody must be able to sign in: the sandbox itself does so, with a token that lives as long as the process.
        let adminToken = configuration.adminToken ?? (configuration.sandbox ? Secret(Vault.randomToken()) : nil)
        let sandbox =
            configuration.sandbox
            ? try await Sandbox.start(
                bitbot: configuration.publicURL, adminToken: adminToken ?? Secret(""), loops: loops, log: log) : nil
        let http = HTTPClient(loops: loops, alwaysAllowed: sandbox?.origins ?? [])
        let authorization = AuthorizationServer(
            url: configuration.oauthURL, alsoKnown: sandbox.map { [$0.authorization.origin] } ?? [], http: http)
        let portals = Portals(
            store: store, http: http, authorization: authorization, clock: clock, log: log, metrics: metrics)
        let platforms = Platforms(
            http: http, privateUpstreams: configuration.privateUpstreams, clock: clock, log: log)
        redis = configuration.redis.map { Redis($0, log: log) }
        let sessions: any SessionStore =
            if let redis {
                RedisSessionStore(redis: redis, store: store, clock: clock, log: log, metrics: metrics)
            } else {
                OwnSessionStore()
            }
        var settings = Gateway.Settings()
        settings.sessionTTL = configuration.sessionTTL
        settings.keepDays = configuration.keepDays
        let addresses = Addresses(publicURL: configuration.publicURL)
        gateway = Gateway(
            store: store, sessions: sessions, portals: portals, platforms: platforms, settings: settings, loops: loops,
            clock: clock,
            log: log, metrics: metrics)
        let registrar = Registrar(store: store, portals: portals, addresses: addresses, clock: clock)
        let reconciler = Reconciler(
            store: store, portals: portals, registrar: registrar, addresses: addresses, log: log)
        let site = Site(
            Site.Parts(
                store: store, sessions: sessions, gateway: gateway,
                installer: Installer(
                    store: store, authorization: authorization, portals: portals, addresses: addresses,
                    sandboxServers: sandbox.map { [$0.authorization.origin] } ?? [], clock: clock, log: log),
                registrar: registrar,
                webhooks: WebhookInstaller(
                    store: store, portals: portals, registrar: registrar,
                    sandboxOrigins: sandbox.map { [$0.portal.origin] } ?? [], clock: clock, log: log),
                addresses: addresses, adminToken: adminToken, sandbox: (sandbox?.page.origin).map { $0 + "/" },
                version: version, clock: clock, log: log, metrics: metrics))
        listeners = try await plainly {
            [
                try await HTTPServer.start(
                    on: .tcp(host: configuration.listenHost, port: configuration.listenPort), loops: loops,
                    limits: Site.limits, log: log, handler: site.handler),
                try await HTTPServer.start(
                    on: .unix(path: ControlSocket.path(configuration)), loops: loops, limits: ControlSocket.limits,
                    log: log, handler: site.controlHandler),
            ]
        }
        self.http = http
        self.sandbox = sandbox
        await gateway.start()
        reconciling = Task { await reconciler.repairAll() }
        try await sandbox?.connect()
        log.info("serving", ["address": .text(configuration.publicURL), "version": .text(version)])
        greet(configuration, signIn: try await site.firstSignInLink())
    }

    /// Finishes what is in flight: intake first, then what has been taken.
    func stop() async {
        // Whoever watches would hold the listeners open.
        gateway.live.finish()
        for listener in listeners { await listener.shutdown(grace: .seconds(10)) }
        reconciling.cancel()
        await gateway.stop(grace: .seconds(20))
        await sandbox?.stop()
        await http.shutdown()
        await redis?.shutdown()
    }

    private func greet(_ configuration: Configuration, signIn: Secret?) {
        if configuration.sandbox {
            say("BitBot with its sandbox is at \(configuration.publicURL): write there as a customer.")
            // Whoever reads this may play every part in the sandbox anyway.
            if let sandbox { say("An inbound webhook of its portal: \(sandbox.webhook.reveal())") }
        } else {
            say("BitBot is at \(configuration.publicURL).")
        }
        let program = ProcessInfo.processInfo.arguments.first ?? "bitbot"
        let reset = "\(program) admin reset --data-dir \(configuration.dataFolder)"
        if let signIn {
            say("To set it up, open this link within an hour; it works once: \(signIn.reveal())")
            say("For another link: \(reset)")
        } else {
            say("Its admin panel: \(configuration.publicURL)/admin/ (a forgotten password: \(reset))")
        }
    }
}

/// SIGTERM and SIGINT, which end the process no longer by themselves.
struct Signals {
    private let asked: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (asked, asking) = AsyncStream<Void>.makeStream()
        self.asked = asked
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { asking.yield() }
            source.activate()
            return source
        }
    }

    /// Returns when the process is asked to stop, or was since this was made; asked again, it ends at once.
    func untilAsked() async {
        for await _ in asked { break }
        for source in sources { source.cancel() }
        for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
    }
}

/// Says what stops the start in one sentence.
/// - Parameter variable: what names the files that are opened.
func plainly<T>(_ variable: String = "BITBOT_DATABASE_URL", _ body: () async throws -> T) async throws -> T {
    do { return try await body() } catch { throw plainSentence(error, variable) }
}

private func plainSentence(_ error: any Error, _ variable: String) -> any Error {
    switch error {
    case StoreError.locked(let path):
        ConfigurationError("\(variable): another BitBot is running on \(path)")
    case StoreError.wrongKey, VaultError.cannotOpen:
        ConfigurationError(
            "BITBOT_SECRET_KEY is not the key that this store was made with: give the former one, or the file secret.key"
        )
    case VaultError.badKey:
        ConfigurationError("BITBOT_SECRET_KEY must be 32 bytes in base64 (openssl rand -base64 32)")
    case StoreError.newerVersion(let found, let known):
        ConfigurationError(
            "The store has version \(found), this BitBot knows \(known): start the newer BitBot, or give another BITBOT_DATA_DIR"
        )
    case StoreError.cannotOpen(let path, let reason):
        ConfigurationError("\(variable): \(path) cannot be opened: \(reason)")
    case HTTPServerError.addressInUse(let address):
        ConfigurationError("BITBOT_LISTEN: \(address) is taken by another program")
    case HTTPServerError.cannotListen(let address, let reason):
        ConfigurationError("BITBOT_LISTEN: cannot listen on \(address): \(reason)")
    default: error
    }
}
