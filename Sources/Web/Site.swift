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
        /// The sandbox's page, where it runs: `/` leads there.
        public var sandbox: String?
        /// The program's.
        public var version: String
        public var clock: WallClock
        public var log: Log
        public var metrics: Metrics
        public init(
            store: Store, sessions: any SessionStore, gateway: Gateway, installer: Installer, registrar: Registrar,
            webhooks: WebhookInstaller, addresses: Addresses, adminToken: Secret?, sandbox: String? = nil,
            version: String = "", clock: WallClock,
            log: Log, metrics: Metrics
        ) {
            self.store = store
            self.sessions = sessions
            self.gateway = gateway
            self.installer = installer
            self.registrar = registrar
            self.webhooks = webhooks
            self.addresses = addresses
            self.adminToken = adminToken
            self.sandbox = sandbox
            self.version = version
            self.clock = clock
            self.log = log
            self.metrics = metrics
        }
    }

    private let parts: Parts
    private let testEvents = TestEvents()

    public init(_ parts: Parts) { self.parts = parts }

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
        InstallRoutes(
            store: parts.store, installer: parts.installer, events: events, tickets: tickets, log: parts.log
        ).add(to: &router)
        ManagementAPI(
            store: parts.store, sessions: parts.sessions, gateway: parts.gateway,
            playground: Playground(vault: parts.store.vault, platforms: parts.gateway.platforms),
            registrar: parts.registrar, webhooks: parts.webhooks, installer: parts.installer, doctor: doctor,
            addresses: parts.addresses,
            authentication: Authentication(
                store: parts.store, adminToken: parts.adminToken, tickets: tickets, clock: parts.clock),
            sandbox: parts.sandbox, version: parts.version, clock: parts.clock, log: parts.log
        ).add(to: &router)
        HealthRoutes(store: parts.store, sessions: parts.sessions, metrics: parts.metrics).add(to: &router)
        AdminPage.add(to: &router)
        PageFiles.all.add(to: &router)
        GuidePages.all.add(to: &router)
        let front = parts.sandbox ?? "/admin/"
        router.on(.get, "/") { _ in HTTPResponse(status: 302, headers: ["Location": front]) }
        return router.handler
    }

    /// What the public may send.
    public static var limits: HTTPServer.Limits {
        var limits = HTTPServer.Limits()
        limits.bodyRefusal = { ManagementAPI.refusal(ofBodyTo: $0) }
        return limits
    }

    /// A link that signs in once, within an hour; `nil` where the administrator has chosen a password already.
    public func firstSignInLink() async throws -> Secret? {
        guard try await parts.store.passwordHash() == nil else { return nil }
        return try await ControlRoutes(parts: parts, doctor: doctor).signInLink()
    }

    /// What the other commands ask over the socket in the data folder; who can open that file is the administrator.
    public var controlHandler: HTTPHandler {
        ControlRoutes(parts: parts, doctor: doctor).handler
    }

    private var tickets: PageTickets { PageTickets(store: parts.store, clock: parts.clock) }

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
