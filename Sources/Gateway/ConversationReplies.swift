import Base
import Bitrix24
import BotPlatforms
import Storage

/// Storing of what the bot answered.
extension Conversation {
    func finish(
        _ item: inout PendingEvent, with reply: Reply, _ setting: Setting
    ) async throws -> Verdict<PendingEvent> {
        item.progress = .answered(reply, setting)
        try await store(reply, to: item, setting)
        return .finished
    }

    /// Reply, session and "answered" in one transaction; the reply goes out after it.
    func store(_ reply: Reply, to item: PendingEvent, _ setting: Setting) async throws {
        let rendered = await Rendering(item.event, setting).rendered(reply)
        let now = clock.now
        let session: SessionRecord? =
            if case .now(let session) = reply.session, try await isStillAsked(setting) {
                SessionRecord(
                    dialogID: item.dialog, connectorID: setting.connector.id, platformID: session.id,
                    data: session.data,
                    expiresAt: now + sessionTTL)
            } else {
                nil
            }
        let deliveries = item.completing(rendered.deliveries, of: setting.bot)
        let change = reply.session
        let offer = rendered.offered.flatMap {
            Offer($0, connector: setting.connector.id, until: now + sessionTTL).json
        }
        let answer = setting.platform is any TakesRatings ? reply.trace?.messageID : nil
        if reply.isCut {
            log.warning(
                "a bot's answer was cut: it is larger than any chat shows",
                ["event_id": .integer(item.row), "bot": .text(setting.bot.name)])
        }
        if !rendered.ignored.isEmpty {
            log.warning(
                "the bot wanted something done that is possible in open channels only",
                ["event_id": .integer(item.row), "bot": .text(setting.bot.name)])
        }
        let exchange = item.asked?.answered(with: reply, line: rendered.transcript)
        let stored = try await store.database.write { connection -> [PendingDelivery]? in
            // The dialog may have been erased meanwhile.
            guard try connection.finish(item.id, withJoined: !item.joined.isEmpty, now: now) else { return nil }
            let said = try self.atDesk(deliveries, reply, to: item, setting, in: connection, now: now)
            let stored = try connection.add(said ?? [], to: item, answer: answer, now: now)
            if said != nil, !rendered.transcript.isEmpty {
                try connection.addMessage(
                    dialog: item.dialog, event: item.id, author: .bot, text: rendered.transcript, exchange: exchange,
                    at: now)
            } else if let exchange = item.asked?.answered(with: reply, line: "") {
                try connection.saveExchange(exchange, of: item.id, in: item.dialog)
            }
            if let session { try connection.save(session) }
            if case .ended = change { try connection.endSession(of: item.dialog) }
            if offer != nil || item.mayHaveOffer {
                try connection.setOffer(said == nil ? nil : offer, in: item.dialog)
            }
            return stored
        }
        guard let stored else { return }
        metrics.answers.increment()
        let time = now - item.receivedAt
        metrics.answerTime.observe(Double(time.milliseconds) / 1000)
        if item.isQuestion { statistics.answered(after: time, at: now) }
        if item.isQuestion || !rendered.transcript.isEmpty {
            live.tell(Happening(.answer, item, at: now, text: rendered.transcript, took: time))
        }
        await outbox.add(stored)
        if case .none = change { return }
        await sessions.committed(session, key: key(item, setting))
    }

    /// Whether the bot that answered is still the one to go on with: its connector may lead elsewhere by now.
    func isStillAsked(_ setting: Setting) async throws -> Bool {
        let connector = try await store.connector(setting.connector.id)
        let provider = try await store.provider(setting.provider.id)
        return connector?.key == setting.connector.key && connector?.url == setting.connector.url
            && connector?.providerID == setting.connector.providerID && provider?.type == setting.provider.type
            && provider?.url == setting.provider.url
    }
}
