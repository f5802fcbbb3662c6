import Base
import Gateway
import Storage

/// What the other commands (`bitbot doctor`, `admin reset`, `export`, `import`) ask of the running server.
struct ControlRoutes: Sendable {
    let parts: Site.Parts
    let doctor: Doctor

    var handler: HTTPHandler {
        var router = Router()
        router.on(.post, "/admin/reset") { _ in
            return .json(["link": .string(try await signInLink().reveal())])
        }
        router.on(.get, "/doctor") { _ in .json(["findings": .array(try await findings())]) }
        let transfer = TransferAPI(store: parts.store, clock: parts.clock, log: parts.log)
        router.on(.get, "/export") { request in
            let secrets = request.query == "secrets=true"
            return .json(try await parts.store.exportConfiguration(secrets: secrets, now: parts.clock.now))
        }
        router.on(.post, "/import") { request in
            do {
                return .json(try await transfer.take(request.body))
            } catch {
                return APIError(error).response
            }
        }
        return router.handler
    }

    /// Works once, within an hour.
    func signInLink() async throws -> Secret {
        let now = parts.clock.now
        let made = try await parts.store.createAPIToken(
            .code, name: "one-time code", expiresAt: now + .seconds(3600), now: now)
        return Secret("\(parts.addresses.publicURL)/admin/#code=\(made.secret.reveal())")
    }

    /// One line for each thing that can be well or not.
    private func findings() async throws -> [JSON] {
        guard await parts.store.answers else { return [finding("store", "cannot be read")] }
        var findings = [finding("store", nil), finding("sessions", parts.sessions.trouble)]
        for portal in try await Page.all({ try await parts.store.portals(limit: 200, after: $0) }) {
            for found in try await doctor.examine(portal) {
                var found = found
                found.name = "\(portal.domain): \(found.name)"
                findings.append(JSON(found))
            }
        }
        for connector in try await Page.all({ try await parts.store.connectors(limit: 200, after: $0) }) {
            let provider = try await parts.store.provider(connector.providerID)
            findings.append(JSON(Finding(connector, provider, parts.gateway.platforms)))
        }
        return findings
    }

    private func finding(_ name: String, _ trouble: String?) -> JSON {
        JSON(Finding(name, trouble: trouble))
    }
}
