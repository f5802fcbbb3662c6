import Base
import Gateway
import Storage

/// `/api/v1/portals` and `/api/v1/installations`.
struct PortalsAPI: Sendable {
    let store: Store
    let webhooks: WebhookInstaller
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
                        .defaulted("burst", .integer, "Calls at once."),
                        .defaulted("per_second", .number, "Calls a second after that; 0: no limit."),
                    ]), "The portal's limit: 50 and 2, or 250 and 5 for Enterprise."),
                .defaulted("allow_private", .flag, "Whether the portal may be at a private address."),
                .shownIfAny("last_seen_at", .time, "When it was last heard from, to ten minutes."),
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
                .shown("portal_domain", .text, "The portal's address now."),
                .shownIfAny("app_id", .id, "The application."),
                .shownIfAny("app_name", .text, "What people call the application."),
                Field(
                    name: "webhook_url", kind: .secret,
                    about:
                        "An inbound webhook's address, `https://portal/rest/1/code/`. A new one of a portal replaces the former.",
                    isRequired: true, isNullable: true),
                .shown("scope", .text, "The permissions that it was given."),
                .shown("status", .oneOf(["active", "uninstalled", "reauthorize", "denied"]), "Whether it works."),
                .optional("notice", .text, "What needs attention, in words; `null` puts it away."),
                .shown("created_at", .time, "When it was installed."),
            ],
            json: { installation in
                let portal = try await store.portal(installation.portalID)
                var app: AppRecord?
                if let appID = installation.appID { app = try await store.app(appID) }
                return [
                    "id": JSON(installation.id), "portal_id": JSON(installation.portalID),
                    "portal_domain": .string(portal?.domain ?? ""),
                    "kind": .string(installation.kind.rawValue), "app_id": JSON(installation.appID),
                    "app_name": JSON(app?.name),
                    "scope": .string(installation.scope), "status": .string(installation.status.rawValue),
                    "webhook_url": installation.kind == .webhook ? "••••" : .null,
                    "notice": JSON(installation.notice), "created_at": JSON(installation.createdAt),
                ]
            })
    }

    var operations: [Operation] {
        [
            portals.list { request, limit, cursor in
                guard let own = request.principal.portal else {
                    return try await store.portals(limit: limit, after: cursor)
                }
                return Page(items: try await store.portal(own).map { [$0] } ?? [], next: nil)
            }.allowed(to: .portalAdmin),
            portals.create("Adds a portal before its first installation, to let it be at a private address") {
                _, draft in
                let limit = try Limit(draft)
                let portal = try await store.createPortal(
                    memberID: draft.text("member_id", else: ""), domain: draft.text("domain", else: ""),
                    allowPrivate: draft.flag("allow_private", else: false), now: clock.now)
                guard draft.has("limit") else { return portal }
                return try await store.update(portal.id) { portal in
                    limit.set(on: &portal)
                    return portal
                }
            },
            portals.read(portal).allowed(to: .portalAdmin),
            portals.change("Changes a portal's limit, or lets it be at a private address") { request, draft in
                try await store.update(try await portal(request).id) { portal in
                    guard draft.text("member_id", else: portal.memberID) == portal.memberID else {
                        throw APIError.invalid(["member_id": "cannot change"])
                    }
                    portal.domain = draft.text("domain", else: portal.domain)
                    portal.allowPrivate = draft.flag("allow_private", else: portal.allowPrivate)
                    try Limit(draft, of: portal).set(on: &portal)
                    return portal
                }
            },
            portals.delete("Removes a portal with everything that is on it") {
                try await store.deletePortal(try await portal($0).id)
            },
            installations.list(filters: [APIRequest.portalFilter]) { request, limit, cursor in
                try await store.installations(limit: limit, after: cursor, portal: try request.portalFilter())
            }.allowed(to: .portalAdmin),
            installations.create("Connects a portal by an inbound webhook; tries it first", installWebhook),
            installations.read(installation).allowed(to: .portalAdmin),
            installations.change("Puts an installation's notice away", putNoticeAway),
            installations.delete(
                "Forgets an installation with its bots; the bots of a webhook are taken out of Bitrix24 too"
            ) {
                let installation = try await installation($0)
                if installation.kind == .webhook { try await webhooks.unregisterBots(of: installation) }
                try await store.deleteInstallation(installation.id)
            },
        ]
    }

    @Sendable private func installWebhook(_ request: APIRequest, _ draft: Draft) async throws -> InstallationRecord {
        guard let address = draft.secret("webhook_url", else: nil) else {
            throw APIError.invalid(["webhook_url": "is missing"])
        }
        do {
            return try await webhooks.install(address)
        } catch let refusal as WebhookInstaller.Refusal {
            switch refusal {
            case .invalid(let reason): throw APIError.invalid(["webhook_url": reason])
            case .refused(let reason):
                throw APIError.invalid(["webhook_url": "is not taken by Bitrix24, which says: \(reason)"])
            case .unreachable(let reason):
                throw APIError(
                    status: 503, code: "bitrix24_unreachable", message: "Bitrix24 could not be asked: \(reason)")
            }
        }
    }

    /// What needs attention by the installation's status goes when that is mended.
    @Sendable private func putNoticeAway(_ request: APIRequest, _ draft: Draft) async throws -> InstallationRecord {
        let installation = try await installation(request)
        if draft.secret("webhook_url", else: nil) != nil {
            throw APIError.invalid(["webhook_url": "is replaced with POST /api/v1/installations"])
        }
        let notice = draft.textIfAny("notice", else: installation.notice)
        if notice == installation.notice { return installation }
        guard notice == nil else { throw APIError.invalid(["notice": "can only be put away, with null"]) }
        guard installation.status == .active else {
            throw APIError.conflict("The notice goes when the installation is active again")
        }
        try await store.setStatus(.active, notice: nil, of: installation, now: clock.now)
        return try await self.installation(request)
    }

    @Sendable private func portal(_ request: APIRequest) async throws -> PortalRecord {
        guard let portal = try await store.portal(request.id(of: "portal")), request.sees(portal.id) else {
            throw APIError.notFound("portal")
        }
        return portal
    }

    @Sendable private func installation(_ request: APIRequest) async throws -> InstallationRecord {
        guard let found = try await store.installation(request.id(of: "installation")), request.sees(found.portalID)
        else {
            throw APIError.notFound("installation")
        }
        return found
    }
}

/// The `limit` of a draft, merged into that of the portal.
private struct Limit {
    var burst: Int64
    var perSecond: Double

    /// - Throws: ``APIError`` 422.
    init(_ draft: Draft, of portal: PortalRecord? = nil) throws {
        let former: JSON = [
            "burst": .integer(Int64(portal?.limitBurst ?? 50)), "per_second": .number(portal?.limitPerSecond ?? 2),
        ]
        let limit = draft.merged("limit", into: former)
        guard let burst = limit["burst"]?.integer, (1...10_000).contains(burst) else {
            throw APIError.invalid(["limit": "burst must be from 1 to 10,000"])
        }
        guard let perSecond = limit["per_second"]?.double, (0...10_000).contains(perSecond) else {
            throw APIError.invalid(["limit": "per_second must be from 0 to 10,000"])
        }
        self.burst = burst
        self.perSecond = perSecond
    }

    func set(on portal: inout PortalRecord) {
        portal.limitBurst = Int(burst)
        portal.limitPerSecond = perSecond
    }
}

extension JSON {
    fileprivate var double: Double? { if case .number(let number) = self { number } else { integer.map(Double.init) } }
}
