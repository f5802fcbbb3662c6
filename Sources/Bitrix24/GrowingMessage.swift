import Base

/// A message that is shown before its text is whole: sent early, and changed from then on.
extension OutgoingMessage {
    /// What of a message may be in the chat already.
    public struct Shown: Sendable, Codable, Hashable {
        /// The UUID that it was sent with.
        public var uuid: String
        /// Bitrix24's id of it; `nil`: it is not known whether it arrived.
        public var id: Int64?
        public init(uuid: String, id: Int64? = nil) {
            self.uuid = uuid
            self.id = id
        }
    }
}

extension Portal {
    /// Gives a message of the second generation this text and what goes with it.
    /// Documentation: `…/imbot.v2/messages/chat-message-update.md`.
    /// - Throws: ``PortalError``; `ACCESS_DENIED` where there is no such message of the bot's.
    public func update(_ id: Int64, to message: OutgoingMessage, as account: Account) async throws {
        _ = try await call(
            message.change("imbot.v2.Chat.Message.update", of: id, ["fields": .object(message.parts)]), as: account)
    }

    /// Takes back what was shown of a message that is not said after all.
    /// Documentation: `…/imbot.v2/messages/chat-message-delete.md`.
    /// - Throws: ``PortalError``; not where it is gone already.
    public func withdraw(_ message: OutgoingMessage, as account: Account) async throws {
        guard let shown = message.shown else { return }
        let id = try await id(of: shown, message, as: account)
        try await ignoring(["ACCESS_DENIED"]) {
            _ = try await call(message.change("imbot.v2.Chat.Message.delete", of: id), as: account)
        }
    }

    /// Gives a message its final text. To do it again does no harm.
    func complete(_ message: OutgoingMessage, _ shown: OutgoingMessage.Shown, as account: Account) async throws -> Int64
    {
        let id = try await id(of: shown, message, as: account)
        try await update(id, to: message, as: account)
        return id
    }

    /// Bitrix24 answers a UUID that it knows with the id of the message that came with it, and takes this one if it knows
    /// none.
    private func id(
        of shown: OutgoingMessage.Shown, _ message: OutgoingMessage, as account: Account
    ) async throws -> Int64 {
        if let id = shown.id { return id }
        var first = message
        first.uuid = shown.uuid
        first.shown = nil
        guard let id = try await send(first, as: account) else { throw PortalError.unexpected(first.call.method) }
        return id
    }
}

extension OutgoingMessage {
    fileprivate func change(_ method: String, of id: Int64, _ more: Members<JSON> = [:]) -> PortalCall {
        let parameters: Members<JSON> = ["botId": .integer(botID), "messageId": .integer(id)]
        return PortalCall(method, .object(parameters.merging(more)), lane: call.lane)
    }
}
