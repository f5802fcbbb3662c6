import Base
import Bitrix24
import BotPlatforms
import Foundation
import Storage
import Synchronization

/// Asks the bot about one event and stores its reply.
struct Conversation: Sendable {
    /// What an event is answered with.
    struct Setting: Sendable {
        var bot: BotRecord
        var connector: ConnectorRecord
        var provider: ProviderRecord
        var installation: InstallationRecord
        var portal: PortalRecord
        var platform: any BotPlatform

        var generation: BotGeneration { bot.api == "v1" ? .first : .second }
    }

    /// Asking is given up when it has failed for this long.
    static let patience = Duration.seconds(120)

    let store: Store
    let sessions: any SessionStore
    let sessionTTL: Duration
    let platforms: Platforms
    let portals: Portals
    let outbox: WorkQueue<PendingMessage>
    let clock: WallClock
    let log: Log
    let metrics: ConversationMetrics

    /// One step with an event: ask, or find out what became of asking. A store that cannot be reached is waited for.
    func answer(_ item: PendingEvent) async -> Verdict<PendingEvent> {
        var item = item
        item.attempts += 1
        do {
            if case .answered(let answer, let setting) = item.progress {
                try await store(answer, to: item, setting)
                return .finished
            }
            guard let setting = try await setting(of: item) else { return .finished }
            if case .asked(let moment, let trace) = item.progress {
                return try await findOutcome(&item, setting, askedAt: moment, trace: trace)
            }
            return try await ask(&item, setting)
        } catch {
            log.error(
                "an event could not be handled, it is taken up again",
                ["event_id": .integer(item.row), "error": "\(error)"])
            item.notBefore = clock.now + Pauses.before(attempt: item.attempts, longest: .seconds(30))
            return .again(item)
        }
    }

    // MARK: What it is answered with

    /// `nil` if the event cannot be answered; it then waits for the administrator.
    private func setting(of item: PendingEvent) async throws -> Setting? {
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
        guard let platform = platforms.platform(connector, provider) else {
            try await give(up: item, because: "Providers of type \(provider.type) are not known", telling: bot)
            return nil
        }
        return Setting(
            bot: bot, connector: connector, provider: provider, installation: installation, portal: portal,
            platform: platform)
    }

    private func question(_ item: PendingEvent, _ setting: Setting, session: SessionRecord?) async -> Question {
        let event = item.event
        let account = try? await portals.account(setting.installation)
        let userAccessToken = try? await account?.userAccessToken()
        return Question(
            kind: event.kind == .command ? .command : .message, text: Variables.message(of: event),
            user: "\(setting.portal.memberID):\(event.dialogID)",
            variables: Variables.plain(
                event, auth: item.auth, installationScope: setting.installation.scope,
                clientEndpoint: setting.installation.clientEndpoint),
            tokens: Variables.tokens(event, auth: item.auth, userAccessToken: userAccessToken ?? nil),
            session: session.map { PlatformSession(id: $0.platformID, data: $0.data) })
    }

    private func key(_ item: PendingEvent, _ setting: Setting) -> SessionKey {
        SessionKey(memberID: setting.portal.memberID, botID: item.event.botID, dialogID: item.event.dialogID)
    }

    // MARK: Asking

    private enum Beginning {
        case with(SessionRecord?)
        /// A command has taken the message's place; `nil`: the event was erased.
        case insteadOf(EventRecord?)
    }

    /// How far it came is kept in the item: whatever fails then, the store too, nothing is asked a second time.
    private func ask(_ item: inout PendingEvent, _ setting: Setting) async throws -> Verdict<PendingEvent> {
        item.mayAskAgain = false
        let askedAt = clock.now
        let beginning = try await store.database.write { [item] connection -> Beginning in
            guard try connection.beginAsking(item.id, isCommand: item.event.kind == .command, now: askedAt) else {
                return .insteadOf(try connection.event(item.id))
            }
            return .with(try connection.session(of: item.dialog, connector: setting.connector.id, now: askedAt))
        }
        guard case .with(let stored) = beginning else { return try replaced(item, beginning, setting.bot) }
        item.progress = .asked(at: askedAt, trace: nil)
        let session = await sessions.current(stored, key: key(item, setting))
        let question = await question(item, setting, session: session)
        let typing = showTyping(item, setting)
        defer { typing?.cancel() }
        var answer = Answer()
        let isWhole = Flag()
        var trace: AskTrace?
        do {
            for try await part in setting.platform.reply(to: question) {
                answer.take(part)
                if case .trace(let seen) = part, seen != trace {
                    trace = seen
                    save(seen, of: item.id, unless: isWhole)
                }
            }
        } catch {
            item.progress = .asked(at: askedAt, trace: trace.flatMap(Self.text))
            return try await handle(failure: error, of: &item, setting)
        }
        isWhole.set()
        return try await finish(&item, with: answer, setting)
    }

