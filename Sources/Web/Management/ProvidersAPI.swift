import Base
import BotPlatforms
import Storage

/// `/api/v1/providers`: where bots live.
struct ProvidersAPI: Sendable {
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
                .defaulted("shared", .flag, "Whether portals' administrators may use it; yes if left out."),
                .defaulted(
                    "any_address", .flag, "Whether their connectors may have addresses elsewhere than the provider."),
                .shown("display_name", .text, "Name and kind."),
            ],
            json: { provider in
                [
                    "id": JSON(provider.id), "name": .string(provider.name), "type": .string(provider.type),
                    "url": .string(provider.url), "shared": .bool(provider.shared),
                    "any_address": .bool(provider.anyAddress), "display_name": .string(provider.displayName),
                ]
            })
    }

    var operations: [Operation] {
        [
            providers.list { request, limit, cursor in
                try await store.providers(
                    limit: limit, after: cursor, sharedOnly: request.principal.portal != nil)
            }.allowed(to: .portalAdmin),
            providers.create("Adds a provider") { _, draft in
                let type = draft.text("type", else: "")
                let url = draft.text("url", else: PlatformType.named(type)?.defaultURL ?? "")
                return try await store.createProvider(
                    name: draft.text("name", else: ""), type: type, url: try WebAddress.checked(url),
                    shared: draft.flag("shared", else: true), anyAddress: draft.flag("any_address", else: false),
                    now: clock.now)
            },
            providers.read(provider).allowed(to: .portalAdmin),
            providers.change("Changes a provider") { request, draft in
                try await store.update(try await provider(request).id) { provider in
                    provider.name = draft.text("name", else: provider.name)
                    provider.type = draft.text("type", else: provider.type)
                    provider.url = try WebAddress.checked(draft.text("url", else: provider.url))
                    provider.shared = draft.flag("shared", else: provider.shared)
                    provider.anyAddress = draft.flag("any_address", else: provider.anyAddress)
                    return provider
                }
            },
            providers.delete("Removes a provider that no connector uses") {
                try await store.deleteProvider(try await provider($0).id)
            },
        ]
    }

    @Sendable private func provider(_ request: APIRequest) async throws -> ProviderRecord {
        guard let found = try await store.provider(request.id(of: "provider")),
            request.principal.portal == nil || found.shared
        else { throw APIError.notFound("provider") }
        return found
    }
}

extension ProviderRecord {
    /// `Name (Kind)`.
    var displayName: String { "\(name) (\(PlatformType.named(type)?.displayName ?? type))" }
}
