import Base
import BotPlatforms
import Storage

/// `/api/v1/providers` and `/api/v1/connectors`: where bots live, and the keys to them.
struct ConnectorsAPI: Sendable {
    let store: Store
    let clock: WallClock

    private var providers: Collection<ProviderRecord> {
        Collection(
            "providers", "provider",
            fields: [
                .shown("id", .id, "The provider's id."),
                .required("name", .text, "What people call it."),
                .required("type", .oneOf(PlatformType.all.map(\.name)), "The kind of bot platform."),
                .defaulted("url", .text, "The platform's address; its public one if left out."),
                .shown("display_name", .text, "Name and kind."),
            ],
            json: { provider in
                let kind = PlatformType.named(provider.type)?.displayName ?? provider.type
                return [
                    "id": JSON(provider.id), "name": .string(provider.name), "type": .string(provider.type),
                    "url": .string(provider.url), "display_name": .string("\(provider.name) (\(kind))"),
                ]
            })
    }

    private var connectors: Collection<ConnectorRecord> {
        Collection(
            "connectors", "connector",
            fields: [
                .shown("id", .id, "The connector's id."),
                .optional("portal_id", .id, "The portal that it belongs to; the server's own if empty."),
                .defaulted("shared", .flag, "Whether portals may use it."),
                .required("provider_id", .id, "The provider."),
                .required("name", .text, "What people call it."),
                .optional("key", .secret, "The platform's API key."),
                .optional("url", .text, "Used instead of the provider's address."),
                .defaulted("options", .object, "Settings of the platform's kind; `/api/v1/platforms` lists them."),
                .shown("created_at", .time, "When it was added."),
            ],
            json: { connector in
                [
                    "id": JSON(connector.id), "portal_id": JSON(connector.portalID), "shared": .bool(connector.shared),
                    "provider_id": JSON(connector.providerID), "name": .string(connector.name),
                    "key": JSON(connector.key),
                    "url": JSON(connector.url), "options": connector.options, "created_at": JSON(connector.createdAt),
                ]
            })
    }

    var operations: [Operation] {
        [
            providers.list { try await store.providers(limit: $1, after: $2) },
            providers.create("Adds a provider") { _, draft in
                let type = draft.text("type", else: "")
                let url = draft.text("url", else: PlatformType.named(type)?.defaultURL ?? "")
                return try await store.createProvider(
                    name: draft.text("name", else: ""), type: type, url: try WebAddress.checked(url), now: clock.now)
            },
            providers.read(provider),
            providers.change("Changes a provider") { request, draft in
                var provider = try await provider(request)
                provider.name = draft.text("name", else: provider.name)
                provider.type = draft.text("type", else: provider.type)
                provider.url = try WebAddress.checked(draft.text("url", else: provider.url))
                try await store.update(provider)
                return provider
            },
            providers.delete("Removes a provider that no connector uses") {
                try await store.deleteProvider(try await provider($0).id)
            },
            connectors.list { try await store.connectors(limit: $1, after: $2) },
            connectors.create("Adds a connector") { _, draft in
                guard let providerID: ID<ProviderRecord> = try draft.id("provider_id", else: nil) else {
                    throw APIError.invalid(["provider_id": "is missing"])
                }
                var new = ConnectorDraft(providerID: providerID, name: draft.text("name", else: ""))
                new.portalID = try draft.id("portal_id", else: nil)
                new.shared = draft.flag("shared", else: false)
                new.key = draft.secret("key", else: nil)
                new.url = try draft.textIfAny("url", else: nil).map { try WebAddress.checked($0) }
                new.options = draft.merged("options", into: [:])
                try await check(provider: providerID, portal: new.portalID, options: new.options)
                return try await store.createConnector(new, now: clock.now)
            },
            connectors.read(connector),
            connectors.change("Changes a connector; a new provider, key or address ends its sessions") {
                request, draft in
                var connector = try await connector(request)
                connector.providerID = try draft.id("provider_id", else: connector.providerID) ?? connector.providerID
                connector.portalID = try draft.id("portal_id", else: connector.portalID)
                connector.shared = draft.flag("shared", else: connector.shared)
                connector.name = draft.text("name", else: connector.name)
                connector.key = draft.secret("key", else: connector.key)
                connector.url = try draft.textIfAny("url", else: connector.url).map { try WebAddress.checked($0) }
                connector.options = draft.merged("options", into: connector.options)
                try await check(
                    provider: connector.providerID, portal: connector.portalID, options: connector.options)
                try await store.update(connector, now: clock.now)
                return try await self.connector(request)
            },
            connectors.delete("Removes a connector that no bot uses") {
                try await store.deleteConnector(try await connector($0).id)
            },
        ]
    }

    @Sendable private func provider(_ request: HTTPRequest) async throws -> ProviderRecord {
        guard let found = try await store.provider(request.id(of: "provider")) else {
            throw APIError.notFound("provider")
        }
        return found
    }

    @Sendable private func connector(_ request: HTTPRequest) async throws -> ConnectorRecord {
        guard let found = try await store.connector(request.id(of: "connector")) else {
            throw APIError.notFound("connector")
        }
        return found
    }

    private func check(provider: ID<ProviderRecord>, portal: ID<PortalRecord>?, options: JSON) async throws {
        guard let provider = try await store.provider(provider) else {
            throw APIError.invalid(["provider_id": "does not exist"])
        }
        if let fault = PlatformType.named(provider.type)?.fault(inOptions: options) {
            throw APIError.invalid(["options": fault])
        }
        if let portal, try await store.portal(portal) == nil { throw APIError.invalid(["portal_id": "does not exist"]) }
    }
}
