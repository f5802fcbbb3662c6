import Base
import Bitrix24
import Gateway
import Storage

/// Everything that this server answers over HTTP, put together.
public struct Site: Sendable {
    /// What the routes stand on.
    public struct Parts: Sendable {
        public var store: Store
        public var sessions: any SessionStore
        public var gateway: Gateway
        public var installer: Installer
        public var registrar: Registrar
        public var webhooks: WebhookInstaller
        public var addresses: Addresses
        public var adminToken: Secret?
        public var clock: WallClock
        public var log: Log
        public var metrics: Metrics
        public init(
            store: Store, sessions: any SessionStore, gateway: Gateway, installer: Installer, registrar: Registrar,
            webhooks: WebhookInstaller, addresses: Addresses, adminToken: Secret?, clock: WallClock, log: Log,
            metrics: Metrics
        ) {
            self.store = store
            self.sessions = sessions
            self.gateway = gateway
            self.installer = installer
            self.registrar = registrar
            self.webhooks = webhooks
            self.addresses = addresses
            self.adminToken = adminToken
            self.clock = clock
            self.log = log
            self.metrics = metrics
        }
    }

    private let parts: Parts
    /// Where `/` leads: the sandbox's page, if there is one.
    private let front: String
    private let testEvents = TestEvents()

    public init(_ parts: Parts, front: String = "/admin/") {
        self.parts = parts
        self.front = front
    }

    /// What the public sees.
    public var handler: HTTPHandler {
        var router = Router()
        router.wrap(Self.safeHeaders)
        let sender = EventSender(
            store: parts.store, clock: parts.clock, log: parts.log,
            refused: parts.metrics.counter(
                "bitbot_refused_events_total", help: "Events that were not Bitrix24's, by reason"))
        let events = EventRoutes(
            store: parts.store, inbox: parts.gateway.inbox, installer: parts.installer, testEvents: testEvents,
            sender: sender, log: parts.log)
        events.add(to: &router)
        InstallRoutes(store: parts.store, installer: parts.installer, events: events, log: parts.log).add(to: &router)
        ManagementAPI(
            store: parts.store, sessions: parts.sessions, gateway: parts.gateway,
            playground: Playground(vault: parts.store.vault, platforms: parts.gateway.platforms),
            registrar: parts.registrar, webhooks: parts.webhooks, doctor: doctor, addresses: parts.addresses,
            adminToken: parts.adminToken, clock: parts.clock, log: parts.log
        ).add(to: &router)
        HealthRoutes(store: parts.store, sessions: parts.sessions, metrics: parts.metrics).add(to: &router)
        SignInPage.add(to: &router)
        let front = front
        router.on(.get, "/") { _ in HTTPResponse(status: 302, headers: ["Location": front]) }
        return router.handler
    }

    /// What the other commands ask over the socket in the data folder; who can open that file is the administrator.
    public var controlHandler: HTTPHandler {
        ControlRoutes(parts: parts, doctor: doctor).handler
    }

    private var doctor: Doctor {
        Doctor(
            store: parts.store, portals: parts.gateway.portals, addresses: parts.addresses, testEvents: testEvents,
            clock: parts.clock)
    }

    private static let safeHeaders: HTTPMiddleware = { request, next in
        var response = try await next(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
    }
}
