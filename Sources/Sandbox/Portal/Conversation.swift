import Base

/// What happens in chats: messages, joining, sessions of open channels.
extension PortalState {
    /// A message to be posted.
    struct Draft {
        var authorID: Int
        var text: String
        var keyboard: JSON?
        var attach: JSON?
        var uuid: String?
        var isSystem = false
        var isHiddenFromCustomer = false
        var files: [SimulatedPortal.File] = []
    }

    /// Stores a message and tells the bots that hear it.
    @discardableResult
    mutating func post(_ draft: Draft, in chatID: Int, now: Timestamp) -> SimulatedPortal.Message? {
        // No copy of the chat is held here: its list of messages is about to grow, in place.
        guard let isLine = chats[chatID].map({ $0.line != nil }) else { return nil }
        let message = SimulatedPortal.Message(
            id: next(.message), chatID: chatID, authorID: draft.isSystem ? 0 : draft.authorID, text: draft.text,
            date: now, keyboard: draft.keyboard, attach: draft.attach, uuid: draft.uuid, isSystem: draft.isSystem,
            isHiddenFromCustomer: draft.isHiddenFromCustomer || (draft.isSystem && isLine),
            files: draft.files)
        messages[message.id] = message
        keep(message.id, in: chatID)
        if bots[draft.authorID] != nil {
            sentByBots += 1
            bots[draft.authorID]?.countMessage += 1
        }
        tell(.messageAdded(message))
        announce(message, in: chatID, by: draft.authorID, now: now)
        return message
    }

    private mutating func keep(_ message: Int, in chatID: Int) {
        chats[chatID]?.messageIDs.append(message)
        chats[chatID]?.messageCount += 1
        let limit = max(settings.messagesKept, 1)
        guard let count = chats[chatID]?.messageIDs.count, count >= 2 * limit else { return }
        for old in chats[chatID]?.messageIDs.prefix(count - limit) ?? [] { messages[old] = nil }
        chats[chatID]?.messageIDs.removeFirst(count - limit)
    }

    /// Makes the events of a new message: for each command in it, or for the message itself.
    private mutating func announce(_ message: SimulatedPortal.Message, in chatID: Int, by author: Int, now: Timestamp) {
        guard let chat = chats[chatID] else { return }
        if bots[author] == nil, !message.isSystem {
            let invoked = commands(in: message.text, chat: chat)
            for (command, parameters) in invoked {
                emit(
                    .command(command, parameters: parameters, context: .textarea, message), to: [command.botID],
                    chat: chatID, user: author, now: now)
            }
            if !invoked.isEmpty, !plan.commandsAsMessagesToo { return }
        }
        emit(.messageAdd(message), to: listeners(to: message, in: chat), chat: chatID, user: author, now: now)
    }

    /// The bots that hear a message. Documentation: `api-reference/chat-bots/chat-bots-v2/index.md`, "Bot Types".
    func listeners(to message: SimulatedPortal.Message, in chat: Chat) -> [Int] {
        chat.members.filter { member in
            guard let bot = bots[member], member != message.authorID else { return false }
            if bot.hearsAll { return true }
            if message.isSystem || bots[message.authorID] != nil { return false }
            return chat.isPrivate || chat.line != nil || message.text.contains("[USER=\(member)]")
        }
    }

