import Base

private let pages = "api-reference/chat-bots/outdated/"

/// `imbot.message.*`, `imbot.chat.sendTyping`.
let firstGenerationMessageMethods: [RESTMethod] = [
    RESTMethod(
        name: "imbot.message.add", page: pages + "messages/imbot-message-add.md", scopes: ["imbot"], takesTime: true
    ) { state, call in
        RESTResult(JSON(try state.addFirstMessage(call)))
    },
    RESTMethod(
        name: "imbot.message.update", page: pages + "messages/imbot-message-update.md", scopes: ["imbot"],
        takesTime: true
    ) { state, call in
        try state.updateFirstMessage(call)
        return RESTResult(true)
    },
    RESTMethod(
        name: "imbot.message.delete", page: pages + "messages/imbot-message-delete.md", scopes: ["imbot"],
        takesTime: true
    ) { state, call in
        let bot = try state.firstBot(call)
        let message = try state.firstMessage(call, by: bot)
        state.erase(message.id, by: bot.id, now: call.now)
        return RESTResult(true)
    },
    RESTMethod(name: "imbot.message.like", page: pages + "messages/imbot-message-like.md", scopes: ["imbot"]) {
        state, call in
        let bot = try state.firstBot(call)
        let parameters = call.parameters.uppercased
        guard let id = parameters.id("MESSAGE_ID") else { throw RESTError.messageIDMissing }
        let isSet = state.messages[id]?.reactions["like"]?.contains(bot.id) ?? false
        let wanted: Bool
        switch parameters.filled("ACTION") ?? "auto" {
        case "plus": wanted = true
        case "minus": wanted = false
        default: wanted = !isSet
        }
        guard let message = state.messages[id], state.isMember(bot.id, of: message.chatID), wanted != isSet else {
            throw RESTError(400, "WITHOUT_CHANGES", "Action completed without changes")
        }
        state.react("like", to: id, by: bot.id, add: wanted, now: call.now)
        return RESTResult(true)
    },
    RESTMethod(name: "imbot.chat.sendTyping", page: pages + "chats/imbot-chat-send-typing.md", scopes: ["imbot"]) {
        state, call in
        let bot = try state.firstBot(call)
        guard let dialogID = call.parameters.uppercased.filled("DIALOG_ID") else { throw RESTError.dialogIDEmpty }
        if let chat = state.chat(of: bot.id, dialogID: dialogID, now: call.now) {
            state.tell(.inputAction(chatID: chat, userID: bot.id, action: "TYPING", text: nil))
        }
        return RESTResult(true)
    },
]

extension RESTError {
    fileprivate static let dialogIDEmpty = RESTError(400, "DIALOG_ID_EMPTY", "Dialog ID can't be empty")
    fileprivate static let messageIDMissing = RESTError(400, "MESSAGE_ID_ERROR", "Message ID can't be empty")
    fileprivate static let cannotEdit = RESTError(
        400, "CANT_EDIT_MESSAGE", "Time has expired for modification or you don't have access")
}

/// A message's additional parts, checked. Documentation: `api-reference/chat-bots/outdated/messages/imbot-message-add.md`.
struct MessageParts {
    /// `nil`: not given; `.some(nil)`: taken away.
    var attach: JSON??
    var keyboard: JSON??

    init(_ parameters: RESTParameters) throws {
        attach = try Self.part("ATTACH", parameters, root: "BLOCKS")
        keyboard = try Self.part("KEYBOARD", parameters, root: "BUTTONS")
        _ = try Self.part("MENU", parameters, root: "ITEMS")
    }

    /// An object, a list, or either as JSON text; at most 30 KB.
    private static func part(_ name: String, _ parameters: RESTParameters, root: String) throws -> JSON?? {
        guard let given = parameters[name] else { return nil }
        if given.isRemoval { return .some(nil) }
        let wrong = RESTError(400, name + "_ERROR", "Incorrect \(name.lowercased()) params")
        var value = given
        if case .string(let text) = given {
            guard let parsed = try? JSON(parsing: text.utf8) else { throw wrong }
            value = parsed
        }
        guard let items = value.listed ?? value[root]?.listed, items.allSatisfy({ $0.object != nil }) else {
            throw wrong
        }
        guard value.bytes.count <= 30 * 1024 else {
            throw RESTError(
                400, name + "_OVERSIZE", "You have exceeded the maximum allowable size of \(name.lowercased())")
        }
        return value
    }
}

extension PortalState {
    fileprivate mutating func addFirstMessage(_ call: RESTCall) throws -> Int {
        let bot = try firstBot(call)
        let parameters = call.parameters.uppercased
        let from = parameters.id("FROM_USER_ID")
        let to = parameters.id("TO_USER_ID")
        let isBetweenUsers = from != nil && to != nil
        let dialogID = parameters.filled("DIALOG_ID") ?? ""
        guard isBetweenUsers || dialogID.hasPrefix("chat") || (Int(dialogID) ?? 0) > 0 else {
            throw RESTError.dialogIDEmpty
        }
        let text = (parameters.text("MESSAGE") ?? "").trimmed
        guard !text.isEmpty else { throw RESTError.messageEmpty }
        let parts = try MessageParts(parameters)
        var chat: Int?
        if let from, let to, users[from] != nil, users[to] != nil {
            chat = privateChat(of: from, with: to, now: call.now)
        } else if !isBetweenUsers {
            chat = self.chat(of: bot.id, dialogID: dialogID, now: call.now)
        }
        let draft = Draft(
            authorID: bot.id, text: shortened(text), keyboard: parts.keyboard ?? nil, attach: parts.attach ?? nil,
            isSystem: isBetweenUsers || parameters.flag("SYSTEM") == true,
            isHiddenFromCustomer: parameters.flag("SKIP_CONNECTOR") ?? false)
        guard let chat, let message = post(draft, in: chat, now: call.now) else {
            throw RESTError(400, "WRONG_REQUEST", "Message isn't added")
        }
        return message.id
    }

    /// The bot's own message that `MESSAGE_ID` names, as long as it may be changed.
    fileprivate func firstMessage(_ call: RESTCall, by bot: BotRecord) throws -> SimulatedPortal.Message {
        guard let id = call.parameters.uppercased.id("MESSAGE_ID") else { throw RESTError.messageIDMissing }
        guard let message = messages[id], !message.isDeleted, message.authorID == bot.id,
            call.now - message.date < .seconds(3 * 86_400)
        else { throw RESTError.cannotEdit }
        return message
    }

    fileprivate mutating func updateFirstMessage(_ call: RESTCall) throws {
        let bot = try firstBot(call)
        let message = try firstMessage(call, by: bot)
        let parameters = call.parameters.uppercased
        let parts = try MessageParts(parameters)
        let text = parameters.text("MESSAGE")?.trimmed
        if text == "" {
            erase(message.id, by: bot.id, now: call.now)
            return
        }
        edit(message.id, by: bot.id, now: call.now) { message in
            if let text { message.text = shortened(text) }
            if let attach = parts.attach { message.attach = attach }
            if let keyboard = parts.keyboard { message.keyboard = keyboard }
        }
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
