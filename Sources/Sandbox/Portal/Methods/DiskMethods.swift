import Base

/// `disk.*`. People's rights to a chat's files are those to the chat.
let diskMethods: [RESTMethod] = [
    RESTMethod(name: "disk.file.get", page: "api-reference/disk/file/disk-file-get.md", scopes: ["disk"]) {
        state, call in
        guard let id = call.parameters.id("id") else {
            throw RESTError(400, "ERROR_ARGUMENT", "Invalid value of parameter {Parameter #0}")
        }
        guard let stored = state.files[id] else {
            throw RESTError(400, "ERROR_NOT_FOUND", "Could not find entity with id `\(id)`")
        }
        guard state.isMember(call.caller.userID, of: stored.chatID) else {
            throw RESTError(400, "ACCESS_DENIED", "Access denied")
        }
        return RESTResult(state.driveObject(stored))
    }
]

extension PortalState {
    fileprivate mutating func driveObject(_ stored: StoredFile) -> JSON {
        let date = JSON.string(stored.date.bitrixDate)
        return [
            "ID": .text(stored.file.id), "NAME": .string(stored.file.name), "CODE": .null, "STORAGE_ID": "1",
            "TYPE": "file", "PARENT_ID": .text(stored.chatID), "DELETED_TYPE": "0", "GLOBAL_CONTENT_VERSION": "1",
            "FILE_ID": .text(stored.file.id), "SIZE": .text(stored.file.content.count), "CREATE_TIME": date,
            "UPDATE_TIME": date, "DELETE_TIME": .null, "CREATED_BY": .text(stored.authorID),
            "UPDATED_BY": .text(stored.authorID), "DELETED_BY": "0",
            "DOWNLOAD_URL": .string(makeLink(to: stored.file.id, kind: .disk)),
            "DETAIL_URL": .string("\(origin)/company/personal/user/\(stored.authorID)/disk/file/\(stored.file.name)"),
        ]
    }
}
