import Base

/// What the portal's people do.
extension SimulatedPortal {
    // MARK: Who and where

    /// Everybody, by id.
    public var users: [User] { state.withLock { $0.users.values.sorted { $0.id < $1.id } } }
    /// All bots, by id.
    public var bots: [Bot] {
        state.withLock { state in state.bots.values.sorted { $0.id < $1.id }.map { state.shown($0) } }
    }
    /// All bots' commands, by id.
    public var commands: [Command] {
        state.withLock { state in
            state.commands.values.sorted { $0.id < $1.id }.map { command in
                Command(
                    name: command.command, botID: command.botID, isCommon: command.isCommon,
                    isHidden: command.isHidden, isForExtranet: command.isForExtranet, titles: command.titles,
                    params: command.params)
            }
        }
    }
    /// All chats, by id.
    public var dialogs: [Dialog] {
        state.withLock { state in state.chats.values.sorted { $0.id < $1.id }.map { state.dialog($0) } }
    }

    /// Adds an employee and returns the new user's id.
    public func addEmployee(_ firstName: String, _ lastName: String = "", isAdmin: Bool = false) -> Int {
        state.withLock { $0.addUser(firstName, lastName, kind: .employee, isAdmin: isAdmin) }
    }

    /// Makes an open channel and returns its line id.
    /// - Parameters:
    ///   - bot: takes part from the first message; `nil` for employees only.
    ///   - leave: what happens when the bot hands over: it leaves the chat (`queue`) or stays in it and hears on
    ///     (`close`), as the line's setting `WELCOME_BOT_LEFT`.
    ///   - isActive: the line's setting `ACTIVE`; it is only shown.
    /// Documentation: `api-reference/imopenlines/openlines/imopenlines-config-add.md`.
    public func createOpenChannel(
        _ name: String = "Open Channel", bot: Int? = nil, leave: BotLeave = .queue, operators: [Int] = [2],
        isActive: Bool = true
    ) -> Int {
        state.withLock { state in
            let id = state.next(.line)
            state.lines[id] = PortalState.Line(
                id: id, name: name, botID: bot, leave: leave, operators: operators, isActive: isActive)
            return id
        }
    }

    /// The line's setting `WELCOME_BOT_LEFT`.
    public enum BotLeave: String, Sendable, Hashable { case queue, close }

    /// Gives an open channel its bot, or takes it away.
    public func attach(bot: Int?, toLine line: Int) throws {
        try state.withLock { state in
            guard state.lines[line] != nil else { throw SimulatedPortalError.unknownLine(line) }
            if let bot, state.bots[bot] == nil { throw SimulatedPortalError.unknownBot(bot) }
            state.lines[line]?.botID = bot
        }
    }

    /// Starts an external client's chat in an open channel. The session, and the bot, begin with the first message.
    /// - Parameters:
    ///   - connector: the first part of the chat's `entity_id`.
    ///   - lead: the lead in the CRM that the chat belongs to.
    /// - Returns: the chat, with ``Dialog/owner`` as the customer's user id.
    public func startDialog(
        line: Int, customer name: String = "Guest", connector: String = "livechat", lead: Int? = nil
    ) throws -> Dialog {
        try change { state in
            guard let found = state.lines[line] else { throw SimulatedPortalError.unknownLine(line) }
            let user = state.addUser(name, kind: .customer)
            let id = state.next(.chat)
            var chat = Chat(
                id: id, kind: .openChannel(line: line), title: "\(name) - \(found.name)", members: [user], owner: user,
                created: WallClock.system.now)
            chat.connector = connector
            chat.lead = lead
            state.chats[id] = chat
            state.tellDialog(id)
            return state.dialog(chat)
        }
    }

    /// The private chat of a user and a bot, made at its first use (the bot then hears that it joined).
    public func privateChat(of user: Int, with bot: Int) throws -> Dialog {
        try change { state in
            guard state.users[user] != nil else { throw SimulatedPortalError.unknownUser(user) }
            guard state.bots[bot] != nil else { throw SimulatedPortalError.unknownBot(bot) }
            let id = state.privateChat(of: user, with: bot, now: WallClock.system.now)
            return try state.dialog(id)
        }
    }

