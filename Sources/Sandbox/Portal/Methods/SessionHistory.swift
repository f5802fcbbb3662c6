import Base

/// The answer of `imopenlines.session.history.get`, which has its own forms of everything.
/// Documentation: `api-reference/imopenlines/openlines/sessions/imopenlines-session-history-get.md`.
extension PortalState {
    func history(_ parameters: RESTParameters) throws -> JSON {
        let session = try session(parameters)
        guard let chat = chats[session.chatID] else { throw RESTError.historyDenied }
        let told = chat.messageIDs.compactMap { messages[$0] }.filter { message in
            message.date >= session.start && session.end.map { message.date <= $0 } ?? true && !message.isDeleted
        }
        let id = String(chat.id)
        let dialogID = "chat\(id)"
        let people = unique(chat.members + told.map(\.authorID)).filter { users[$0] != nil }
        let newestFirst = told.reversed().map { JSON.text($0.id) }
        let silent = people.map { (key: String($0), value: JSON.bool(false)) }
        let shownFiles = told.flatMap(\.files).compactMap { files[$0.id] }
        return [
            "chatId": JSON(chat.id), "canJoin": "Y", "canVoteHead": "Y", "sessionId": JSON(session.id),
            "sessionVoteHead": 0, "sessionCommentHead": .null, "userId": .string(dialogID),
            "message": .phpMap(told.map { (String($0.id), entry($0)) }),
            "usersMessage": .phpMap([(dialogID, .array(newestFirst))]),
            "users": .phpMap(people.map { (String($0), person($0)) }),
            "openlines": ["canvoteashead": .phpMap([(String(chat.line ?? 0), true)])],
            "userInGroup": .phpMap([("1", ["id": 1, "users": .array(people.map { .text($0) })])]),
            "woUserInGroup": [], "chat": .phpMap([(id, entry(chat, muted: silent))]),
            "userBlockChat": .phpMap([(id, .phpMap(silent))]),
            "userInChat": .phpMap([(id, .array(chat.members.map { JSON($0) }))]),
            "files": .phpMap(shownFiles.map { (String($0.file.id), entry($0)) }),
        ]
    }

    /// `SESSION_ID`, or else the last session of `CHAT_ID`.
    private func session(_ parameters: RESTParameters) throws -> Session {
        guard parameters.has("SESSION_ID") || parameters.has("CHAT_ID") else {
            throw RESTError(400, "MISSING_REQUIRED_PARAM", "Session ID or Chat ID must be provided")
        }
        let last = parameters.id("CHAT_ID").flatMap { chat in
            sessions.values.filter { $0.chatID == chat }.map(\.id).max()
        }
        guard let id = parameters.id("SESSION_ID") ?? last else {
            throw RESTError(400, "INVALID_SESSION_ID", "Unable to determine session ID from provided parameters")
        }
        guard let session = sessions[id] else { throw RESTError.historyDenied }
        return session
    }

    private func entry(_ message: SimulatedPortal.Message) -> JSON {
        let files = message.files.map { JSON($0.id) }
        return [
            "id": .text(message.id), "chatid": .text(message.chatID), "senderid": .text(message.authorID),
            "recipientid": .string("chat\(message.chatID)"), "date": .string(message.date.bitrixDate),
            "text": .string(message.text), "textlegacy": .string(message.text),
            "params": files.isEmpty ? [] : ["fileId": .array(files)],
        ]
    }

    private func person(_ id: Int) -> JSON {
        var object = userObject(id)
        for name in ["website", "email"] { object[name] = nil }
        object["id"] = .text(id)
        object["avatarId"] = ""
        object["network"] = false
        object["phoneDevice"] = false
        object["profile"] = .string("/company/personal/user/\(id)/")
        object["services"] = .null
        object["botData"] = .null
        object["type"] = users[id]?.kind == .bot ? "bot" : "user"
        return object
    }

    private func entry(_ chat: Chat, muted: [(key: String, value: JSON)]) -> JSON {
        let start = chat.sessionID.flatMap { sessions[$0]?.start }
        return [
            "id": .text(chat.id), "parentChatId": 0, "parentMessageId": 0, "name": .string(chat.title),
            "owner": .text(owner(of: chat)), "color": .string(chat.color), "extranet": false, "avatar": "",
            "call": "0", "callNumber": "", "entityType": "LINES", "entityId": .string(chat.entityID),
            "entityData1": .string(chat.entityData1(start: start)), "entityData2": .string(chat.entityData2),
            "entityData3": "", "messageCount": JSON(chat.messageCount), "public": "", "muteList": .phpMap(muted),
            "managerList": .array(chat.operatorID.map { [JSON($0)] } ?? []),
            "dateCreate": .string(chat.created.bitrixDate), "type": "lines",
            "entityLink": ["type": "LINES", "url": "", "id": .string(chat.entityID)],
            "permissions": [
                "manageUsersAdd": "member", "manageUsersDelete": "manager", "manageUi": "member",
                "manageSettings": "owner", "manageMessages": "member", "canPost": "member",
            ],
            "textFieldEnabled": .bool(chat.isTextFieldEnabled), "backgroundId": .null, "messageType": "L",
            "isNew": false,
        ]
    }

    private func entry(_ stored: StoredFile) -> JSON {
        let url = JSON.string(downloadURL(stored))
        return [
            "id": JSON(stored.file.id), "chatid": JSON(stored.chatID), "date": .string(stored.date.bitrixDate),
            "type": .string(stored.file.type), "name": .string(stored.file.name),
            "extension": .string(stored.file.fileExtension), "size": JSON(stored.file.content.count),
            "image": stored.file.type == "image" ? ["height": 1, "width": 1] : false, "status": "done", "progress": 100,
            "authorid": JSON(stored.authorID),
            "authorname": .string(users[stored.authorID]?.name ?? ""), "urlpreview": "", "urlshow": url,
            "urldownload": url, "istranscribable": false, "isvideonote": false, "isvoicenote": false,
            "mediaurl": stored.file.type == "image" ? ["preview": ["250": url]] : [],
            "viewerattrs": [
                "viewer": "", "viewertype": .string(stored.file.type == "file" ? "unknown" : stored.file.type),
                "src": url,
                "viewerresized": "", "objectid": .text(stored.file.id), "viewergroupby": .text(stored.chatID),
                "imchatid": JSON(stored.chatID), "title": .string(stored.file.name), "actions": "[]",
            ],
        ]
    }
}

extension RESTError {
    fileprivate static let historyDenied = RESTError(
        400, "ACCESS_DENIED", "You cannot open this conversation as you do not have sufficient rights")
}
