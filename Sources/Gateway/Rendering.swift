import Base
import Bitrix24
import BotPlatforms
import Storage

/// Makes a bot's reply into what the chat can show.
struct Rendering {
    struct Rendered: Sendable {
        /// In the order in which they are to be done.
        var deliveries: [ScheduledDelivery] = []
        /// All that was said, as the transcript keeps it.
        var transcript = ""
        /// What the person may choose from now.
        var offered: Choices?
        /// What the bot wanted done and this chat has no way to do.
        var ignored: [BotAction] = []
    }

    let event: BotEvent
    let setting: Conversation.Setting

    init(_ event: BotEvent, _ setting: Conversation.Setting) {
        self.event = event
        self.setting = setting
    }

    nonisolated(nonsending) func rendered(_ reply: Reply) async -> Rendered {
        let reply = ReplyBlocks(reply, separate: setting.settings.separate)
        var rendered = Rendered(offered: reply.offered)
        let isNumbered = isNumbered(reply)
        rendered.offered?.takesNumbers = isNumbered
        var said: [String] = []
        var choicesSoFar = 0
        for block in reply.blocks {
            let deliveries: [Delivery]
            switch block.content {
            case .text(let markdown):
                let text = await BBCode.render(markdown: markdown)
                let message = offering(block.choices, under: text, from: isNumbered ? choicesSoFar + 1 : nil)
                choicesSoFar += block.choices?.options.count ?? 0
                deliveries = messages(message.text, keyboard: message.keyboard)
                said.append(message.text)
            case .file(let file):
                deliveries = [delivery(of: file)]
                said.append(file.shownName)
            }
            rendered.deliveries += deliveries.map { ScheduledDelivery($0, delay: block.delay) }
        }
        let actions = Self.actions(reply.actions, for: event)
        rendered.deliveries += actions.deliveries.map { ScheduledDelivery($0, delay: reply.delay) }
        rendered.ignored = actions.ignored
        rendered.transcript = said.filter { !$0.isEmpty }.joined(separator: "\n\n")
        return rendered
    }

    /// What a bot wants done when all is said: in an open channel with its session, elsewhere there is nothing to be done.
    static func actions(
        _ wanted: [BotAction], for event: BotEvent
    ) -> (deliveries: [Delivery], ignored: [BotAction]) {
        let wanted = wanted.filter { $0 != .silent }
        guard event.isOpenChannel, let chatID = event.channelChatID else { return ([], wanted) }
        let kinds = wanted.compactMap { action -> ChannelAction.Kind? in
            switch action {
            case .toOperator: .handOver
            case .toUser(let user): .transferToUser(user)
            case .toQueue(let queue): .transferToQueue(queue)
            case .finish: .finish
            case .silent: nil
            }
        }
        let actions = kinds.map {
            Delivery.action(ChannelAction($0, botID: event.botID, dialogID: event.dialogID, chatID: chatID))
        }
        return (actions, [])
    }

    /// The keyboard, if there is one, hangs on the last piece.
    private func messages(_ text: String, keyboard: Keyboard?) -> [Delivery] {
        let pieces = text.isEmpty ? [] : BBCode.split(text)
        return pieces.enumerated().map { index, piece in
            var message = OutgoingMessage(piece, to: event, bot: setting.bot)
            if index == pieces.count - 1 { message.keyboard = keyboard }
            return .message(message)
        }
    }

    private func delivery(of file: ReplyFile) -> Delivery {
        var message = OutgoingMessage("", to: event, bot: setting.bot)
        let link = LinkedFile(url: file.url, name: file.shownName)
        guard setting.generation == .first else {
            let platform = setting.connector.url ?? setting.provider.url
            return .file(
                OutgoingFile(
                    url: link.url, name: link.name, to: message, source: (try? HTTPAddress(platform))?.origin))
        }
        // The first generation cannot upload.
        message.text = link.isLink ? link.name : link.text
        if link.isLink { message.attachment = link }
        return .message(message)
    }
}

// MARK: Choices

extension Rendering {
    /// Whether people see a number at each choice: at all of a reply's or at none.
    private func isNumbered(_ reply: ReplyBlocks) -> Bool {
        guard reply.offered?.takesNumbers == true else { return false }
        return reply.blocks.compactMap(\.choices).contains {
            $0.several || keyboard($0.options, titles: $0.options.map(\.label)) == nil
        }
    }

    /// Buttons in the portal's own chats; lines in open channels, whose customers may sit in another messenger, and where
    /// there are too many for buttons.
    /// - Parameter first: the number of the first choice; `nil` if they have none.
    private func offering(
        _ choices: Choices?, under text: String, from first: Int?
    ) -> (text: String, keyboard: Keyboard?) {
        guard let choices else { return (text, nil) }
        let texts = ChatTexts.in(event.language)
        let options = choices.options
        let titles = options.enumerated().map { index, choice in
            first.map { "\($0 + index). \(choice.label)" } ?? choice.label
        }
        let keyboard = keyboard(options, titles: titles)
        let lines = first == nil ? titles.map { "• " + $0 } : titles
        let hint = first.flatMap { first in
            choices.several && options.count > 1
                ? "\(texts.several): \(first), \(first + min(options.count - 1, 2))" : nil
        }
        let parts: [String?] = [
            text.isEmpty ? texts.choose : text, keyboard == nil ? lines.joined(separator: "\n") : nil, hint,
        ]
        return (parts.compactMap { $0 }.joined(separator: "\n\n"), keyboard)
    }

    /// `nil` where the chat shows lines.
    private func keyboard(_ options: [Choice], titles: [String]) -> Keyboard? {
        guard !event.isOpenChannel else { return nil }
        let buttons = zip(options, titles).map { Keyboard.Button(text: shortened($1), says: mention + $0.label) }
        let keyboard = Keyboard(buttons)
        return keyboard.isUsable ? keyboard : nil
    }

    /// In a group some bots hear only what mentions them.
    private var mention: String {
        guard event.dialogID.hasPrefix("chat"), ["bot", "openline"].contains(setting.bot.type) else { return "" }
        return "[USER=\(event.botID)]\(setting.bot.name)[/USER] "
    }

    private func shortened(_ label: String) -> String { label.count > 80 ? label.prefix(79) + "…" : label }
}

extension BotEvent {
    /// The number of an open channel's chat.
    var channelChatID: String? {
        let name = chat.id ?? (dialogID.hasPrefix("chat") ? dialogID : nil)
        return name.map { $0.hasPrefix("chat") ? String($0.dropFirst(4)) : $0 }
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
