import Base
import Gateway
import Storage

/// `/api/v1/apps`: the applications that are set up in Bitrix24.
struct AppsAPI: Sendable {
    let store: Store
    let addresses: Addresses
    let clock: WallClock

    private var collection: Collection<AppRecord> {
        Collection(
            "apps", "app",
            fields: [
                .shown("id", .id, "The app's id."),
                .required("name", .text, "What people call it."),
                .optional("client_id", .text, "From the application's settings in Bitrix24; may follow later."),
                .optional("client_secret", .secret, "From the application's settings in Bitrix24; may follow later."),
                .defaulted("bitbot", .flag, "Only such an application offers /bitbot/ and may register bots."),
                .optional("page_url", .text, "Where the application page leads; /bitbot/ if empty."),
                .shown("status", .oneOf(["ready", "waiting_for_keys"]), "Whether both keys are there."),
                .shown("events_url", .text, "Paste it into Bitrix24: where events go."),
                .shown("install_url", .text, "Paste it into Bitrix24: the installer's address."),
                .shown("settings_url", .text, "Paste it into Bitrix24: the application's address."),
                .shown("created_at", .time, "When it was added."),
            ],
            json: { json($0) })
    }

    var operations: [Operation] {
        [
            collection.list { try await store.apps(limit: $1, after: $2) },
            collection.create("Adds an application; its keys may follow") { _, draft in
                try await store.createApp(
                    name: draft.text("name", else: ""), clientID: draft.textIfAny("client_id", else: nil),
                    clientSecret: draft.secret("client_secret", else: nil), bitbot: draft.flag("bitbot", else: false),
                    pageURL: try page(draft, else: nil), sandbox: false, now: clock.now)
            },
            collection.read(find),
            collection.change("Changes an application") { request, draft in
                try await store.update(try await find(request).id) { app in
                    app.name = draft.text("name", else: app.name)
                    app.clientID = draft.textIfAny("client_id", else: app.clientID)
                    app.clientSecret = draft.secret("client_secret", else: app.clientSecret)
                    app.bitbot = draft.flag("bitbot", else: app.bitbot)
                    app.pageURL = try page(draft, else: app.pageURL)
                    return app
                }
            },
            collection.delete("Removes an application with its installations and their bots") {
                try await store.deleteApp(try await find($0).id)
            },
        ]
    }

    private func page(_ draft: Draft, else given: String?) throws -> String? {
        try draft.textIfAny("page_url", else: given).map { try WebAddress.checkedPage($0, field: "page_url") }
    }

    @Sendable private func find(_ request: APIRequest) async throws -> AppRecord {
        guard let app = try await store.app(request.id(of: "app")) else { throw APIError.notFound("app") }
        return app
    }

    private func json(_ app: AppRecord) -> JSON {
        [
            "id": JSON(app.id), "name": .string(app.name), "client_id": JSON(app.clientID),
            "client_secret": JSON(app.clientSecret), "bitbot": .bool(app.bitbot),
            "page_url": JSON(app.pageURL ?? "/bitbot/"),
            "status": app.clientID == nil || app.clientSecret == nil ? "waiting_for_keys" : "ready",
            "events_url": .string(addresses.events(app)), "install_url": .string(addresses.install(app)),
            "settings_url": .string(addresses.settings(app)), "created_at": JSON(app.createdAt),
        ]
    }
}
