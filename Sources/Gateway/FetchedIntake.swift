import Base
import Bitrix24
import Storage

extension Inbox {
    /// Events that go into one transaction, so that other changes do not wait for long.
    private static let atOnce = 200

    /// Stores events that were fetched, each piece of them together with the offset that confirms them: a kill at any moment
    /// neither loses nor repeats one. What cannot be read is logged and passed over.
    /// - Returns: what the next poll has to confirm.
    /// - Throws: `StoreError` when they cannot be stored now; then they are fetched again.
    func take(
        _ fetched: FetchedEvents, after offset: Int64?, bot: BotRecord, portal: PortalRecord
    ) async throws -> Int64? {
        var offset = offset
        var rest = fetched.events[...]
        repeat {
            let piece = rest.prefix(Self.atOnce)
            rest = rest.dropFirst(Self.atOnce)
            let confirmed = rest.isEmpty ? fetched.nextOffset : nil
            let next = confirmed ?? piece.last.map { $0.id &+ 1 } ?? offset
            guard !piece.isEmpty || next != offset else { break }
            try await take(Array(piece), confirmedBy: next, bot: bot, portal: portal)
            offset = next
        } while !rest.isEmpty
        return offset
    }

    private func take(
        _ piece: [FetchedEvent], confirmedBy next: Int64?, bot: BotRecord, portal: PortalRecord
    ) async throws {
        var intakes: [(fetched: FetchedEvent, intake: Intake)] = []
        for event in piece {
            if let intake = try await intake(of: event, bot: bot, portal: portal) { intakes.append((event, intake)) }
        }
        let (ready, id, now) = (intakes, bot.id, clock.now)
        let taken = try await store.database.write { connection in
            let taken = try ready.map { fetched, intake in
                let isNew = try connection.takeFetched(fetched.id, date: fetched.date, bot: id, now: now)
                return isNew ? try intake.store(on: connection) : .known
            }
            if let next { try connection.setEventOffset(next, of: id) }
            return taken
        }
        for (ready, taken) in zip(ready, taken) { await giveOn(ready.intake, taken) }
    }

    private func intake(of fetched: FetchedEvent, bot: BotRecord, portal: PortalRecord) async throws -> Intake? {
        do {
            let body = fetched.body(memberID: portal.memberID)
            let event = try PortalEvent(decoding: body, contentType: "application/json")
            guard case .bots(let events) = event.content, let botEvent = events.first else { return nil }
            guard botEvent.generation == .second, botEvent.botID == bot.botID else {
                throw EventDecodingError.invalid("data[bot][id]")
            }
            return try await intake(of: botEvent, in: event, bot: bot, portal: portal)
        } catch let error as EventDecodingError {
            passOver(fetched, "\(error)", bot: bot, portal: portal)
        } catch let InboxError.missing(field) {
            passOver(fetched, "it has no \(field)", bot: bot, portal: portal)
        }
        return nil
    }

    private func passOver(_ fetched: FetchedEvent, _ reason: String, bot: BotRecord, portal: PortalRecord) {
        events.increment(by: 1, ["kind": "unknown", "outcome": "unreadable"])
        log.warning(
            "a fetched event cannot be read and is passed over",
            [
                "portal": .text(portal.domain), "bot": .text(bot.name), "fetched_event": .integer(fetched.id),
                "reason": .text(reason),
            ])
    }
}
