import Base

/// What the portal's people do.
extension SimulatedPortal {
    // MARK: Who and where

    /// Everybody, by id.
    public var users: [User] { fatalError("skeleton") }
    /// All bots, by id.
    public var bots: [Bot] { fatalError("skeleton") }
    /// All chats, by id.
    public var dialogs: [Dialog] { fatalError("skeleton") }

    /// Adds an employee and returns the new user's id.
    public func addEmployee(_ firstName: String, _ lastName: String = "", isAdmin: Bool = false) -> Int {
        fatalError("skeleton")
    }

    /// Makes an open channel and returns its line id.
    /// - Parameters:
    ///   - bot: takes part from the first message; `nil` for employees only.
    ///   - leave: what happens when the bot hands over: it leaves the chat (`queue`) or stays in it and hears on
    ///     (`close`), as the line's setting `WELCOME_BOT_LEFT`.
    /// Documentation: `api-reference/imopenlines/openlines/imopenlines-config-add.md`.
    public func createOpenChannel(
        _ name: String = "Open Channel", bot: Int? = nil, leave: BotLeave = .queue, operators: [Int] = [2]
    ) -> Int { fatalError("skeleton") }

    /// The line's setting `WELCOME_BOT_LEFT`.
    public enum BotLeave: String, Sendable, Hashable { case queue, close }

    /// Gives an open channel its bot, or takes it away.
    public func attach(bot: Int?, toLine line: Int) throws { fatalError("skeleton") }

    /// Starts an external client's chat in an open channel. The session, and the bot, begin with the first message.
    /// - Parameter connector: the first part of the chat's `entity_id`.
    /// - Returns: the chat, with ``Dialog/owner`` as the customer's user id.
    public func startDialog(
        line: Int, customer name: String = "Guest", connector: String = "livechat"
    ) throws -> Dialog { fatalError("skeleton") }

    /// The private chat of a user and a bot, made at its first use (the bot then hears that it joined).
    public func privateChat(of user: Int, with bot: Int) throws -> Dialog { fatalError("skeleton") }

    /// Makes a group chat; each bot among the members hears that it joined.
    public func createGroup(_ title: String, members: [Int], by user: Int = 1) throws -> Dialog {
        fatalError("skeleton")
    }

    // MARK: Acts

    /// The customer of an open channel's chat writes; opens a session if none is open.
    /// - Returns: the message's id.
    @discardableResult
    public func customerWrites(_ text: String, files: [(name: String, content: [UInt8])] = [], in chat: Int) throws
        -> Int
    { fatalError("skeleton") }

    /// An employee writes. A text that begins with a registered command (`/help now`) makes the command event, and the
    /// message event too if the settings say so.
    /// - Returns: the message's id.
    @discardableResult
    public func employeeWrites(
        _ text: String, files: [(name: String, content: [UInt8])] = [], as user: Int, in chat: Int
    ) throws -> Int { fatalError("skeleton") }

    /// Somebody presses a button of a message's keyboard: a button with `COMMAND` makes a command event with the context
    /// `KEYBOARD`, one with an `ACTION` of kind `SEND` writes its value.
    public func press(button text: String, of message: Int, as user: Int) throws { fatalError("skeleton") }

    /// A user changes a message of theirs.
    public func edit(_ message: Int, to text: String) throws { fatalError("skeleton") }

    /// A user deletes a message of theirs.
    public func delete(_ message: Int) throws { fatalError("skeleton") }

    /// A user gives or takes back a reaction.
    public func react(_ reaction: String = "like", to message: Int, as user: Int, add: Bool = true) throws {
        fatalError("skeleton")
    }

    /// An employee takes an open channel's dialog over from the bot or the queue.
    public func operatorJoins(_ user: Int, chat: Int) throws { fatalError("skeleton") }

    /// Ends the open session of an open channel's chat; the customer's next message opens a new one.
    public func finishSession(chat: Int) throws { fatalError("skeleton") }

    /// Removes a bot, as an administrator may; its application hears of it.
    public func deleteBot(_ id: Int) throws { fatalError("skeleton") }

    // MARK: Seeing

    /// The messages of a chat that are still kept, by id.
    public func messages(in chat: Int) -> [Message] { fatalError("skeleton") }

    /// The last REST calls, oldest first.
    public var calls: [Call] { fatalError("skeleton") }

    /// The last events that were posted, oldest first.
    public var deliveries: [Delivery] { fatalError("skeleton") }

    /// How many messages bots have sent since the start.
    public var sentByBots: Int { fatalError("skeleton") }

    /// All that happens from now on. A reader that falls 1,000 changes behind loses the oldest.
    public func changes() -> AsyncStream<Change> { fatalError("skeleton") }

    /// Waits until every event made so far has been delivered or given up.
    public func settle() async { fatalError("skeleton") }
}
