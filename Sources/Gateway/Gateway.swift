import Base
import Bitrix24
import Storage

/// The way of a message, put together: intake, asking, delivery, and the work that comes round by itself.
public final class Gateway: Sendable {
    /// What the operator of the server decides.
    public struct Settings: Sendable {
        /// How long a conversation is remembered after its last message.
        public var sessionTTL: Duration = .seconds(86_400)
        /// Days that transcripts are kept.
        public var keepDays = 30
        /// How often bots that fetch their events are polled.
        var polling = EventReaders.Pace()
        public init() {}
    }

    public let inbox: Inbox
    public let portals: Portals
    public let platforms: Platforms
    public let statistics: Statistics
    public let live = Live()

    let store: Store
    let clock: WallClock
    private let log: Log
    private let asking: WorkQueue<PendingEvent>
    private let sending: WorkQueue<PendingDelivery>
    let housekeeping: Housekeeping
    private let readers: EventReaders

    public init(
        store: Store, sessions: any SessionStore, portals: Portals, platforms: Platforms, settings: Settings,
        loops: EventLoopGroup, clock: WallClock = .system, log: Log, metrics: Metrics
    ) {
        let statistics = Statistics(store: store, clock: clock, log: log)
        let outbox = Outbox(
            store: store, portals: portals, platforms: platforms, live: live, clock: clock, log: log, metrics: metrics)
        let sending = WorkQueue<PendingDelivery>(
            loops: loops, clock: clock, log: log,
            load: { try await Self.undelivered(in: store, after: $0, limit: $1, wanted: $2, log: log) },
            work: { await outbox.deliver($0) })
        let conversation = Conversation(
            store: store, sessions: sessions, sessionTTL: settings.sessionTTL, platforms: platforms, portals: portals,
            outbox: sending, clock: clock, log: log, metrics: ConversationMetrics(metrics), statistics: statistics,
            live: live)
        let asking = WorkQueue<PendingEvent>(
            loops: loops, clock: clock, log: log,
            load: { try await Self.unanswered(in: store, after: $0, limit: $1, wanted: $2, log: log) },
            work: { (event: consuming PendingEvent) in await conversation.answer(event) })
        self.store = store
        self.clock = clock
        self.log = log
        self.portals = portals
        self.platforms = platforms
        self.statistics = statistics
        self.asking = asking
        self.sending = sending
        inbox = Inbox(
            store: store, asking: asking, live: live, clock: clock, log: log,
            events: metrics.counter("bitbot_events_total", help: "Events of bots by kind and what became of them"))
        readers = EventReaders(
            store: store, portals: portals, inbox: inbox, pace: settings.polling, clock: clock, log: log,
            metrics: metrics)
        portals.whenOpened { await sending.hasten($0) }
        housekeeping = Housekeeping(
            store: store, sessions: sessions, portals: portals, keepDays: settings.keepDays, clock: clock, log: log)
    }

    /// Takes up what was left by the last run, replies before questions so that they go out first.
    public func start() async {
        await sending.start()
        await asking.start()
        await readers.start()
        await housekeeping.start()
        statistics.start()
    }

    /// Starts nothing more and gives what runs `grace` to end. What does not is taken up by the next start.
    public func stop(grace: Duration) async {
        await housekeeping.stop()
        await readers.stop()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await self.asking.drain()
                await self.sending.drain()
            }
            group.addTask { try? await Task.sleep(for: grace) }
            await group.next()
            group.cancelAll()
            await asking.abandon()
            await sending.abandon()
        }
        await statistics.stop()
    }

    /// Does failed work again, as the administrator asked.
    /// - Returns: false if there is no such failed work.
    public func retry(_ key: WorkRecord.Key) async throws -> Bool {
        switch key {
        case .event(let id):
            guard try await store.database.read({ try $0.event(id)?.state }) == .failed else { return false }
            await asking.end(of: id.rawValue)
            guard try await store.retryWork(key, now: clock.now) else { return false }
            let found = try await store.database.read { connection in
                try (connection.event(id).map { [$0] } ?? []) + connection.events(joinedTo: id)
            }
            var pending = try await Self.pending(found, store: store, log: log)
            for index in pending.indices {
                pending[index].mayAskAgain = true
                pending[index].isRetried = true
            }
            await asking.add(pending)
        case .send(let id):
            guard try await store.database.read({ try $0.outboxItem(id)?.state }) == .failed else { return false }
            await sending.end(of: id.rawValue)
            guard try await store.retryWork(key, now: clock.now) else { return false }
            let found = try await store.database.read { try $0.outboxItem(id) }
            if let found { await sending.add([try PendingDelivery(found)]) }
        }
        return true
    }

    // MARK: What the store holds

    private static func unanswered(
        in store: Store, after row: Int64, limit: Int, wanted: (ID<PortalRecord>) -> Bool, log: Log
    ) async throws -> (work: [PendingEvent], last: Int64?) {
        let records = try await store.database.read { try $0.openEvents(after: row, limit: limit) }
        let some = records.filter { wanted($0.portalID) }
        return (try await pending(some, store: store, log: log), records.last?.id.rawValue)
    }

    /// What cannot be read waits for the administrator, it holds up nothing.
    private static func pending(_ records: [EventRecord], store: Store, log: Log) async throws -> [PendingEvent] {
        var readable: [PendingEvent] = []
        for record in records {
            guard let bot = try await store.bot(record.botID) else { continue }
            do {
                readable.append(try PendingEvent(record, bot: bot, vault: store.vault))
            } catch {
                log.error(
                    "a stored event cannot be read", ["event_id": .integer(record.id.rawValue), "error": "\(error)"])
                _ = try await store.database.write {
                    try $0.fail(record.id, reason: "The stored event cannot be read: \(error)")
                }
            }
        }
        return readable
    }

    private static func undelivered(
        in store: Store, after row: Int64, limit: Int, wanted: (ID<PortalRecord>) -> Bool, log: Log
    ) async throws -> (work: [PendingDelivery], last: Int64?) {
        let records = try await store.database.read { try $0.openOutbox(after: row, limit: limit) }
        var readable: [PendingDelivery] = []
        for record in records where wanted(record.portalID) {
            do {
                readable.append(try PendingDelivery(record))
            } catch {
                log.error(
                    "a stored message cannot be read", ["send": .integer(record.id.rawValue), "error": "\(error)"])
                try await store.database.write { try $0.fail(record.id, reason: "The stored message cannot be read") }
            }
        }
        return (readable, records.last?.id.rawValue)
    }
}
