import Base

/// Decodes the `data` of a second generation event, in the form that webhooks get.
///
/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/events/events.md`,
/// `api-reference/chat-bots/chat-bots-v2/entities.md`.
struct SecondGeneration {
    let kind: BotEvent.Kind
    /// The first generation's name for it.
    let firstName: String
    let data: JSON

    func event() throws -> BotEvent {
        let bot = data["bot"] ?? .null
        guard let botID = try bot.identifier("id", in: "data[bot]") else {
            throw EventDecodingError.missing("data[bot][id]")
        }
        var event = BotEvent(
            kind: kind, generation: .second, firstGenerationName: firstName, botID: botID, dialogID: try dialogID())
        event.botAccessToken = bot["auth"]?["access_token"]?.secret ?? bot["access_token"]?.secret
        event.language = data["language"]?.looseText
        event.user = user()
        event.chat = chat()
        try fillMessage(&event)
        if kind == .command { event.command = try command() }
        if kind == .reaction, let name = data["reaction"]?.looseText {
            event.reaction = (name, data["action"]?.looseText == "add")
        }
        return event
    }

    private func dialogID() throws -> String {
        if let id = data["chat"]?["dialogId"]?.looseText ?? data["dialogId"]?.looseText { return id }
        if kind == .deleted { return "" }
        if let chat = (data["chat"]?["id"] ?? data["message"]?["chatId"])?.looseText { return "chat" + chat }
        throw EventDecodingError.missing("data[chat][dialogId]")
    }

    private func fillMessage(_ event: inout BotEvent) throws {
        let message = data["message"] ?? .null
        event.messageID =
            try message.identifier("id", in: "data[message]") ?? data.identifier("messageId", in: "data")
        switch kind {
        case .joined, .deleted, .contextRequested: break
        case .messageDeleted where event.messageID == nil: throw EventDecodingError.missing("data[messageId]")
        case .message, .command, .messageUpdated, .messageDeleted, .reaction:
            if event.messageID == nil { throw EventDecodingError.missing("data[message][id]") }
        }
        let text = message["text"]?.looseText ?? ""
        let cleaned = Mention.takenOut(of: text, bot: event.botID)
        event.text = cleaned ?? text
        event.mentions = cleaned != nil ? .bot : Mention.isIn(text) ? .others : .nobody
        event.authorID = message["authorId"]?.looseText
        event.isSystem = message["isSystem"]?.looseFlag ?? false
        event.files = files(message)
    }

    private func command() throws -> BotEvent.Command {
        let command = data["command"] ?? .null
        guard let name = command["command"]?.looseText else {
            throw EventDecodingError.missing("data[command][command]")
        }
        guard let id = command["id"]?.looseText else { throw EventDecodingError.missing("data[command][id]") }
        return BotEvent.Command(
            id: id, name: withoutSlash(name), params: command["params"]?.looseText ?? "",
            context: command["context"]?.looseText)
    }

    private func user() -> BotEvent.User {
        let source = data["user"]
        var user = BotEvent.User()
        user.id = source?["id"]?.looseText
        user.firstName = source?["firstName"]?.looseText
        user.lastName = source?["lastName"]?.looseText
        user.isBot = source?["bot"]?.looseFlag
        user.isConnector = source?["connector"]?.looseFlag
        user.isNetwork = source?["externalAuthId"]?.looseText.map { $0 == "network" }
        user.isExtranet = source?["extranet"]?.looseFlag
        return user
    }

    private func chat() -> BotEvent.Chat {
        let source = data["chat"]
        var chat = BotEvent.Chat()
        chat.id = source?["id"]?.looseText ?? data["message"]?["chatId"]?.looseText
        chat.type = source?["type"]?.looseText
        chat.authorID = source?["owner"]?.looseText
        chat.title = source?["name"]?.looseText
        chat.entityType = source?["entityType"]?.looseText
        chat.entityID = source?["entityId"]?.looseText
        chat.entityData1 = source?["entityData1"]?.looseText
        chat.entityData2 = source?["entityData2"]?.looseText
        return chat
    }

    /// Descriptions in `params[files]`, else bare ids.
    private func files(_ message: JSON) -> [BotEvent.File] {
        guard let parameters = message["params"] else { return [] }
        for name in ["files", "FILES"] {
            let files = parameters[name]?.looseEntries.compactMap { BotEvent.File($0.value, key: $0.key) } ?? []
            if !files.isEmpty { return files }
        }
        let ids = parameters["FILE_ID"] ?? parameters["fileId"] ?? .null
        return (ids.looseText == nil ? ids.looseList : [ids]).compactMap { BotEvent.File($0, key: nil) }
    }
}
