import Base

/// Whether a bot is in a chat, and how it comes back into one.
extension Portal {
    /// - Returns: `nil` where the portal does not know the method.
    /// - Throws: ``PortalError``.
    ///
    /// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-get.md`.
    public func isMember(_ botID: Int64, of dialogID: String, as account: Account) async throws -> Bool? {
        do {
            _ = try await call(
                PortalCall("imbot.v2.Chat.get", ["botId": .integer(botID), "dialogId": .string(dialogID)], bot: botID),
                as: account)
            return true
        } catch let error as PortalError where error.code == "ACCESS_DENIED" && !error.concernsInstallation {
            return false
        } catch let error as PortalError where error.code == "ERROR_METHOD_NOT_FOUND" {
            return nil
        }
    }

    /// Puts a bot into an open channel's chat that it has left. Only by way of the CRM a bot is taken in: elsewhere
    /// somebody who is in the chat has to do it.
    /// - Returns: false if the chat does not belong to anything in the CRM.
    /// - Throws: ``PortalError``.
    ///
    /// Documentation: `api-reference/imopenlines/openlines/chats/imopenlines-crm-chat-user-add.md`,
    /// `…/sessions/imopenlines-dialog-get.md`.
    public func bringBack(_ botID: Int64, into chatID: Int64, as account: Account) async throws -> Bool {
        let chat = try await call(PortalCall("imopenlines.dialog.get", ["CHAT_ID": .integer(chatID)]), as: account)
        guard let owner = CRMOwner(entityData: chat["entity_data_2"]?.looseText ?? "") else { return false }
        let parameters: JSON = [
            "CRM_ENTITY_TYPE": .string(owner.type), "CRM_ENTITY": .integer(owner.id), "USER_ID": .integer(botID),
            "CHAT_ID": .integer(chatID),
        ]
        _ = try await call(PortalCall("imopenlines.crm.chat.user.add", parameters), as: account)
        return true
    }
}

/// What in the CRM a chat belongs to.
struct CRMOwner: Equatable {
    /// `lead`, `company`, `contact` or `deal`.
    var type: String
    var id: Int64
}

extension CRMOwner {
    /// The first that is set of `LEAD|0|COMPANY|0|CONTACT|7|DEAL|12`.
    init?(entityData: String) {
        let fields = entityData.split(separator: "|", omittingEmptySubsequences: false)
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            guard let id = Int64(fields[index + 1]), id > 0 else { continue }
            self.init(type: fields[index].lowercased(), id: id)
            return
        }
        return nil
    }
}
