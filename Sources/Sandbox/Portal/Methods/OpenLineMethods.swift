import Base

private let pages = "api-reference/imopenlines/openlines/"

/// `imopenlines.*`, as far as a bot needs it.
let openLineMethods: [RESTMethod] = [
    RESTMethod(
        name: "imopenlines.bot.session.operator", page: pages + "chat-bots/imopenlines-bot-session-operator.md",
        scopes: ["imopenlines"]
    ) { state, call in
        let chat = try state.lineChat(call)
        guard chat.sessionID != nil, chat.operatorID == nil, let line = chat.line.flatMap({ state.lines[$0] }) else {
            throw RESTError(400, "WRONG_CHAT", "Operator is not a bot")
        }
        if let user = line.operators.first { state.handOver(chat: chat.id, to: user) }
        return RESTResult(true)
    },
    RESTMethod(
        name: "imopenlines.bot.session.transfer", page: pages + "chat-bots/imopenlines-bot-session-transfer.md",
        scopes: ["imopenlines"]
    ) { state, call in
        try state.transfer(call)
        return RESTResult(true)
    },
    RESTMethod(
        name: "imopenlines.bot.session.finish", page: pages + "chat-bots/imopenlines-bot-session-finish.md",
        scopes: ["imopenlines"]
    ) { state, call in
        let chat = try state.lineChat(call)
        _ = try state.anyBot(call)
        state.closeSession(chat: chat.id, now: call.now)
        return RESTResult(true)
    },
    RESTMethod(
        name: "imopenlines.bot.session.message.send",
        page: pages + "chat-bots/imopenlines-bot-session-message-send.md", scopes: ["imopenlines"], takesTime: true
    ) { state, call in
        let chat = try state.lineChat(call)
        let parameters = call.parameters.uppercased
        let isWelcome = parameters.filled("NAME") == "WELCOME"
        let text = isWelcome ? "Welcome!" : parameters.text("MESSAGE") ?? ""
        if !text.isEmpty, let bot = chat.members.first(where: { state.bots[$0] != nil }) {
            state.post(PortalState.Draft(authorID: bot, text: shortened(text)), in: chat.id, now: call.now)
        }
        return RESTResult(true)
    },
    RESTMethod(
        name: "imopenlines.dialog.get", page: pages + "sessions/imopenlines-dialog-get.md", scopes: ["imopenlines"]
    ) { state, call in
        guard let chat = state.lineDialog(call.parameters.uppercased) else {
            throw RESTError(400, "ACCESS_ERROR", "You do not have access to the specified dialog")
        }
        return RESTResult(state.lineObject(chat))
    },
    RESTMethod(
        name: "imopenlines.session.history.get", page: pages + "sessions/imopenlines-session-history-get.md",
        scopes: ["imopenlines"]
    ) { state, call in
        RESTResult(try state.history(call.parameters.uppercased))
    },
    RESTMethod(
        name: "imopenlines.crm.chat.user.add", page: pages + "chats/imopenlines-crm-chat-user-add.md",
        scopes: ["imopenlines"]
    ) { state, call in
        RESTResult(JSON(try state.addToLeadsChat(call)))
    },
    openLineListMethod,
]

extension PortalState {
    /// The open channel's chat that `CHAT_ID` names.
    fileprivate func lineChat(_ call: RESTCall) throws -> Chat {
        guard let id = call.parameters.uppercased.id("CHAT_ID") else {
            throw RESTError(400, "CHAT_ID_EMPTY", "Chat ID can't be empty")
        }
        guard let chat = chats[id], chat.line != nil else {
            throw RESTError(400, "WRONG_CHAT", "Operator is not a bot")
        }
        return chat
    }

    /// Any bot of the caller, of either generation.
    fileprivate func anyBot(_ call: RESTCall) throws -> BotRecord {
        let owner = try call.firstOwner()
        guard let bot = bots.values.first(where: { $0.owner == owner }) else { throw RESTError.firstBotNotFound }
        return bot
    }

