import Base
import Bitrix24
import Storage

/// Takes the events of bots: makes them durable, then gives them on. Whoever calls it has checked who sent them.
public struct Inbox: Sendable {
    let store: Store
    let asking: WorkQueue<PendingEvent>
    let live: Live
    let clock: WallClock
    let log: Log
    let events: Counter

    /// Stores what the event holds for our bots; returns when it is on the disk.
    /// - Parameter addressed: the bot whose address it came to; `nil` at the application's, which its first generation bots
    ///   share.
    /// - Throws: ``InboxError``, or `StoreError` when it cannot be stored now.
    public func take(
        _ event: PortalEvent, addressed: BotRecord?, installation: InstallationRecord, portal: PortalRecord
    ) async throws {
        guard case .bots(let botEvents) = event.content else { return }
        let bots =
            addressed == nil
            ? try await store.bots(of: installation.id).filter { $0.api == "v1" && $0.botID != nil } : []
        for botEvent in botEvents {
            // An addressed bot that is just being registered has no number here yet.
            let candidates = addressed.map { [$0] } ?? bots
            guard let bot = candidates.first(where: { ($0.botID ?? botEvent.botID) == botEvent.botID }) else {
                count(botEvent, "unknown_bot")
                log.warning(
                    "an event is for a bot that is not known",
                    ["portal": .text(portal.domain), "bot_id": .integer(botEvent.botID)])
                continue
            }
            guard let intake = try await intake(of: botEvent, in: event, bot: bot, portal: portal) else {
                continue
            }
            await giveOn(intake, try await store.database.write { try intake.store(on: $0) })
        }
    }

    /// What is to be stored of an event; `nil` if nothing is.
    /// - Throws: ``InboxError``, or `StoreError`.
    func intake(
        of event: BotEvent, in whole: PortalEvent, bot: BotRecord, portal: PortalRecord
    ) async throws -> Intake? {
        switch event.kind {
        case .message where isOurs(event), .command where isOurs(event), .messageUpdated where isOurs(event),
            .messageDeleted where isOurs(event):
            count(event, "not_for_answer")
        case .message where event.isFromOperator:
            return try operatorMessage(event, of: whole, bot: bot, portal: portal)
        case .message where !event.isAddressed(to: bot):
            count(event, "not_addressed")
        case .message, .command:
            return try await question(event, of: whole, bot: bot, portal: portal)
        case .joined:
            return try joining(event, of: whole, bot: bot, portal: portal)
        case .deleted:
            try await markDeleted(bot)
            count(event, "taken")
        case .messageUpdated: return try edit(event, bot: bot, portal: portal)
        case .messageDeleted: return try deletion(event, bot: bot, portal: portal)
        case .reaction: return reaction(event, of: whole, bot: bot, portal: portal)
        case .contextRequested: count(event, "not_for_answer")
        }
        return nil
    }

    /// Gives on what was stored, counted.
    func giveOn(_ intake: Intake, _ taken: Intake.Taken) async {
        switch taken {
        case .known: count(intake.event, "known")
        case .late: count(intake.event, "not_for_answer")
        case .stored: count(intake.event, "taken")
        case .work(let pending):
            count(intake.event, "taken")
            if pending.isQuestion {
                live.tell(
                    Happening(.event, pending, at: pending.receivedAt, text: Variables.message(of: pending.event)))
            }
            await intake.event.kind == .command ? asking.replace(pending) : asking.add([pending])
            // What was collected goes with a file, and before a command.
            if intake.endsCollecting { await asking.hasten(pending.dialog) { $0.isCollecting } }
        }
    }

    /// Bots, and the bot itself, are never answered; neither are the portal's own notes.
    private func isOurs(_ event: BotEvent) -> Bool {
        // The message with the keyboard is the bot's; who pressed it is a person.
        if event.command?.isPressed == true { return event.user.isBot == true }
        return event.user.isBot == true || event.isSystem || event.authorID == "\(event.botID)" || event.authorID == "0"
    }

