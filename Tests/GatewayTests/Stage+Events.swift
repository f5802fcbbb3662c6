import Base
import TestSupport

@testable import Gateway

/// Events beside plain messages, in the documentation's shape.
extension Stage {
    /// A message of a group of the second generation.
    func write(
        _ text: String, id: Int, by user: Int = 1, file: String? = nil, event: String = "ONIMBOTV2MESSAGEADD"
    ) async throws {
        var tree = try about(event, by: user)
        tree[path: ["data", "message", "text"]] = .string(text)
        tree[path: ["data", "message", "id"]] = .string("\(id)")
        tree[path: ["data", "message", "authorId"]] = .string("\(user)")
        if let file { tree[path: ["data", "message", "params"]] = ["files": [["id": "77", "name": .string(file)]]] }
        try await take(tree)
    }

    func edit(_ text: String, id: Int, by user: Int = 1) async throws {
        try await write(text, id: id, by: user, event: "ONIMBOTV2MESSAGEUPDATE")
    }

    func delete(_ id: Int) async throws {
        var tree = try about("ONIMBOTV2MESSAGEDELETE", by: 1)
        tree[path: ["data", "message"]] = .null
        tree[path: ["data", "messageId"]] = .string("\(id)")
        try await take(tree)
    }

    /// One of the commands in a message.
    func command(_ name: String, _ commandID: Int, id: Int) async throws {
        var tree = try Example.secondCommand.tree()
        tree[path: ["data", "chat", "dialogId"]] = "chat5"
        tree[path: ["data", "user", "id"]] = "1"
        tree[path: ["data", "message", "id"]] = .string("\(id)")
        tree[path: ["data", "message", "text"]] = .string("/\(name)")
        tree[path: ["data", "command", "id"]] = .string("\(commandID)")
        tree[path: ["data", "command", "command"]] = .string("/\(name)")
        try await take(tree)
    }

    /// A command that a button of message 70 gives, or an item of its menu.
    func press(
        _ params: String, by user: Int = 1, at seconds: Int? = 1_800_000_000, context: String = "keyboard",
        author: Int = 1
    ) async throws {
        var tree = try Example.secondCommand.tree()
        tree[path: ["data", "chat", "dialogId"]] = "chat5"
        tree[path: ["data", "user", "id"]] = .string("\(user)")
        tree[path: ["data", "message", "id"]] = "70"
        tree[path: ["data", "message", "authorId"]] = .string("\(author)")
        tree[path: ["data", "message", "text"]] = .string("/menu \(params)")
        tree[path: ["data", "command", "params"]] = .string(params)
        tree[path: ["data", "command", "context"]] = .string(context)
        tree[path: ["ts"]] = seconds.map { .string("\($0)") } ?? .null
        try await take(tree)
    }

    func join(openChannel: Bool = false) async throws {
        var tree = try about("ONIMBOTV2JOINCHAT", by: 1)
        tree[path: ["data", "message"]] = .null
        tree[path: ["data", "dialogId"]] = "chat5"
        if openChannel { tree[path: ["data", "chat", "entityType"]] = "LINES" }
        try await take(tree)
    }

    func react(_ reaction: String, to id: Int64, add: Bool = true, at seconds: Int = 1_800_000_000) async throws {
        var tree = try about("ONIMBOTV2REACTIONCHANGE", by: 1)
        tree[path: ["data", "message", "id"]] = .string("\(id)")
        tree[path: ["data", "message", "authorId"]] = "456"
        tree[path: ["data", "reaction"]] = .string(reaction)
        tree[path: ["data", "action"]] = add ? "add" : "delete"
        tree[path: ["ts"]] = .string("\(seconds)")
        try await take(tree)
    }

    private func about(_ event: String, by user: Int) throws -> JSON {
        var tree = try Example.second.tree()
        tree[path: ["event"]] = .string(event)
        tree[path: ["data", "chat", "dialogId"]] = "chat5"
        tree[path: ["data", "user", "id"]] = .string("\(user)")
        return tree
    }

    /// What people said, as the transcript has it.
    func said() async throws -> [String] {
        try await store.database.read {
            try $0.rows("SELECT text FROM messages WHERE author = 'customer' ORDER BY id") { $0.text(0) }
        }
    }
}
