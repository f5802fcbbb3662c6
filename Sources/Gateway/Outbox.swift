import Base
import Bitrix24
import Storage

/// Delivers stored messages to Bitrix24, each once.
///
/// Bitrix24 recognises a repeated text of the second generation by its UUID. Before another send is repeated the dialog is
/// looked at; where no look is possible it is repeated once, and counted.
struct Outbox: Sendable {
    /// Delivery is given up after this long.
    static let patience = Duration.seconds(24 * 3600)

    let store: Store
    let portals: Portals
    let clock: WallClock
    let log: Log
    let delivered: Counter
    let uncertain: Counter

    init(store: Store, portals: Portals, clock: WallClock, log: Log, metrics: Metrics) {
        self.store = store
        self.portals = portals
        self.clock = clock
        self.log = log
        delivered = metrics.counter("bitbot_messages_sent_total", help: "Messages delivered to Bitrix24")
        uncertain = metrics.counter(
            "bitbot_uncertain_sends_total", help: "Sends repeated without knowing whether the former one succeeded")
    }

    /// One attempt to deliver. A store that cannot be reached is waited for.
    func deliver(_ item: PendingDelivery) async -> Verdict<PendingDelivery> {
        var item = item
        item.attempts += 1
        do {
            return try await attempt(&item)
        } catch {
            log.error(
                "a message could not be handled, it is taken up again",
                ["send": .integer(item.row), "error": "\(error)"])
            item.notBefore = clock.now + Pauses.before(attempt: item.attempts, longest: .seconds(30))
            return .again(item)
        }
    }

    /// What is learned about the item is kept in it, so that it still counts when the store fails.
    private func attempt(_ item: inout PendingDelivery) async throws -> Verdict<PendingDelivery> {
        if item.isSent { return try await markSent(item) }
        guard let bot = try await store.bot(item.bot),
            let installation = try await store.installation(bot.installationID),
            let record = try await store.portal(item.portal), let account = try await portals.account(installation)
        else { return try await fail(item, "The bot, its installation or its application's keys are gone") }
        let portal = portals.portal(record)
        if item.attempts > 1 {
            let id = item.id
            // Its dialog may have been erased while it waited.
            guard try await store.database.read({ try $0.outboxItem(id) }) != nil else { return .finished }
        }
        if item.isUncertain {
            do {
                switch try await shows(item, portal, account) {
                case true?:
                    item.isSent = true
                    return try await markSent(item)
                case false?: break
                case nil where item.repeatedBlindly:
                    return try await fail(item, "Sent twice without learning the outcome")
                case nil:
                    item.repeatedBlindly = true
                    uncertain.increment()
                }
            } catch let error as PortalError {
                return try await postpone(item, error)
            }
        }
        do {
            if !item.delivery.isRepeatable {
                let id = item.id
                try await store.database.write { try $0.beginSending(id) }
            }
            try await carryOut(item.delivery, portal, account)
        } catch let error as PortalError {
            item.isUncertain = error.mayHaveHappened && !item.delivery.isRepeatable
            return try await postpone(item, error)
        }
        item.isSent = true
        return try await markSent(item)
    }

    private func carryOut(_ delivery: Delivery, _ portal: Portal, _ account: Account) async throws {
        switch delivery {
        case .message(let message): try await portal.send(message, as: account)
        case .action(let action): try await portal.perform(action, as: account)
        }
    }

    /// Whether the dialog shows it already; `nil` where no look is possible.
    private func shows(_ item: PendingDelivery, _ portal: Portal, _ account: Account) async throws -> Bool? {
        guard case .message(let message) = item.delivery else { return nil }
        return try await portal.shows(message, since: item.createdAt, as: account)
    }

    /// Tries again later what can still succeed within a day.
    private func postpone(_ item: PendingDelivery, _ error: PortalError) async throws -> Verdict<PendingDelivery> {
        var item = item
        item.notBefore =
            clock.now + Pauses.before(attempt: item.attempts, longest: .seconds(300), asked: error.retryAfter)
        let canStillSucceed = error.isPassing || error.kind == .noCredential || item.isUncertain
        guard canStillSucceed, item.notBefore - item.createdAt < Self.patience else {
            return try await fail(item, error.message)
        }
        let (id, moment, uncertain) = (item.id, item.notBefore, item.isUncertain)
        try await store.database.write {
            try $0.postpone(id, until: moment, reason: error.message, uncertain: uncertain)
        }
        log.warning(
            "a message could not be delivered and will be repeated",
            ["send": .integer(item.row), "reason": .text(error.message)])
        return .again(item)
    }

    private func markSent(_ item: PendingDelivery) async throws -> Verdict<PendingDelivery> {
        let now = clock.now
        try await store.database.write { try $0.markSent(item.id, now: now) }
        delivered.increment()
        return .finished
    }

    private func fail(_ item: PendingDelivery, _ reason: String) async throws -> Verdict<PendingDelivery> {
        log.error("a message could not be delivered", ["send": .integer(item.row), "reason": .text(reason)])
        try await store.database.write { try $0.fail(item.id, reason: reason) }
        return .finished
    }
}
