import Base

/// An event of Bitrix24 that a bot is to answer.
public struct EventRecord: Sendable {
    /// `asking` is stored before the platform is asked: after a crash its outcome is looked for first.
    public enum State: String, Sendable { case waiting, asking, done, failed }
    public var id: ID<EventRecord>
    public var portalID: ID<PortalRecord>
    public var botID: ID<BotRecord>
    public var dialogID: ID<DialogRecord>
    public var state: State
    /// The event as it came, sealed: it holds tokens.
    public var sealedBody: [UInt8]?
    /// What was seen of the answer, as the platform's own JSON.
    public var trace: String?
    public var attempts: Int
    public var receivedAt: Timestamp
    public var notBefore: Timestamp
    public var askedAt: Timestamp?
}

/// What is stored when an event arrives.
public struct EventDraft: Sendable {
    public var portalID: ID<PortalRecord>
    public var botID: ID<BotRecord>
    /// The event's identity; one that is known is not taken again.
    public var knownAs: String
    public var isCommand: Bool
    public var messageID: Int64
    public var dialogID: String
    public var chatID: String?
    public var title: String?
    /// For the transcript.
    public var text: String
    public var sealedBody: [UInt8]
    public var receivedAt: Timestamp
    public var notBefore: Timestamp
    public init(
        portalID: ID<PortalRecord>, botID: ID<BotRecord>, knownAs: String, isCommand: Bool, messageID: Int64,
        dialogID: String, chatID: String?, title: String?, text: String, sealedBody: [UInt8], receivedAt: Timestamp,
        notBefore: Timestamp
    ) {
        self.portalID = portalID
        self.botID = botID
        self.knownAs = knownAs
        self.isCommand = isCommand
        self.messageID = messageID
        self.dialogID = dialogID
        self.chatID = chatID
        self.title = title
        self.text = text
        self.sealedBody = sealedBody
        self.receivedAt = receivedAt
        self.notBefore = notBefore
    }
}

extension Connection {
    /// Stores an event with its dialog and its line of the transcript.
    ///
    /// A command takes the place of the message that carried it, as long as that one has not been asked.
    /// - Returns: `nil` if the event is known already.
    public func takeEvent(_ draft: EventDraft) throws -> (event: ID<EventRecord>, dialog: ID<DialogRecord>)? {
        let dialog = try touchDialog(
            bot: draft.botID, portal: draft.portalID, dialogID: draft.dialogID, chatID: draft.chatID,
            title: draft.title, now: draft.receivedAt)
        let values: [SQLValue] = [
            SQLValue(draft.portalID), SQLValue(draft.botID), SQLValue(dialog), .text(draft.knownAs),
            .text(draft.isCommand ? "command" : "message"), .integer(draft.messageID), SQLValue(draft.receivedAt),
            SQLValue(draft.notBefore),
        ]
        let insert = """
            INSERT INTO events (portal_id, bot_id, dialog_id, known_as, kind, message_id, state,
                received_at, not_before)
            VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?, ?)
            """
        if let id = try row(insert + " ON CONFLICT (known_as) DO NOTHING RETURNING id", values, { $0.integer(0) }) {
            try run(
                "INSERT INTO event_bodies (event_id, sealed) VALUES (?, ?)", [.integer(id), .bytes(draft.sealedBody)])
            try addMessage(
                dialog: dialog, event: ID(rawValue: id), author: .customer, text: draft.text, at: draft.receivedAt)
            return (ID(rawValue: id), dialog)
        }
        guard draft.isCommand else { return nil }
        let replaced = try row(
            """
            UPDATE events SET kind = 'command', not_before = ?
            WHERE known_as = ? AND kind = 'message' AND state = 'waiting' RETURNING id
            """,
            [SQLValue(draft.notBefore), .text(draft.knownAs)], { $0.integer(0) })
        guard let replaced else { return nil }
        try run(
            "UPDATE event_bodies SET sealed = ? WHERE event_id = ?", [.bytes(draft.sealedBody), .integer(replaced)])
        return (ID(rawValue: replaced), dialog)
    }

    /// Remembers that the bot joined a dialog.
    /// - Returns: false if it did so within the last ten seconds already.
    public func takeJoining(
        bot: ID<BotRecord>, portal: ID<PortalRecord>, dialogID: String, chatID: String?, title: String?, now: Timestamp
    ) throws -> Bool {
        let dialog = try touchDialog(
            bot: bot, portal: portal, dialogID: dialogID, chatID: chatID, title: title, now: now)
        let recent = try row(
            "SELECT 1 FROM events WHERE dialog_id = ? AND kind = 'joined' AND received_at > ? LIMIT 1",
            [SQLValue(dialog), SQLValue(now - .seconds(10))], { _ in true })
        guard recent == nil else { return false }
        try run(
            """
            INSERT INTO events (portal_id, bot_id, dialog_id, known_as, kind, state, received_at, not_before, finished_at)
            VALUES (?, ?, ?, ?, 'joined', 'done', ?, ?, ?) ON CONFLICT (known_as) DO NOTHING
            """,
            [
                SQLValue(portal), SQLValue(bot), SQLValue(dialog), .text("joined:\(dialog):\(now.rawValue)"),
                SQLValue(now), SQLValue(now), SQLValue(now),
            ])
        return true
    }

