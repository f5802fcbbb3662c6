import Base
import Bitrix24
import BotPlatforms
import Storage

/// Makes a bot's reply into what the chat can show.
struct Rendering {
    struct Rendered: Sendable {
        /// In the order in which they are to be done.
        var deliveries: [Delivery] = []
        /// All that was said, as the transcript keeps it.
        var transcript = ""
    }

    let event: BotEvent
    let setting: Conversation.Setting

    init(_ event: BotEvent, _ setting: Conversation.Setting) {
        self.event = event
        self.setting = setting
    }

    nonisolated(nonsending) func rendered(_ reply: Reply) async -> Rendered {
        let text = await BBCode.render(markdown: markdown(of: reply))
        let pieces = text.isEmpty ? [] : BBCode.split(text)
        return Rendered(
            deliveries: pieces.map { .message(OutgoingMessage($0, to: event, bot: setting.bot)) }, transcript: text)
    }

    private func markdown(of reply: Reply) -> String {
        let pieces = reply.items.compactMap { item in
            switch item {
            case .text(let text): text
            case .file(let file): "[\(file.name.isEmpty ? file.url : file.name)](\(file.url))"
            case .choices, .pause: nil
            }
        }
        return pieces.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }
}

extension OutgoingMessage {
    /// An answer to an event; a command is answered as one.
    init(_ text: String, to event: BotEvent, bot: BotRecord) {
        let command = event.command.flatMap { command in
            event.messageID.map { OutgoingMessage.Command(id: command.id, messageID: $0) }
        }
        self.init(
            generation: bot.api == "v1" ? .first : .second, botID: event.botID, dialogID: event.dialogID, text: text,
            uuid: Vault.randomUUID(), command: command)
    }
}
