import Base

/// Bot events of the first generation. Documentation: `api-reference/chat-bots/outdated/messages/events/*`,
/// `…/outdated/chats/events/on-imbot-join-chat.md`, `…/outdated/commands/events/on-im-command-add.md`,
/// `…/outdated/events/on-imbot-delete.md`.
extension PortalState {
    /// One post for all bots of an application that share an address.
    mutating func emitFirst(_ event: BotEvent, to bots: [BotRecord], chat: Chat?, user: Int, now: Timestamp) {
        guard let name = event.firstName else { return }
        struct Place: Hashable {
            var owner: Owner
            var url: String
        }
        let places = Dictionary(grouping: bots) { Place(owner: $0.owner, url: address(of: event, for: $0)) }
        for (place, addressed) in places where !place.url.isEmpty {
            for bot in isTogether(event) ? [addressed[0]] : addressed {
                let data = firstData(
                    event, bots: isTogether(event) ? addressed : [bot], chat: chat, user: user, now: now)
                let auth = eventAuth(
                    place.owner, bot: bot, user: user, now: now, withRefreshToken: hasRefreshToken(event))
                deliveryQueue.made.append(
                    OutgoingEvent(
                        name: name, url: place.url, handlerID: bot.id, data: .object(data), auth: auth, date: now,
                        chatID: chat?.id, messageID: event.message?.id, isSecondGeneration: false))
            }
        }
    }

    /// Whether one post names several bots.
    private func isTogether(_ event: BotEvent) -> Bool {
        switch event {
        case .messageAdd, .messageUpdate, .messageDelete: true
        default: false
        }
    }

    private func hasRefreshToken(_ event: BotEvent) -> Bool {
        switch event {
        case .join, .delete: false
        default: true
        }
    }

    private func address(of event: BotEvent, for bot: BotRecord) -> String {
        if case .command(let command, _, _, _) = event { return command.handlerURL ?? "" }
        return bot.handlers[event.firstName ?? ""] ?? ""
    }

    private func firstData(
        _ event: BotEvent, bots: [BotRecord], chat: Chat?, user: Int, now: Timestamp
    ) -> Members<JSON> {
        guard let bot = bots.first else { return [:] }
        if case .delete = event { return ["BOT_ID": .text(bot.id), "BOT_CODE": .string(bot.code)] }
        guard let chat else { return [:] }
        var data: Members<JSON> = [:]
        let entries = bots.map { ($0.id, botEntry($0, now: now)) }
        switch event {
        case .messageAdd(let message):
            data["PARAMS"] = .object(messageParams(message, chat: chat, bot: bot))
        case .messageUpdate(let message):
            var params = changeParams(message, text: message.text, chat: chat, bot: bot)
            addMention(of: bot, in: message, to: &params, droppingComma: true)
            data["PARAMS"] = .object(params)
        case .messageDelete(let message):
            let text = "Message from \(message.date.bitrixDate) has been deleted"
            data["PARAMS"] = .object(changeParams(message, text: text, chat: chat, bot: bot))
        case .join: data["PARAMS"] = .object(joinParams(chat: chat, bot: bot, user: user))
        case .command(let command, let parameters, let context, let message):
            data["PARAMS"] = .object(commandParams(message, chat: chat, bot: bot))
            data["COMMAND"] = [
                String(command.id): commandEntry(command, parameters, context, message, bot: bot, now: now)
            ]
        case .reaction, .contextGet, .delete: break
        }
        if data["COMMAND"] == nil {
            data["BOT"] = .object(Members(entries.map { (String($0.0), $0.1) }))
        }
        data["USER"] = userEntry(user, event: event, chat: chat)
        return data
    }

    /// The bot's own tokens, twice, and its names.
    private func botEntry(_ bot: BotRecord, now: Timestamp) -> JSON {
        let auth = eventAuth(
            bot.owner, bot: bot, user: bot.id, now: now, withRefreshToken: true, withClientID: true)
        var entry = auth
        entry["AUTH"] = auth
        entry["BOT_ID"] = .text(bot.id)
        entry["BOT_CODE"] = .string(bot.code)
        return entry
    }

    private func commandEntry(
        _ command: CommandRecord, _ parameters: String, _ context: BotEvent.CommandContext,
        _ message: SimulatedPortal.Message, bot: BotRecord, now: Timestamp
    ) -> JSON {
        var entry = botEntry(bot, now: now)
        entry["COMMAND"] = .string(command.command)
        entry["COMMAND_ID"] = .text(command.id)
        entry["COMMAND_PARAMS"] = .string(parameters)
        entry["COMMAND_CONTEXT"] = .string(context.rawValue.uppercased())
        entry["MESSAGE_ID"] = .text(message.id)
        return entry
    }

