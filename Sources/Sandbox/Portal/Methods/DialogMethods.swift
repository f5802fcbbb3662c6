import Base

/// `im.dialog.messages.get`: a chat's messages as one of its participants sees them.
let dialogMethods: [RESTMethod] = [
    RESTMethod(
        name: "im.dialog.messages.get", page: "api-reference/chats/messages/im-dialog-messages-get.md", scopes: ["im"]
    ) { state, call in
        RESTResult(try state.dialogMessages(call))
    }
]

extension PortalState {
    fileprivate func dialogMessages(_ call: RESTCall) throws -> JSON {
        let parameters = call.parameters.uppercased
        let dialogID = parameters.filled("DIALOG_ID") ?? ""
        let user = call.caller.userID
        let chatID: Int?
        if dialogID.hasPrefix("chat"), let id = Int(dialogID.dropFirst(4)) {
            chatID = id
        } else if let other = Int(dialogID), other > 0 {
            chatID = privateChats[UserPair(user, other)]
        } else {
            throw RESTError(400, "DIALOG_ID_EMPTY", "Dialog ID can't be empty")
        }
        for (name, words) in [("FIRST_ID", "First"), ("LAST_ID", "Last")]
        where parameters.has(name) && parameters.number(name) == nil {
            throw RESTError(400, name + "_STRING", "\(words) ID can't be string")
        }
        guard let chat = chatID.flatMap({ chats[$0] }), chat.members.contains(user) else {
            throw RESTError(403, "ACCESS_ERROR", "You do not have access to the specified dialog")
        }
        let shown = page(of: chat, parameters)
        let files = shown.flatMap(\.files).compactMap { self.files[$0.id] }
        let people = unique(shown.map(\.authorID)).filter { users[$0] != nil }
        return [
            "chat_id": JSON(chat.id), "messages": .array(shown.map { message($0) }),
            "users": .array(people.map { person($0) }), "files": .array(files.map { file($0) }),
        ]
    }

    /// The newest first: after `FIRST_ID`, before `LAST_ID`, or the last ones.
    private func page(of chat: Chat, _ parameters: RESTParameters) -> [SimulatedPortal.Message] {
        let limit = min(max(parameters.number("LIMIT") ?? 20, 1), 50)
        let kept = chat.messageIDs.compactMap { messages[$0] }.filter { !$0.isDeleted }
        if let first = parameters.number("FIRST_ID") {
            return kept.filter { $0.id > first }.prefix(limit).reversed()
        }
        let last = parameters.number("LAST_ID") ?? Int.max
        return kept.filter { $0.id < last }.suffix(limit).reversed()
    }

    private func message(_ message: SimulatedPortal.Message) -> JSON {
        var params: [(key: String, value: JSON)] = []
        if let likes = message.reactions["like"] { params.append(("LIKE", .array(likes.map { JSON($0) }))) }
        if let keyboard = message.keyboard { params.append(("KEYBOARD", keyboard)) }
        if let attach = message.attach { params.append(("ATTACH", attach)) }
        if !message.files.isEmpty { params.append(("FILE_ID", .array(message.files.map { JSON($0.id) }))) }
        return [
            "id": JSON(message.id), "chat_id": JSON(message.chatID), "author_id": JSON(message.authorID),
            "date": .string(message.date.bitrixDate), "text": .string(message.text), "unread": false,
            "uuid": message.uuid.map { .string($0) } ?? .null, "replaces": [], "params": .phpMap(params),
            "disappearing_date": .null,
        ]
    }

    private func person(_ id: Int) -> JSON {
        guard let user = users[id] else { return [:] }
        return [
            "id": JSON(id), "active": true, "name": .string(user.name), "first_name": .string(user.firstName),
            "last_name": .string(user.lastName), "work_position": "", "color": "#df532d", "avatar": "",
            "avatar_hr": "", "gender": "M", "birthday": "", "extranet": false, "network": false,
            "bot": .bool(user.kind == .bot), "connector": .bool(user.kind == .customer),
            "external_auth_id": .string(user.externalAuthID), "status": "online", "idle": false,
            "last_activity_date": .string(WallClock.system.now.bitrixDate), "mobile_last_date": false,
            "desktop_last_date": false, "absent": false, "departments": user.kind == .customer ? [] : [1],
            "phones": false, "bot_data": .null, "type": user.kind == .bot ? "bot" : "user", "website": "",
            "email": "",
        ]
    }

    private func file(_ stored: StoredFile) -> JSON {
        let url = JSON.string(downloadURL(stored))
        let isImage = stored.file.type == "image"
        var object = fileObject(stored)
        object["image"] = isImage ? ["height": 1, "width": 1] : false
        object["status"] = "done"
        object["progress"] = 100
        object["urlPreview"] = isImage ? url : ""
        object["urlShow"] = url
        object["urlDownload"] = url
        object["mediaUrl"] = isImage ? ["preview": ["250": url]] : []
        object["viewerAttrs"] = [
            "viewer": "", "viewerType": .string(stored.file.type == "file" ? "unknown" : stored.file.type), "src": url,
            "viewerResized": "", "objectId": .text(stored.file.id), "viewerGroupBy": .text(stored.chatID),
            "imChatId": JSON(stored.chatID), "title": .string(stored.file.name), "actions": "[]",
        ]
        return object
    }
}
