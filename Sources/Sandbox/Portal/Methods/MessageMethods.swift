import Base

private let pages = "api-reference/chat-bots/chat-bots-v2/imbot.v2/"

/// `imbot.v2.Chat.Message.*` and `imbot.v2.Chat.InputAction.notify`.
let messageMethods: [RESTMethod] = [
    RESTMethod(
        name: "imbot.v2.Chat.Message.send", page: pages + "messages/chat-message-send.md", scopes: ["imbot"],
        takesTime: true, uuid: sendUUID
    ) { state, call in
        try state.sendMessage(call)
    },
    RESTMethod(
        name: "imbot.v2.Chat.Message.update", page: pages + "messages/chat-message-update.md", scopes: ["imbot"],
        takesTime: true
    ) { state, call in
        let bot = try state.ownBot(call)
        guard let message = state.message(call), message.authorID == bot.id else { throw RESTError.accessDenied }
        let fields = call.parameters.group("fields")
        state.edit(message.id, by: bot.id, now: call.now) { message in
            if let text = fields.text("message") { message.text = shortened(text) }
            if let attach = fields["attach"] { message.attach = attach.isRemoval ? nil : attach }
            if let keyboard = fields["keyboard"] { message.keyboard = keyboard.isRemoval ? nil : keyboard }
        }
        return .done
    },
    RESTMethod(
        name: "imbot.v2.Chat.Message.delete", page: pages + "messages/chat-message-delete.md", scopes: ["imbot"],
        takesTime: true
    ) { state, call in
        let bot = try state.ownBot(call)
        guard let message = state.message(call), let chat = state.chats[message.chatID],
            message.authorID == bot.id || chat.owner == bot.id || chat.managers.contains(bot.id)
        else { throw RESTError.accessDenied }
        state.erase(message.id, by: bot.id, now: call.now)
        return .done
    },
    RESTMethod(name: "imbot.v2.Chat.Message.get", page: pages + "messages/chat-message-get.md", scopes: ["imbot"]) {
        state, call in
        let bot = try state.readingBot(call)
        guard let message = state.message(call), state.isMember(bot.id, of: message.chatID) else {
            throw RESTError.messageNotFound
        }
        return RESTResult([
            "message": state.messageObject(message, inEvent: false), "user": state.userObject(message.authorID),
        ])
    },
    RESTMethod(
        name: "imbot.v2.Chat.Message.getContext", page: pages + "messages/chat-message-get-context.md",
        scopes: ["imbot"]
    ) { state, call in
        try state.messageContext(call)
    },
    RESTMethod(name: "imbot.v2.Chat.Message.read", page: pages + "messages/chat-message-read.md", scopes: ["imbot"]) {
        state, call in
        try state.readMessages(call)
    },
    RESTMethod(
        name: "imbot.v2.Chat.Message.Reaction.add", page: pages + "messages/chat-message-reaction-add.md",
        scopes: ["imbot"]
    ) { state, call in
        let (bot, message, reaction) = try state.reactionTarget(call)
        guard message.reactions[reaction]?.contains(bot.id) != true else {
            throw RESTError(400, "REACTION_ALREADY_SET", "Reaction already set")
        }
        state.react(reaction, to: message.id, by: bot.id, add: true, now: call.now)
        return .done
    },
    RESTMethod(
        name: "imbot.v2.Chat.Message.Reaction.delete", page: pages + "messages/chat-message-reaction-delete.md",
        scopes: ["imbot"]
    ) { state, call in
        let (bot, message, reaction) = try state.reactionTarget(call)
        state.react(reaction, to: message.id, by: bot.id, add: false, now: call.now)
        return .done
    },
    RESTMethod(
        name: "imbot.v2.Chat.InputAction.notify", page: pages + "ui/chat-input-action-notify.md", scopes: ["imbot"]
    ) { state, call in
        let bot = try state.ownBot(call)
        let chat = try state.openChat(call, for: bot)
        let code = call.parameters.filled("statusMessageCode")
        state.tell(.inputAction(chatID: chat, userID: bot.id, action: code ?? "TYPING", text: nil))
        return .done
    },
]

/// A `templateId` counts against repeats if it is a UUID. System messages are not checked.
private let sendUUID: @Sendable (RESTCall) -> String? = { call in
    let fields = call.parameters.group("fields")
    guard fields.flag("system") != true, let uuid = fields.filled("templateId"), hasUUIDShape(uuid) else { return nil }
    return uuid.lowercased()
}

private func hasUUIDShape(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.allSatisfy(\.isHexDigit) }
}

/// Texts are cut at 20,000 characters.
func shortened(_ text: String) -> String {
    guard text.utf8.count > 20_000, text.unicodeScalars.count > 20_000 else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(20_000))) + " (...)"
}