    /// An edit or a deletion in a group names no user; joining and commands show fewer fields.
    private func userEntry(_ id: Int, event: BotEvent, chat: Chat) -> JSON {
        switch event {
        case .messageUpdate, .messageDelete:
            if !chat.isPrivate { return [:] }
        default: break
        }
        guard let user = users[id] else { return [:] }
        var entry: Members<JSON> = [
            "ID": .text(id), "NAME": .string(user.name), "FIRST_NAME": .string(user.firstName),
            "LAST_NAME": .string(user.lastName), "WORK_POSITION": "", "GENDER": "M",
        ]
        switch event {
        case .join, .command: break
        default:
            entry["IS_BOT"] = .yesNo(user.kind == .bot)
            entry["IS_CONNECTOR"] = .yesNo(user.kind == .customer)
            entry["IS_NETWORK"] = "N"
            entry["IS_EXTRANET"] = .yesNo(user.kind == .customer)
        }
        return .object(entry)
    }

    private func messageParams(
        _ message: SimulatedPortal.Message, chat: Chat, bot: BotRecord
    ) -> Members<JSON> {
        var params: Members<JSON> = [
            "MESSAGE": .string(message.text), "MESSAGE_TYPE": .string(chat.letter),
            "TEMPLATE_ID": .string(message.uuid ?? ""),
            "FROM_USER_ID": .text(message.authorID), "DIALOG_ID": .string(chat.dialogID(for: bot.id)),
            "TO_CHAT_ID": .text(chat.id), "AUTHOR_ID": .text(message.authorID), "SYSTEM": .yesNo(message.isSystem),
            "TO_USER_ID": .text(bot.id), "PUSH": "Y", "PUSH_IMPORTANT": "N", "RECENT_SKIP_AUTHOR": "N",
            "CONVERT": "N", "SKIP_COMMAND": "N", "SKIP_COUNTER_INCREMENTS": "N", "SILENT_CONNECTOR": "N",
            "SKIP_CONNECTOR": "N", "IMPORTANT_CONNECTOR": "N", "NO_SESSION_OL": "N", "FAKE_RELATION": "0",
            "SKIP_URL_INDEX": "N", "COMMAND_CONTEXT": "TEXTAREA", "CHAT_USER_COUNT": .text(chat.members.count),
            "PLATFORM_CONTEXT": "web", "MESSAGE_ID": .text(message.id), "CHAT_TYPE": .string(chat.letter),
            "LANGUAGE": .string(settings.language),
        ]
        if !chat.isPrivate {
            params.merge(chatParams(chat))
            params["RID"] = .text(message.authorID)
            params["IS_MANAGER"] = .yesNo(chat.managers.contains(message.authorID))
        }
        addMention(of: bot, in: message, to: &params)
        addFiles(of: message, to: &params)
        return params
    }

    private func commandParams(_ message: SimulatedPortal.Message, chat: Chat, bot: BotRecord) -> Members<JSON> {
        var params = messageParams(message, chat: chat, bot: bot)
        params["SKIP_USER_CHECK"] = "Y"
        params["RECENT_ADD"] = "Y"
        // It stands with the command.
        params["COMMAND_CONTEXT"] = nil
        guard !chat.isPrivate else { return params }
        params["CHAT_PARENT_ID"] = "0"
        params["CHAT_PARENT_MID"] = "0"
        let present = chat.members.filter { bots[$0] != nil }
        params["BOT_IN_CHAT"] = .phpMap(present.map { (String($0), .text($0)) })
        return params
    }

    /// Absent in a private dialog.
    private func chatParams(_ chat: Chat) -> Members<JSON> {
        let start = chat.sessionID.flatMap { sessions[$0]?.start }
        return [
            "CHAT_ID": .text(chat.id), "CHAT_TITLE": .string(chat.title), "CHAT_AUTHOR_ID": .text(owner(of: chat)),
            "CHAT_AVATAR": "0", "CHAT_COLOR": "BROWN", "CHAT_ENTITY_TYPE": .string(chat.line == nil ? "" : "LINES"),
            "CHAT_ENTITY_ID": .string(chat.entityID), "CHAT_ENTITY_DATA_1": .string(chat.entityData1(start: start)),
            "CHAT_ENTITY_DATA_2": .string(chat.entityData2), "CHAT_ENTITY_DATA_3": "", "CHAT_EXTRANET": "N",
            "CHAT_PREV_MESSAGE_ID": .text(chat.messageIDs.dropLast().last ?? 0), "CHAT_CAN_POST": "MEMBER",
        ]
    }

