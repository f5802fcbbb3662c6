import Base

/// The objects that methods and events show. Documentation: `api-reference/chat-bots/chat-bots-v2/entities.md`.
extension PortalState {
    /// What a missing value is in a webhook's body, where there is no `null`.
    enum Missing {
        case null, empty
        var json: JSON { self == .null ? .null : "" }
    }

    func userObject(_ id: Int, inEvent: Bool = false) -> JSON {
        guard let user = users[id] else { return [:] }
        let bot = bots[id]
        return [
            "id": JSON(id), "active": true, "name": .string(user.name), "firstName": .string(user.firstName),
            "lastName": .string(user.lastName), "workPosition": .string(bot?.workPosition ?? ""),
            "color": .string(bot?.color ?? "#df532d"), "avatar": "", "gender": .string(bot?.gender ?? "M"),
            "birthday": "", "extranet": false, "bot": .bool(user.kind == .bot),
            "connector": .bool(user.kind == .customer), "externalAuthId": .string(user.externalAuthID),
            "status": "online", "idle": false,
            "lastActivityDate": inEvent ? false : .string(WallClock.system.now.bitrixDate),
            "mobileLastDate": false, "desktopLastDate": false, "absent": false,
            "departments": user.kind == .customer ? [] : [1], "phones": false, "type": .string(user.typeName),
            "website": "", "email": "",
        ]
    }

    /// The full object, for the bot's owner.
    func botObject(_ bot: BotRecord, isOwner: Bool = true) -> JSON {
        var object: Members<JSON> = [
            "id": JSON(bot.id), "code": .string(bot.code), "type": .string(bot.type), "isHidden": .bool(bot.isHidden),
            "isSupportOpenline": .bool(bot.isOpenLine), "isReactionsEnabled": .bool(bot.isReactionsEnabled),
            "backgroundId": bot.backgroundID.map { .string($0) } ?? .null, "language": .string(settings.language),
        ]
        guard isOwner else { return .object(object) }
        let rooms = chats.values.filter { $0.members.contains(bot.id) }
        object["moduleId"] = "rest"
        object["eventMode"] = .string(bot.isFetching ? "fetch" : "webhook")
        object["countMessage"] = JSON(bot.countMessage)
        object["countCommand"] = JSON(commands.values.count { $0.botID == bot.id })
        object["countChat"] = JSON(rooms.count)
        object["countUser"] = JSON(Set(rooms.flatMap(\.members)).count { bots[$0] == nil })
        return .object(object)
    }

    /// - Parameter viewer: whose `dialogId` and role are shown; methods show more than events.
    func chatObject(_ chat: Chat, for viewer: Int, inEvent: Bool, missing: Missing = .null) -> JSON {
        let start = chat.sessionID.flatMap { sessions[$0]?.start }
        var object: Members<JSON> = [
            "id": JSON(chat.id), "dialogId": .string(chat.dialogID(for: viewer)), "name": .string(chat.title),
            "description": .string(chat.description), "type": .string(chat.typeName),
            "messageType": .string(chat.letter), "owner": JSON(owner(of: chat)), "color": .string(chat.color),
            "avatar": "",
            "extranet": false, "containsCollaber": false, "entityType": .string(chat.line == nil ? "" : "LINES"),
            "entityId": .string(chat.entityID), "entityData1": .string(chat.entityData1(start: start)),
            "entityData2": .string(chat.entityData2), "entityData3": "", "entityLink": entityLink(chat),
            "diskFolderId": JSON(chat.id), "permissions": [:], "parentChatId": missing.json,
            "parentMessageId": missing.json, "isNew": false,
            "textFieldEnabled": .yesNo(chat.isTextFieldEnabled), "backgroundId": missing.json,
        ]
        if inEvent { return .object(object) }
        let role = viewer == chat.owner ? "owner" : chat.members.contains(viewer) ? "member" : "none"
        object["role"] = .string(chat.managers.contains(viewer) && role == "member" ? "manager" : role)
        object["muteList"] = []
        object["dateCreate"] = .string(chat.created.bitrixDate)
        object["lastMessageId"] = JSON(chat.messageIDs.last)
        object["lastMessageViews"] = "{}"
        object["lastId"] = JSON(chat.lastRead[viewer])
        object["managerList"] = .array(chat.managers.map { JSON($0) })
        object["markedId"] = .null
        object["messageCount"] = JSON(chat.messageCount)
        object["public"] = ""
        object["unreadId"] = JSON(chat.messageIDs.first { $0 > chat.lastRead[viewer] ?? 0 })
        object["userCounter"] = JSON(chat.members.count)
        return .object(object)
    }

