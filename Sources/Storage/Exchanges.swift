import Base

/// What a bot platform was asked and answered for a line of a transcript, and what became of the answer.
public struct ExchangeRecord: Sendable {
    /// A message on its way to Bitrix24, as people see it.
    public struct Delivery: Sendable, Equatable {
        /// `nil`: a message.
        public var kind: String?
        public var state: OutboxRecord.State
        public var attempts: Int
        public var lastError: String?
        public var createdAt: Timestamp
        public var finishedAt: Timestamp?
    }
    /// `nil` once it is known no longer.
    public var event: MessageEvent?
    /// As its owner's JSON; `nil` while nothing has been asked, or nothing is kept.
    public var content: String?
    /// The bot's line that answers, if there is one.
    public var answer: String?
    public var deliveries: [Delivery]
}

extension Store {
    /// - Returns: `nil` if there is no such line, or it belongs to no event.
    public func exchange(
        of message: ID<MessageRecord>, in dialog: ID<DialogRecord>
    ) async throws -> ExchangeRecord? {
        try await database.read { connection in
            let line = try connection.row(
                """
                SELECT m.event_id, \(MessageEvent.columns) FROM messages m \(MessageEvent.join)
                WHERE m.id = ? AND m.dialog_id = ? AND m.event_id IS NOT NULL
                """, [SQLValue(message), SQLValue(dialog)]
            ) { row -> (ID<EventRecord>, MessageEvent?) in (row.id(0), try MessageEvent(row, from: 1)) }
            guard let (own, event) = line else { return nil }
            let asked = event?.id ?? own
            let stored = try connection.row(
                """
                SELECT exchange, CASE author WHEN 'bot' THEN text END FROM messages
                WHERE dialog_id = ? AND event_id = ? AND exchange IS NOT NULL ORDER BY id DESC LIMIT 1
                """, [SQLValue(dialog), SQLValue(asked)]
            ) { ($0.text(0), $0.textIfAny(1)) }
            return ExchangeRecord(
                event: event, content: stored?.0, answer: stored?.1,
                deliveries: try connection.deliveries(of: asked, in: dialog))
        }
    }
}

extension Connection {
    /// Keeps what was asked and answered on the customer's line, where no line of the bot's tells it.
    public func saveExchange(_ exchange: String, of event: ID<EventRecord>, in dialog: ID<DialogRecord>) throws {
        try run(
            "UPDATE messages SET exchange = ? WHERE dialog_id = ? AND event_id = ? AND author = 'customer'",
            [.text(exchange), SQLValue(dialog), SQLValue(event)])
    }

    fileprivate func deliveries(
        of event: ID<EventRecord>, in dialog: ID<DialogRecord>
    ) throws -> [ExchangeRecord.Delivery] {
        try rows(
            """
            SELECT kind, state, attempts, last_error, created_at, finished_at FROM outbox
            WHERE dialog_id = ? AND event_id = ? ORDER BY id
            """, [SQLValue(dialog), SQLValue(event)]
        ) { row in
            ExchangeRecord.Delivery(
                kind: row.textIfAny(0), state: try row.choice(1), attempts: Int(row.integer(2)),
                lastError: row.textIfAny(3), createdAt: row.time(4), finishedAt: row.timeIfAny(5))
        }
    }
}
