import Base
import Gateway
import Storage

/// What `bitbot doctor` and `bitbot admin reset` ask of the running server.
struct ControlRoutes: Sendable {
    let parts: Site.Parts
    let doctor: Doctor

    var handler: HTTPHandler {
        var router = Router()
        router.on(.post, "/admin/reset") { _ in
            let now = parts.clock.now
            let code = try await parts.store.createAPIToken(
                name: "one-time code", singleUse: true, expiresAt: now + .seconds(3600), now: now)
            return .json(["link": .string("\(parts.addresses.publicURL)/admin/#code=\(code.reveal())")])
        }
        router.on(.get, "/doctor") { _ in .json(["findings": .array(try await findings())]) }
        return router.handler
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