    /// Who a chat belongs to; an open channel's to who has the dialog: an employee, or the bot.
    /// Documentation: the examples of `api-reference/imopenlines/openlines/sessions/imopenlines-dialog-get.md` and
    /// `…/imopenlines-session-history-get.md`, whose owner is an employee.
    func owner(of chat: Chat) -> Int {
        guard chat.line != nil else { return chat.owner }
        return chat.operatorID ?? chat.members.first { bots[$0] != nil } ?? 0
    }

    private func entityLink(_ chat: Chat) -> JSON {
        chat.line == nil ? [:] : ["type": "LINES", "url": "", "id": .string(chat.entityID)]
    }

    func messageObject(_ message: SimulatedPortal.Message, inEvent: Bool, missing: Missing = .null) -> JSON {
        var params: Members<JSON> = [:]
        if let attach = message.attach { params["ATTACH"] = attach }
        if let keyboard = message.keyboard { params["KEYBOARD"] = keyboard }
        if !message.files.isEmpty { params["FILE_ID"] = .array(message.files.map { JSON($0.id) }) }
        if message.isEdited { params["IS_EDITED"] = "Y" }
        var object: Members<JSON> = [
            "id": JSON(message.id), "chatId": JSON(message.chatID), "authorId": JSON(message.authorID),
            "date": .string(message.date.bitrixDate), "text": .string(message.text),
            "isSystem": .bool(message.isSystem), "uuid": .string(message.uuid ?? ""), "forward": missing.json,
            "params": .object(params), "viewedByOthers": .bool(isViewed(message)),
        ]
        if !inEvent {
            object["unread"] = false
            object["viewed"] = true
        }
        return .object(object)
    }

    private func isViewed(_ message: SimulatedPortal.Message) -> Bool {
        chats[message.chatID]?.lastRead.contains { $0.key != message.authorID && $0.value >= message.id } ?? false
    }

    /// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/files/file-upload.md`.
    func fileObject(_ stored: StoredFile) -> JSON {
        let file = stored.file
        return [
            "id": JSON(file.id), "chatId": JSON(stored.chatID), "date": .string(stored.date.bitrixDate),
            "type": .string(file.type), "name": .string(file.name), "extension": .string(file.fileExtension),
            "size": JSON(file.content.count), "image": false, "authorId": JSON(stored.authorID),
            "authorName": .string(users[stored.authorID]?.name ?? ""), "isTranscribable": false,
            "isVideoNote": false, "isVoiceNote": false,
        ]
    }

    /// Keeps a file and gives it its number.
    mutating func store(name: String, content: [UInt8], chat: Int, author: Int, now: Timestamp) -> SimulatedPortal.File
    {
        let file = SimulatedPortal.File(
            id: next(.file), name: name, type: SimulatedPortal.File.type(ofName: name), content: content)
        files[file.id] = StoredFile(chatID: chat, authorID: author, date: now, file: file)
        return file
    }

    /// The signed address of a file.
    func downloadURL(_ stored: StoredFile) -> String {
        "\(origin)/rest/download.json?token=" + Form.percentEncode("imbot|\(stored.file.id)|\(stored.secret)")
    }
}

extension Chat {
    fileprivate var typeName: String {
        switch kind {
        case .privateChat: "private"
        case .group: "chat"
        case .openChannel: "lines"
        }
    }
}

extension SimulatedPortal.User {
    var externalAuthID: String {
        switch kind {
        case .employee: "default"
        case .customer: "imconnector"
        case .bot: "bot"
        }
    }

    fileprivate var typeName: String {
        switch kind {
        case .employee: "employee"
        case .customer: "connector"
        case .bot: "bot"
        }
    }
}

extension SimulatedPortal.File {
    var fileExtension: String {
        name.split(separator: ".").count > 1 ? name.split(separator: ".").last!.lowercased() : ""
    }

    static func type(ofName name: String) -> String {
        switch name.split(separator: ".").last?.lowercased() {
        case "png", "jpg", "jpeg", "gif", "webp", "bmp": "image"
        case "mp4", "webm", "mov": "video"
        case "mp3", "ogg", "wav", "m4a": "audio"
        default: "file"
        }
    }
}