    fileprivate mutating func transfer(_ call: RESTCall) throws {
        let chat = try lineChat(call)
        let parameters = call.parameters.uppercased
        _ = try anyBot(call)
        var user: Int?
        var queue: Int?
        if parameters.has("USER_ID") {
            user = parameters.id("USER_ID")
            if user == nil { throw RESTError(400, "USER_ID_EMPTY", "User ID can't be empty") }
        } else if parameters.has("QUEUE_ID") {
            queue = parameters.id("QUEUE_ID")
            if queue == nil { throw RESTError(400, "QUEUE_ID_EMPTY", "QUEUE ID can't be empty") }
        } else if let target = parameters.filled("TRANSFER_ID") {
            if target.hasPrefix("queue") { queue = Int(target.dropFirst(5)) } else { user = Int(target) }
        } else {
            throw RESTError(400, "TRANSFER_ID_EMPTY", "Queue ID or User ID can't be empty")
        }
        if let queue { user = lines[queue]?.operators.first }
        guard let user, users[user]?.kind == .employee else {
            throw RESTError(400, "OPERATOR_WRONG", "You cannot redirect to this operator")
        }
        handOver(chat: chat.id, to: user, botLeaves: parameters.flag("LEAVE") == true)
    }

    /// Only leads are known here.
    fileprivate mutating func addToLeadsChat(_ call: RESTCall) throws -> Int {
        let parameters = call.parameters.uppercased
        guard let type = parameters.filled("CRM_ENTITY_TYPE"), let entity = parameters.id("CRM_ENTITY"),
            let user = parameters.id("USER_ID")
        else { throw RESTError(400, "ERROR_ARGUMENT", "An argument is null or empty") }
        let ofLead = chats.values.filter { type == "lead" && $0.lead == entity }.map(\.id)
        guard let id = parameters.id("CHAT_ID") ?? ofLead.max() else { return 0 }
        guard ofLead.contains(id) else {
            throw RESTError(400, "CHAT_NOT_IN_CRM", "Chat does not belong to the CRM object being checked")
        }
        guard users[user] != nil else {
            throw RESTError(400, "CRM_CHAT_USER_NOT_ACTIVE", "User not active")
        }
        guard !isMember(user, of: id) else {
            throw RESTError(400, "WRONG_REQUEST", "You don't have access or user already member in chat")
        }
        if bots[user] != nil {
            join(user, chat: id, by: 1, now: call.now)
        } else {
            chats[id]?.members.append(user)
            tellDialog(id)
        }
        return id
    }

    fileprivate func lineDialog(_ parameters: RESTParameters) -> Chat? {
        var id = parameters.id("CHAT_ID")
        if let dialogID = parameters.filled("DIALOG_ID"), dialogID.hasPrefix("chat") { id = Int(dialogID.dropFirst(4)) }
        if let session = parameters.id("SESSION_ID") { id = sessions[session]?.chatID }
        if let code = parameters.filled("USER_CODE") { id = chats.values.first { $0.entityID == code }?.id }
        return id.flatMap { chats[$0] }.flatMap { $0.line == nil ? nil : $0 }
    }

    fileprivate func lineObject(_ chat: Chat) -> JSON {
        let start = chat.sessionID.flatMap { sessions[$0]?.start }
        return [
            "id": JSON(chat.id), "parent_chat_id": 0, "parent_message_id": 0, "name": .string(chat.title),
            "description": .null, "owner": JSON(owner(of: chat)), "extranet": false, "avatar": "",
            "color": .string(chat.color), "type": "lines", "counter": 0, "user_counter": JSON(chat.members.count),
            "message_count": JSON(chat.messageCount), "unread_id": 0,
            "last_message_id": JSON(chat.messageIDs.last ?? 0),
            "last_id": JSON(chat.messageIDs.last ?? 0), "marked_id": 0, "disk_folder_id": 0, "entity_type": "LINES",
            "entity_id": .string(chat.entityID), "entity_data_1": .string(chat.entityData1(start: start)),
            "entity_data_2": .string(chat.entityData2), "entity_data_3": "N", "mute_list": [],
            "date_create": .string(chat.created.bitrixDate), "message_type": "L", "public": "", "role": "guest",
            "entity_link": ["type": "LINES", "url": "", "id": .string(chat.entityID)], "text_field_enabled": true,
            "background_id": .null, "is_new": false, "readed_list": [],
            "restrictions": [
                "avatar": true, "rename": true, "extend": true, "call": true, "mute": true, "leave": true,
                "leave_owner": true, "send": true, "user_list": true,
            ],
            "permissions": [
                "manage_users_add": "member", "manage_users_delete": "manager", "manage_ui": "member",
                "manage_settings": "owner", "manage_messages": "member", "can_post": "member",
            ],
            "last_message_views": [
                "message_id": JSON(chat.messageIDs.last ?? 0), "first_viewers": [], "count_of_viewers": 0,
            ],
            "manager_list": .array(chat.operatorID.map { [JSON($0)] } ?? []),
            "dialog_id": .string("chat\(chat.id)"),
        ]
    }
}
