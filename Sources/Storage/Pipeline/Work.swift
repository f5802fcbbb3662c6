import Base

/// Work that waits or has failed, as the administrator sees it.
public struct WorkRecord: Sendable {
    /// `event-12`: to be asked; `send-7`: to be delivered.
    public enum Key: Sendable, Hashable, LosslessStringConvertible {
        case event(ID<EventRecord>)
        case send(ID<OutboxRecord>)

        public init?(_ description: String) {
            if description.hasPrefix("event-"), let id = ID<EventRecord>(String(description.dropFirst(6))) {
                self = .event(id)
            } else if description.hasPrefix("send-"), let id = ID<OutboxRecord>(String(description.dropFirst(5))) {
                self = .send(id)
            } else {
                return nil
            }
        }

        public var description: String {
            switch self {
            case .event(let id): "event-\(id)"
            case .send(let id): "send-\(id)"
            }
        }
    }
    public var key: Key
    public var portalID: ID<PortalRecord>
    public var botID: ID<BotRecord>
    public var dialogID: ID<DialogRecord>?
    public var state: String
    public var attempts: Int
    public var lastError: String?
    public var createdAt: Timestamp
    public var nextAttemptAt: Timestamp?
}

extension Store {
    /// Waiting and failed work, newest first.
    /// - Parameter portal: only this portal's; all if `nil`.
    public func work(
        portal: ID<PortalRecord>? = nil, limit: Int, after cursor: String?
    ) async throws -> Page<WorkRecord> {
        let before = try WorkCursor(cursor)
        let ofPortal = portal == nil ? "" : "AND portal_id = ?5"
        let found = try await database.read { connection in
            try connection.rows(
                // Each part by an index that holds nothing else.
                Self.workParts.map { part in
                    """
                    SELECT \(part.number), id, portal_id, bot_id, dialog_id, state, attempts, last_error, \(part.arrival),
                        not_before
                    FROM \(part.table) WHERE \(part.condition) \(ofPortal)
                        AND (\(part.arrival), \(part.number), id) < (?1, ?2, ?3)
                    """
                }.joined(separator: " UNION ALL ") + " ORDER BY 9 DESC, 1 DESC, 2 DESC LIMIT ?4",
                [.integer(before.time), .integer(before.table), .integer(before.id), .integer(Int64(limit + 1))]
                    + (portal.map { [SQLValue($0)] } ?? []),
                workRecord)
        }
        let items = Array(found.prefix(limit))
        return Page(items: items, next: found.count > limit ? items.last.map { WorkCursor(after: $0).text } : nil)
    }

    /// Where work is: which table, which of its rows, and when they came.
    private static let workParts: [(number: Int, table: String, arrival: String, condition: String)] = [
        (0, "events", "received_at", "\(isOpenEvent) AND joined_to IS NULL"),
        (0, "events", "received_at", "\(isFailed) AND joined_to IS NULL"),
        (1, "outbox", "created_at", isOpenSend),
        (1, "outbox", "created_at", isFailed),
    ]

    /// Events have a body until they are done.
    static let isOpenEvent = "state IN ('waiting', 'asking') AND id IN (SELECT event_id FROM event_bodies)"
    /// As the indexes have it: a state in their conditions would cost work with each step of each message.
    static let isOpenSend = "finished_at IS NULL AND state IN ('waiting', 'sending')"
    static let isFailed = "last_error IS NOT NULL AND state = 'failed'"

    /// The portal that work is for; `nil` if it is not there.
    public func portal(of key: WorkRecord.Key) async throws -> ID<PortalRecord>? {
        let (table, id) =
            switch key {
            case .event(let id): ("events", id.rawValue)
            case .send(let id): ("outbox", id.rawValue)
            }
        return try await database.read { connection in
            try connection.row("SELECT portal_id FROM \(table) WHERE id = ?", [.integer(id)]) { $0.id(0) }
        }
    }

    /// Puts failed work back; `nil` if it is not there or not failed.
    public func retryWork(_ key: WorkRecord.Key, now: Timestamp) async throws -> Bool {
        try await database.write { connection in
            switch key {
            case .event(let id):
                // One that was asked may have been answered: its outcome is looked for first.
                let retried = try connection.run(
                    """
                    UPDATE events SET state = CASE WHEN asked_at IS NULL THEN 'waiting' ELSE 'asking' END, not_before = ?
                    WHERE id = ? AND state = 'failed' AND id IN (SELECT event_id FROM event_bodies)
                    """,
                    [SQLValue(now), SQLValue(id)])
                if retried > 0 {
                    try connection.run("UPDATE events SET state = 'asking' WHERE joined_to = ?", [SQLValue(id)])
                }
                return retried > 0
            case .send(let id):
                return try connection.run(
                    """
                    UPDATE outbox SET state = 'waiting', not_before = ?, created_at = ?, repeated = 0
                    WHERE id = ? AND state = 'failed'
                    """,
                    [SQLValue(now), SQLValue(now), SQLValue(id)]) > 0
            }
        }
    }

    /// Gives failed work up; its identity stays known. False if it is not there or not failed.
    public func dropWork(_ key: WorkRecord.Key, now: Timestamp) async throws -> Bool {
        try await database.write { connection in
            switch key {
            case .event(let id):
                let dropped = try connection.run(
                    "UPDATE events SET state = 'done', finished_at = ? WHERE id = ? AND state = 'failed'",
                    [SQLValue(now), SQLValue(id)])
                guard dropped > 0 else { return false }
                try connection.finishJoined(to: id, now: now)
                try connection.run("DELETE FROM event_bodies WHERE event_id = ?", [SQLValue(id)])
                return true
            case .send(let id):
                return try connection.run(
                    "UPDATE outbox SET state = 'done', payload = NULL, finished_at = ? WHERE id = ? AND state = 'failed'",
                    [SQLValue(now), SQLValue(id)]) > 0
            }
        }
    }
}

private func workRecord(_ row: borrowing Row) throws -> WorkRecord {
    let isEvent = row.integer(0) == 0
    let state = row.text(5)
    return WorkRecord(
        key: isEvent ? .event(ID(rawValue: row.integer(1))) : .send(ID(rawValue: row.integer(1))),
        portalID: ID(rawValue: row.integer(2)), botID: ID(rawValue: row.integer(3)),
        dialogID: row.integerIfAny(4).map { ID(rawValue: $0) }, state: state, attempts: Int(row.integer(6)),
        lastError: row.textIfAny(7), createdAt: Timestamp(rawValue: row.integer(8)),
        nextAttemptAt: state == "failed" ? nil : Timestamp(rawValue: row.integer(9)))
}

/// Where a page of work ended: time, table, id.
private struct WorkCursor {
    var time = Int64.max
    var table: Int64 = 2
    var id = Int64.max

    init(_ text: String?) throws {
        guard let text else { return }
        let parts = text.split(separator: "-").compactMap { Int64($0) }
        guard parts.count == 3 else { throw StoreError.badCursor }
        (time, table, id) = (parts[0], parts[1], parts[2])
    }

    init(after record: WorkRecord) {
        time = record.createdAt.rawValue
        switch record.key {
        case .event(let key): (table, id) = (0, key.rawValue)
        case .send(let key): (table, id) = (1, key.rawValue)
        }
    }

    var text: String { "\(time)-\(table)-\(id)" }
}
