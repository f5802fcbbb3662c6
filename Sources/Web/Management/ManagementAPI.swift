import Base
import Gateway
import Storage

/// `/api/v1/`: everything that can be set up and looked at, for programs and for the pages.
struct ManagementAPI: Sendable {
    let store: Store
    let gateway: Gateway
    let registrar: Registrar
    let webhooks: WebhookInstaller
    let doctor: Doctor
    let addresses: Addresses
    /// `BITBOT_ADMIN_TOKEN`.
    let adminToken: Secret?
    let clock: WallClock
    let log: Log

    var operations: [Operation] {
        AppsAPI(store: store, addresses: addresses, clock: clock).operations
            + PortalsAPI(store: store, webhooks: webhooks, clock: clock).operations
            + PortalCareAPI(
                store: store, portals: gateway.portals, registrar: registrar, addresses: addresses, doctor: doctor,
                log: log
            ).operations
            + PlatformsAPI().operations
            + ConnectorsAPI(store: store, clock: clock).operations
            + BotsAPI(store: store, registrar: registrar, clock: clock).operations
            + DialogsAPI(store: store, gateway: gateway, clock: clock).operations
            + [signIn]
    }

    /// A one-time code from the terminal (`bitbot admin reset`) for a token.
    private var signIn: Operation {
        let token: [Field] = [
            .shown("token", .text, "Send it as `Authorization: Bearer TOKEN`."),
            .shown("expires_at", .time, "When it ends."),
        ]
        let code = [Field.required("code", .text, "The one-time code that `bitbot admin reset` prints.")]
        return Operation(
            id: "sign_in", method: .post, path: "/api/v1/sign-in", summary: "Changes a one-time code for a token",
            takes: (code, false), status: 200, gives: .one("sign_in", token), isOpen: true,
            handler: { request in
                let draft = try Draft(request, fields: code, isPatch: false)
                guard
                    try await store.acceptsAPIToken(
                        Secret(draft.text("code", else: "")), singleUse: true, now: clock.now)
                else {
                    throw APIError(status: 403, code: "wrong_code", message: "This code is unknown, used or too old")
                }
                let expiry = clock.now + .seconds(30 * 24 * 3600)
                let token = try await store.createAPIToken(
                    name: "sign-in", singleUse: false, expiresAt: expiry, now: clock.now)
                return .json(["token": .string(token.reveal()), "expires_at": JSON(expiry)])
            })
    }

    private static let mostBytes = 1024 * 1024

    func add(to router: inout Router) {
        router.wrap(Self.inEnvelope)
        let operations = operations
        for operation in operations {
            router.on(operation.method, operation.pattern) { request in
                await answering {
                    guard request.body.count <= Self.mostBytes else { throw APIError.tooLarge }
                    if !operation.isOpen { try await authenticate(request) }
                    return try await operation.handler(request)
                }
            }
        }
        // Anybody may ask for it, so it is written once.
        let document = HTTPResponse.json(OpenAPI.document(operations, server: addresses.publicURL))
        router.on(.get, "/api/v1/openapi.json") { _ in document }
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

    private func authenticate(_ request: HTTPRequest) async throws {
        let parts = (request.headers["Authorization"] ?? "").split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw APIError.unauthorized }
        let token = Secret(String(parts[1]))
        if let adminToken, Vault.equal(adminToken, token) { return }
        guard try await store.acceptsAPIToken(token, singleUse: false, now: clock.now) else {
            throw APIError.unauthorized
        }
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
