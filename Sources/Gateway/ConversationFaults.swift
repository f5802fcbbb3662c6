import Base
import Bitrix24
import BotPlatforms
import Foundation
import Storage

/// What becomes of a question whose answer did not arrive.
extension Conversation {
    /// Finds out what became of a question whose answer did not arrive whole, before anything is asked again.
    func findOutcome(
        _ item: inout PendingEvent, _ setting: Setting, askedAt: Timestamp, trace: String?
    ) async throws -> Step {
        try await readJoined(&item, setting.bot)
        guard let finder = setting.platform as? any FindsOutcome else {
            if item.mayAskAgain { return try await ask(&item, setting) }
            metrics.uncertainAsks.increment()
            let lastError = try await store.database.write { [item] in
                try $0.endSession(of: item.dialog)
                return try $0.lastError(of: item.id)
            }
            await sessions.committed(nil, key: key(item, setting))
            let reason = "The bot was asked, and whether it answered cannot be told"
            try await give(up: item, because: lastError.map { "\(reason): \($0)" } ?? reason, telling: setting.bot)
            return .ended(.finished)
        }
        // A greeting leaves nothing behind where the platform can be looked into.
        if item.event.kind == .joined { return try await ask(&item, setting) }
        if let instead = try await describeFiles(of: &item, setting) { return .ended(instead) }
        let state = try await store.database.read { [item] in
            try DialogState(of: item.dialog, in: $0, connector: setting.connector.id, now: askedAt)
        }
        item.mayHaveOffer = state.offer != nil
        let question = await question(item, setting, state)
        item.asked = AskedExchange(question, setting)
        let trace = trace.flatMap { try? JSONDecoder().decode(AskTrace.self, from: Data($0.utf8)) }
        do {
            switch try await finder.outcome(of: question, trace: trace, askedAt: askedAt) {
            case .neverArrived:
                return try await ask(&item, setting)
            case .answered(let parts):
                var reply = Reply()
                for part in parts { reply.take(part) }
                return .ended(try await finish(&item, with: reply, setting))
            case .failed where item.mayAskAgain:
                return try await ask(&item, setting)
            case .failed(let error):
                return .ended(try await handle(failure: error, of: &item, setting))
            }
        } catch let error as PlatformError {
            let failure =
                error.kind == .final ? error : PlatformError(.uncertain, error.message, retryAfter: error.retryAfter)
            return .ended(try await handle(failure: failure, of: &item, setting))
        }
    }

    func handle(
        failure: any Error, of item: inout PendingEvent, _ setting: Setting
    ) async throws -> Verdict<PendingEvent> {
        let error = failure as? PlatformError ?? PlatformError(.uncertain, "\(failure)")
        let pause = Pauses.before(attempt: item.attempts, longest: .seconds(30), asked: error.retryAfter)
        let now = clock.now
        item.notBefore = now + pause
        // Counted from the first fault: an answer may take long, and one that is cut then is looked for at least once.
        let failingSince = item.failingSince ?? now
        item.failingSince = failingSince
        let outOfPatience =
            item.notBefore - failingSince > (item.event.kind == .joined ? Self.greetingPatience : Self.patience)
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
            item.joined = []
            try await store.database.write { try $0.postpone(id, until: moment, reason: error.message) }
        } else {
            try await store.database.write { try $0.postponeLook(id, until: moment, reason: error.message) }
        }
        return .again(item)
    }

    /// The event waits for the administrator, and the person is told in plain words.
    func give(up item: PendingEvent, because reason: String, telling bot: BotRecord?) async throws {
        log.error("an event could not be answered", ["event_id": .integer(item.row), "reason": .text(reason)])
        // Whoever asked nothing is told nothing.
        let isQuestion = item.isQuestion
        let apology =
            (isQuestion ? bot : nil).map { item.completing(Apology(to: item.event, of: $0).deliveries, of: $0) } ?? []
        let now = clock.now
        let stored = try await store.database.write { connection in
            if let asked = item.asked {
                try connection.saveExchange(asked.json, of: item.id, in: item.dialog)
            }
            guard let bot, isQuestion else {
                try connection.fail(item.id, reason: reason)
                return [PendingDelivery]()
            }
            guard let deliveries = try self.atDesk(apology: apology, to: item, bot, in: connection, now: now) else {
                try connection.finish(item.id, withJoined: true, now: now)
                return []
            }
            guard try connection.fail(item.id, reason: reason) else { return [] }
            return try connection.add(deliveries, to: item, now: now)
        }
        metrics.failures.increment()
        if isQuestion { statistics.failed(at: now) }
        live.tell(Happening(.failure, item, at: now, text: reason))
        await outbox.add(stored)
    }
}
