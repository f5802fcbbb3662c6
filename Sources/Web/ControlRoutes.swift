import Base
import Gateway
import Storage

/// What `bitbot doctor` and `bitbot admin reset` ask of the running server.
struct ControlRoutes: Sendable {
    let parts: Site.Parts

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
        for installation in try await every({ try await parts.store.installations(limit: 200, after: $0) }) {
            let portal = try await parts.store.portal(installation.portalID)
            findings.append(finding("installation on \(portal?.domain ?? "?")", try await trouble(with: installation)))
        }
        for connector in try await every({ try await parts.store.connectors(limit: 200, after: $0) }) {
            findings.append(finding("connector \(connector.name)", try await trouble(with: connector)))
        }
        for bot in try await every({ try await parts.store.bots(limit: 200, after: $0) }) {
            findings.append(finding("bot \(bot.name)", trouble(with: bot)))
        }
        return findings
    }

    private func trouble(with installation: InstallationRecord) async throws -> String? {
        switch installation.status {
        case .uninstalled: return "uninstalled in Bitrix24"
        case .reauthorize, .denied: return installation.notice ?? "open the application in Bitrix24 once"
        case .active: break
        }
        guard let portal = try await parts.store.portal(installation.portalID),
            let account = try await parts.gateway.portals.account(installation)
        else { return "its application has no keys: set client_id and client_secret" }
        do {
            _ = try await parts.gateway.portals.portal(portal).call(.init("profile"), as: account)
            return nil
        } catch {
            return "Bitrix24 says: \(error)"
        }
    }

    private func trouble(with connector: ConnectorRecord) async throws -> String? {
        guard let provider = try await parts.store.provider(connector.providerID),
            parts.gateway.platforms.platform(connector, provider) != nil
        else { return "its provider is of a type that this version does not serve" }
        return connector.key == nil ? "has no key" : nil
    }

    /// All pages of a list.
    private func every<Item: Sendable>(_ page: (_ cursor: String?) async throws -> Page<Item>) async throws -> [Item] {
        var items: [Item] = []
        var cursor: String?
        repeat {
            let next = try await page(cursor)
            items += next.items
            cursor = next.next
        } while cursor != nil
        return items
    }

    private func trouble(with bot: BotRecord) -> String? {
        if bot.connectorID == nil { return "has no connector: choose one" }
        return switch bot.status {
        case .active: bot.statusReason
        case .registering: "is not registered in Bitrix24 yet"
        case .failed, .deleted: bot.statusReason ?? bot.status.rawValue
        }
    }

    private func finding(_ name: String, _ trouble: String?) -> JSON {
        ["name": .string(name), "trouble": trouble.map(JSON.string) ?? .null]
    }
}
