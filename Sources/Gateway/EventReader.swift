import Base
import Bitrix24
import Storage

/// Fetches the events of one portal's bots. Each bot has this reader alone: whoever else polled for it would confirm events
/// that this one has not seen.
///
/// Polls that are due go as one request, and requests are so far apart that they leave half of the portal's limit to
/// others. Events are confirmed by the poll after the one that brought them, once they are stored.
/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/events/event-get.md`.
actor EventReader {
    private struct Turn {
        var bot: FetchingBot
        var offset: Int64?
        var due = ContinuousClock.now
        var failures = 0
        /// Halved when an answer was too large.
        var limit = 1_000
    }

    private static let mostInRequest = 50
    /// Events in one answer, of all bots together.
    private static let mostEvents = 1_000
    private static let longestPause = Duration.seconds(60)
    /// Until the administrator does something there is little to hope for.
    private static let longestRefused = Duration.seconds(300)

    private let portal: ID<PortalRecord>
    private let store: Store
    private let portals: Portals
    private let inbox: Inbox
    private let pace: EventReaders.Pace
    private let clock: WallClock
    private let log: Log
    private let polls: Counter
    private var turns: [ID<BotRecord>: Turn] = [:]
    private var nextRequest = ContinuousClock.now
    private var sleep: Task<Void, Never>?

    init(
        portal: ID<PortalRecord>, store: Store, portals: Portals, inbox: Inbox, pace: EventReaders.Pace,
        clock: WallClock, log: Log, polls: Counter
    ) {
        self.portal = portal
        self.store = store
        self.portals = portals
        self.inbox = inbox
        self.pace = pace
        self.clock = clock
        self.log = log
        self.polls = polls
    }

    /// Takes the bots to read for; one that is new, or has changed, is polled at once.
    func read(_ bots: [FetchingBot]) {
        var now: [ID<BotRecord>: Turn] = [:]
        for bot in bots {
            if var known = turns[bot.id], known.bot.botID == bot.botID, known.bot.draining == bot.draining,
                known.bot.installedAt == bot.installedAt
            {
                known.bot = bot
                now[bot.id] = known
            } else {
                // A bot that was registered anew has another queue of events.
                let isSame = turns[bot.id].map { $0.bot.botID == bot.botID } ?? true
                now[bot.id] = Turn(bot: bot, offset: isSame ? turns[bot.id]?.offset ?? bot.offset : nil)
            }
        }
        turns = now
        sleep?.cancel()
    }

    func run() async {
        while !Task.isCancelled {
            guard let due = turns.values.map(\.due).min() else {
                await wait(for: .seconds(3600))
                continue
            }
            let start = max(due, nextRequest)
            if start > .now {
                await wait(for: start - .now)
                continue
            }
            await poll()
        }
    }

    private func wait(for duration: Duration) async {
        let task = Task { _ = try? await Task.sleep(for: duration) }
        sleep = task
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    // MARK: One request

    private func poll() async {
        let now = ContinuousClock.now
        let due = turns.values.filter { $0.due <= now }.sorted { ($0.due, $0.bot.botID) < ($1.due, $1.bot.botID) }
        guard let first = due.first else { return }
        let group = Array(
            due.filter { $0.bot.installationID == first.bot.installationID }.prefix(Self.mostInRequest))
        let share = max(Self.mostEvents / group.count, 1)
        do {
            guard let record = try await store.portal(portal),
                let installation = try await store.installation(first.bot.installationID),
                let account = try await portals.account(installation)
            else { throw PortalError.noAccount }
            // Half of what flows out of the portal's bucket is for the others.
            if record.limitPerSecond > 0 { nextRequest = now + .seconds(2 / max(record.limitPerSecond, 0.001)) }
            let outcomes = try await portals.portal(record).fetchEvents(
                group.map { EventPoll(botID: $0.bot.botID, offset: $0.offset, limit: min($0.limit, share)) },
                as: account)
            for (turn, outcome) in zip(group, outcomes) { await take(outcome, turn, record) }
        } catch is CancellationError {
            return
        } catch {
            for turn in group { await failed(turn.bot, error) }
        }
    }

    private func take(_ outcome: Result<FetchedEvents, PortalError>, _ turn: Turn, _ record: PortalRecord) async {
        do {
            let fetched = try outcome.get()
            guard let bot = try await store.bot(turn.bot.id), bot.botID == turn.bot.botID else { return }
            let offset = try await inbox.take(fetched, after: turn.offset, bot: bot, portal: record)
            polls.increment(by: 1, ["outcome": fetched.events.isEmpty ? "empty" : "events"])
            let isEmpty = fetched.events.isEmpty && !fetched.hasMore
            change(turn.bot) { turn in
                turn.offset = offset
                turn.failures = 0
                turn.limit = min(turn.limit * 2, 1_000)
                turn.due = .now + (fetched.hasMore ? pace.more : pace.idle)
            }
            if isEmpty, turn.bot.draining == .told { try await store.endDraining(of: bot.id) }
        } catch is CancellationError {
            return
        } catch {
            await failed(turn.bot, error)
        }
    }

    // MARK: What goes wrong

    private func failed(_ bot: FetchingBot, _ error: any Error) async {
        polls.increment(by: 1, ["outcome": "failed"])
        let refusal = error as? PortalError
        if let code = refusal?.code, await isOver(bot, code) { return }
        var failures = 0
        change(bot) { turn in
            turn.failures += 1
            failures = turn.failures
            let longest = refusal?.isPassing == false ? Self.longestRefused : Self.longestPause
            let pause = min(pace.idle * (1 << min(turn.failures, 10)), longest)
            turn.due = .now + max(pause, refusal?.retryAfter ?? .zero)
            if case .unreachable(.tooLarge)? = refusal?.kind {
                turn.limit = max(turn.limit / 2, 1)
                turn.due = .now + pace.more
            }
        }
        // The first time, and then as rarely as it is tried.
        if refusal?.concernsInstallation != true, failures == 1 || failures > 5 {
            log.warning(
                "a bot's events could not be fetched and will be asked for again",
                ["bot": .text("\(bot.id)"), "error": "\(error)"])
        }
    }

    /// Whether the bot is no longer there, or no longer ours; then it says so.
    private func isOver(_ bot: FetchingBot, _ code: String) async -> Bool {
        let (status, reason): (BotRecord.Status, String)
        switch code {
        case "BOT_NOT_FOUND": (status, reason) = (.deleted, "The bot was deleted in Bitrix24")
        case "BOT_OWNERSHIP_ERROR":
            (status, reason) = (.failed, "Bitrix24 says that the bot belongs to another application or webhook")
        default: return false
        }
        do {
            guard var record = try await store.bot(bot.id), record.botID == bot.botID else { return false }
            record.status = status
            record.statusReason = reason
            _ = try await store.setRegistration(of: record, now: clock.now)
            log.warning("a bot is not polled any more", ["bot": .text(record.name), "reason": .text(reason)])
            turns[bot.id] = nil
            return true
        } catch {
            return false
        }
    }

    /// Changes a bot's turn, unless it has ended or become another's meanwhile.
    private func change(_ bot: FetchingBot, _ body: (inout Turn) -> Void) {
        guard var turn = turns[bot.id], turn.bot.botID == bot.botID else { return }
        body(&turn)
        turns[bot.id] = turn
    }
}

extension PortalError {
    fileprivate static let noAccount = PortalError(
        .noCredential, message: "the bot's installation has no application with keys", isPassing: false)
}
