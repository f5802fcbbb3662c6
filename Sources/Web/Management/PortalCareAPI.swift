import Base
import Bitrix24
import Gateway
import Storage

/// `/api/v1/portals/{id}/check` and `/repair`: what is wrong with a portal, and mending it.
struct PortalCareAPI: Sendable {
    let store: Store
    let portals: Portals
    let registrar: Registrar
    let addresses: Addresses
    let doctor: Doctor
    let log: Log

    var operations: [Operation] { [check, repair].map { $0.allowed(to: .portalAdmin) } }

    private var check: Operation {
        let finding: [Field] = [
            .shown("name", .text, "What was looked at."),
            .shownIfAny("trouble", .text, "What is wrong with it; `null`: all is well."),
            .shownIfAny("remedy", .text, "How to mend it."),
        ]
        let fields: [Field] = [
            .shown("well", .flag, "Whether nothing is wrong."),
            .shown("findings", .list(of: finding), "Everything that was looked at."),
        ]
        return Operation(
            id: "check_portal", method: .get, path: "/api/v1/portals/{id}/check",
            summary: "Looks whether a portal works: token, rights, clock, events, bots, limit; takes up to 15 seconds",
            status: 200, gives: .one("portal_check", fields),
            handler: { request in
                let findings = try await doctor.examine(try await portal(request))
                return .json([
                    "well": .bool(findings.allSatisfy { $0.trouble == nil }),
                    "findings": .array(findings.map(JSON.init)),
                ])
            })
    }

    private var repair: Operation {
        let fields: [Field] = [.shown("repaired", .texts, "What was repaired, a sentence each.")]
        return Operation(
            id: "repair_portal", method: .post, path: "/api/v1/portals/{id}/repair",
            summary: "Brings the bots, commands and bound events in Bitrix24 back to what is set up here", status: 200,
            gives: .one("portal_repair", fields),
            handler: { request in
                let reconciler = Reconciler(
                    store: store, portals: portals, registrar: registrar, addresses: addresses, log: log)
                let portal = try await portal(request)
                let repairs = try await asking { try await reconciler.repair(portal) }
                return .json(["repaired": .array(repairs.map(JSON.string))])
            })
    }

    private func portal(_ request: APIRequest) async throws -> PortalRecord {
        guard let portal = try await store.portal(request.id(of: "portal")), request.sees(portal.id) else {
            throw APIError.notFound("portal")
        }
        return portal
    }
}

extension JSON {
    init(_ finding: Finding) {
        self = ["name": .string(finding.name), "trouble": JSON(finding.trouble), "remedy": JSON(finding.remedy)]
    }
}
