import Base
import Bitrix24
import BotPlatforms
import Storage
import Synchronization

/// Asks the bot about one event and stores its reply. A class, as what it holds would be held once more by each dialog
/// that waits for its answer.
final class Conversation: Sendable {
    /// What an event is answered with; the same for all events of a bot until something of it changes (``SettingCache``).
    final class Setting: Sendable {
        let bot: BotRecord
        let connector: ConnectorRecord
        let provider: ProviderRecord
        let installation: InstallationRecord
        let portal: PortalRecord
        let platform: any BotPlatform
        let settings: BotSettings

        init(
            bot: BotRecord, connector: ConnectorRecord, provider: ProviderRecord, installation: InstallationRecord,
            portal: PortalRecord, platform: any BotPlatform
        ) {
            self.bot = bot
            self.connector = connector
            self.provider = provider
            self.installation = installation
            self.portal = portal
            self.platform = platform
            settings = BotSettings(bot.settings)
        }

        var generation: BotGeneration { bot.api == "v1" ? .first : .second }
    }

    /// Asking is given up when it has failed for this long.
    static let patience = Duration.seconds(120)

    let store: Store
    let sessions: any SessionStore
    let sessionTTL: Duration
    let platforms: Platforms
    let portals: Portals
    let outbox: WorkQueue<PendingDelivery>
    let clock: WallClock
    let log: Log
    let metrics: ConversationMetrics
    let statistics: Statistics
    let live: Live
    /// Files that people send are in memory while they are passed on.
    let filesOfPeople = MemoryBudget(128 * 1024 * 1024)
    private let settings = SettingCache()

    init(
        store: Store, sessions: any SessionStore, sessionTTL: Duration, platforms: Platforms, portals: Portals,
        outbox: WorkQueue<PendingDelivery>, clock: WallClock, log: Log, metrics: ConversationMetrics,
        statistics: Statistics, live: Live
    ) {
        self.store = store
        self.sessions = sessions
        self.sessionTTL = sessionTTL
        self.platforms = platforms
        self.portals = portals
        self.outbox = outbox
        self.clock = clock
        self.log = log
        self.metrics = metrics
        self.statistics = statistics
        self.live = live
    }

    /// How far an event has come.
    enum Step: Sendable {
        case ended(Verdict<PendingEvent>)
        /// The bot is to be asked now.
        case asks(Asking)
    }

    /// A question on its way to the bot. The question itself is the bot platform's, which lets go of what it has sent.
    final class Asking: Sendable {
        let item: PendingEvent
        let setting: Setting
        /// The answer, to be read.
        let parts: ReplyParts
        /// Bytes of the files that go with the question, if there are any.
        let fileBytes: Int?
        /// Whether it is shown while it grows.
        let isLive: Bool
        let heard = Mutex(Heard())
        let isWhole = Atomic(false)

        fileprivate init(_ question: Question, for item: PendingEvent, _ setting: Setting) {
            self.item = item
            self.setting = setting
            parts = setting.platform.answer(to: question)
            fileBytes = question.files.isEmpty ? nil : question.fileBytes
            isLive = item.isShownLive(by: setting.bot)
        }
    }

    /// What has been read of an answer.
    struct Heard {
        var reply = Reply()
        /// What the files of the question take of memory. Whoever begins to answer has got them.
        var room: MemoryBudget.Share?
    }

    /// One step with an event: ask, or find out what became of asking. A store that cannot be reached is waited for.
    func answer(_ item: consuming PendingEvent) async -> Verdict<PendingEvent> {
        switch await prepare(item) {
        case .ended(let verdict): verdict
        case .asks(let asking): await listen(to: asking)
        }
    }

    /// In a task of its own: until it ends, a task keeps the memory of its deepest call, and listening may take long.
    @inline(never)
    private func prepare(_ item: consuming PendingEvent) async -> Step {
        let item = item
        async let step = begin(item)
        return await step
    }

    private func begin(_ item: PendingEvent) async -> Step {
        var item = item
        item.attempts += 1
        do {
            return try await begin(&item)
        } catch {
            return .ended(again(item, after: error))
        }
    }