    private func question(
        _ event: BotEvent, of whole: PortalEvent, bot: BotRecord, portal: PortalRecord
    ) async throws -> Intake {
        guard let messageID = event.messageID, !event.dialogID.isEmpty else { throw InboxError.missing("message id") }
        let now = clock.now
        let collecting = BotSettings(bot.settings).collect
        var draft = EventDraft(
            event, of: whole.body, key: MessageKey(event, messageID, bot, portal), vault: store.vault, now: now)
        let press = Press(event, on: messageID, at: whole.sentAt, bot: bot)
        if let press { draft.knownAs = press.knownAs }
        if event.isCollectable {
            draft.notBefore = now + collecting
        } else if event.kind == .message {
            draft.notBefore = try await earliest(for: event, bot: bot, now: now)
        }
        let endsCollecting = collecting > .zero && !event.isCollectable
        return Intake(event, endsCollecting: endsCollecting) { [draft, vault = store.vault] connection in
            if let again = press?.again, try connection.knowsEvent(from: again.first, to: again.end) { return .known }
            guard let taken = try connection.takeEvent(draft, vault: vault) else { return .known }
            return .work(PendingEvent(taken, draft, event, whole.auth))
        }
    }

    /// An operator speaks in an open channel: they have the dialog, and nothing is to be answered.
    private func operatorMessage(
        _ event: BotEvent, of whole: PortalEvent, bot: BotRecord, portal: PortalRecord
    ) throws -> Intake {
        guard let messageID = event.messageID, !event.dialogID.isEmpty else { throw InboxError.missing("message id") }
        let key = MessageKey(event, messageID, bot, portal)
        let draft = EventDraft(event, of: whole.body, key: key, vault: store.vault, now: clock.now)
        return Intake(event) { connection in
            guard let dialog = try connection.takeOperatorMessage(draft) else { return .known }
            try connection.changeDesk(of: dialog) {
                $0.hearsOperator(OperatorDesk.Signs(event), now: draft.receivedAt)
            }
            return .stored
        }
    }

    /// A text that begins with a registered command waits for its command event.
    private func earliest(for event: BotEvent, bot: BotRecord, now: Timestamp) async throws -> Timestamp {
        guard event.text.hasPrefix("/") else { return now }
        let word = event.text.dropFirst().prefix { !$0.isWhitespace }
        let known = try await store.commands(of: bot.id).contains { $0.command == word }
        guard known else { return now }
        // What is fetched may come with the next poll only.
        return now + (bot.delivery == "fetch" ? .seconds(7) : .seconds(1))
    }

    private func markDeleted(_ bot: BotRecord) async throws {
        var bot = bot
        bot.status = .deleted
        bot.statusReason = "The bot was deleted in Bitrix24"
        do {
            _ = try await store.setRegistration(of: bot, now: clock.now)
        } catch StoreError.missing {
            // It was deleted here, and Bitrix24 tells of that.
        }
    }

    func count(_ event: BotEvent, _ outcome: String) {
        events.increment(by: 1, ["kind": event.kind.rawValue, "outcome": outcome])
    }
}

/// What an event means for the store. Made ready first, so that several can be stored in one transaction.
struct Intake: Sendable {
    enum Taken: Sendable {
        /// It was here before.
        case known
        /// What it is about is done already.
        case late
        /// There is nothing more to do with it.
        case stored
        case work(PendingEvent)
    }
    let event: BotEvent
    /// What was collected until now is not to wait for more.
    let endsCollecting: Bool
    private let storing: @Sendable (Connection) throws -> Taken

    init(
        _ event: BotEvent, endsCollecting: Bool = false, storing: @escaping @Sendable (Connection) throws -> Taken
    ) {
        self.event = event
        self.endsCollecting = endsCollecting
        self.storing = storing
    }

    func store(on connection: Connection) throws -> Taken { try storing(connection) }
}

extension BotEvent {
    /// In a group, bots of these types are there for what mentions them; the others see all, and so does everyone elsewhere.
    /// Bitrix24 sends them nothing else, and may have taken the mention off: only what is meant for others alone is not theirs.
    /// Documentation: `api-reference/chat-bots/chat-bots-v2/index.md`, "Bot Types".
    func isAddressed(to bot: BotRecord) -> Bool {
        let isGroup = dialogID.hasPrefix("chat") && !isOpenChannel
        return !isGroup || mentions != .others || !["bot", "openline"].contains(bot.type)
    }
}

public enum InboxError: Error, Sendable, Equatable {
    /// A field without which the event cannot be answered.
    case missing(String)
}
