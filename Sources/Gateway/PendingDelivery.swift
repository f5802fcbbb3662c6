import Base
import Bitrix24
import Foundation
import Storage

/// Something on its way to Bitrix24.
struct PendingDelivery: DialogWork {
    let id: ID<OutboxRecord>
    let dialog: ID<DialogRecord>
    let portal: ID<PortalRecord>
    let bot: ID<BotRecord>
    /// `nil`: it is large, and stays in the store until its turn has come.
    var delivery: Delivery?
    /// About so many bytes, as the store keeps it.
    var size: Int
    let createdAt: Timestamp
    var notBefore: Timestamp
    var attempts = 0
    /// A send was begun and its outcome is not known.
    var isUncertain = false
    /// It was sent again where no look was possible.
    var repeatedBlindly = false
    /// It was sent, and that could not be stored yet.
    var isSent = false
    /// Bitrix24's id of the message, if it told one.
    var sentID: Int64?

    var row: Int64 { id.rawValue }
    var order: Int64 { row }

    /// As it waits for another attempt.
    var withoutLarge: PendingDelivery {
        var item = self
        if size > OutboxRecord.longestKept { item.delivery = nil }
        return item
    }
}

extension PendingDelivery {
    /// As the store has it.
    /// - Throws: `DecodingError`.
    init(_ record: OutboxRecord) throws {
        self.init(
            id: record.id, dialog: record.dialogID, portal: record.portalID, bot: record.botID,
            delivery: record.size > OutboxRecord.longestKept ? nil : try Delivery(payload: record.payload),
            size: record.size, createdAt: record.createdAt, notBefore: record.notBefore, attempts: record.attempts,
            isUncertain: record.state == .sending, repeatedBlindly: record.repeated)
    }
}

extension Delivery {
    /// - Throws: `DecodingError`.
    init(payload: String) throws { self = try JSONDecoder().decode(Delivery.self, from: Data(payload.utf8)) }

    /// As the store keeps it.
    func payload() throws -> String {
        if case .message(let message) = self, let plain = message.plainJSON { return plain }
        return String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
    }
}

extension OutgoingMessage {
    /// As its decoder reads it; `nil` if it is more than a text. Most messages are not, and the encoder would take ten
    /// times as long.
    fileprivate var plainJSON: String? {
        let plain = OutgoingMessage(generation: generation, botID: botID, dialogID: dialogID, text: text, uuid: uuid)
        guard self == plain else { return nil }
        var json = JSONWriter()
        json.reserve(text.utf8.count + 160)
        json.raw(#"{"generation":"#)
        json.string(generation.rawValue)
        json.raw(#","botID":"#)
        json.integer(botID)
        json.raw(#","dialogID":"#)
        json.string(dialogID)
        json.raw(#","text":"#)
        json.string(text)
        json.raw(#","uuid":"#)
        json.string(uuid)
        json.raw("}")
        return json.text
    }
}

extension Connection {
    /// Puts what answers an event into the outbox.
    /// - Parameter answer: what the platform calls the answer, where it wants to know how people like it.
    func add(
        _ deliveries: [ScheduledDelivery], to item: PendingEvent, answer: String? = nil, now: Timestamp
    ) throws -> [PendingDelivery] {
        try deliveries.map { scheduled in
            let moment = now + scheduled.delay
            let payload = try scheduled.delivery.payload()
            let size = payload.utf8.count
            let id = try addToOutbox(
                portal: item.portal, bot: item.bot, dialog: item.dialog, event: item.id,
                payload: payload, notBefore: moment, answer: answer, kind: scheduled.delivery.kind, now: now)
            return PendingDelivery(
                id: id, dialog: item.dialog, portal: item.portal, bot: item.bot,
                delivery: size > OutboxRecord.longestKept ? nil : scheduled.delivery, size: size, createdAt: now,
                notBefore: moment)
        }
    }
}
