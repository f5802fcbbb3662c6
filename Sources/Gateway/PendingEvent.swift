import Base
import Bitrix24
import Storage

/// An event on its way to a bot.
struct PendingEvent: DialogWork {
    enum Progress: Sendable {
        case waiting
        /// It was asked, or was about to be; what became of it is not known.
        case asked(at: Timestamp, trace: String?)
        /// It was answered, and the answer could not be stored yet.
        case answered(Reply, Conversation.Setting)
    }
    let id: ID<EventRecord>
    let dialog: ID<DialogRecord>
    let portal: ID<PortalRecord>
    let bot: ID<BotRecord>
    let event: BotEvent
    let auth: EventAuth
    let receivedAt: Timestamp
    var notBefore: Timestamp
    var progress = Progress.waiting
    var attempts = 0
    /// The administrator wants it asked again, if it is known to have failed.
    var mayAskAgain = false
    /// When asking first failed in this process: it is given up two minutes later.
    var failingSince: Timestamp?

    var row: Int64 { id.rawValue }
    var order: Int64 { event.messageID ?? 0 }
}

extension PendingEvent {
    /// An event as the store has it.
    /// - Throws: `VaultError`, `EventDecodingError`, or ``UnreadableEvent``.
    init(_ record: EventRecord, bot: BotRecord, vault: Vault) throws {
        guard let sealed = record.sealedBody else { throw UnreadableEvent() }
        let body = try vault.open(sealed)
        let portalEvent = try PortalEvent(decoding: body, contentType: EventBody.contentType(of: body))
        guard case .bots(let events) = portalEvent.content,
            let event = events.first(where: { $0.botID == bot.botID }) ?? events.first
        else { throw UnreadableEvent() }
        self.init(
            id: record.id, dialog: record.dialogID, portal: record.portalID, bot: record.botID, event: event,
            auth: portalEvent.auth, receivedAt: record.receivedAt, notBefore: record.notBefore,
            attempts: record.attempts)
        if record.state == .asking { progress = .asked(at: record.askedAt ?? record.receivedAt, trace: record.trace) }
    }
}

/// A stored event that holds nothing for a bot.
struct UnreadableEvent: Error {}

enum EventBody {
    /// What a stored body is; only its own first byte tells.
    static func contentType(of body: [UInt8]) -> String {
        body.first == UInt8(ascii: "{") ? "application/json" : "application/x-www-form-urlencoded"
    }
}
