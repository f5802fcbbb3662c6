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
            try await take(botEvent, of: event, body: body, bot: bot, portal: portal)
        }
    }

    private func take(
        _ event: BotEvent, of whole: PortalEvent, body: [UInt8], bot: BotRecord, portal: PortalRecord
    ) async throws {
        switch event.kind {
        case .message where isOurs(event), .command where isOurs(event):
            count(event, "not_for_answer")
        case .message, .command:
            try await takeQuestion(event, of: whole, body: body, bot: bot, portal: portal)
        case .joined:
            try await takeJoining(event, bot: bot, portal: portal)
        case .deleted:
            try await markDeleted(bot)
            count(event, "taken")
        case .messageUpdated, .messageDeleted, .reaction, .contextRequested:
            count(event, "not_for_answer")
        }
    }

    /// Bots, and the bot itself, are never answered; neither are the portal's own notes.
    private func isOurs(_ event: BotEvent) -> Bool {
        event.user.isBot == true || event.isSystem || event.authorID == "\(event.botID)" || event.authorID == "0"
    }

    private func takeQuestion(
        _ event: BotEvent, of whole: PortalEvent, body: [UInt8], bot: BotRecord, portal: PortalRecord
    ) async throws {
        guard let messageID = event.messageID, !event.dialogID.isEmpty else { throw InboxError.missing("message id") }
        let now = clock.now
        let isCommand = event.kind == .command
        let notBefore = isCommand ? now : try await earliest(for: event, bot: bot, now: now)
        let draft = EventDraft(
            portalID: portal.id, botID: bot.id, knownAs: "message:\(bot.id):\(messageID)", isCommand: isCommand,
            messageID: messageID, dialogID: event.dialogID, chatID: event.chat.id, title: event.chat.title,
            text: Variables.message(of: event), sealedBody: store.vault.seal(body), receivedAt: now,
            notBefore: notBefore)
        guard let taken = try await store.database.write({ try $0.takeEvent(draft) }) else {
            return count(event, "known")
        }
        count(event, "taken")
        let pending = PendingEvent(
            id: taken.event, dialog: taken.dialog, portal: portal.id, bot: bot.id, event: event, auth: whole.auth,
            receivedAt: now, notBefore: notBefore)
        await isCommand ? asking.replace(pending) : asking.add([pending])
    }

    /// A text that begins with a registered command waits a second for its command event.
    private func earliest(for event: BotEvent, bot: BotRecord, now: Timestamp) async throws -> Timestamp {
        guard event.text.hasPrefix("/") else { return now }
        let word = event.text.dropFirst().prefix { !$0.isWhitespace }
        let known = try await store.commands(of: bot.id).contains { $0.command == word }
        return known ? now + .seconds(1) : now
    }

    private func takeJoining(_ event: BotEvent, bot: BotRecord, portal: PortalRecord) async throws {
        guard !event.dialogID.isEmpty else { throw InboxError.missing("dialog id") }
        let now = clock.now
        let isNew = try await store.database.write {
            try $0.takeJoining(
                bot: bot.id, portal: portal.id, dialogID: event.dialogID, chatID: event.chat.id,
                title: event.chat.title,
                now: now)
        }
        count(event, isNew ? "taken" : "known")
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

    private func count(_ event: BotEvent, _ outcome: String) {
        events.increment(by: 1, ["kind": event.kind.rawValue, "outcome": outcome])
    }
}

public enum InboxError: Error, Sendable, Equatable {
    /// A field without which the event cannot be answered.
    case missing(String)
}
