import Base
import Foundation

extension Portal {
    /// Sends a message. A repeated send that carries a known UUID is answered with the first one's id and so counts as
    /// sent; while the first is still under way the error is `MESSAGE_DUPLICATED_BY_UUID`, which passes soon. Where a part
    /// of it is shown already, that message gets the rest.
    /// - Returns: Bitrix24's id of the message; `nil` if the method tells none.
    /// - Throws: ``PortalError``.
    @discardableResult
    public func send(_ message: OutgoingMessage, as account: Account) async throws -> Int64? {
        if let shown = message.shown {
            do {
                return try await complete(message, shown, as: account)
            } catch let error as PortalError where error.code == "ACCESS_DENIED" {
                // Somebody has deleted what was shown: it is said anew.
            }
        }
        let answer = try await call(message.call, as: account)
        // The first generation gives the bare number, the second an object; answers to its commands have none.
        return answer.looseInteger ?? answer["id"]?.looseInteger
    }

    /// Looks whether the dialog shows a message of this bot with this text since `moment`; `nil` where no look is possible.
    ///
    /// After a command, only supervisors and personal bots may look; elsewhere only a user who takes part in the chat.
    /// Documentation: `…/imbot.v2/messages/chat-message-get-context.md`,
    /// `api-reference/chats/messages/im-dialog-messages-get.md`.
    /// - Parameter former: the id of a message that was shown before it.
    /// - Throws: ``PortalError`` when the look failed for a reason that passes.
    public func shows(
        _ message: OutgoingMessage, since moment: Timestamp, after former: Int64? = nil, as account: Account
    ) async throws -> Bool? {
        let look: PortalCall
        if let command = message.command {
            look = PortalCall(
                "imbot.v2.Chat.Message.getContext",
                ["botId": .integer(message.botID), "messageId": .integer(command.messageID), "range": 50])
        } else if message.dialogID.hasPrefix("chat") {
            look = PortalCall("im.dialog.messages.get", ["DIALOG_ID": .string(message.dialogID), "LIMIT": 50])
        } else {
            // A private dialog is open to the two who hold it.
            return nil
        }
        return try await sees(look, as: account) { shown, _ in isSame(shown, message, since: moment, after: former) }
    }

    /// Looks for a message; `nil` where no look is possible, or the window that is shown does not reach far enough.
    /// - Parameter isIt: whether a message is the one that is looked for; it is given the whole answer too.
    func sees(
        _ look: PortalCall, as account: Account, isIt: (_ shown: JSON, _ answer: JSON) -> Bool
    ) async throws -> Bool? {
        do {
            let answer = try await call(look, as: account)
            let found = answer["messages"]?.looseList ?? []
            if found.contains(where: { isIt($0, answer) }) { return true }
            // Only a window of the dialog is shown; the message may lie beyond it.
            return found.count >= 50 || answer["hasNextPage"]?.looseFlag == true ? nil : false
        } catch let error as PortalError where !error.isPassing && error.kind != .noCredential {
            return nil
        }
    }

    /// The portal's clock may be some seconds behind ours; after a command the message's number says enough.
    private func isSame(
        _ shown: JSON, _ message: OutgoingMessage, since earliest: Timestamp, after former: Int64?
    ) -> Bool {
        if let command = message.command {
            guard isFrom(message.botID, shown, after: former), let id = shown["id"]?.looseInteger,
                id > command.messageID
            else { return false }
        } else {
            guard isFrom(message.botID, shown, since: earliest, after: former) else { return false }
        }
        return shown["text"]?.looseText.map(trimmed) == trimmed(message.text)
    }

    /// Whether a message is the bot's, no older than `earliest`, and not `former` or one before that.
    func isFrom(
        _ botID: Int64, _ shown: JSON, since earliest: Timestamp? = nil, after former: Int64? = nil
    ) -> Bool {
        guard (shown["authorId"] ?? shown["author_id"])?.looseInteger == botID else { return false }
        if let former, let id = shown["id"]?.looseInteger, id <= former { return false }
        guard let earliest else { return true }
        return shown["date"]?.looseText.flatMap(moment(iso8601:)).map { $0 >= earliest - .seconds(5) } ?? false
    }

    /// Shows that the bot is typing; failures do not matter and are not thrown. Left out while calls wait for the
    /// portal's limit.
    /// Documentation: `…/imbot.v2/ui/chat-input-action-notify.md`, `…/outdated/chats/imbot-chat-send-typing.md`.
    public func showTyping(botID: Int64, dialogID: String, generation: BotGeneration, as account: Account) async {
        guard hasRoom else { return }
        let typing =
            switch generation {
            case .first:
                PortalCall("imbot.chat.sendTyping", ["BOT_ID": .integer(botID), "DIALOG_ID": .string(dialogID)])
            case .second:
                PortalCall(
                    "imbot.v2.Chat.InputAction.notify", ["botId": .integer(botID), "dialogId": .string(dialogID)])
            }
        _ = try? await call(typing, as: account)
    }
}

private func trimmed(_ text: String) -> Substring {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
}

private func moment(iso8601 text: String) -> Timestamp? {
    guard let date = try? Date(text, strategy: .iso8601) else { return nil }
    return Int64(exactly: (date.timeIntervalSince1970 * 1000).rounded()).map(Timestamp.init(rawValue:))
}