    /// The commands that a text calls: each line may begin with one.
    private func commands(in text: String, chat: Chat) -> [(CommandRecord, parameters: String)] {
        guard text.utf8.contains(UInt8(ascii: "/")) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            guard line.first == "/" else { return nil }
            let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
            guard let name = parts.first else { return nil }
            return command(named: String(name), in: chat).map { ($0, parts.count > 1 ? String(parts[1]) : "") }
        }
    }

    /// A command as it can be called in a chat: one of a bot in it, or a common one.
    func command(named name: String, in chat: Chat) -> CommandRecord? {
        let matching = commands.values.filter { $0.command == name }.sorted { $0.id < $1.id }
        return matching.first { chat.members.contains($0.botID) } ?? matching.first { $0.isCommon }
    }

    /// Makes a bot a member of a chat and tells it.
    mutating func join(_ bot: Int, chat chatID: Int, by user: Int, now: Timestamp) {
        guard let chat = chats[chatID], !chat.members.contains(bot) else { return }
        chats[chatID]?.members.append(bot)
        emit(.join, to: [bot], chat: chatID, user: user, now: now)
        tellDialog(chatID)
    }

    mutating func leave(_ member: Int, chat chatID: Int) {
        chats[chatID]?.members.removeAll { $0 == member }
        tellDialog(chatID)
    }

    /// The private chat of two users, made if there is none.
    mutating func privateChat(of user: Int, with other: Int, now: Timestamp) -> Int {
        let pair = UserPair(user, other)
        if let known = privateChats[pair] { return known }
        let id = next(.chat)
        let bot = bots[other] != nil ? other : user
        chats[id] = Chat(
            id: id, kind: .privateChat, title: "", members: [user, other], owner: bot, created: now)
        privateChats[pair] = id
        if bots[bot] != nil { emit(.join, to: [bot], chat: id, user: bot == other ? user : other, now: now) }
        tellDialog(id)
        return id
    }

    mutating func createGroup(_ title: String, members: [Int], owner: Int, now: Timestamp) -> Int {
        let id = next(.chat)
        let people = members.filter { bots[$0] == nil }
        chats[id] = Chat(
            id: id, kind: .group, title: title, members: unique([owner] + people), owner: owner, managers: [owner],
            created: now)
        tellDialog(id)
        for bot in members where bots[bot] != nil { join(bot, chat: id, by: owner, now: now) }
        return id
    }

    // MARK: Open channels

    /// Opens a session if none is open; the line's bot then joins.
    /// Documentation: `api-reference/imopenlines/openlines/sessions/index.md`.
    mutating func openSession(chat chatID: Int, now: Timestamp) {
        guard let chat = chats[chatID], let lineID = chat.line, chat.sessionID == nil, let line = lines[lineID] else {
            return
        }
        let session = Session(id: next(.session), chatID: chatID, start: now)
        sessions[session.id] = session
        chats[chatID]?.sessionID = session.id
        if let bot = line.botID, bots[bot] != nil {
            join(bot, chat: chatID, by: chat.owner, now: now)
        } else if let first = line.operators.first {
            assign(first, chat: chatID)
        }
        tellDialog(chatID)
    }

    mutating func closeSession(chat chatID: Int, now: Timestamp) {
        guard let session = chats[chatID]?.sessionID else { return }
        sessions[session]?.end = now
        chats[chatID]?.sessionID = nil
        chats[chatID]?.operatorID = nil
        removeBots(from: chatID)
        tellDialog(chatID)
    }

    /// Gives an open channel's dialog to an employee; the bot leaves or stays as the line says.
    mutating func handOver(chat chatID: Int, to user: Int, botLeaves: Bool? = nil) {
        guard let chat = chats[chatID], let lineID = chat.line else { return }
        assign(user, chat: chatID)
        if botLeaves ?? (lines[lineID]?.leave == .queue) { removeBots(from: chatID) }
        tellDialog(chatID)
    }

    /// A bot stays until its transfer is confirmed, unless it wanted to leave (`LEAVE`); then the line's setting counts.
    /// Documentation: `api-reference/imopenlines/openlines/chat-bots/imopenlines-bot-session-transfer.md`.
    mutating func confirmTransfer(chat chatID: Int, by user: Int) {
        guard let chat = chats[chatID], let lineID = chat.line, chat.operatorID == user else { return }
        if lines[lineID]?.leave == .queue { removeBots(from: chatID) }
    }

    /// Gives an open channel's dialog to the line's bot again.
    mutating func handBack(chat chatID: Int, now: Timestamp) {
        guard let chat = chats[chatID], let former = chat.operatorID, chat.sessionID != nil,
            let bot = chat.line.flatMap({ lines[$0]?.botID }), bots[bot] != nil
        else { return }
        chats[chatID]?.operatorID = nil
        leave(former, chat: chatID)
        join(bot, chat: chatID, by: former, now: now)
    }

    private mutating func removeBots(from chatID: Int) { chats[chatID]?.members.removeAll { bots[$0] != nil } }

    private mutating func assign(_ user: Int, chat chatID: Int) {
        chats[chatID]?.operatorID = user
        if chats[chatID]?.members.contains(user) == false { chats[chatID]?.members.append(user) }
    }

    // MARK: Showing

    func dialog(_ chat: Chat) -> SimulatedPortal.Dialog {
        let bot = chat.members.first { bots[$0] != nil }
        return SimulatedPortal.Dialog(
            id: chat.id, kind: chat.kind, title: chat.title, members: chat.members, owner: chat.owner,
            sessionID: chat.sessionID, operatorID: chat.operatorID, dialogID: chat.dialogID(for: bot ?? 0))
    }

    func tellDialog(_ chatID: Int) {
        guard !watchers.isEmpty, let chat = chats[chatID] else { return }
        tell(.dialogChanged(dialog(chat)))
    }
}

func unique(_ numbers: [Int]) -> [Int] {
    var seen: Set<Int> = []
    return numbers.filter { seen.insert($0).inserted }
}
