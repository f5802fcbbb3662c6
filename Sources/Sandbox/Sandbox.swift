import Base

/// The built-in demonstration: a simulated portal with its authorization server, a simulated Dify and Typebot, and the
/// page where a person plays a customer and an employee. All of it listens on loopback, and speaks with BitBot over HTTP
/// alone.
///
/// The simulated parties remember nothing: each start has a new portal (with a member id of its own) on new ports. What
/// an earlier start left in BitBot is therefore removed by ``connect(patience:)`` before the new application, connector
/// and bots are made. A new member id keeps the new portal's small message numbers apart from those that BitBot has
/// already answered.
public final class Sandbox: Sendable {
    public struct Settings: Sendable {
        /// The page's port; 0 takes a free one.
        public var pagePort = 0
        public var portal = SimulatedPortal.Settings()
        public var dify = SimulatedDify.Settings()
        public var typebot = SimulatedTypebot.Settings()
        public init() {}
    }

    public let authorization: SimulatedAuthorizationServer
    public let portal: SimulatedPortal
    public let dify: SimulatedDify
    public let typebot: SimulatedTypebot
    public let page: SandboxPage
    let management: Management
    private let http: HTTPClient
    private let log: Log

    let keys = Keys()

    /// The address of an inbound webhook of the portal, to try that way of connecting.
    public let webhook: Secret

    /// Where the simulated parties are reached: what BitBot's guard of addresses must let pass.
    public var origins: Set<String> { [authorization.origin, portal.origin, dify.origin, typebot.origin] }

    /// Starts the simulated parties and the page. BitBot need not run yet; ``connect(patience:)`` makes the connection.
    /// - Parameters:
    ///   - bitbot: BitBot's public URL, without a slash at its end.
    ///   - adminToken: a token of BitBot's management API.
    /// - Throws: ``HTTPServerError``.
    public static func start(
        bitbot: String, adminToken: Secret, settings: Settings = Settings(), loops: EventLoopGroup, log: Log
    ) async throws -> Sandbox {
        let http = HTTPClient(loops: loops, userAgent: "BitBot sandbox")
        let authorization = try await SimulatedAuthorizationServer.start(loops: loops, log: log)
        let portal = try await SimulatedPortal.start(
            settings: settings.portal, authorization: authorization, loops: loops, http: http, log: log)
        let page = try await SandboxPage.start(
            portal: portal, bitbot: bitbot, port: settings.pagePort, loops: loops, log: log)
        var difySettings = settings.dify
        difySettings.observe = { [weak page] in page?.show($0.of("Dify")) }
        var typebotSettings = settings.typebot
        typebotSettings.observe = { [weak page] in page?.show($0.of("Typebot")) }
        let dify = try await SimulatedDify.start(apps: [], settings: difySettings, loops: loops, log: log)
        let typebot = try await SimulatedTypebot.start(flows: [], settings: typebotSettings, loops: loops, log: log)
        return Sandbox(
            authorization: authorization, portal: portal, dify: dify, typebot: typebot, page: page,
            management: Management(url: bitbot, token: adminToken, http: http), http: http, log: log)
    }

    private init(
        authorization: SimulatedAuthorizationServer, portal: SimulatedPortal, dify: SimulatedDify,
        typebot: SimulatedTypebot, page: SandboxPage, management: Management, http: HTTPClient, log: Log
    ) {
        self.authorization = authorization
        self.portal = portal
        self.dify = dify
        self.typebot = typebot
        self.page = page
        self.management = management
        self.http = http
        self.log = log
        webhook = portal.addWebhook(scope: ["imbot", "im", "imopenlines", "disk"])
        publish()
    }

    /// Installs the sandbox into BitBot as a person would, through its public routes, and opens the page's dialogs.
    /// What an earlier start left there is removed first.
    /// - Parameter patience: how long each thing is waited for.
    /// - Throws: ``SandboxError``; the page shows it too.
    public func connect(patience: Duration = .seconds(20)) async throws {
        do {
            try await Connection(sandbox: self, patience: patience, log: log).make()
            page.show(.ready)
        } catch {
            page.show(.failed(String(describing: error)))
            throw error
        }
    }

    /// Stops everything. What was made in BitBot stays until the next start.
    public func stop() async {
        await page.stop()
        await portal.stop()
        await dify.shutdown()
        await typebot.shutdown()
        await authorization.stop()
        await http.shutdown()
    }
}

/// Why the sandbox could not be connected with BitBot.
public enum SandboxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// BitBot did not become ready.
    case bitbotAway(String)
    /// A management call was refused.
    case refused(call: String, status: Int, message: String)
    /// An answer lacks what the interface promises.
    case unexpected(call: String, missing: String)
    /// The installation's post was not taken.
    case installationRefused(status: Int)
    /// The installation did not become active.
    case notInstalled(status: String)
    /// A bot was not registered at the portal.
    case notRegistered(bot: String, status: String)

    public var description: String {
        switch self {
        case .bitbotAway(let reason): "BitBot is not ready: \(reason)"
        case .refused(let call, let status, let message): "\(call) was answered \(status): \(message)"
        case .unexpected(let call, let missing): "The answer of \(call) has no \(missing)"
        case .installationRefused(let status): "The installation address answered \(status)"
        case .notInstalled(let status): "The installation did not become active (it is \(status))"
        case .notRegistered(let bot, let status): "The bot \(bot) was not registered at the portal (it is \(status))"
        }
    }
}