    /// Makes a group chat; each bot among the members hears that it joined.
    public func createGroup(_ title: String, members: [Int], by user: Int = 1) throws -> Dialog {
        try change { state in
            for member in members + [user] where state.users[member] == nil {
                throw SimulatedPortalError.unknownUser(member)
            }
            let id = state.createGroup(title, members: members, owner: user, now: WallClock.system.now)
            return try state.dialog(id)
        }
    }

    // MARK: Acts

    /// The customer of an open channel's chat writes; opens a session if none is open.
    /// - Returns: the message's id.
    @discardableResult
    public func customerWrites(_ text: String, files: [(name: String, content: [UInt8])] = [], in chat: Int) throws
        -> Int
    {
        try change { state in
            let now = WallClock.system.now
            guard let found = state.chats[chat], found.line != nil else {
                throw SimulatedPortalError.unknownDialog(chat)
            }
            state.openSession(chat: chat, now: now)
            return try state.write(text, files: files, as: found.owner, in: chat, now: now)
        }
    }

    /// An employee writes. A text that begins with a registered command (`/help now`) makes the command event, and the
    /// message event too if the settings say so.
    /// - Returns: the message's id.
    @discardableResult
    public func employeeWrites(
        _ text: String, files: [(name: String, content: [UInt8])] = [], as user: Int, in chat: Int
    ) throws -> Int {
        try change { state in
            guard state.users[user] != nil else { throw SimulatedPortalError.unknownUser(user) }
            guard state.isMember(user, of: chat) else { throw SimulatedPortalError.unknownDialog(chat) }
            state.confirmTransfer(chat: chat, by: user)
            return try state.write(text, files: files, as: user, in: chat, now: WallClock.system.now)
        }
    }

    /// Somebody presses a button of a message's keyboard: a button with `COMMAND` makes a command event with the context
    /// `KEYBOARD`, one with an `ACTION` of kind `SEND` writes its value.
    public func press(button text: String, of message: Int, as user: Int) throws {
        try change { try $0.press(text, of: message, as: user, now: WallClock.system.now) }
    }

    /// A user changes a message of theirs.
    public func edit(_ message: Int, to text: String) throws {
        try change { state in
            guard let author = state.messages[message]?.authorID else {
                throw SimulatedPortalError.unknownMessage(message)
            }
            state.edit(message, by: author, now: WallClock.system.now) { $0.text = text }
        }
    }

    /// A user deletes a message of theirs.
    public func delete(_ message: Int) throws {
        try change { state in
            guard let author = state.messages[message]?.authorID else {
                throw SimulatedPortalError.unknownMessage(message)
            }
            state.erase(message, by: author, now: WallClock.system.now)
        }
    }

    /// A user gives or takes back a reaction.
    public func react(_ reaction: String = "like", to message: Int, as user: Int, add: Bool = true) throws {
        try change { state in
            guard state.messages[message] != nil else { throw SimulatedPortalError.unknownMessage(message) }
            state.react(reaction, to: message, by: user, add: add, now: WallClock.system.now)
        }
    }

    /// A user opens a chat by a link that carries data for the bots in it.
    /// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/bot-context.md`.
    public func open(chat: Int, as user: Int, context: JSON) throws {
        try change { state in
            guard let found = state.chats[chat] else { throw SimulatedPortalError.unknownDialog(chat) }
            let bots = found.members.filter { state.bots[$0] != nil }
            state.emit(.contextGet(context), to: bots, chat: chat, user: user, now: WallClock.system.now)
        }
    }

    /// An employee takes an open channel's dialog over from the bot or the queue.
    public func operatorJoins(_ user: Int, chat: Int) throws {
        try change { state in
            guard state.chats[chat]?.line != nil else { throw SimulatedPortalError.unknownDialog(chat) }
            guard state.users[user]?.kind == .employee else { throw SimulatedPortalError.unknownUser(user) }
            state.handOver(chat: chat, to: user)
        }
    }

