import Base
import Storage

/// `/api/v1/portals` and `/api/v1/installations`.
struct PortalsAPI: Sendable {
    let store: Store
    let clock: WallClock

    private var portals: Collection<PortalRecord> {
        Collection(
            "portals", "portal",
            fields: [
                .shown("id", .id, "The portal's id."),
                .required("member_id", .text, "Bitrix24's lasting name of the portal."),
                .required("domain", .text, "Its address now."),
                .defaulted(
                    "limit",
                    .structure([
                        .required("burst", .integer, "Calls at once."),
                        .required("per_second", .number, "Calls a second after that; 0: no limit."),
                    ]), "The portal's limit: 50 and 2, or 250 and 5 for Enterprise."),
                .defaulted("allow_private", .flag, "Whether the portal may be at a private address."),
                .shown("last_seen_at", .time, "When it last installed or renewed an application."),
            ],
            json: { portal in
                [
                    "id": JSON(portal.id), "member_id": .string(portal.memberID), "domain": .string(portal.domain),
                    "limit": [
                        "burst": .integer(Int64(portal.limitBurst)), "per_second": .number(portal.limitPerSecond),
                    ],
                    "allow_private": .bool(portal.allowPrivate), "last_seen_at": JSON(portal.lastSeenAt),
                ]
            })
    }

    private var installations: Collection<InstallationRecord> {
        Collection(
            "installations", "installation",
            fields: [
                .shown("id", .id, "The installation's id."),
                .shown("portal_id", .id, "The portal that it is on."),
                .shown("kind", .oneOf(["app", "webhook", "sandbox"]), "How it is connected."),
                .shown("app_id", .id, "The application."),
                .shown("scope", .text, "The permissions that it was given."),
                .shown("status", .oneOf(["active", "uninstalled", "reauthorize", "denied"]), "Whether it works."),
                .shown("notice", .text, "What needs attention, in words."),
                .shown("created_at", .time, "When it was installed."),
            ],
            json: { installation in
                [
                    "id": JSON(installation.id), "portal_id": JSON(installation.portalID),
                    "kind": .string(installation.kind.rawValue), "app_id": JSON(installation.appID),
                    "scope": .string(installation.scope), "status": .string(installation.status.rawValue),
                    "notice": JSON(installation.notice), "created_at": JSON(installation.createdAt),
                ]
            })
    }

    var operations: [Operation] {
        [
            portals.list { try await store.portals(limit: $1, after: $2) },
            portals.create("Adds a portal before its first installation, to let it be at a private address") {
                _, draft in
                let portal = try await store.createPortal(
                    memberID: draft.text("member_id", else: ""), domain: draft.text("domain", else: ""),
                    allowPrivate: draft.flag("allow_private", else: false), now: clock.now)
                return try await change(portal, as: draft)
            },
            portals.read(portal),
            portals.change("Changes a portal's limit, or lets it be at a private address") { request, draft in
                let portal = try await portal(request)
                guard draft.text("member_id", else: portal.memberID) == portal.memberID else {
                    throw APIError.invalid(["member_id": "cannot change"])
                }
                return try await change(portal, as: draft)
            },
            portals.delete("Removes a portal with everything that is on it") {
                try await store.deletePortal(try await portal($0).id)
            },
            installations.list { try await store.installations(limit: $1, after: $2) },
            installations.read(installation),
            installations.delete("Forgets an installation with its bots; Bitrix24 is not told") {
                try await store.deleteInstallation(try await installation($0).id)
            },
        ]
    }

    private func change(_ portal: PortalRecord, as draft: Draft) async throws -> PortalRecord {
        var portal = portal
        let limit = draft.merged(
            "limit", into: ["burst": .integer(Int64(portal.limitBurst)), "per_second": .number(portal.limitPerSecond)])
        guard let burst = limit["burst"]?.integer, (1...10_000).contains(burst) else {
            throw APIError.invalid(["limit": "needs a burst from 1 to 10,000"])
        }
        portal.domain = draft.text("domain", else: portal.domain)
        portal.limitBurst = Int(burst)
        portal.limitPerSecond = limit["per_second"].flatMap(Self.number) ?? portal.limitPerSecond
        portal.allowPrivate = draft.flag("allow_private", else: portal.allowPrivate)
        try await store.update(portal)
        return portal
    }

    private static func number(_ value: JSON) -> Double? {
        if case .number(let number) = value { max(number, 0) } else { value.integer.map { Double(max($0, 0)) } }
    }

    @Sendable private func portal(_ request: HTTPRequest) async throws -> PortalRecord {
        guard let portal = try await store.portal(request.id(of: "portal")) else { throw APIError.notFound("portal") }
        return portal
    }

    @Sendable private func installation(_ request: HTTPRequest) async throws -> InstallationRecord {
        guard let found = try await store.installation(request.id(of: "installation")) else {
            throw APIError.notFound("installation")
        }
        return found
    }
}
