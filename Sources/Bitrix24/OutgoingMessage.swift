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

    /// The REST call that says it; its lane is the bot's dialog.
    public var call: PortalCall {
        PortalCall(method, parameters, lane: "\(botID)/\(dialogID)")
    }

    /// Whether Bitrix24 drops a repeated send by itself.
    public var isRepeatable: Bool { generation == .second && command == nil }

    private var method: String {
        switch (generation, command) {
        case (.first, nil): "imbot.message.add"
        case (.first, _?): "imbot.command.answer"
        case (.second, nil): "imbot.v2.Chat.Message.send"
        case (.second, _?): "imbot.v2.Command.answer"
        }
    }

    private var parameters: JSON {
        let commandID = command.map { Int64($0.id).map(JSON.integer) ?? .string($0.id) }
        switch (generation, command) {
        case (.first, nil):
            return ["BOT_ID": .integer(botID), "DIALOG_ID": .string(dialogID), "MESSAGE": .string(text)]
        case (.first, let command?):
            return [
                "COMMAND_ID": commandID ?? .null, "MESSAGE_ID": .integer(command.messageID), "MESSAGE": .string(text),
            ]
        case (.second, nil):
            return [
                "botId": .integer(botID), "dialogId": .string(dialogID),
                "fields": ["message": .string(text), "templateId": .string(uuid)],
            ]
        case (.second, let command?):
            return [
                "botId": .integer(botID), "dialogId": .string(dialogID), "commandId": commandID ?? .null,
                "messageId": .integer(command.messageID), "fields": ["message": .string(text)],
            ]
        }
    }
}
