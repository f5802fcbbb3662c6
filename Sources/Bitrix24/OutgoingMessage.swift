import Base

/// A bot's message on its way to a dialog. `Codable`: it waits in the store until it is delivered.
///
/// Documentation: `…/imbot.v2/messages/chat-message-send.md`, `…/imbot.v2/commands/command-answer.md`,
/// `…/outdated/messages/imbot-message-add.md`, `…/outdated/commands/imbot-command-answer.md`.
public struct OutgoingMessage: Sendable, Codable, Hashable {
    /// The command that this answers.
    public struct Command: Sendable, Codable, Hashable {
        public var id: String
        public var messageID: Int64
        public init(id: String, messageID: Int64) {
            self.id = id
            self.messageID = messageID
        }
    }
    public var generation: BotGeneration
    public var botID: Int64
    public var dialogID: String
    /// BB code, at most ``BBCode/longestMessage`` characters.
    public var text: String
    /// Made when the reply was stored; Bitrix24 drops a repeated send that carries it.
    public var uuid: String
    public var command: Command?
    public init(
        generation: BotGeneration, botID: Int64, dialogID: String, text: String, uuid: String, command: Command? = nil
    ) {
        self.generation = generation
        self.botID = botID
        self.dialogID = dialogID
        self.text = text
        self.uuid = uuid
        self.command = command
    }

    /// The REST call that says it; its lane is the dialog.
    public var call: PortalCall { fatalError("skeleton") }

    /// Whether Bitrix24 drops a repeated send by itself.
    public var isRepeatable: Bool { generation == .second && command == nil }
}

extension Portal {
    /// Sends a message. An error that says that it was there already counts as sent.
    /// - Throws: ``PortalError``.
    public func send(_ message: OutgoingMessage, as account: Account) async throws { fatalError("skeleton") }

    /// Looks whether the dialog shows a message of this bot with this text since `moment`; `nil` where no look is possible.
    public func shows(_ message: OutgoingMessage, since moment: Timestamp, as account: Account) async throws -> Bool? {
        fatalError("skeleton")
    }

    /// Shows that the bot is typing; failures do not matter and are not thrown.
    public func showTyping(botID: Int64, dialogID: String, generation: BotGeneration, as account: Account) async {
        fatalError("skeleton")
    }
}