    /// In a group the bot's mention is taken off the text and the raw text kept beside it; of an edited text the comma
    /// after the mention goes too.
    private func addMention(
        of bot: BotRecord, in message: SimulatedPortal.Message, to params: inout Members<JSON>,
        droppingComma: Bool = false
    ) {
        let open = "[USER=\(bot.id)]"
        let close = "[/USER]"
        guard message.text.contains(open) else { return }
        params["TO_USER_ID"] = .text(bot.id)
        params["MESSAGE_ORIGINAL"] = .string(message.text)
        params["MENTIONED_LIST"] = [String(bot.id): .text(bot.id)]
        guard message.text.hasPrefix(open) else { return }
        var rest = message.text[...]
        while !rest.isEmpty, !rest.hasPrefix(close) { rest.removeFirst() }
        rest = rest.dropFirst(close.count)
        while let first = rest.first, first == " " || (droppingComma && first == ",") { rest.removeFirst() }
        params["MESSAGE"] = .string(String(rest))
    }

    private func addFiles(of message: SimulatedPortal.Message, to params: inout Members<JSON>) {
        guard !message.files.isEmpty else { return }
        params["PARAMS"] = ["FILE_ID": .array(message.files.map { .text($0.id) })]
        var entries: Members<JSON> = [:]
        for file in message.files {
            guard let stored = files[file.id] else { continue }
            let url = JSON.string(downloadURL(stored))
            entries[String(file.id)] = [
                "id": .text(file.id), "chatId": .text(message.chatID), "date": .string(stored.date.bitrixDate),
                "type": .string(file.type), "name": .string(file.name), "extension": .string(file.fileExtension),
                "size": .text(file.content.count), "status": "done", "progress": "100",
                "authorId": .text(stored.authorID), "authorName": .string(users[stored.authorID]?.name ?? ""),
                "urlShow": url, "urlDownload": url,
                "viewerAttrs": [
                    "viewer": "", "viewerType": .string(file.type == "file" ? "unknown" : file.type), "src": url,
                    "objectId": .text(file.id), "title": .string(file.name),
                ],
            ]
        }
        params["FILES"] = .object(entries)
    }

    private func changeParams(
        _ message: SimulatedPortal.Message, text: String, chat: Chat, bot: BotRecord
    ) -> Members<JSON> {
        let start = chat.sessionID.flatMap { sessions[$0]?.start }
        var params: Members<JSON> = [
            "ID": .text(message.id), "CHAT_ID": .text(chat.id), "AUTHOR_ID": .text(message.authorID),
            "MESSAGE": .string(text), "MESSAGE_TYPE": .string(chat.letter), "CHAT_AUTHOR_ID": .text(owner(of: chat)),
            "CHAT_ENTITY_ID": .string(chat.entityID), "CHAT_ENTITY_DATA_1": .string(chat.entityData1(start: start)),
            "CHAT_ENTITY_DATA_2": .string(chat.entityData2), "CHAT_ENTITY_DATA_3": "",
            "CHAT_USER_COUNT": .text(chat.members.count), "PLATFORM_CONTEXT": "web",
            "DIALOG_ID": .string(chat.dialogID(for: bot.id)), "MESSAGE_ID": .text(message.id),
            "CHAT_TYPE": .string(chat.letter), "LANGUAGE": .string(settings.language),
        ]
        if chat.isPrivate {
            params["FROM_USER_ID"] = .text(message.authorID)
            params["TO_USER_ID"] = .text(bot.id)
        } else {
            params["CHAT_ENTITY_TYPE"] = .string(chat.line == nil ? "" : "LINES")
        }
        return params
    }

    private func joinParams(chat: Chat, bot: BotRecord, user: Int) -> Members<JSON> {
        var params: Members<JSON> = [
            "CHAT_TYPE": .string(chat.letter), "MESSAGE_TYPE": .string(chat.letter), "BOT_ID": .text(bot.id),
            "USER_ID": .text(user), "DIALOG_ID": .string(chat.dialogID(for: bot.id)),
            "LANGUAGE": .string(settings.language),
        ]
        if chat.isPrivate {
            params["TO_USER_ID"] = .text(user)
            params["FROM_USER_ID"] = .text(bot.id)
        } else {
            params["CHAT_ID"] = .text(chat.id)
            params["CHAT_AUTHOR_ID"] = .text(owner(of: chat))
            params["CHAT_ENTITY_TYPE"] = .string(chat.line == nil ? "" : "LINES")
            params["CHAT_ENTITY_ID"] = .string(chat.entityID)
            params["ACCESS_HISTORY"] = "1"
        }
        return params
    }
}
