import Base

private let pages = "api-reference/chat-bots/chat-bots-v2/imbot.v2/"

/// `imbot.v2.Chat.*` but messages.
let chatMethods: [RESTMethod] = [
    RESTMethod(name: "imbot.v2.Chat.get", page: pages + "chats/chat-get.md", scopes: ["imbot"]) { state, call in
        let bot = try state.ownBot(call)
        let id = try state.openChat(call, for: bot)
        return RESTResult(["chat": state.chats[id].map { state.chatObject($0, for: bot.id, inEvent: false) } ?? .null])
    },
    RESTMethod(name: "imbot.v2.Chat.add", page: pages + "chats/chat-add.md", scopes: ["imbot"]) { state, call in
        try state.addChat(call)
    },
    RESTMethod(name: "imbot.v2.Chat.update", page: pages + "chats/chat-update.md", scopes: ["imbot"]) { state, call in
        let bot = try state.ownBot(call)
        let id = try state.openChat(call, for: bot)
        let fields = call.parameters.group("fields")
        if let title = fields.text("title") { state.chats[id]?.title = title }
        if let description = fields.text("description") { state.chats[id]?.description = description }
        if let color = fields.text("color").flatMap({ chatColors[$0] }) { state.chats[id]?.color = color }
        state.tellDialog(id)
        return .done
    },
    RESTMethod(name: "imbot.v2.Chat.leave", page: pages + "chats/chat-leave.md", scopes: ["imbot"]) { state, call in
        let bot = try state.ownBot(call)
        let id = try state.openChat(call, for: bot)
        if state.chats[id]?.isPrivate == true { throw RESTError.accessDenied }
        state.leave(bot.id, chat: id)
        return .done
    },
    RESTMethod(name: "imbot.v2.Chat.User.list", page: pages + "chats/chat-user-list.md", scopes: ["imbot"]) {
        state, call in
        let bot = try state.ownBot(call)
        let id = try state.openChat(call, for: bot)
        let limit = min(max(call.parameters.number("limit") ?? 50, 1), 200)
        let isDescending = call.parameters.group("order").members.values.first == "DESC"
        let members = (state.chats[id]?.members ?? []).sorted { isDescending ? $0 > $1 : $0 < $1 }
        return RESTResult(.array(members.prefix(limit).map { state.userObject($0) }))
    },
    RESTMethod(name: "imbot.v2.Chat.User.add", page: pages + "chats/chat-user-add.md", scopes: ["imbot"]) {
        state, call in
        let (bot, id) = try state.managedChat(call)
        for user in call.parameters.list("userIds").compactMap(\.wholeNumber) where state.users[user] != nil {
            if state.bots[user] != nil {
                state.join(user, chat: id, by: bot.id, now: call.now)
            } else if !state.isMember(user, of: id) {
                state.chats[id]?.members.append(user)
            }
        }
        state.tellDialog(id)
        return .done
    },
    RESTMethod(name: "imbot.v2.Chat.User.delete", page: pages + "chats/chat-user-delete.md", scopes: ["imbot"]) {
        state, call in
        let (_, id) = try state.managedChat(call)
        if let user = call.parameters.id("userId") { state.leave(user, chat: id) }
        return .done
    },
    RESTMethod(name: "imbot.v2.Chat.Manager.add", page: pages + "chats/chat-manager-add.md", scopes: ["imbot"]) {
        state, call in
        let (_, id) = try state.managedChat(call)
        let users = call.parameters.list("userIds").compactMap(\.wholeNumber).filter { state.isMember($0, of: id) }
        let managers = state.chats[id]?.managers ?? []
        state.chats[id]?.managers = unique(managers + users)
        return .done
    },
    RESTMethod(name: "imbot.v2.Chat.Manager.delete", page: pages + "chats/chat-manager-delete.md", scopes: ["imbot"]) {
        state, call in
        let (_, id) = try state.managedChat(call)
        let users = call.parameters.list("userIds").compactMap(\.wholeNumber)
        state.chats[id]?.managers.removeAll { users.contains($0) }
        return .done
    },
    RESTMethod(name: "imbot.v2.Chat.setOwner", page: pages + "chats/chat-set-owner.md", scopes: ["imbot"]) {
        state, call in
        let (_, id) = try state.managedChat(call)
        guard let user = call.parameters.id("userId"), state.isMember(user, of: id) else {
            throw RESTError.accessDenied
        }
        state.chats[id]?.owner = user
        return .done
    },
    RESTMethod(
        name: "imbot.v2.Chat.TextField.enabled", page: pages + "ui/chat-text-field-enabled.md", scopes: ["imbot"]
    ) { state, call in
        let bot = try state.ownBot(call)
        let id = try state.openChat(call, for: bot)
        state.chats[id]?.isTextFieldEnabled = call.parameters.flag("enabled") ?? true
        return .done
    },
]

