import Base
import Bitrix24
import BotPlatforms
import Storage

/// Events beside questions: joining, edits, deletions, reactions.
extension Inbox {
    /// A bot without a connector has nothing to greet with.
    func joining(
        _ event: BotEvent, of whole: PortalEvent, bot: BotRecord, portal: PortalRecord
    ) throws -> Intake {
        guard !event.dialogID.isEmpty else { throw InboxError.missing("dialog id") }
        let greets = bot.connectorID != nil && BotSettings(bot.settings).greets(in: event)
        let key = MessageKey(event, 0, bot, portal)
        let draft = EventDraft(event, of: whole.body, key: key, vault: store.vault, now: clock.now)
        return Intake(event) { connection in
            let taken = try connection.takeJoining(draft, greets: greets)
            if event.isOpenChannel, let dialog = try connection.dialog(of: draft.botID, named: draft.dialogID) {
                try connection.changeDesk(of: dialog) {
                    $0.joins(OperatorDesk.Signs(event), now: draft.receivedAt)
                }
            }
            guard let taken else { return .known }
            return greets ? .work(PendingEvent(taken, draft, event, whole.auth)) : .stored
        }
    }

    /// The store decides whether it comes in time; who is about to ask notices that the text is another.
    func edit(_ event: BotEvent, bot: BotRecord, portal: PortalRecord) throws -> Intake {
        guard let messageID = event.messageID, !event.dialogID.isEmpty else { throw InboxError.missing("message id") }
        let key = MessageKey(event, messageID, bot, portal)
        let now = clock.now
        let text = Variables.message(of: event)
        let sealed = store.vault.seal(event.text.utf8)
        // With the bot's secret address in it nobody can guess the text from what stays in the store.
        let mark = Vault.fingerprint(bot.addressKey + "\n" + event.text)
        return Intake(event) {
            try $0.takeEdit(of: key, text: text, sealedText: sealed, mark: mark, now: now) ? .stored : .late
        }
    }

    func deletion(_ event: BotEvent, bot: BotRecord, portal: PortalRecord) throws -> Intake {
        guard let messageID = event.messageID, !event.dialogID.isEmpty else { throw InboxError.missing("message id") }
        let key = MessageKey(event, messageID, bot, portal)
        let now = clock.now
        return Intake(event) { try $0.takeDeletion(of: key, now: now) ? .stored : .late }
    }

    /// `nil`: it rates nothing.
    func reaction(
        _ event: BotEvent, of whole: PortalEvent, bot: BotRecord, portal: PortalRecord
    ) -> Intake? {
        guard let messageID = event.messageID, let user = event.user.id, event.user.isBot != true,
            let reaction = event.reaction, let rating = Rating(reaction: reaction.name)
        else {
            count(event, "not_for_answer")
            return nil
        }
        var draft = EventDraft(
            event, of: whole.body, key: MessageKey(event, messageID, bot, portal), vault: store.vault, now: clock.now)
        // The moment is part of it: who likes, takes it back and likes again has rated three times.
        let moment = whole.sentAt.map { "\($0.rawValue / 1000)" } ?? ""
        let mine = "reaction:\(bot.id):\(messageID):\(user):"
        draft.knownAs = mine + "\(rating.rawValue):\(reaction.isSet ? "add" : "delete"):" + moment
        let other = mine + "\(rating == .like ? Rating.dislike.rawValue : Rating.like.rawValue):add"
        let opposite = reaction.isSet ? nil : (first: other + ":" + moment, end: other + ";")
        return Intake(event) { [draft] connection in
            guard let taken = try connection.takeReaction(draft, unlessSince: opposite) else { return .known }
            return .work(PendingEvent(taken, draft, event, whole.auth))
        }
    }
}

extension PendingEvent {
    /// As it was stored just now.
    init(_ taken: TakenEvent, _ draft: EventDraft, _ event: BotEvent, _ auth: EventAuth) {
        var event = event
        if let text = taken.editedText { event.text = text }
        self.init(
            Content(
                id: taken.event, dialog: taken.dialog, portal: draft.portalID, bot: draft.botID, event: event,
                auth: auth, receivedAt: draft.receivedAt, notBefore: draft.notBefore))
    }
}

extension MessageKey {
    init(_ event: BotEvent, _ messageID: Int64, _ bot: BotRecord, _ portal: PortalRecord) {
        self.init(portalID: portal.id, botID: bot.id, dialogID: event.dialogID, messageID: messageID)
    }
}

extension EventDraft {
    /// To be done at once, known by its message.
    init(_ event: BotEvent, of body: [UInt8], key: MessageKey, vault: Vault, now: Timestamp) {
        self.init(
            portalID: key.portalID, botID: key.botID, knownAs: key.knownAs,
            kind: EventRecord.Kind(rawValue: event.kind.rawValue) ?? .message, command: event.command?.id,
            messageID: key.messageID, dialogID: key.dialogID, chatID: event.chat.id, title: event.chat.title,
            text: Variables.message(of: event), sealedBody: vault.seal(body), receivedAt: now, notBefore: now)
    }
}
