import Base
import BotPlatforms
import Gateway
import Storage

/// What a bot platform was asked and answered for a line of a transcript.
struct ExchangeAPI: Sendable {
    let store: Store

    var operations: [Operation] {
        [
            Operation(
                id: "read_exchange", method: .get, path: "/api/v1/dialogs/{id}/messages/{message_id}/exchange",
                summary: "Shows what the bot platform was asked and answered for a line, without tokens", status: 200,
                gives: .one("exchange", fields),
                handler: { request in
                    let dialog: ID<DialogRecord> = try request.id(of: "dialog")
                    let message: ID<MessageRecord> = try request.id("message_id", of: "message")
                    guard let record = try await store.exchange(of: message, in: dialog),
                        request.sees(try await store.dialog(dialog)?.portalID)
                    else {
                        throw APIError.notFound("exchange")
                    }
                    return .json(json(record))
                }
            ).allowed(to: .portalAdmin)
        ]
    }

    private var fields: [Field] {
        let asked: [Field] = [
            .required("text", .text, "The question."),
            .required("variables", .object, "What went with it, without tokens."),
            .required("files", .texts, "Names of files that were sent along."),
            .optional("session", .text, "The platform's id of the conversation."),
        ]
        let choice: [Field] = [
            .required("label", .text, "What people read."), .required("value", .text, "What the platform knows it by."),
        ]
        let answered: [Field] = [
            .required("text", .text, "The answer, in Markdown."),
            .required("trace", .object, "The platform's ids of it."),
            .required("choices", .list(of: choice), "What the person may choose from."),
            .required("files", .texts, "Names of the bot's files."),
        ]
        let delivery: [Field] = [
            .required("kind", .oneOf(["message", "file", "action", "withdrawal"]), "What it is."),
            .required("state", .oneOf(["waiting", "sending", "done", "failed"]), "How far it came."),
            .required("attempts", .integer, "Attempts that were counted; a message that went at once counts none."),
            .optional("last_error", .text, "Why it did not succeed."), .required("created_at", .time, "Since when."),
            .optional("finished_at", .time, "When Bitrix24 had it."),
        ]
        return [
            .shownIfAny("connector", .text, "The connector that was asked."),
            .shownIfAny("provider", .text, "Its provider and kind."),
            .shownIfAny("asked", .structure(asked), "`null` while nothing was asked, or the answer is not there yet."),
            .shownIfAny("answered", .structure(answered), "`null` without an answer."),
            .shownIfAny("error", .text, "Why it did not succeed, the last time."),
            .shown("deliveries", .list(of: delivery), "What goes to Bitrix24; known for seven days."),
        ]
    }

    private func json(_ record: ExchangeRecord) -> JSON {
        let exchange = Exchange(record)
        return [
            "connector": JSON(exchange?.connector), "provider": JSON(exchange?.provider),
            "asked": exchange.map { json($0.asked) } ?? .null, "answered": exchange?.answered.map(json) ?? .null,
            "error": JSON(record.event?.lastError), "deliveries": .array(record.deliveries.map(json)),
        ]
    }

    private func json(_ asked: Exchange.Asked) -> JSON {
        [
            "text": .string(asked.text ?? ""), "variables": .object(asked.variables.mapValues(JSON.string)),
            "files": .array(asked.files.map(JSON.string)), "session": JSON(asked.session),
        ]
    }

    private func json(_ answered: Exchange.Answered) -> JSON {
        [
            "text": .string(answered.text ?? ""), "trace": answered.trace?.shown ?? [:],
            "choices": .array(answered.choices.map { ["label": .string($0.label), "value": .string($0.value)] }),
            "files": .array(answered.files.map(JSON.string)),
        ]
    }

    private func json(_ delivery: ExchangeRecord.Delivery) -> JSON {
        [
            "kind": .string(delivery.kind ?? "message"), "state": .string(delivery.state.rawValue),
            "attempts": .integer(Int64(delivery.attempts)), "last_error": JSON(delivery.lastError),
            "created_at": JSON(delivery.createdAt), "finished_at": JSON(delivery.finishedAt),
        ]
    }
}

extension AskTrace {
    /// Named as this API names things.
    fileprivate var shown: JSON {
        let ids: Members<String?> = [
            "conversation_id": conversationID, "message_id": messageID, "task_id": taskID, "run_id": runID,
        ]
        return .object(ids.compactMapValues { $0.map(JSON.string) })
    }
}