    private func replaced(
        _ item: PendingEvent, _ beginning: Beginning, _ bot: BotRecord
    ) throws -> Verdict<PendingEvent> {
        guard case .insteadOf(let record?) = beginning, record.state == .waiting else { return .finished }
        var command = try PendingEvent(record, bot: bot, vault: store.vault)
        command.failingSince = item.failingSince
        return .again(command)
    }

    /// The writer takes changes in order, so nobody needs to wait for this one; nor is it needed where the whole answer is
    /// there before the writer is.
    private func save(_ trace: AskTrace, of event: ID<EventRecord>, unless isWhole: Flag) {
        store.database.writeSoon { connection in
            guard !isWhole.isSet, let text = Self.text(trace) else { return }
            try connection.saveTrace(text, of: event)
        }
    }

    private static func text(_ trace: AskTrace) -> String? {
        (try? JSONEncoder().encode(trace)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// In an open channel nobody would see it, and it costs a call of the portal's limit: there only if the bot says so.
    private func showTyping(_ item: PendingEvent, _ setting: Setting) -> Task<Void, Never>? {
        guard !item.event.isOpenChannel || setting.bot.settings["typing"]?.bool == true else { return nil }
        return Task {
            try? await Task.sleep(for: .milliseconds(700))
            guard !Task.isCancelled, let account = try? await portals.account(setting.installation) else { return }
            await portals.portal(setting.portal).showTyping(
                botID: item.event.botID, dialogID: item.event.dialogID, generation: setting.generation, as: account)
        }
    }

    // MARK: Outcomes

    /// Finds out what became of a question whose answer did not arrive whole, before anything is asked again.
    private func findOutcome(
        _ item: inout PendingEvent, _ setting: Setting, askedAt: Timestamp, trace: String?
    ) async throws -> Verdict<PendingEvent> {
        guard let finder = setting.platform as? any FindsOutcome else {
            if item.mayAskAgain { return try await ask(&item, setting) }
            metrics.uncertainAsks.increment()
            try await store.database.write { [item] in try $0.endSession(of: item.dialog) }
            await sessions.committed(nil, key: key(item, setting))
            try await give(
                up: item, because: "The bot was asked, and whether it answered cannot be told", telling: setting.bot)
            return .finished
        }
        let stored = try await store.database.read { [item] in
            try $0.session(of: item.dialog, connector: setting.connector.id, now: askedAt)
        }
        let session = await sessions.current(stored, key: key(item, setting))
        let question = await question(item, setting, session: session)
        let trace = trace.flatMap { try? JSONDecoder().decode(AskTrace.self, from: Data($0.utf8)) }
        do {
            switch try await finder.outcome(of: question, trace: trace, askedAt: askedAt) {
            case .neverArrived:
                return try await ask(&item, setting)
            case .answered(let parts):
                var answer = Answer()
                for part in parts { answer.take(part) }
                return try await finish(&item, with: answer, setting)
            case .failed where item.mayAskAgain:
                return try await ask(&item, setting)
            case .failed(let error):
                return try await handle(failure: error, of: &item, setting)
            }
        } catch let error as PlatformError {
            return try await handle(
                failure: error.kind == .final
                    ? error : PlatformError(.uncertain, error.message, retryAfter: error.retryAfter),
                of: &item, setting)
        }
    }

    private func handle(
        failure: any Error, of item: inout PendingEvent, _ setting: Setting
    ) async throws -> Verdict<PendingEvent> {
        let error = failure as? PlatformError ?? PlatformError(.uncertain, "\(failure)")
        let pause = Pauses.before(attempt: item.attempts, longest: .seconds(30), asked: error.retryAfter)
        let now = clock.now
        item.notBefore = now + pause
        // Counted from the first fault: an answer may take long, and one that is cut then is looked for at least once.
        let failingSince = item.failingSince ?? now
        item.failingSince = failingSince
        let outOfPatience = item.notBefore - failingSince > Self.patience
        if error.kind == .final || outOfPatience {
            if error.kind == .uncertain { metrics.uncertainAsks.increment() }
            try await give(up: item, because: error.message, telling: setting.bot)
            return .finished
        }
        log.warning(
            "asking the bot failed and will be repeated",
            ["event_id": .integer(item.row), "bot": .text(setting.bot.name), "reason": .text(error.message)])
        metrics.repeatedAsks.increment()
        let (id, moment) = (item.id, item.notBefore)
        if error.kind == .passing {
            item.progress = .waiting
            try await store.database.write { try $0.postpone(id, until: moment, reason: error.message) }
        } else {
            try await store.database.write { try $0.postponeLook(id, until: moment, reason: error.message) }
        }
        return .again(item)
    }

    // MARK: Storing

    private func finish(
        _ item: inout PendingEvent, with answer: Answer, _ setting: Setting
    ) async throws -> Verdict<PendingEvent> {
        item.progress = .answered(answer, setting)
        try await store(answer, to: item, setting)
        return .finished
    }

    /// Reply, session and "answered" in one transaction; the reply goes out after it.
    private func store(_ answer: Answer, to item: PendingEvent, _ setting: Setting) async throws {
        let text = await BBCode.render(markdown: answer.markdown)
        let pieces = text.isEmpty ? [] : BBCode.split(text)
        let messages = pieces.map { message($0, to: item, generation: setting.generation) }
        let now = clock.now
        let session: SessionRecord? =
            if case .now(let session) = answer.session, try await isStillAsked(setting) {
                SessionRecord(
                    dialogID: item.dialog, connectorID: setting.connector.id, platformID: session.id,
                    data: session.data,
                    expiresAt: now + sessionTTL)
            } else {
                nil
            }
        let change = answer.session
        let stored = try await store.database.write { connection -> [PendingMessage]? in
            // The dialog may have been erased meanwhile.
            guard try connection.finish(item.id, now: now) else { return nil }
            let stored = try connection.add(messages, to: item, now: now)
            if !text.isEmpty {
                try connection.addMessage(dialog: item.dialog, event: item.id, author: .bot, text: text, at: now)
            }
            if let session { try connection.save(session) }
            if case .ended = change { try connection.endSession(of: item.dialog) }
            return stored
        }
        guard let stored else { return }
        metrics.answers.increment()
        metrics.answerTime.observe(Double((now - item.receivedAt).milliseconds) / 1000)
        await outbox.add(stored)
        if case .none = change { return }
        await sessions.committed(session, key: key(item, setting))
    }

    /// Whether the bot that answered is still the one to go on with: its connector may lead elsewhere by now.
    private func isStillAsked(_ setting: Setting) async throws -> Bool {
        let connector = try await store.connector(setting.connector.id)
        let provider = try await store.provider(setting.provider.id)
        return connector?.key == setting.connector.key && connector?.url == setting.connector.url
            && connector?.providerID == setting.connector.providerID && provider?.type == setting.provider.type
            && provider?.url == setting.provider.url
    }

    /// The event waits for the administrator, and the person is told in plain words.
    private func give(up item: PendingEvent, because reason: String, telling bot: BotRecord?) async throws {
        log.error("an event could not be answered", ["event_id": .integer(item.row), "reason": .text(reason)])
        let messages = bot.map { bot in
            [
                message(
                    Apology.text(language: item.event.language), to: item,
                    generation: bot.api == "v1" ? .first : .second)
            ]
        }
        let now = clock.now
        let stored = try await store.database.write { connection in
            guard try connection.fail(item.id, reason: reason) else { return [PendingMessage]() }
            return try connection.add(messages ?? [], to: item, now: now)
        }
        metrics.failures.increment()
        await outbox.add(stored)
    }

    private func message(_ text: String, to item: PendingEvent, generation: BotGeneration) -> OutgoingMessage {
        let command = item.event.command.flatMap { command in
            item.event.messageID.map { OutgoingMessage.Command(id: command.id, messageID: $0) }
        }
        return OutgoingMessage(
            generation: generation, botID: item.event.botID, dialogID: item.event.dialogID, text: text,
            uuid: Vault.randomUUID(), command: command)
    }
}

/// What a person is told when the bot cannot answer: plain words, nothing of the inside.
enum Apology {
    static func text(language: String?) -> String {
        switch language?.lowercased() {
        case "ru", "ua", "be", "kz": "Бот сейчас не может ответить. Пожалуйста, попробуйте позже."
        default: "The bot cannot answer right now. Please try again later."
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

/// Set once, seen from everywhere.
private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
