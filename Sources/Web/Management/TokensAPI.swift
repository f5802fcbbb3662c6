import Base
import Storage

/// `/api/v1/tokens` and `/api/v1/changes`: the tokens of programs, and who changed what.
struct TokensAPI: Sendable {
    let store: Store
    let clock: WallClock

    private var tokens: Collection<(record: APITokenRecord, secret: Secret?)> {
        Collection(
            "tokens", "token",
            fields: [
                .shown("id", .id, "The token's id."),
                .required("name", .text, "What it is for."),
                .shown("token", .text, "Shown whole once, in the answer to its making."),
                .optional("expires_in_days", .integer, "How long it works; for ever if left out. Write-only."),
                .shown("created_at", .time, "When it was made."),
                .shownIfAny("expires_at", .time, "When it ends."),
                .shownIfAny("last_used_at", .time, "When it was last used, to ten minutes."),
            ],
            json: { shown in
                [
                    "id": JSON(shown.record.id), "name": .string(shown.record.name),
                    "token": .string(shown.secret?.reveal() ?? shown.record.hint), "expires_in_days": .null,
                    "created_at": JSON(shown.record.createdAt), "expires_at": JSON(shown.record.expiresAt),
                    "last_used_at": JSON(shown.record.lastUsedAt),
                ]
            })
    }

    private var changes: Collection<ChangeRecord> {
        Collection(
            "changes", "change",
            fields: [
                .shown("id", .id, "Its id."),
                .shown("at", .time, "When."),
                .shown("who", .text, "The administrator, a token by its name, or a portal's user."),
                .shown("action", .text, "The operation's name in this document."),
                .shown("target", .text, "What was changed."),
                .shown("fields", .texts, "Which fields were given."),
                .shownIfAny("portal_id", .id, "The portal of whoever did it in Bitrix24."),
            ],
            json: { change in
                [
                    "id": JSON(change.id), "at": JSON(change.madeAt), "who": .string(change.who),
                    "action": .string(change.action), "target": .string(change.target),
                    "fields": .array(change.fields.split(separator: ",").map { .string(String($0)) }),
                    "portal_id": JSON(change.portalID),
                ]
            })
    }

    var operations: [Operation] {
        [
            tokens.list { _, limit, cursor in
                let page = try await store.apiTokens(limit: limit, after: cursor)
                return Page(items: page.items.map { ($0, nil) }, next: page.next)
            },
            tokens.create("Makes a token for a program; it is shown this once") { _, draft in
                var expiry: Timestamp?
                if let days = draft.value("expires_in_days")?.integer {
                    guard (1...3650).contains(days) else {
                        throw APIError.invalid(["expires_in_days": "must be from 1 to 3650"])
                    }
                    expiry = clock.now + .seconds(days * 86_400)
                }
                let made = try await store.createAPIToken(
                    .token, name: draft.text("name", else: ""), expiresAt: expiry, now: clock.now)
                return (made.record, made.secret)
            },
            tokens.delete("Takes a token's power away") {
                try await store.deleteAPIToken(.token, try $0.id(of: "token"))
            },
            changes.list { try await store.changes(limit: $1, after: $2) },
        ]
    }
}
