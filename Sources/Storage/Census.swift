import Base

/// How much there is, and how much of it waits.
public struct Census: Sendable, Equatable {
    public var eventsWaiting = 0
    public var sendsWaiting = 0
    public var failed = 0
    /// When the oldest of what waits came.
    public var oldestWaitingAt: Timestamp?
    public var portals = 0
    public var bots = 0
    public var connectors = 0
    public var dialogs = 0
    /// Failed work by bot.
    public var failedOfBots: [ID<BotRecord>: Int] = [:]
    public init() {}
}

extension Store {
    public func census() async throws -> Census {
        try await database.read { connection in
            var census = Census()
            let events = try connection.waiting("events", "received_at", "\(Store.isOpenEvent) AND joined_to IS NULL")
            let sends = try connection.waiting("outbox", "created_at", Store.isOpenSend)
            census.eventsWaiting = events.count
            census.sendsWaiting = sends.count
            census.oldestWaitingAt = [events.oldest, sends.oldest].compactMap { $0 }.min()
            let failed = try connection.rows(
                """
                SELECT bot_id, count(*) FROM (
                    SELECT bot_id FROM events WHERE \(Store.isFailed) AND joined_to IS NULL
                    UNION ALL SELECT bot_id FROM outbox WHERE \(Store.isFailed)
                ) failed GROUP BY bot_id
                """
            ) { (ID<BotRecord>(rawValue: $0.integer(0)), Int($0.integer(1))) }
            census.failedOfBots = Dictionary(failed, uniquingKeysWith: +)
            census.failed = failed.reduce(0) { $0 + $1.1 }
            census.portals = try connection.count("portals")
            census.bots = try connection.count("bots")
            census.connectors = try connection.count("connectors")
            census.dialogs = try connection.count("dialogs")
            return census
        }
    }
}

extension Connection {
    fileprivate func count(_ table: String) throws -> Int {
        try row("SELECT count(*) FROM \(table)") { Int($0.integer(0)) } ?? 0
    }

    fileprivate func waiting(
        _ table: String, _ arrival: String, _ condition: String
    ) throws -> (count: Int, oldest: Timestamp?) {
        try row("SELECT count(*), min(\(arrival)) FROM \(table) WHERE \(condition)") {
            (Int($0.integer(0)), $0.timeIfAny(1))
        } ?? (0, nil)
    }
}
