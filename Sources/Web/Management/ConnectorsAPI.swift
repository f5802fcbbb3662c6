import Base
import BotPlatforms
import Storage

/// `/api/v1/connectors`: the keys to bots.
///
/// The administrator of a portal has those of the portal, and may use, but not look into, those of the server that are shared.
struct ConnectorsAPI: Sendable {
    let store: Store
    let clock: WallClock

    /// A connector as somebody sees it.
    struct Seen: Sendable {
        var record: ConnectorRecord
        var isEditable: Bool

        init(_ record: ConnectorRecord, by request: APIRequest) {
            self.record = record
            isEditable = request.sees(record.portalID)
        }
    }

    private var connectors: Collection<Seen> {
        Collection(
            "connectors", "connector",
            fields: [
                .shown("id", .id, "The connector's id."),
                .optional("portal_id", .id, "The portal that it belongs to; the server's own if empty."),
                .defaulted("shared", .flag, "Whether portals may use it."),
                .required("provider_id", .id, "The provider."),
                .shown("provider_name", .text, "The provider's name and kind."),
                .required("name", .text, "What people call it."),
                .optional("key", .secret, "The platform's API key."),
                .optional("url", .text, "Used instead of the provider's address."),
                Field(
                    name: "options", kind: .object,
                    about: "Settings of the platform's kind; `/api/v1/platforms` lists them.", isNullable: true),
                .shown("editable", .flag, "Whether whoever asks may look into it and change it."),
                .shown("created_at", .time, "When it was added."),
            ],
            json: { seen in
                let connector = seen.record
                let provider = try await store.provider(connector.providerID)
                return [
                    "id": JSON(connector.id), "portal_id": JSON(connector.portalID), "shared": .bool(connector.shared),
                    "provider_id": JSON(connector.providerID), "provider_name": .string(provider?.displayName ?? ""),
                    "name": .string(connector.name), "key": seen.isEditable ? JSON(connector.key) : .null,
                    "url": seen.isEditable ? JSON(connector.url) : .null,
                    "options": seen.isEditable ? connector.options : .null, "editable": .bool(seen.isEditable),
                    "created_at": JSON(connector.createdAt),
                ]
            })
    }

    var operations: [Operation] {
        [
            connectors.list(filters: [APIRequest.portalFilter]) { request, limit, cursor in
                let page = try await store.connectors(
                    limit: limit, after: cursor, portal: try request.portalFilter(),
                    withShared: request.principal.portal != nil)
                return Page(items: page.items.map { Seen($0, by: request) }, next: page.next)
            },
            connectors.create("Adds a connector", create),
            connectors.read { Seen(try await connector($0, toUse: true), by: $0) },
            connectors.change("Changes a connector; a new provider, key or address ends its sessions", change),
            connectors.delete("Removes a connector that no bot uses") {
                try await store.deleteConnector(try await connector($0).id)
            },
        ].map { $0.allowed(to: .portalAdmin) }
    }

    @Sendable private func create(_ request: APIRequest, _ draft: Draft) async throws -> Seen {
        guard let providerID: ID<ProviderRecord> = try draft.id("provider_id", else: nil) else {
            throw APIError.invalid(["provider_id": "is missing"])
        }
        var new = ConnectorDraft(providerID: providerID, name: draft.text("name", else: ""))
        new.portalID = try draft.id("portal_id", else: request.principal.portal)
        new.shared = draft.flag("shared", else: false)
        new.key = draft.secret("key", else: nil)
        new.url = try draft.textIfAny("url", else: nil).map { try WebAddress.checked($0) }
        new.options = options(draft, into: [:])
        try await checkPortal(new.portalID)
        try check(
            provider: try await store.provider(providerID), portal: new.portalID, shared: new.shared, url: new.url,
            options: new.options, request)
        return Seen(try await store.createConnector(new, now: clock.now), by: request)
    }

    @Sendable private func change(_ request: APIRequest, _ draft: Draft) async throws -> Seen {
        let id = try await connector(request).id
        try await checkPortal(try draft.id("portal_id", else: nil))
        return try await store.update(id, now: clock.now) { connector, connection in
            // It may have gone to another portal meanwhile.
            guard request.sees(connector.portalID) else { throw APIError.notFound("connector") }
            connector.providerID = try draft.id("provider_id", else: connector.providerID) ?? connector.providerID
            connector.portalID = try draft.id("portal_id", else: connector.portalID)
            connector.shared = draft.flag("shared", else: connector.shared)
            connector.name = draft.text("name", else: connector.name)
            connector.key = draft.secret("key", else: connector.key)
            connector.url = try draft.textIfAny("url", else: connector.url).map { try WebAddress.checked($0) }
            connector.options = options(draft, into: connector.options)
            try check(
                provider: try connection.provider(connector.providerID), portal: connector.portalID,
                shared: connector.shared, url: connector.url, options: connector.options, request)
            return Seen(connector, by: request)
        }
    }

    private func options(_ draft: Draft, into given: JSON) -> JSON {
        draft.value("options")?.isNull == true ? [:] : draft.merged("options", into: given)
    }

    /// - Parameter toUse: one of the server's own that is shared will do.
    private func connector(_ request: APIRequest, toUse: Bool = false) async throws -> ConnectorRecord {
        guard let found = try await store.connector(request.id(of: "connector")),
            toUse ? request.mayUse(found) : request.sees(found.portalID)
        else { throw APIError.notFound("connector") }
        return found
    }

    private func checkPortal(_ portal: ID<PortalRecord>?) async throws {
        guard let portal, try await store.portal(portal) == nil else { return }
        throw APIError.invalid(["portal_id": "does not exist"])
    }

    private func check(
        provider: ProviderRecord?, portal: ID<PortalRecord>?, shared: Bool, url: String?, options: JSON,
        _ request: APIRequest
    ) throws {
        guard let provider, request.principal.portal == nil || provider.shared else {
            throw APIError.invalid(["provider_id": "does not exist"])
        }
        if let fault = PlatformType.named(provider.type)?.fault(inOptions: options) {
            throw APIError.invalid(["options": fault])
        }
        guard let own = request.principal.portal else { return }
        guard portal == own else { throw APIError.invalid(["portal_id": "must be your portal"]) }
        guard !shared else { throw APIError.invalid(["shared": "is for the server's administrator"]) }
        if let url, !provider.anyAddress, !HTTPClient.isSameOrigin(url, provider.url) {
            throw APIError.invalid(["url": "must be an address of \(provider.url)"])
        }
    }
}

extension APIRequest {
    /// Whether a bot of this person's may have this connector.
    func mayUse(_ connector: ConnectorRecord) -> Bool {
        sees(connector.portalID) || (connector.portalID == nil && connector.shared)
    }
}