extension RESTError {
    static let messageNotFound = RESTError(400, "MESSAGE_NOT_FOUND", "Message not found")
}

extension JSON {
    /// What takes a keyboard or attachment away: `"N"` or nothing.
    var isRemoval: Bool { self == "N" || self == "" || self == [] || self == [:] || isNull || self == false }
}

extension PortalState {
    func isMember(_ user: Int, of chat: Int) -> Bool { chats[chat]?.members.contains(user) ?? false }

    /// The message that `messageId` names, unless it is deleted.
    fileprivate func message(_ call: RESTCall) -> SimulatedPortal.Message? {
        call.parameters.id("messageId").flatMap { messages[$0] }.flatMap { $0.isDeleted ? nil : $0 }
    }

    /// The chat that `dialogId` names for a bot that is in it; a private chat is made if need be.
    mutating func openChat(_ call: RESTCall, for bot: BotRecord) throws -> Int {
        guard let dialogID = call.parameters.filled("dialogId"),
            let chat = chat(of: bot.id, dialogID: dialogID, now: call.now)
        else { throw RESTError.accessDenied }
        return chat
    }

    /// The chat that a bot may write to under a `DIALOG_ID`.
    mutating func chat(of bot: Int, dialogID: String, now: Timestamp) -> Int? {
        if dialogID.hasPrefix("chat") {
            guard let id = Int(dialogID.dropFirst(4)), isMember(bot, of: id) else { return nil }
            return id
        }
        guard let user = Int(dialogID), let kind = users[user]?.kind, kind == .employee, user != bot else { return nil }
        return privateChat(of: user, with: bot, now: now)
    }

    fileprivate mutating func sendMessage(_ call: RESTCall) throws -> RESTResult {
        let bot = try ownBot(call)
        let fields = call.parameters.group("fields")
        let uuid = sendUUID(call)
        if let uuid, case .sent(let id) = sends[uuid] { return RESTResult(["id": JSON(id), "uuidMap": []]) }
        let chat = try openChat(call, for: bot)
        let forwards = fields.group("forwardIds").members.sorted { $0.key < $1.key }
        let text = fields.text("message") ?? ""
        var uuidMap: [(key: String, value: JSON)] = []
        for forward in forwards.prefix(100) {
            guard let original = forward.value.wholeNumber.flatMap({ messages[$0] }),
                isMember(bot.id, of: original.chatID),
                let copy = post(Draft(authorID: bot.id, text: original.text), in: chat, now: call.now)
            else { throw RESTError.accessDenied }
            uuidMap.append((forward.key, JSON(copy.id)))
        }
        let attach = fields["attach"].flatMap { $0.isRemoval ? nil : $0 }
        if text.isEmpty, attach == nil {
            guard let last = uuidMap.last else { throw RESTError(400, "EMPTY_MESSAGE", "Message is empty") }
            return RESTResult(["id": last.value, "uuidMap": .phpMap(uuidMap)])
        }
        let draft = Draft(
            authorID: bot.id, text: shortened(text), keyboard: fields["keyboard"].flatMap { $0.isRemoval ? nil : $0 },
            attach: attach, uuid: fields.filled("templateId"), isSystem: fields.flag("system") ?? false,
            isHiddenFromCustomer: fields.flag("skipConnector") ?? false)
        if let uuid, sends[uuid] == nil { sends.begin(uuid) }
        guard let message = post(draft, in: chat, now: call.now) else {
            throw RESTError(400, "SENDING_FAILED", "Sending failed")
        }
        if let uuid { sends.finish(uuid, as: message.id) }
        return RESTResult(["id": JSON(message.id), "uuidMap": .phpMap(uuidMap)])
    }

    /// Only bots that see everything may read messages.
    fileprivate func readingBot(_ call: RESTCall) throws -> BotRecord {
        let bot = try ownBot(call)
        guard bot.hearsAll else { throw RESTError(403, "BOT_TYPE_NOT_ALLOWED", "Bot type not allowed") }
        return bot
    }

    fileprivate func messageContext(_ call: RESTCall) throws -> RESTResult {
        let bot = try readingBot(call)
        guard let center = message(call) else { throw RESTError.messageNotFound }
        guard let chat = chats[center.chatID], chat.members.contains(bot.id) else {
            throw RESTError(403, "MESSAGE_ACCESS_DENIED", "Message access denied")
        }
        let range = min(max(call.parameters.number("range") ?? 50, 1), 50)
        let ids = chat.messageIDs.filter { messages[$0]?.isDeleted == false }
        guard let index = ids.firstIndex(of: center.id) else { throw RESTError.messageNotFound }
        let first = max(0, index - range)
        let last = min(ids.count - 1, index + range)
        let shown = ids[first...last].compactMap { messages[$0] }
        return RESTResult([
            "messages": .array(shown.map { messageObject($0, inEvent: false) }),
            "users": .array(unique(shown.map(\.authorID)).filter { $0 > 0 }.map { userObject($0) }),
            "hasPrevPage": .bool(first > 0), "hasNextPage": .bool(last < ids.count - 1),
        ])
    }