    /// The employee who has an open channel's dialog gives it back to the line's bot. A bot that left joins anew; one that
    /// stayed hears nothing of it.
    public func operatorReturns(chat: Int) throws {
        try change { state in
            guard state.chats[chat]?.line != nil else { throw SimulatedPortalError.unknownDialog(chat) }
            state.handBack(chat: chat, now: WallClock.system.now)
        }
    }

    /// Ends the open session of an open channel's chat; the customer's next message opens a new one.
    public func finishSession(chat: Int) throws {
        try change { state in
            guard state.chats[chat]?.line != nil else { throw SimulatedPortalError.unknownDialog(chat) }
            state.closeSession(chat: chat, now: WallClock.system.now)
        }
    }

    /// Removes a bot, as an administrator may; its application hears of it.
    public func deleteBot(_ id: Int) throws {
        try change { state in
            guard state.bots[id] != nil else { throw SimulatedPortalError.unknownBot(id) }
            state.remove(bot: id, by: 1, now: WallClock.system.now)
        }
    }

    // MARK: Seeing

    /// The messages of a chat that are still kept, by id.
    public func messages(in chat: Int) -> [Message] {
        state.withLock { state in
            let ids = state.chats[chat]?.messageIDs.suffix(max(settings.messagesKept, 1)) ?? []
            return ids.compactMap { state.messages[$0] }
        }
    }

    /// A file of any chat.
    func file(_ id: Int) -> File? { state.withLock { $0.files[id]?.file } }

    /// The last REST calls, oldest first.
    public var calls: [Call] { state.withLock { $0.calls.entries } }

    /// The last events that were posted, oldest first.
    public var deliveries: [Delivery] { state.withLock { $0.deliveries.entries } }

    /// How many messages bots have sent since the start.
    public var sentByBots: Int { state.withLock { $0.sentByBots } }

    /// All that happens from now on. A reader that falls 1,000 changes behind loses the oldest.
    public func changes() -> AsyncStream<Change> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1_000)) { continuation in
            let id = state.withLock { state in
                let id = state.next(.watcher)
                state.watchers[id] = continuation
                return id
            }
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { $0.watchers[id] = nil }
            }
        }
    }
}

extension PortalState {
    fileprivate func dialog(_ id: Int) throws -> SimulatedPortal.Dialog {
        guard let chat = chats[id] else { throw SimulatedPortalError.unknownDialog(id) }
        return dialog(chat)
    }

    fileprivate mutating func write(
        _ text: String, files: [(name: String, content: [UInt8])], as user: Int, in chat: Int, now: Timestamp
    ) throws -> Int {
        let stored = files.map { store(name: $0.name, content: $0.content, chat: chat, author: user, now: now) }
        guard let message = post(Draft(authorID: user, text: text, files: stored), in: chat, now: now) else {
            throw SimulatedPortalError.unknownDialog(chat)
        }
        return message.id
    }

    /// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/message-keyboards.md`.
    fileprivate mutating func press(_ text: String, of id: Int, as user: Int, now: Timestamp) throws {
        guard var message = messages[id], let chat = chats[message.chatID] else {
            throw SimulatedPortalError.unknownMessage(id)
        }
        let buttons = message.keyboard?.listed ?? message.keyboard?["BUTTONS"]?.listed ?? []
        guard let button = buttons.map({ RESTParameters($0) }).first(where: { $0.text("TEXT") == text }) else {
            throw SimulatedPortalError.unknownMessage(id)
        }
        if let name = button.filled("COMMAND") {
            let parts = name.split(separator: " ", maxSplits: 1)
            guard let first = parts.first, let command = command(named: String(first), in: chat) else { return }
            let parameters = button.filled("COMMAND_PARAMS") ?? (parts.count > 1 ? String(parts[1]) : "")
            message.text = "/\(command.command) \(parameters)".trimmed
            message.authorID = user
            emit(
                .command(command, parameters: parameters, context: .keyboard, message), to: [command.botID],
                chat: chat.id, user: user, now: now)
        } else if button.text("ACTION") == "SEND", let value = button.filled("ACTION_VALUE") {
            post(Draft(authorID: user, text: value), in: chat.id, now: now)
        }
    }
}
