import Base
import Bitrix24
import Storage

/// Takes the events of bots: makes them durable, then gives them on. Whoever calls it has checked who sent them.
public struct Inbox: Sendable {
    let store: Store
    let asking: WorkQueue<PendingEvent>
    let clock: WallClock
    let log: Log
    let events: Counter

    /// Stores what the event holds for our bots; returns when it is on the disk.
    /// - Parameters:
    ///   - body: the event as it came.
    ///   - addressed: the bot whose address it came to; `nil` at the application's, which its first generation bots share.
    /// - Throws: ``InboxError``, or `StoreError` when it cannot be stored now.
    public func take(
        _ event: PortalEvent, body: [UInt8], addressed: BotRecord?, installation: InstallationRecord,
        portal: PortalRecord
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
            guard let intake = try await intake(of: botEvent, in: event, body: body, bot: bot, portal: portal) else {
                continue
            }
            await giveOn(intake, try await store.database.write { try intake.store(on: $0) })
        }
    }

    /// What is to be stored of an event; `nil` if nothing is.
    /// - Throws: ``InboxError``, or `StoreError`.
    func intake(
        of event: BotEvent, in whole: PortalEvent, body: [UInt8], bot: BotRecord, portal: PortalRecord
    ) async throws -> Intake? {
        switch event.kind {
        case .message where isOurs(event), .command where isOurs(event):
            count(event, "not_for_answer")
        case .message, .command:
            return try await question(event, of: whole, body: body, bot: bot, portal: portal)
        case .joined:
            guard !event.dialogID.isEmpty else { throw InboxError.missing("dialog id") }
            return Intake(event: event, kind: .joining(bot: bot.id, portal: portal.id, now: clock.now))
        case .deleted:
            try await markDeleted(bot)
            count(event, "taken")
        case .messageUpdated, .messageDeleted, .reaction, .contextRequested:
            count(event, "not_for_answer")
        }
        return nil
    }

    /// Gives on what was stored, counted.
    func giveOn(_ intake: Intake, _ taken: Intake.Taken) async {
        switch taken {
        case .known: count(intake.event, "known")
        case .stored: count(intake.event, "taken")
        case .question(let pending):
            count(intake.event, "taken")
            await intake.event.kind == .command ? asking.replace(pending) : asking.add([pending])
        }
    }

    /// Bots, and the bot itself, are never answered; neither are the portal's own notes.
    private func isOurs(_ event: BotEvent) -> Bool {
        event.user.isBot == true || event.isSystem || event.authorID == "\(event.botID)" || event.authorID == "0"
    }

    private func question(
        _ event: BotEvent, of whole: PortalEvent, body: [UInt8], bot: BotRecord, portal: PortalRecord
    ) async throws -> Intake {
        guard let messageID = event.messageID, !event.dialogID.isEmpty else { throw InboxError.missing("message id") }
        let now = clock.now
        let isCommand = event.kind == .command
        let notBefore = isCommand ? now : try await earliest(for: event, bot: bot, now: now)
        let draft = EventDraft(
            portalID: portal.id, botID: bot.id, knownAs: "message:\(bot.id):\(messageID)", isCommand: isCommand,
            messageID: messageID, dialogID: event.dialogID, chatID: event.chat.id, title: event.chat.title,
            text: Variables.message(of: event), sealedBody: store.vault.seal(body), receivedAt: now,
            notBefore: notBefore)
        return Intake(event: event, kind: .question(draft, whole.auth))
    }

    /// A text that begins with a registered command waits a second for its command event.
    private func earliest(for event: BotEvent, bot: BotRecord, now: Timestamp) async throws -> Timestamp {
        guard event.text.hasPrefix("/") else { return now }
        let word = event.text.dropFirst().prefix { !$0.isWhitespace }
        let known = try await store.commands(of: bot.id).contains { $0.command == word }
        return known ? now + .seconds(1) : now
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
    enum Kind: Sendable {
        case question(EventDraft, EventAuth)
        case joining(bot: ID<BotRecord>, portal: ID<PortalRecord>, now: Timestamp)
    }
    enum Taken: Sendable {
        /// It was here before.
        case known
        case stored
        case question(PendingEvent)
    }
    let event: BotEvent
    let kind: Kind

    func store(on connection: Connection) throws -> Taken {
        switch kind {
        case .question(let draft, let auth):
            guard let taken = try connection.takeEvent(draft) else { return .known }
            return .question(
                PendingEvent(
                    id: taken.event, dialog: taken.dialog, portal: draft.portalID, bot: draft.botID, event: event,
                    auth: auth, receivedAt: draft.receivedAt, notBefore: draft.notBefore))
        case .joining(let bot, let portal, let now):
            let isNew = try connection.takeJoining(
                bot: bot, portal: portal, dialogID: event.dialogID, chatID: event.chat.id, title: event.chat.title,
                now: now)
            return isNew ? .stored : .known
        }
    }
}

public enum InboxError: Error, Sendable, Equatable {
    /// A field without which the event cannot be answered.
    case missing(String)
}
