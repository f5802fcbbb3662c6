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

    /// A file whose download fails for a passing reason is given up after so many attempts; its link is shown then.
    static let mostDownloads = 5

    let store: Store
    let portals: Portals
    let downloads: FileDownload
    let clock: WallClock
    let log: Log
    let delivered: Counter
    let uncertain: Counter
    let live: Live

    init(
        store: Store, portals: Portals, platforms: Platforms, live: Live, clock: WallClock, log: Log, metrics: Metrics
    ) {
        self.store = store
        self.live = live
        self.portals = portals
        downloads = FileDownload(platforms: platforms)
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
        // Before it is read: all that are under way at once share the room.
        let memory = item.delivery == nil ? await downloads.memory.take(item.size) : nil
        defer { withExtendedLifetime(memory) {} }
        do {
            let verdict = try await attempt(&item, memory)
            guard case .again(let again) = verdict else { return verdict }
            return .again(again.withoutLarge)
        } catch {
            log.error(
                "a message could not be handled, it is taken up again",
                ["send": .integer(item.row), "error": "\(error)"])
            item.notBefore = clock.now + Pauses.before(attempt: item.attempts, longest: .seconds(30))
            return .again(item.withoutLarge)
        }
    }

    /// What is learned about the item is kept in it, so that it still counts when the store fails.
    /// - Parameter memory: for what is large.
    private func attempt(
        _ item: inout PendingDelivery, _ memory: MemoryBudget.Share?
    ) async throws -> Verdict<PendingDelivery> {
        if item.isSent { return try await markSent(item) }
        guard let bot = try await store.bot(item.bot),
            let installation = try await store.installation(bot.installationID),
            let record = try await store.portal(item.portal), let account = try await portals.account(installation)
        else { return try await fail(item, "The bot, its installation or its application's keys are gone") }
        let portal = portals.portal(record)
        if item.attempts > 1 || item.delivery == nil {
            let id = item.id
            // Its dialog may have been erased while it waited.
            guard let stored = try await store.database.read({ try $0.outboxItem(id) }) else { return .finished }
            if item.delivery == nil { item.delivery = try? Delivery(payload: stored.payload) }
        }
        guard let delivery = item.delivery else { return try await fail(item, "The stored message cannot be read") }
        if try await isSilenced(item) { return try await markSent(item) }
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
        if case .file(let file) = delivery {
            return try await deliver(file, of: &item, memory, bot, portal, account)
        }
        if case .action(let action) = delivery {
            return try await perform(action, of: &item, portal, account)
        }
        do {
            try await begin(item)
            item.sentID = try await carryOut(delivery, portal, account)
        } catch let error as PortalError {
            item.isUncertain = error.mayHaveHappened && !delivery.isRepeatable
            return try await postpone(item, error)
        }
        item.isSent = true
        return try await markSent(item)
    }

    /// An operator took the dialog while this waited: the bot is silent now.
    private func isSilenced(_ item: PendingDelivery) async throws -> Bool {
        guard item.notBefore > item.createdAt, !item.isUncertain, item.delivery?.action == nil,
            let desk = try await store.database.read({ try $0.operatorDesk(of: item.dialog) }),
            desk.hasBeenTaken(since: item.createdAt)
        else { return false }
        log.info("an operator has the dialog, the bot says nothing more", ["send": .integer(item.row)])
        return true
    }

    private func begin(_ item: PendingDelivery) async throws {
        guard item.delivery?.isRepeatable == false else { return }
        let (id, repeated) = (item.id, item.repeatedBlindly)
        try await store.database.write { try $0.beginSending(id, repeated: repeated) }
    }

    private func carryOut(_ delivery: Delivery, _ portal: Portal, _ account: Account) async throws -> Int64? {
        switch delivery {
        case .message(let message): return try await portal.send(message, as: account)
        case .withdrawal(let message):
            try await portal.withdraw(message, as: account)
            return nil
        case .file, .action: return nil
        }
    }

    /// A transfer that was refused waits for the administrator, though an operator was found in its place.
    private func perform(
        _ action: ChannelAction, of item: inout PendingDelivery, _ portal: Portal, _ account: Account
    ) async throws -> Verdict<PendingDelivery> {
        let desk = try await store.database.read { [item] in try $0.operatorDesk(of: item.dialog) }
        if desk?.hasMovedOn(since: item.createdAt) == true {
            log.info("a session to be handed over or ended is over already", ["send": .integer(item.row)])
            return try await markSent(item)
        }
        do {
            guard let refusal = try await portal.perform(action, as: account) else {
                item.isSent = true
                return try await markSent(item)
            }
            let reason = "The transfer was refused, any free operator was asked instead: \(refusal)"
            return try await fail(item, reason, botHasDialog: false)
        } catch let error as PortalError {
            return try await postpone(item, error)
        }
    }

    // MARK: Files

    /// Downloads a file and uploads it; what cannot be had, or is not taken, becomes a message with its link.
    private func deliver(
        _ file: OutgoingFile, of item: inout PendingDelivery, _ memory: MemoryBudget.Share?, _ bot: BotRecord,
        _ portal: Portal, _ account: Account
    ) async throws -> Verdict<PendingDelivery> {
        let content: FileDownload.Content
        switch try await downloads.fetch(file, from: try await connector(of: bot, from: file), memory: memory) {
        case .content(let found): content = found
        case .later(let reason) where item.attempts < Self.mostDownloads:
            // It was not sent again after all.
            if item.isUncertain { item.repeatedBlindly = false }
            let pause = Pauses.before(attempt: item.attempts, longest: .seconds(30))
            return try await putOff(item, until: clock.now + pause, because: "The file cannot be fetched: \(reason)")
        case .later(let reason), .unavailable(let reason):
            return try await substitute(file, in: &item, because: reason)
        }
        defer { withExtendedLifetime(content.memory) {} }
        do {
            try await begin(item)
            item.sentID = try await portal.upload(file, named: content.name, content: content.bytes, as: account)
        } catch let error as PortalError {
            item.isUncertain = error.mayHaveHappened
            if case .refused = error.kind, !error.isPassing, !error.mayHaveHappened, !error.concernsInstallation {
                return try await substitute(file, in: &item, because: error.message)
            }
            return try await postpone(item, error)
        }
        item.isSent = true
        return try await markSent(item)
    }

    /// From now on it is a message like others, which goes next.
    private func substitute(
        _ file: OutgoingFile, in item: inout PendingDelivery, because reason: String
    ) async throws -> Verdict<PendingDelivery> {
        log.warning(
            "a file is sent as a link", ["send": .integer(item.row), "name": .text(file.name), "reason": .text(reason)])
        let link = Delivery.message(file.substitute)
        let (id, payload) = (item.id, try link.payload())
        try await store.database.write { try $0.replacePayload(payload, of: id) }
        item.delivery = link
        item.size = payload.utf8.count
        item.isUncertain = false
        return .again(item)
    }

    /// - Returns: `nil` if the bot is on another platform by now than the one that gave the file out.
    private func connector(
        of bot: BotRecord, from file: OutgoingFile
    ) async throws -> (ConnectorRecord, ProviderRecord)? {
        guard let id = bot.connectorID, let connector = try await store.connector(id),
            let provider = try await store.provider(connector.providerID), let source = file.source,
            HTTPClient.isSameOrigin(source, connector.url ?? provider.url)
        else { return nil }
        return (connector, provider)
    }

    /// Whether the dialog shows it already; `nil` where no look is possible.
    private func shows(_ item: PendingDelivery, _ portal: Portal, _ account: Account) async throws -> Bool? {
        // The same may have been said just before.
        let former = try await store.database.read { try $0.sentID(before: item.id, in: item.dialog) }
        return switch item.delivery {
        case .message(let message)?:
            try await portal.shows(message, since: item.createdAt, after: former, as: account)
        case .file(let file)?: try await portal.shows(file, since: item.createdAt, after: former, as: account)
        case .action?, .withdrawal?, nil: nil
        }
    }

    /// Tries again later what can still succeed within a day.
    private func postpone(_ item: PendingDelivery, _ error: PortalError) async throws -> Verdict<PendingDelivery> {
        let moment = clock.now + Pauses.before(attempt: item.attempts, longest: .seconds(300), asked: error.retryAfter)
        let canStillSucceed = error.isPassing || error.concernsInstallation || item.isUncertain
        guard canStillSucceed, moment - item.createdAt < Self.patience else {
            return try await fail(item, error.message)
        }
        return try await putOff(item, until: moment, because: error.message, isTold: error.concernsInstallation)
    }

    /// - Parameter isTold: the reason, which is that of many messages, is told elsewhere.
    private func putOff(
        _ item: PendingDelivery, until moment: Timestamp, because reason: String, isTold: Bool = false
    ) async throws -> Verdict<PendingDelivery> {
        var item = item
        item.notBefore = moment
        let (id, uncertain) = (item.id, item.isUncertain)
        try await store.database.write {
            try $0.postpone(id, until: moment, reason: reason, uncertain: uncertain)
        }
        if !isTold {
            log.warning(
                "a message could not be delivered and will be repeated",
                ["send": .integer(item.row), "reason": .text(reason)])
        }
        return .again(item)
    }

    private func markSent(_ item: PendingDelivery) async throws -> Verdict<PendingDelivery> {
        let now = clock.now
        try await store.database.write { try $0.markSent(item.id, as: item.sentID, now: now) }
        delivered.increment()
        if item.isSent, let delivery = item.delivery {
            live.tell(
                Happening(
                    delivery.action?.isHandOver == true ? .handover : .delivery, at: now, portal: item.portal,
                    bot: item.bot, dialog: item.dialog, text: delivery.text, took: now - item.createdAt))
        }
        return .finished
    }

    /// - Parameter botHasDialog: what could not be done would have taken the dialog from the bot.
    private func fail(
        _ item: PendingDelivery, _ reason: String, botHasDialog: Bool = true
    ) async throws -> Verdict<PendingDelivery> {
        log.error("a message could not be delivered", ["send": .integer(item.row), "reason": .text(reason)])
        try await store.database.write { connection in
            try connection.fail(item.id, reason: reason)
            guard botHasDialog, item.delivery?.action != nil else { return }
            try connection.changeDesk(of: item.dialog) { $0.couldNotLetGo() }
        }
        live.tell(
            Happening(.failure, at: clock.now, portal: item.portal, bot: item.bot, dialog: item.dialog, text: reason))
        return .finished
    }
}
