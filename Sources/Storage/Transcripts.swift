import Base

extension Store {
    public func dialog(_ id: ID<DialogRecord>) async throws -> DialogRecord? {
        try await database.read { connection in
            try connection.row("SELECT \(DialogRecord.columns) FROM dialogs WHERE id = ?", [SQLValue(id)]) {
                try DialogRecord($0)
            }
        }
    }

    public func messages(
        of dialog: ID<DialogRecord>, limit: Int, after cursor: String?
    ) async throws -> Page<MessageRecord> {
        try await page(limit: limit, after: cursor, id: \.id.rawValue) { connection, below, count in
            try connection.rows(
                """
                SELECT m.id, m.dialog_id, m.author, m.text, m.created_at, \(MessageEvent.columns)
                FROM messages m \(MessageEvent.join) WHERE m.dialog_id = ? AND m.id < ? ORDER BY m.id DESC LIMIT ?
                """, [SQLValue(dialog), below, count]
            ) { row in
                MessageRecord(
                    id: row.id(0), dialogID: row.id(1), author: try row.choice(2), text: row.text(3),
                    createdAt: row.time(4), event: try MessageEvent(row, from: 5))
            }
        }
    }

    /// Erases a dialog with its transcript, session, events and what waits for it.
    public func eraseDialog(_ id: ID<DialogRecord>) async throws {
        try await database.write { try $0.delete(id, from: "dialogs") }
    }

    /// Erases the dialogs that meet `condition`, a few at a time, so that other changes do not wait for long.
    func eraseDialogs(_ condition: String, _ value: SQLValue) async throws {
        while try await database.write({ connection in
            try connection.run(
                "DELETE FROM dialogs WHERE id IN (SELECT id FROM dialogs WHERE \(condition) LIMIT 100)", [value])
        }) > 0 {}
    }
}

extension DialogRecord {
    static let columns = "id, bot_id, portal_id, dialog_id, chat_id, state, title, created_at, last_message_at"

    init(_ row: borrowing Row) throws {
        self.init(
            id: row.id(0), botID: row.id(1), portalID: row.id(2), dialogID: row.text(3), chatID: row.textIfAny(4),
            state: try row.choice(5), title: row.text(6), createdAt: row.time(7), lastMessageAt: row.time(8))
    }
}

extension MessageEvent {
    static let columns = """
        asked.id, asked.state, asked.attempts, asked.last_error, own.received_at, asked.asked_at, asked.finished_at
        """

    /// The event of a line (`m`), and the one that was asked for it.
    static let join = """
        LEFT JOIN events own ON own.id = m.event_id LEFT JOIN events asked ON asked.id = COALESCE(own.joined_to, own.id)
        """

    /// `nil` if the event is gone.
    init?(_ row: borrowing Row, from column: Int32) throws {
        guard let id: ID<EventRecord> = row.idIfAny(column) else { return nil }
        self.init(
            id: id, state: try row.choice(column + 1), attempts: Int(row.integer(column + 2)),
            lastError: row.textIfAny(column + 3), receivedAt: row.time(column + 4), askedAt: row.timeIfAny(column + 5),
            finishedAt: row.timeIfAny(column + 6))
    }
}
