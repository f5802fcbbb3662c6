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
    /// Buttons under it.
    public var keyboard: Keyboard?
    /// A file by link, shown under it.
    public var attachment: LinkedFile?
    /// It takes the place of what was shown of it; its own ``uuid`` counts where that is gone.
    public var shown: Shown?
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
        PortalCall(
            method, parameters, lane: "\(botID)/\(dialogID)",
            bot: generation == .first && command != nil ? botID : nil)
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
        switch generation {
        case .first:
            var parameters = Members(parts.map { ($0.key.uppercased(), $0.value) })
            if let command {
                parameters["COMMAND_ID"] = commandID
                parameters["MESSAGE_ID"] = .integer(command.messageID)
            } else {
                parameters["BOT_ID"] = .integer(botID)
                parameters["DIALOG_ID"] = .string(dialogID)
            }
            return .object(parameters)
        case .second:
            var parameters: Members<JSON> = ["botId": .integer(botID), "dialogId": .string(dialogID)]
            var fields = parts
            if let command {
                parameters["commandId"] = commandID
                parameters["messageId"] = .integer(command.messageID)
            } else {
                fields["templateId"] = .string(uuid)
            }
            parameters["fields"] = .object(fields)
            return .object(parameters)
        }
    }

    /// What is shown, by the second generation's names; the first one's are the same in capitals.
    var parts: Members<JSON> {
        var parts: Members<JSON> = ["message": .string(text)]
        if let keyboard { parts["keyboard"] = keyboard.json(botID: botID) }
        if let attachment { parts["attach"] = attachment.json }
        return parts
    }
}
