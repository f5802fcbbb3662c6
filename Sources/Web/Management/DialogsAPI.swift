import Base
import Gateway
import Storage

/// `/api/v1/dialogs` and `/api/v1/work`: what was said, and what is still to be done.
struct DialogsAPI: Sendable {
    let store: Store
    let gateway: Gateway
    let clock: WallClock

    private var dialogs: Collection<DialogSummary> {
        Collection(
            "dialogs", "dialog",
            fields: [
                .shown("id", .id, "The dialog's id here."),
                .shown("place", .oneOf(["bitrix24"]), "Where it is held."),
                .shown("portal_id", .id, "The portal."),
                .shown("portal_domain", .text, "The portal's address."),
                .shown("bot_id", .id, "The bot."),
                .shown("bot_name", .text, "The bot's name."),
                .shown("dialog_id", .text, "Bitrix24's id of the dialog."),
                .shownIfAny("chat_id", .text, "Bitrix24's id of the chat."),
                .shown("state", .oneOf(["bot", "operator", "closed"]), "Who has it."),
                .shown("title", .text, "The chat's title."),
                .shown("last_message_at", .time, "When the last message came."),
                .shownIfAny("last_text", .text, "The last line, at most 120 characters of it."),
                .shown("failed", .flag, "Whether it has failed work."),
            ],
            json: { summary in
                let dialog = summary.dialog
                return [
                    "id": JSON(dialog.id), "place": "bitrix24", "portal_id": JSON(dialog.portalID),
                    "portal_domain": .string(summary.portalDomain), "bot_id": JSON(dialog.botID),
                    "bot_name": .string(summary.botName), "dialog_id": .string(dialog.dialogID),
                    "chat_id": JSON(dialog.chatID), "state": .string(dialog.state.rawValue),
                    "title": .string(dialog.title), "last_message_at": JSON(dialog.lastMessageAt),
                    "last_text": JSON(summary.lastText), "failed": .bool(summary.hasFailed),
                ]
            })
    }

    private static let filters = [
        APIRequest.portalFilter, ("bot_id", "Only this bot's."),
        ("state", "Only those that are in this state: bot, operator, closed."),
        ("q", "Only those whose title, dialog id or chat id holds this."),
    ]

    private static func filter(_ request: APIRequest) throws -> DialogFilter {
        let query = try Query(request)
        var filter = DialogFilter()
        filter.portal = try request.portalFilter()
        filter.bot = try query.id("bot_id")
        filter.text = query.text("q").flatMap { $0.isEmpty ? nil : $0 }
        if let word = query.text("state") {
            guard let state = DialogRecord.State(rawValue: word) else {
                throw APIError.invalid(["state": "must be one of: bot, operator, closed"])
            }
            filter.state = state
        }
        return filter
    }

    private var messages: Collection<MessageRecord> {
        let event: [Field] = [
            .required("state", .oneOf(["waiting", "asking", "done", "failed"]), "How far it came."),
            .required("attempts", .integer, "How often it was asked."),
            .optional("last_error", .text, "Why it did not succeed."),
            .required("received_at", .time, "When it came."),
            .optional("asked_at", .time, "When the bot platform was asked, the last time."),
            .optional("finished_at", .time, "When it was answered."),
        ]
        return Collection(
            "messages", "message", path: "/api/v1/dialogs/{id}/messages",
            fields: [
                .shown("id", .id, "The line's id."),
                .shown("author", .oneOf(["customer", "bot", "operator", "system"]), "Who said it."),
                .shown("text", .text, "What was said; a bot's text in Bitrix24's markup."),
                .shown("created_at", .time, "When."),
                .shownIfAny("event_id", .id, "The event that it belongs to, as in /api/v1/work; known for seven days."),
                .shownIfAny("event", .structure(event), "On a customer's line: what became of it."),
            ],
            json: { message in
                [
                    "id": JSON(message.id), "author": .string(message.author.rawValue), "text": .string(message.text),
                    "created_at": JSON(message.createdAt),
                    "event_id": JSON(message.event.map { WorkRecord.Key.event($0.id).description }),
                    "event": message.author == .customer ? message.event.map(json) ?? .null : .null,
                ]
            })
    }

    private func json(_ event: MessageEvent) -> JSON {
        [
            "state": .string(event.state.rawValue), "attempts": .integer(Int64(event.attempts)),
            "last_error": JSON(event.lastError), "received_at": JSON(event.receivedAt),
            "asked_at": JSON(event.askedAt), "finished_at": JSON(event.finishedAt),
        ]
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
            dialogs.list(filters: Self.filters) { request, limit, cursor in
                try await store.dialogs(Self.filter(request), limit: limit, after: cursor)
            },
            dialogs.read(dialog),
            messages.list { try await store.messages(of: try await dialog($0).dialog.id, limit: $1, after: $2) },
            Operation(
                id: "resume_dialog", method: .post, path: "/api/v1/dialogs/{id}/resume",
                summary: "Gives a dialog back to the bot, whoever has it", status: 200,
                gives: .one("dialog", dialogs.fields),
                handler: { request in
                    let id = try await dialog(request).dialog.id
                    guard try await asking({ try await gateway.resume(id) }) else {
                        throw APIError.notFound("dialog")
                    }
                    return .json(try await dialogs.json(try await dialog(request)))
                }),
            dialogs.delete("Erases a dialog with all that was said and is still to be done in it") {
                try await store.eraseDialog(try await dialog($0).dialog.id)
            },
            work.list(filters: [APIRequest.portalFilter]) { request, limit, cursor in
                try await store.work(portal: try request.portalFilter(), limit: limit, after: cursor)
            },
            Operation(
                id: "retry_piece_of_work", method: .post, path: "/api/v1/work/{id}/retry",
                summary: "Does failed work again",
                status: 202, gives: .anything,
                handler: { request in
                    guard try await gateway.retry(try await key(request)) else {
                        throw APIError.notFound("failed work")
                    }
                    return .json([:], status: 202)
                }),
            work.delete("Gives failed work up") { request in
                guard try await store.dropWork(try await key(request), now: clock.now) else {
                    throw APIError.notFound("failed work")
                }
            },
        ].map { $0.allowed(to: .portalAdmin) }
    }

    private func key(_ request: APIRequest) async throws -> WorkRecord.Key {
        guard let key = WorkRecord.Key(request.pathParameters["id"] ?? ""),
            let portal = try await store.portal(of: key), request.sees(portal)
        else {
            throw APIError.notFound("failed work")
        }
        return key
    }

    @Sendable private func dialog(_ request: APIRequest) async throws -> DialogSummary {
        guard let found = try await store.dialogSummary(request.id(of: "dialog")), request.sees(found.dialog.portalID)
        else {
            throw APIError.notFound("dialog")
        }
        return found
    }
}
