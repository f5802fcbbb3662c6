import Base
import Gateway
import Storage

/// `/api/v1/dialogs` and `/api/v1/work`: what was said, and what is still to be done.
struct DialogsAPI: Sendable {
    let store: Store
    let gateway: Gateway
    let clock: WallClock

    private var dialogs: Collection<DialogRecord> {
        Collection(
            "dialogs", "dialog",
            fields: [
                .shown("id", .id, "The dialog's id here."),
                .shown("place", .oneOf(["bitrix24"]), "Where it is held."),
                .shown("portal_id", .id, "The portal."),
                .shown("bot_id", .id, "The bot."),
                .shown("dialog_id", .text, "Bitrix24's id of the dialog."),
                .shownIfAny("chat_id", .text, "Bitrix24's id of the chat."),
                .shown("state", .oneOf(["bot", "operator", "closed"]), "Who has it."),
                .shown("title", .text, "The chat's title."),
                .shown("last_message_at", .time, "When the last message came."),
            ],
            json: { dialog in
                [
                    "id": JSON(dialog.id), "place": "bitrix24", "portal_id": JSON(dialog.portalID),
                    "bot_id": JSON(dialog.botID),
                    "dialog_id": .string(dialog.dialogID), "chat_id": JSON(dialog.chatID),
                    "state": .string(dialog.state.rawValue), "title": .string(dialog.title),
                    "last_message_at": JSON(dialog.lastMessageAt),
                ]
            })
    }

    private var messages: Collection<MessageRecord> {
        Collection(
            "messages", "message", path: "/api/v1/dialogs/{id}/messages",
            fields: [
                .shown("id", .id, "The line's id."),
                .shown("author", .oneOf(["customer", "bot", "operator", "system"]), "Who said it."),
                .shown("text", .text, "What was said; a bot's text in Bitrix24's markup."),
                .shown("created_at", .time, "When."),
            ],
            json: { message in
                [
                    "id": JSON(message.id), "author": .string(message.author.rawValue), "text": .string(message.text),
                    "created_at": JSON(message.createdAt),
                ]
            })
    }

    private var work: Collection<WorkRecord> {
        Collection(
            "work", "piece_of_work", path: "/api/v1/work",
            fields: [
                .shown("id", .id, "Its id."),
                .shown("kind", .oneOf(["event", "send"]), "An event to answer, or a message to deliver."),
                .shown("state", .oneOf(["waiting", "asking", "sending", "failed"]), "Failed work waits for you."),
                .shown("portal_id", .id, "The portal."), .shown("bot_id", .id, "The bot."),
                .shownIfAny("dialog_id", .id, "The dialog, as in /api/v1/dialogs."),
                .shown("attempts", .integer, "How often it was tried."),
                .shownIfAny("last_error", .text, "Why it did not succeed."),
                .shown("created_at", .time, "Since when."),
                .shownIfAny("next_attempt_at", .time, "When it is tried next."),
            ],
            json: { work in
                let kind = if case .event = work.key { "event" } else { "send" }
                return [
                    "id": .string(work.key.description), "kind": .string(kind), "state": .string(work.state),
                    "portal_id": JSON(work.portalID), "bot_id": JSON(work.botID), "dialog_id": JSON(work.dialogID),
                    "attempts": .integer(Int64(work.attempts)), "last_error": JSON(work.lastError),
                    "created_at": JSON(work.createdAt), "next_attempt_at": JSON(work.nextAttemptAt),
                ]
            })
    }

    var operations: [Operation] {
        [
            dialogs.list(filters: [("portal_id", "Only this portal's.")]) { request, limit, cursor in
                try await store.dialogs(limit: limit, after: cursor, portal: try Query(request).id("portal_id"))
            },
            dialogs.read(dialog),
            messages.list { try await store.messages(of: try await dialog($0).id, limit: $1, after: $2) },
            Operation(
                id: "resume_dialog", method: .post, path: "/api/v1/dialogs/{id}/resume",
                summary: "Gives a dialog back to the bot, whoever has it", status: 200,
                gives: .one("dialog", dialogs.fields),
                handler: { request in
                    guard try await gateway.resume(request.id(of: "dialog")) else { throw APIError.notFound("dialog") }
                    return .json(try await dialogs.json(try await dialog(request)))
                }),
            dialogs.delete("Erases a dialog with all that was said and is still to be done in it") {
                try await store.eraseDialog(try await dialog($0).id)
            },
            work.list { try await store.work(limit: $1, after: $2) },
            Operation(
                id: "retry_piece_of_work", method: .post, path: "/api/v1/work/{id}/retry",
                summary: "Does failed work again",
                status: 202, gives: .anything,
                handler: { request in
                    guard try await gateway.retry(try key(request)) else { throw APIError.notFound("failed work") }
                    return .json([:], status: 202)
                }),
            work.delete("Gives failed work up") { request in
                guard try await store.dropWork(try key(request), now: clock.now) else {
                    throw APIError.notFound("failed work")
                }
            },
        ]
    }

    private func key(_ request: APIRequest) throws -> WorkRecord.Key {
        guard let key = WorkRecord.Key(request.pathParameters["id"] ?? "") else {
            throw APIError.notFound("failed work")
        }
        return key
    }

    @Sendable private func dialog(_ request: APIRequest) async throws -> DialogRecord {
        guard let found = try await store.dialog(request.id(of: "dialog")) else { throw APIError.notFound("dialog") }
        return found
    }
}
