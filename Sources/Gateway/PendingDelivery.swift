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
    let delivery: Delivery
    let createdAt: Timestamp
    var notBefore: Timestamp
    var attempts = 0
    /// A send was begun and its outcome is not known.
    var isUncertain = false
    /// It was sent again where no look was possible.
    var repeatedBlindly = false
    /// It was sent, and that could not be stored yet.
    var isSent = false

    var row: Int64 { id.rawValue }
    var order: Int64 { row }
}

extension PendingDelivery {
    /// As the store has it.
    /// - Throws: `DecodingError`.
    init(_ record: OutboxRecord) throws {
        self.init(
            id: record.id, dialog: record.dialogID, portal: record.portalID, bot: record.botID,
            delivery: try JSONDecoder().decode(Delivery.self, from: Data(record.payload.utf8)),
            createdAt: record.createdAt, notBefore: record.notBefore, attempts: record.attempts,
            isUncertain: record.state == .sending)
    }
}

extension Connection {
    /// Puts what answers an event into the outbox.
    func add(_ deliveries: [Delivery], to item: PendingEvent, now: Timestamp) throws -> [PendingDelivery] {
        try deliveries.map { delivery in
            let payload = String(decoding: try JSONEncoder().encode(delivery), as: UTF8.self)
            let id = try addToOutbox(
                portal: item.portal, bot: item.bot, dialog: item.dialog, event: item.id, payload: payload, now: now)
            return PendingDelivery(
                id: id, dialog: item.dialog, portal: item.portal, bot: item.bot, delivery: delivery, createdAt: now,
                notBefore: now)
        }
    }
}