    private func begin(_ item: inout PendingEvent) async throws -> Step {
        if case .answered(let reply, let setting) = item.progress {
            try await store(reply, to: item, setting)
            return .ended(.finished)
        }
        guard let setting = try await setting(of: item) else { return .ended(.finished) }
        if item.auth == nil { try await readAuth(of: &item, setting.bot) }
        if item.event.kind == .reaction { return .ended(try await rate(&item, setting)) }
        if item.event.kind == .joined, !(try await mayGreet(item, setting)) { return .ended(try await leave(item)) }
        if case .asked(let moment, let trace) = item.progress {
            return try await findOutcome(&item, setting, askedAt: moment, trace: trace)
        }
        return try await ask(&item, setting)
    }

    @inline(never)
    private func again(_ item: PendingEvent, after error: any Error) -> Verdict<PendingEvent> {
        log.error(
            "an event could not be handled, it is taken up again",
            ["event_id": .integer(item.row), "error": "\(error)"])
        var item = item
        item.notBefore = clock.now + Pauses.before(attempt: item.attempts, longest: .seconds(30))
        return .again(item)
    }

    // MARK: What it is answered with

    /// `nil` if the event cannot be answered; it then waits for the administrator.
    func setting(of item: PendingEvent) async throws -> Setting? {
        guard let bot = try await store.bot(item.bot), let portal = try await store.portal(item.portal),
            let installation = try await store.installation(bot.installationID)
        else {
            try await give(up: item, because: "The bot or its installation is gone", telling: nil)
            return nil
        }
        guard let connectorID = bot.connectorID, let connector = try await store.connector(connectorID),
            let provider = try await store.provider(connector.providerID)
        else {
            try await give(up: item, because: "The bot has no connector: choose one", telling: bot)
            return nil
        }
        let setting = settings.setting(
            bot: bot, connector: connector, provider: provider, installation: installation, portal: portal
        ) { platforms.platform(connector, provider) }
        if setting == nil {
            try await give(up: item, because: "Providers of type \(provider.type) are not known", telling: bot)
        }
        return setting
    }

    /// What was let go of. That the event itself is gone is noticed when it is to be asked.
    private func readAuth(of item: inout PendingEvent, _ bot: BotRecord) async throws {
        let id = item.id
        guard let record = try await store.database.read({ try $0.event(id) }) else { return }
        item.auth = (try? PendingEvent(record, bot: bot, vault: store.vault))?.auth
    }

    // MARK: Asking

    private enum Beginning {
        case with(DialogState, OperatorDesk.OperatorPart?)
        /// The bot is not asked: an operator has the dialog, or gets it.
        case ended([PendingDelivery])
        /// It is not what it was: edited, deleted, or a command has taken the message's place; `nil`: it was erased.
        case insteadOf(EventRecord?)
    }

    /// How far it came is kept in the item: whatever fails then, the store too, nothing is asked a second time.
    func ask(_ item: inout PendingEvent, _ setting: Setting) async throws -> Step {
        if let moment = try await collect(&item, setting) {
            item.attempts -= 1
            item.notBefore = moment
            return .ended(.again(item))
        }
        if let instead = try await describeFiles(of: &item, setting) { return .ended(instead) }
        item.mayAskAgain = false
        let askedAt = clock.now
        let beginning = try await store.database.write { [item] connection -> Beginning in
            guard try connection.beginAsking(item.claim, joined: item.joined.map { $0.claim }, now: askedAt) else {
                return .insteadOf(try connection.event(item.id))
            }
            let state = try DialogState(
                of: item.dialog, in: connection, connector: setting.connector.id, now: askedAt)
            switch try self.turn(of: item, at: state.desk, setting, in: connection, now: askedAt) {
            case .ended(let deliveries): return .ended(deliveries)
            case .ask(let part): return .with(state, part)
            }
        }
        if case .ended(let deliveries) = beginning {
            await outbox.add(deliveries)
            // What the bot still had to say is not said any more, and holds nobody up.
            if deliveries.contains(where: { $0.delivery?.action != nil }) {
                await outbox.hasten(item.dialog) { $0.delivery?.action == nil }
            }
            return .ended(.finished)
        }
        guard case .with(let state, let part) = beginning else {
            return .ended(try replaced(item, beginning, setting.bot))
        }
        item.progress = .asked(at: askedAt, trace: nil)
        item.mayHaveOffer = state.offer != nil
        var question = await question(item, setting, state)
        await tell(part, in: &question, &item, setting)
        item.asked = AskedExchange(question, setting)
        item.auth = nil
        return .asks(Asking(question, for: item, setting))
    }