    /// Stores that the platform is being asked now.
    /// - Returns: false if the event is gone, or a command has taken the message's place.
    public func beginAsking(_ event: ID<EventRecord>, isCommand: Bool, now: Timestamp) throws -> Bool {
        try run(
            """
            UPDATE events SET state = 'asking', asked_at = ?, attempts = attempts + 1, trace = NULL
            WHERE id = ? AND kind = ?
            """, [SQLValue(now), SQLValue(event), .text(isCommand ? "command" : "message")]) == 1
    }

    /// Stores what the platform calls the question, once it has said so.
    public func saveTrace(_ trace: String, of event: ID<EventRecord>) throws {
        try run("UPDATE events SET trace = ? WHERE id = ? AND state = 'asking'", [.text(trace), SQLValue(event)])
    }

    /// Puts an event that was surely not answered back, to be asked at `moment`.
    public func postpone(_ event: ID<EventRecord>, until moment: Timestamp, reason: String) throws {
        try run(
            "UPDATE events SET state = 'waiting', not_before = ?, last_error = ? WHERE id = ?",
            [SQLValue(moment), .text(reason), SQLValue(event)])
    }

    /// Notes why looking for an outcome has to wait; the event stays `asking`.
    public func postponeLook(_ event: ID<EventRecord>, until moment: Timestamp, reason: String) throws {
        try run(
            "UPDATE events SET not_before = ?, last_error = ? WHERE id = ?",
            [SQLValue(moment), .text(reason), SQLValue(event)])
    }

    /// - Returns: false if the event is gone.
    @discardableResult
    public func finish(_ event: ID<EventRecord>, now: Timestamp) throws -> Bool {
        try run("DELETE FROM event_bodies WHERE event_id = ?", [SQLValue(event)])
        return try run(
            "UPDATE events SET state = 'done', last_error = NULL, finished_at = ? WHERE id = ?",
            [SQLValue(now), SQLValue(event)]) == 1
    }

    /// Keeps an event that could not be answered for the administrator.
    /// - Returns: false if the event is gone.
    @discardableResult
    public func fail(_ event: ID<EventRecord>, reason: String) throws -> Bool {
        try run(
            "UPDATE events SET state = 'failed', last_error = ? WHERE id = ?", [.text(reason), SQLValue(event)]) == 1
    }

    /// Unfinished events, oldest first.
    public func openEvents(after id: Int64, limit: Int) throws -> [EventRecord] {
        try rows(
            "SELECT \(Self.eventColumns) FROM events WHERE state IN ('waiting', 'asking') AND id > ? ORDER BY id LIMIT ?",
            [.integer(id), .integer(Int64(limit))], Self.event)
    }

    public func event(_ id: ID<EventRecord>) throws -> EventRecord? {
        try row("SELECT \(Self.eventColumns) FROM events WHERE id = ?", [SQLValue(id)], Self.event)
    }

    private static let eventColumns =
        """
        id, portal_id, bot_id, dialog_id, state, (SELECT sealed FROM event_bodies WHERE event_id = events.id), trace,
        attempts, received_at, not_before, asked_at
        """

    private static func event(_ row: borrowing Row) throws -> EventRecord {
        EventRecord(
            id: ID(rawValue: row.integer(0)), portalID: ID(rawValue: row.integer(1)),
            botID: ID(rawValue: row.integer(2)),
            dialogID: ID(rawValue: row.integer(3)), state: .init(rawValue: row.text(4)) ?? .failed,
            sealedBody: row.bytesIfAny(5), trace: row.textIfAny(6), attempts: Int(row.integer(7)),
            receivedAt: Timestamp(rawValue: row.integer(8)), notBefore: Timestamp(rawValue: row.integer(9)),
            askedAt: row.integerIfAny(10).map(Timestamp.init(rawValue:)))
    }

    private func touchDialog(
        bot: ID<BotRecord>, portal: ID<PortalRecord>, dialogID: String, chatID: String?, title: String?, now: Timestamp
    ) throws -> ID<DialogRecord> {
        let id = try row(
            """
            INSERT INTO dialogs (bot_id, portal_id, dialog_id, chat_id, title, created_at, last_message_at)
            VALUES (?1, ?2, ?3, ?4, COALESCE(?5, ''), ?6, ?6)
            ON CONFLICT (bot_id, dialog_id) DO UPDATE SET last_message_at = ?6, chat_id = COALESCE(?4, chat_id),
                title = COALESCE(?5, title)
            RETURNING id
            """,
            [SQLValue(bot), SQLValue(portal), .text(dialogID), SQLValue(chatID), SQLValue(title), SQLValue(now)],
            { $0.integer(0) })
        guard let id else { throw StoreError.failed("a dialog got no id") }
        return ID(rawValue: id)
    }

    /// Adds a line to a dialog's transcript.
    public func addMessage(
        dialog: ID<DialogRecord>, event: ID<EventRecord>?, author: MessageRecord.Author, text: String,
        at moment: Timestamp
    ) throws {
        try run(
            "INSERT INTO messages (dialog_id, event_id, author, text, created_at) VALUES (?, ?, ?, ?, ?)",
            [SQLValue(dialog), SQLValue(event), .text(author.rawValue), .text(text), SQLValue(moment)])
    }
}
