import Bitrix24
import Storage

/// An operator's dialog goes back to the bot, as the administrator asked.
extension Gateway {
    /// - Returns: false if there is no such dialog.
    /// - Throws: ``CannotReach`` if the bot has left the chat and cannot be put back; `PortalError`, `StoreError`.
    public func resume(_ id: ID<DialogRecord>) async throws -> Bool {
        guard let dialog = try await store.dialog(id) else { return false }
        // In the next session the bot is there by itself.
        if dialog.state == .operator { try await bringBack(dialog) }
        let now = clock.now
        try await store.database.write { try $0.changeDesk(of: id) { $0.resumes(now: now) } }
        return true
    }

    /// With a line that lets the bot leave when it hands over, the bot hears nothing any more.
    private func bringBack(_ dialog: DialogRecord) async throws {
        guard let bot = try await store.bot(dialog.botID), let botID = bot.botID,
            let record = try await store.portal(dialog.portalID),
            let installation = try await store.installation(bot.installationID),
            let account = try await portals.account(installation)
        else { throw CannotReach(reason: "The bot, its installation or its application's keys are gone") }
        let portal = portals.portal(record)
        guard try await portal.isMember(botID, of: dialog.dialogID, as: account) == false else { return }
        let advice = "In Bitrix24, transfer the dialog to the bot; in the customer's next session it answers by itself"
        do {
            if let chat = dialog.chatID.flatMap({ Int64($0) }),
                try await portal.bringBack(botID, into: chat, as: account)
            {
                return
            }
        } catch let error as PortalError where !error.isPassing {
            throw CannotReach(
                reason: "The bot has left the chat, and Bitrix24 does not let it back: \(error.message). \(advice)")
        }
        throw CannotReach(reason: "The bot has left the chat, and BitBot cannot put it back. \(advice)")
    }
}