    /// Asks the bot, waits for its answer, and stores its reply. What is needed after the wait has a function of its own that
    /// is not inlined: it would stay in memory for as long.
    private func listen(to asking: Asking) async -> Verdict<PendingEvent> {
        let typing = showTyping(asking.item, asking.setting)
        defer { typing?.cancel() }
        let live = asking.isLive ? await liveAnswer(to: asking.item, asking.setting) : nil
        if let bytes = asking.fileBytes { await makeRoom(bytes, for: asking) }
        var failure: (any Error)?
        do {
            while let part = try await asking.parts.next() { take(part, of: asking, live) }
            asking.isWhole.store(true, ordering: .releasing)
        } catch {
            failure = error
        }
        return await conclude(asking, live, failure)
    }

    @inline(never)
    private func makeRoom(_ bytes: Int, for asking: Asking) async {
        let room = await filesOfPeople.take(bytes)
        asking.heard.withLock { $0.room = room }
    }

    @inline(never)
    private func take(_ part: ReplyPart, of asking: Asking, _ live: LiveAnswer?) {
        live?.take(part)
        let isNews = asking.heard.withLock { heard in
            heard.room = nil
            defer { heard.reply.take(part) }
            return if case .trace(let trace) = part { trace != heard.reply.trace } else { false }
        }
        if isNews, case .trace(let trace) = part { save(trace, of: asking) }
    }

    @inline(never)
    private func conclude(
        _ asking: Asking, _ live: LiveAnswer?, _ failure: (any Error)?
    ) async -> Verdict<PendingEvent> {
        var item = asking.item
        let reply = asking.heard.withLock { heard in
            heard.room = nil
            return heard.reply
        }
        do {
            await live?.end(in: &item)
            guard let failure else { return try await finish(&item, with: reply, asking.setting) }
            if case .asked(let moment, _) = item.progress {
                item.progress = .asked(at: moment, trace: reply.trace?.json)
            }
            return try await handle(failure: failure, of: &item, asking.setting)
        } catch {
            return again(item, after: error)
        }
    }

    private func replaced(
        _ item: PendingEvent, _ beginning: Beginning, _ bot: BotRecord
    ) throws -> Verdict<PendingEvent> {
        guard case .insteadOf(let record?) = beginning else { return .finished }
        // Joined to one that stands before it in line: when that one is put off, this one stands alone again.
        let isJoined = record.state == .asking && record.joinedTo != nil
        guard record.state == .waiting || isJoined else { return .finished }
        var instead = try PendingEvent(record, bot: bot, vault: store.vault)
        instead.failingSince = item.failingSince
        if isJoined { instead.notBefore = clock.now + .seconds(5) }
        return .again(instead)
    }

    /// The writer takes changes in order, so nobody needs to wait for this one; nor is it needed where the whole answer is
    /// there before the writer is.
    private func save(_ trace: AskTrace, of asking: Asking) {
        store.database.writeSoon { connection in
            guard !asking.isWhole.load(ordering: .acquiring) else { return }
            try connection.saveTrace(trace.json, of: asking.item.id)
        }
    }

    /// In an open channel nobody would see it, and it costs a call of the portal's limit: there only if the bot says so.
    @inline(never)
    private func showTyping(_ item: PendingEvent, _ setting: Setting) -> Task<Void, Never>? {
        guard !item.event.isOpenChannel || setting.settings.typing else { return nil }
        return Task {
            try? await Task.sleep(for: .milliseconds(700))
            guard !Task.isCancelled, let account = try? await portals.account(setting.installation) else { return }
            await portals.portal(setting.portal).showTyping(
                botID: item.event.botID, dialogID: item.event.dialogID, generation: setting.generation, as: account)
        }
    }
}

/// What the conversations count.
struct ConversationMetrics: Sendable {
    let answers: Counter
    let failures: Counter
    let repeatedAsks: Counter
    let uncertainAsks: Counter
    let answerTime: Histogram

    init(_ metrics: Metrics) {
        answers = metrics.counter("bitbot_answers_total", help: "Events answered by a bot")
        failures = metrics.counter("bitbot_failed_events_total", help: "Events that no bot could answer")
        repeatedAsks = metrics.counter("bitbot_repeated_asks_total", help: "Questions put off after a passing fault")
        uncertainAsks = metrics.counter(
            "bitbot_uncertain_asks_total", help: "Questions whose outcome could not be told")
        answerTime = metrics.histogram(
            "bitbot_answer_seconds", help: "From the event's arrival to its stored reply")
    }
}
