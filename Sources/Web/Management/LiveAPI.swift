import Base
import Gateway
import Storage

/// `/api/v1/live`: what happens, while it happens.
struct LiveAPI: Sendable {
    let store: Store
    let live: Live

    var operations: [Operation] {
        [
            Operation(
                id: "watch", method: .get, path: "/api/v1/live", summary: "Tells what happens while it happens",
                status: 200, gives: .events(["happened": fields]), filters: [APIRequest.portalFilter],
                handler: { request in
                    let portal = try request.portalFilter()
                    return EventStream.response { send in
                        for await happening in live.happenings(on: portal) {
                            try await send("happened", try await json(happening))
                        }
                    }
                }
            ).allowed(to: .portalAdmin)
        ]
    }

    private var fields: [Field] {
        [
            .shown("at", .time, "When."),
            .shown("kind", .oneOf(Happening.Kind.allCases.map(\.rawValue)), "What."),
            .shown("portal_id", .id, "The portal."),
            .shownIfAny("portal_domain", .text, "Its address."),
            .shown("bot_id", .id, "The bot."),
            .shownIfAny("bot_name", .text, "Its name."),
            .shown("dialog_id", .id, "The dialog, as in /api/v1/dialogs."),
            .shown("text", .text, "What was said, or why the bot failed; at most 200 characters."),
            .shownIfAny("milliseconds", .integer, "How long it took: from arrival to stored reply, or to delivery."),
        ]
    }

    /// The names are looked up here, so that what happens need not know them.
    private func json(_ happening: Happening) async throws -> JSON {
        [
            "at": JSON(happening.at), "kind": .string(happening.kind.rawValue), "portal_id": JSON(happening.portal),
            "portal_domain": JSON(try await store.portal(happening.portal)?.domain), "bot_id": JSON(happening.bot),
            "bot_name": JSON(try await store.bot(happening.bot)?.name), "dialog_id": JSON(happening.dialog),
            "text": .string(happening.text),
            "milliseconds": happening.took.map { .integer($0.milliseconds) } ?? .null,
        ]
    }
}
