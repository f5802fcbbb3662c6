import Base

/// Something that a bot does with the session of an open channel. `Codable`: it waits in the store until it is done.
///
/// Documentation: `api-reference/imopenlines/openlines/chat-bots/index.md`.
public struct ChannelAction: Sendable, Codable, Hashable {
    public enum Kind: Sendable, Codable, Hashable {
        /// To any free operator.
        case handOver
        /// To an employee.
        case transferToUser(Int64)
        /// To the queue of an open channel: the line's id.
        case transferToQueue(Int64)
        case finish
    }
    public var kind: Kind
    public var botID: Int64
    public var dialogID: String
    /// The chat's number, without `chat`.
    public var chatID: String
    public init(_ kind: Kind, botID: Int64, dialogID: String, chatID: String) {
        self.kind = kind
        self.botID = botID
        self.dialogID = dialogID
        self.chatID = chatID
    }
}

extension ChannelAction {
    var isTransfer: Bool {
        switch kind {
        case .transferToUser, .transferToQueue: true
        case .handOver, .finish: false
        }
    }

    /// Whether an operator has the dialog after it.
    public var isHandOver: Bool { kind != .finish }

    /// The bot stays in the chat until the operator has confirmed (`LEAVE`), so that it learns who has the dialog.
    /// Its lane is the bot's dialog, so that what was said before comes first.
    var call: PortalCall {
        let (method, more): (String, Members<JSON>) =
            switch kind {
            case .handOver: ("imopenlines.bot.session.operator", [:])
            case .transferToUser(let user):
                ("imopenlines.bot.session.transfer", ["USER_ID": .integer(user), "LEAVE": "N"])
            case .transferToQueue(let queue):
                ("imopenlines.bot.session.transfer", ["QUEUE_ID": .integer(queue), "LEAVE": "N"])
            case .finish: ("imopenlines.bot.session.finish", [:])
            }
        let chat = Int64(chatID).map(JSON.integer) ?? .string(chatID)
        return PortalCall(
            method, .object(more.merging(["CHAT_ID": chat])), lane: "\(botID)/\(dialogID)",
            bot: botID)
    }
}

extension Portal {
    /// A transfer that Bitrix24 refuses, because there is no such operator or line, goes to any free operator instead.
    /// - Returns: why it did, if so.
    /// - Throws: ``PortalError``; not where the dialog is in an operator's hands already.
    @discardableResult
    public func perform(_ action: ChannelAction, as account: Account) async throws -> String? {
        do {
            _ = try await call(action.call, as: account)
            return nil
        } catch let error as PortalError where error.code == "WRONG_CHAT" {
            // An operator has the dialog: that is what was wanted, or more.
            return nil
        } catch let error as PortalError where action.isTransfer && error.code != nil && !error.isPassing {
            var instead = action
            instead.kind = .handOver
            _ = try await perform(instead, as: account)
            return error.message
        }
    }
}
