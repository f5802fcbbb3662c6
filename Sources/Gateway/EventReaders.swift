import Base
import Bitrix24
import Storage

/// Reads the events of all bots that fetch them: one reader for each portal, which starts and ends as bots come and go.
actor EventReaders {
    /// How long a reader waits between two polls of a bot.
    struct Pace: Sendable {
        /// When the portal had nothing more. Documentation: `api-reference/chat-bots/chat-bots-v2/index.md`, 5 to 30 s.
        var idle: Duration = .seconds(5)
        /// When it said that there is more: the documented minimum.
        var more: Duration = .seconds(2)
    }

    private let store: Store
    private let portals: Portals
    private let inbox: Inbox
    private let pace: Pace
    private let clock: WallClock
    private let log: Log
    private let polls: Counter
    private var readers: [ID<PortalRecord>: (reader: EventReader, task: Task<Void, Never>)] = [:]
    private var watching: Task<Void, Never>?

    init(
        store: Store, portals: Portals, inbox: Inbox, pace: Pace = Pace(), clock: WallClock, log: Log,
        metrics: Metrics
    ) {
        self.store = store
        self.portals = portals
        self.inbox = inbox
        self.pace = pace
        self.clock = clock
        self.log = log
        polls = metrics.counter("bitbot_event_polls_total", help: "Polls for the events of bots, by outcome")
    }

    func start() {
        let changes = store.botChanges()
        watching = Task {
            await look()
            for await _ in changes { await look() }
        }
    }

    /// Ends the readers; what they have taken is stored, and what is under way is fetched again.
    func stop() async {
        watching?.cancel()
        await watching?.value
        for (_, task) in readers.values { task.cancel() }
        for (_, task) in readers.values { await task.value }
        readers = [:]
    }

    /// Gives each portal's reader its bots as the store has them now.
    private func look() async {
        while !Task.isCancelled {
            do {
                return await assign(Dictionary(grouping: try await store.fetchingBots(), by: \.portalID))
            } catch {
                log.error("the bots that fetch their events could not be read", ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(5))
            }
        }
    }

    private func assign(_ bots: [ID<PortalRecord>: [FetchingBot]]) async {
        guard !Task.isCancelled else { return }
        for (portal, own) in bots {
            let known = readers[portal]?.reader
            let reader =
                known
                ?? EventReader(
                    portal: portal, store: store, portals: portals, inbox: inbox, pace: pace, clock: clock, log: log,
                    polls: polls)
            await reader.read(own)
            if known == nil { readers[portal] = (reader, Task { await reader.run() }) }
        }
        for (portal, (_, task)) in readers where bots[portal] == nil {
            task.cancel()
            await task.value
            readers[portal] = nil
        }
    }
}