    fileprivate mutating func readMessages(_ call: RESTCall) throws -> RESTResult {
        let bot = try ownBot(call)
        let chatID = try openChat(call, for: bot)
        let ids = chats[chatID]?.messageIDs ?? []
        if let asked = call.parameters.id("messageId"), !ids.contains(asked) { throw RESTError.messageNotFound }
        let last = call.parameters.id("messageId") ?? ids.last ?? 0
        let before = chats[chatID]?.lastRead[bot.id] ?? 0
        chats[chatID]?.lastRead[bot.id] = max(before, last)
        let viewed = ids.filter { $0 > before && $0 <= last && messages[$0]?.authorID != bot.id }
        return RESTResult([
            "chatId": JSON(chatID), "lastId": JSON(last), "counter": JSON(ids.count { $0 > max(before, last) }),
            "viewedMessages": .array(viewed.map { JSON($0) }),
        ])
    }

    fileprivate func reactionTarget(_ call: RESTCall) throws -> (BotRecord, SimulatedPortal.Message, String) {
        let bot = try ownBot(call)
        guard let message = message(call), isMember(bot.id, of: message.chatID) else { throw RESTError.accessDenied }
        guard let reaction = call.parameters.filled("reaction"), reactionCodes.contains(reaction) else {
            throw RESTError(400, "REACTION_NOT_FOUND", "Reaction not found")
        }
        return (bot, message, reaction)
    }

    // MARK: Changing messages

    mutating func edit(
        _ id: Int, by user: Int, now: Timestamp, _ change: (inout SimulatedPortal.Message) -> Void
    ) {
        guard var message = messages[id] else { return }
        change(&message)
        message.isEdited = true
        messages[id] = message
        tell(.messageChanged(message))
        guard bots[user] == nil, let chat = chats[message.chatID] else { return }
        emit(.messageUpdate(message), to: listeners(to: message, in: chat), chat: chat.id, user: user, now: now)
    }

    mutating func erase(_ id: Int, by user: Int, now: Timestamp) {
        guard var message = messages[id] else { return }
        let heard = chats[message.chatID].map { listeners(to: message, in: $0) } ?? []
        message.isDeleted = true
        message.text = ""
        message.keyboard = nil
        message.attach = nil
        messages[id] = message
        tell(.messageDeleted(message))
        guard bots[user] == nil else { return }
        emit(.messageDelete(message), to: heard, chat: message.chatID, user: user, now: now)
    }

    /// Sets or takes back a reaction; a bot hears of reactions to its own messages.
    mutating func react(_ reaction: String, to id: Int, by user: Int, add: Bool, now: Timestamp) {
        guard var message = messages[id] else { return }
        var given = message.reactions[reaction] ?? []
        guard given.contains(user) != add else { return }
        if add { given.append(user) } else { given.removeAll { $0 == user } }
        message.reactions[reaction] = given.isEmpty ? nil : given
        messages[id] = message
        tell(.messageChanged(message))
        guard let bot = bots[message.authorID], bot.id != user, bot.isReactionsEnabled else { return }
        emit(.reaction(reaction, isAdded: add, message), to: [bot.id], chat: message.chatID, user: user, now: now)
    }
}

/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-reaction-add.md`.
let reactionCodes: Set = [
    "like", "dislike", "faceWithTearsOfJoy", "redHeart", "neutralFace", "fire", "cry", "slightlySmilingFace",
    "winkingFace", "laugh", "kiss", "wonder", "slightlyFrowningFace", "loudlyCryingFace", "faceWithStuckOutTongue",
    "faceWithStuckOutTongueAndWinkingEye", "smilingFaceWithSunglasses", "confusedFace", "flushedFace",
    "thinkingFace", "angry", "smilingFaceWithHorns", "faceWithThermometer", "facepalm", "poo", "flexedBiceps",
    "clappingHands", "raisedHand", "smilingFaceWithHeartEyes", "smilingFaceWithHearts", "pleadingFace",
    "relievedFace", "foldedHands", "okHand", "signHorns", "loveYouGesture", "clownFace", "partyingFace",
    "questionMark", "exclamationMark", "lightBulb", "bomb", "sleepingSymbol", "crossMark", "whiteHeavyCheckMark",
    "eyes", "handshake", "hundredPoints",
]