/// `imbot.v2.File.*`.
let fileMethods: [RESTMethod] = [
    RESTMethod(
        name: "imbot.v2.File.upload", page: pages + "files/file-upload.md", scopes: ["imbot"], takesTime: true,
        isAllowedInBatch: false
    ) { state, call in
        try state.uploadFile(call)
    },
    RESTMethod(
        name: "imbot.v2.File.download", page: pages + "files/file-download.md", scopes: ["imbot"],
        isAllowedInBatch: false
    ) { state, call in
        let bot = try state.ownBot(call)
        guard let stored = call.parameters.id("fileId").flatMap({ state.files[$0] }) else {
            throw RESTError(400, "FILE_NOT_FOUND", "File not found")
        }
        guard state.isMember(bot.id, of: stored.chatID) else {
            throw RESTError(403, "FILE_ACCESS_ERROR", "File access error")
        }
        return RESTResult(["downloadUrl": .string(state.makeLink(to: stored.file.id, kind: .imbot))])
    },
]

extension PortalState {
    /// A chat in which the calling bot is an administrator.
    fileprivate mutating func managedChat(_ call: RESTCall) throws -> (BotRecord, Int) {
        let bot = try ownBot(call)
        let id = try openChat(call, for: bot)
        guard let chat = chats[id], chat.owner == bot.id || chat.managers.contains(bot.id), !chat.isPrivate else {
            throw RESTError.accessDenied
        }
        return (bot, id)
    }

    fileprivate mutating func addChat(_ call: RESTCall) throws -> RESTResult {
        let bot = try ownBot(call)
        let fields = call.parameters.group("fields")
        let people = fields.list("userIds").compactMap(\.wholeNumber).filter { users[$0] != nil }
        let owner = fields.id("ownerId").flatMap { users[$0] == nil ? nil : $0 } ?? bot.id
        let id = createGroup(fields.text("title") ?? "", members: people, owner: owner, now: call.now)
        if chats[id]?.members.contains(bot.id) == false { chats[id]?.members.append(bot.id) }
        chats[id]?.description = fields.text("description") ?? ""
        chats[id]?.color = fields.text("color").flatMap { chatColors[$0] } ?? "#ab7761"
        if let text = fields.filled("message") {
            post(Draft(authorID: bot.id, text: shortened(text)), in: id, now: call.now)
        }
        guard let chat = chats[id] else { throw RESTError.internalServer }
        var object = chatObject(chat, for: bot.id, inEvent: false)
        object["isNew"] = true
        return RESTResult(["chat": object, "users": .array(chat.members.map { userObject($0) })])
    }

    fileprivate mutating func uploadFile(_ call: RESTCall) throws -> RESTResult {
        let bot = try ownBot(call)
        let chatID = try openChat(call, for: bot)
        let fields = call.parameters.group("fields")
        guard let name = fields.filled("name"), let content = fields.filled("content") else {
            throw RESTError(400, "FILE_EMPTY", "File name or content is empty")
        }
        guard let bytes = decodedBase64(content) else {
            throw RESTError(400, "FILE_INVALID_CONTENT", "Invalid base64 content")
        }
        guard bytes.count <= 100 * 1024 * 1024 else { throw RESTError(400, "FILE_TOO_LARGE", "File is too large") }
        let file = store(name: name, content: bytes, chat: chatID, author: bot.id, now: call.now)
        let draft = Draft(authorID: bot.id, text: shortened(fields.text("message") ?? ""), files: [file])
        guard let message = post(draft, in: chatID, now: call.now), let stored = files[file.id] else {
            throw RESTError(400, "FILE_SEND_FAILED", "Failed to send message")
        }
        return RESTResult([
            "file": fileObject(stored), "messageId": JSON(message.id), "chatId": JSON(chatID),
            "dialogId": .string(chats[chatID]?.dialogID(for: bot.id) ?? ""),
        ])
    }
}
