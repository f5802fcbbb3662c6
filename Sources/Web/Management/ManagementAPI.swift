import Base
import Gateway
import Storage

/// `/api/v1/`: everything that can be set up and looked at, for programs and for the pages.
struct ManagementAPI: Sendable {
    let store: Store
    let sessions: any SessionStore
    let gateway: Gateway
    let playground: Playground
    let registrar: Registrar
    let webhooks: WebhookInstaller
    let installer: Installer
    let doctor: Doctor
    let addresses: Addresses
    let authentication: Authentication
    /// The sandbox's page, where it runs.
    let sandbox: String?
    let version: String
    let clock: WallClock
    let log: Log

    var operations: [Operation] {
        SessionAPI(
            store: store, authentication: authentication, passwords: PasswordDesk(store: store, clock: clock),
            installer: installer, addresses: addresses, sandbox: sandbox, version: version, clock: clock
        ).operations
            + TokensAPI(store: store, clock: clock).operations
            + TransferAPI(store: store, clock: clock, log: log).operations
            + AppsAPI(store: store, addresses: addresses, clock: clock).operations
            + PortalsAPI(store: store, webhooks: webhooks, clock: clock).operations
            + PortalCareAPI(
                store: store, portals: gateway.portals, registrar: registrar, addresses: addresses, doctor: doctor,
                log: log
            ).operations
            + PlatformsAPI().operations
            + ProvidersAPI(store: store, clock: clock).operations
            + ConnectorsAPI(store: store, clock: clock).operations
            + BotsAPI(store: store, registrar: registrar, clock: clock).operations
            + DialogsAPI(store: store, gateway: gateway, clock: clock).operations
            + ExchangeAPI(store: store).operations
            + PlaygroundAPI(store: store, playground: playground).operations
            + OverviewAPI(store: store, sessions: sessions, gateway: gateway).operations
            + StatisticsAPI(statistics: gateway.statistics).operations
            + LiveAPI(store: store, live: gateway.live).operations
            + ChannelsAPI(store: store, portals: gateway.portals).operations
    }

    func add(to router: inout Router) {
        router.wrap(Self.inEnvelope)
        let operations = operations
        for operation in operations {
            router.on(operation.method, operation.pattern) { request in
                await answering {
                    guard request.body.count <= operation.mostBytes else {
                        throw APIError.tooLarge(operation.mostBytes)
                    }
                    return try await perform(operation, request)
                }
            }
        }
        // Anybody may ask for it, so it is written once.
        let document = HTTPResponse.json(OpenAPI.document(operations, server: addresses.publicURL))
        router.on(.get, "/api/v1/openapi.json") { _ in document }
    }

    private func perform(_ operation: Operation, _ request: HTTPRequest) async throws -> HTTPResponse {
        var principal = Principal.nobody
        if operation.access > .anybody {
            principal = try await authentication.known(request).principal
            guard principal.access >= operation.access else { throw APIError.notAllowed }
        }
        let request = APIRequest(http: request, principal: principal)
        let response = try await operation.handler(request)
        if operation.isChange { await note(operation, request, response) }
        return response
    }

    /// By which people know what was changed, where the answer has one of them.
    private static let names = ["name", "domain", "command"]

    /// For the log of changes. That a change could not be noted does not undo it.
    private func note(_ operation: Operation, _ request: APIRequest, _ response: HTTPResponse) async {
        var given: JSON?
        if case .bytes(let bytes) = response.body { given = try? JSON(parsing: bytes) }
        let id = given?["id"]?.string ?? request.pathParameters["id"]
        // The answer about a session names who asks, not what was changed.
        let name =
            given?["state"]?.string == "signed_in" ? nil : Self.names.lazy.compactMap { given?[$0]?.string }.first
        let what = operation.id.split(separator: "_").dropFirst().joined(separator: " ")
        let target = [what, id, name.map { "(\($0))" }].compactMap(\.self).filter { !$0.isEmpty }
        let fields = (try? JSON(parsing: request.body))?.object?.keys.sorted() ?? []
        do {
            try await store.add(
                ChangeRecord(
                    madeAt: clock.now, who: request.principal.name, action: operation.id,
                    target: target.joined(separator: " "), fields: fields.joined(separator: ","),
                    portalID: request.principal.portal))
        } catch {
            log.error("a change could not be noted", ["action": .text(operation.id), "error": "\(error)"])
        }
    }

    /// What the router itself refuses looks like every other error of this API.
    private static let inEnvelope: HTTPMiddleware = { request, next in
        guard request.path.hasPrefix("/api/v1/") else { return try await next(request) }
        do {
            let response = try await next(request)
            guard response.status == 405 else { return response }
            var refusal = APIError(
                status: 405, code: "method_not_allowed",
                message: "This address does not know \(request.method.rawValue)"
            ).response
            refusal.headers["Allow"] = response.headers["Allow"]
            return refusal
        } catch let error as HTTPError {
            return APIError(error).response
        }
    }

    /// What a body is answered that is so large that the server did not read it.
    static func refusal(ofBodyTo path: String) -> HTTPResponse? {
        guard path.hasPrefix("/api/v1/") else { return nil }
        let message =
            path == "/api/v1/import"
            ? "A document of more than 8 MB is imported on the server itself: bitbot import FILE"
            : "The body is too large"
        return APIError(status: 413, code: "too_large", message: message).response
    }

    private func answering(_ body: () async throws -> HTTPResponse) async -> HTTPResponse {
        do {
            return try await body()
        } catch {
            let known = APIError(error)
            if known.status == 500 { log.error("the management API failed", ["error": "\(error)"]) }
            return known.response
        }
    }
}
