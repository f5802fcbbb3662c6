import Base

/// An event of Bitrix24 that a bot is to answer.
public struct EventRecord: Sendable {
    /// `asking` is stored before the platform is asked: after a crash its outcome is looked for first.
    public enum State: String, Sendable { case waiting, asking, done, failed }
    /// What of Bitrix24's events is stored to be done; named as the gateway names them.
    public enum Kind: String, Sendable { case message, command, joined, reaction }
    public var id: ID<EventRecord>
    public var portalID: ID<PortalRecord>
    public var botID: ID<BotRecord>
    public var dialogID: ID<DialogRecord>
    public var state: State
    /// The event as it came, sealed: it holds tokens.
    public var sealedBody: [UInt8]?
    /// The text that took the place of its own, sealed.
    public var sealedEdit: [UInt8]?
    /// How often it was edited.
    public var edits: Int
    /// For a command: Bitrix24's id of it.
    public var command: String?
    /// The event with which it was asked as one question.
    public var joinedTo: ID<EventRecord>?
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
    public var kind: EventRecord.Kind
    /// For a command: Bitrix24's id of it.
    public var command: String?
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
        portalID: ID<PortalRecord>, botID: ID<BotRecord>, knownAs: String, kind: EventRecord.Kind, command: String?,
        messageID: Int64, dialogID: String, chatID: String?, title: String?, text: String, sealedBody: [UInt8],
        receivedAt: Timestamp,
        notBefore: Timestamp
    ) {
        self.portalID = portalID
        self.botID = botID
        self.knownAs = knownAs
        self.kind = kind
        self.command = command
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

/// An event that was not known.
public struct TakenEvent: Sendable {
    public var event: ID<EventRecord>
    public var dialog: ID<DialogRecord>
    /// It was edited before it came.
    public var editedText: String?
}

extension Connection {
    /// Stores an event with its dialog and its line of the transcript.
    ///
    /// A command takes the place of the message that carried it, as long as that one has not been asked; each further
    /// command of that message is an event of its own.
    /// - Parameter vault: opens an edit that came before its message.
    /// - Returns: `nil` if the event is known already.
    public func takeEvent(_ draft: EventDraft, vault: Vault) throws -> TakenEvent? {
        let dialog = try touchDialog(
            bot: draft.botID, portal: draft.portalID, dialogID: draft.dialogID, chatID: draft.chatID,
            title: draft.title, now: draft.receivedAt)
        if let id = try insert(draft, dialog: dialog) {
            try addMessage(dialog: dialog, event: id, author: .customer, text: draft.text, at: draft.receivedAt)
            return TakenEvent(event: id, dialog: dialog)
        }
        if let late = try takeLate(draft, dialog: dialog, vault: vault) { return late }
        return draft.kind == .command ? try takeCommand(draft, dialog: dialog) : nil
    }

    /// Whether an event is known whose identity lies between these, the first one included.
    public func knowsEvent(from first: String, to end: String) throws -> Bool {
        try row(
            "SELECT 1 FROM events WHERE known_as >= ? AND known_as < ? LIMIT 1", [.text(first), .text(end)],
            { _ in true }) != nil
    }

    /// A command whose message is known.
    private func takeCommand(_ draft: EventDraft, dialog: ID<DialogRecord>) throws -> TakenEvent? {
        let replaced = try row(
            """
            UPDATE events SET kind = 'command', command = ?, not_before = ?
            WHERE known_as = ? AND kind = 'message' AND state = 'waiting' RETURNING id
            """,
            [SQLValue(draft.command), SQLValue(draft.notBefore), .text(draft.knownAs)], { $0.integer(0) })
        if let replaced {
            try run(
                "UPDATE event_bodies SET sealed = ?, edited_sealed = NULL WHERE event_id = ?",
                [.bytes(draft.sealedBody), .integer(replaced)])
            return TakenEvent(event: ID(rawValue: replaced), dialog: dialog)
        }
        guard let command = draft.command else { return nil }
        let isAnother = try row(
            "SELECT 1 FROM events WHERE known_as = ? AND kind = 'command' AND command <> ?",
            [.text(draft.knownAs), .text(command)], { _ in true })
        guard isAnother != nil else { return nil }
        var draft = draft
        draft.knownAs = "command:\(draft.botID):\(draft.messageID):\(command)"
        return try insert(draft, dialog: dialog).map { TakenEvent(event: $0, dialog: dialog) }
    }

    /// - Returns: `nil` if it is known.
    func insert(_ draft: EventDraft, dialog: ID<DialogRecord>) throws -> ID<EventRecord>? {
        let id = try insert(
            """
            INSERT INTO events (portal_id, bot_id, dialog_id, known_as, kind, command, message_id, state,
                received_at, not_before)
            VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?)
            ON CONFLICT (known_as) DO NOTHING
            """,
            [
                SQLValue(draft.portalID), SQLValue(draft.botID), SQLValue(dialog), .text(draft.knownAs),
                .text(draft.kind.rawValue), SQLValue(draft.command), .integer(draft.messageID),
                SQLValue(draft.receivedAt), SQLValue(draft.notBefore),
            ])
        guard let id else { return nil }
        try run("INSERT INTO event_bodies (event_id, sealed) VALUES (?, ?)", [.integer(id), .bytes(draft.sealedBody)])
        return ID(rawValue: id)
    }

    /// Remembers that the bot joined a dialog.
    /// - Parameter greets: the event is to be answered, else it is done with this.
    /// - Returns: `nil` if it joined within the last ten seconds already.
    public func takeJoining(_ draft: EventDraft, greets: Bool) throws -> TakenEvent? {
        let dialog = try touchDialog(
            bot: draft.botID, portal: draft.portalID, dialogID: draft.dialogID, chatID: draft.chatID,
            title: draft.title, now: draft.receivedAt)
        let recent = try row(
            "SELECT 1 FROM events WHERE dialog_id = ? AND kind = 'joined' AND received_at > ? LIMIT 1",
            [SQLValue(dialog), SQLValue(draft.receivedAt - .seconds(10))], { _ in true })
        guard recent == nil else { return nil }
        var draft = draft
        draft.knownAs = "joined:\(dialog):\(draft.receivedAt.rawValue)"
        guard let id = try insert(draft, dialog: dialog) else { return nil }
        if !greets { try finish(id, now: draft.receivedAt) }
        return TakenEvent(event: id, dialog: dialog)
    }

    /// Stores that the platform is being asked now: what it waited for is over.
    /// - Parameter joined: what is asked together with it.
    /// - Returns: false if something of it is gone, or not what it was: deleted, edited, or a command has taken its place.
    public func beginAsking(_ claim: AskClaim, joined: [AskClaim] = [], now: Timestamp) throws -> Bool {
        for other in joined where try !isFree(other, for: claim.event) { return false }
        let begun = try run(
            """
            UPDATE events SET state = 'asking', asked_at = ?1, not_before = ?1, attempts = attempts + 1, trace = NULL,
                last_error = NULL
            WHERE id = ?2 AND kind = ?3 AND edits = ?4 AND state IN ('waiting', 'asking') AND joined_to IS NULL
            """,
            [SQLValue(now), SQLValue(claim.event), .text(claim.kind.rawValue), .integer(Int64(claim.edits))])
        guard begun == 1 else { return false }
        for other in joined {
            try run(
                "UPDATE events SET state = 'asking', asked_at = ?1, not_before = ?1, joined_to = ?2 WHERE id = ?3",
                [SQLValue(now), SQLValue(claim.event), SQLValue(other.event)])
        }
        return true
    }

    /// Stores what the platform calls the question, once it has said so.
    public func saveTrace(_ trace: String, of event: ID<EventRecord>) throws {
        try run("UPDATE events SET trace = ? WHERE id = ? AND state = 'asking'", [.text(trace), SQLValue(event)])
    }

    /// Puts an event that was surely not answered back, to be asked at `moment`. What was asked with it stands alone again.
    public func postpone(_ event: ID<EventRecord>, until moment: Timestamp, reason: String) throws {
        try run("UPDATE events SET state = 'waiting', joined_to = NULL WHERE joined_to = ?", [SQLValue(event)])
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

    /// Why the last attempt has not succeeded, if that is known.
    public func lastError(of event: ID<EventRecord>) throws -> String? {
        try row("SELECT last_error FROM events WHERE id = ?", [SQLValue(event)]) { $0.textIfAny(0) } ?? nil
    }

    /// - Parameter withJoined: so is what was asked together with it.
    /// - Returns: false if the event is gone.
    @discardableResult
    public func finish(_ event: ID<EventRecord>, withJoined: Bool = false, now: Timestamp) throws -> Bool {
        if withJoined { try finishJoined(to: event, now: now) }
        try run("DELETE FROM event_bodies WHERE event_id = ?", [SQLValue(event)])
        return try run(
            "UPDATE events SET state = 'done', last_error = NULL, finished_at = ? WHERE id = ?",
            [SQLValue(now), SQLValue(event)]) == 1
    }

    /// Keeps an event that could not be answered for the administrator, and what was asked together with it.
    /// - Returns: false if the event is gone.
    @discardableResult
    public func fail(_ event: ID<EventRecord>, reason: String) throws -> Bool {
        try run("UPDATE events SET state = 'failed' WHERE joined_to = ?", [SQLValue(event)])
        return try run(
            "UPDATE events SET state = 'failed', last_error = ? WHERE id = ?", [.text(reason), SQLValue(event)]) == 1
    }

    /// Unfinished events, oldest first.
    public func openEvents(after id: Int64, limit: Int) throws -> [EventRecord] {
        try rows(
            """
            SELECT \(Self.eventColumns) FROM event_bodies body CROSS JOIN events ON events.id = body.event_id
            WHERE body.event_id > ? AND state IN ('waiting', 'asking') ORDER BY body.event_id LIMIT ?
            """, [.integer(id), .integer(Int64(limit))], Self.event)
    }

    public func event(_ id: ID<EventRecord>) throws -> EventRecord? {
        try row("SELECT \(Self.eventColumns) FROM events WHERE id = ?", [SQLValue(id)], Self.event)
    }

    static let eventColumns =
        """
        id, portal_id, bot_id, dialog_id, state, (SELECT sealed FROM event_bodies WHERE event_id = events.id), trace,
        attempts, received_at, not_before, asked_at,
        (SELECT edited_sealed FROM event_bodies WHERE event_id = events.id), edits, command, joined_to
        """

    static func event(_ row: borrowing Row) throws -> EventRecord {
        EventRecord(
            id: ID(rawValue: row.integer(0)), portalID: ID(rawValue: row.integer(1)),
            botID: ID(rawValue: row.integer(2)),
            dialogID: ID(rawValue: row.integer(3)), state: .init(rawValue: row.text(4)) ?? .failed,
            sealedBody: row.bytesIfAny(5), sealedEdit: row.bytesIfAny(11), edits: Int(row.integer(12)),
            command: row.textIfAny(13), joinedTo: row.idIfAny(14), trace: row.textIfAny(6),
            attempts: Int(row.integer(7)),
            receivedAt: Timestamp(rawValue: row.integer(8)), notBefore: Timestamp(rawValue: row.integer(9)),
            askedAt: row.integerIfAny(10).map(Timestamp.init(rawValue:)))
    }

    func touchDialog(
        bot: ID<BotRecord>, portal: ID<PortalRecord>, dialogID: String, chatID: String?, title: String?, now: Timestamp
    ) throws -> ID<DialogRecord> {
        if let known = try self.dialog(of: bot, named: dialogID) {
            try run(
                """
                UPDATE dialogs SET last_message_at = ?, chat_id = COALESCE(?, chat_id), title = COALESCE(?, title)
                WHERE id = ?
                """,
                [SQLValue(now), SQLValue(chatID), SQLValue(title), SQLValue(known)])
            return known
        }
        try run(
            """
            INSERT INTO dialogs (bot_id, portal_id, dialog_id, chat_id, title, created_at, last_message_at)
            VALUES (?1, ?2, ?3, ?4, COALESCE(?5, ''), ?6, ?6)
            """,
            [SQLValue(bot), SQLValue(portal), .text(dialogID), SQLValue(chatID), SQLValue(title), SQLValue(now)])
        return ID(rawValue: lastInsertID)
    }

    /// Adds a line to a dialog's transcript.
    /// - Parameter exchange: what the platform was asked and answered, as its owner's JSON.
    public func addMessage(
        dialog: ID<DialogRecord>, event: ID<EventRecord>?, author: MessageRecord.Author, text: String,
        exchange: String? = nil, at moment: Timestamp
    ) throws {
        try run(
            "INSERT INTO messages (dialog_id, event_id, author, text, created_at, exchange) VALUES (?, ?, ?, ?, ?, ?)",
            [
                SQLValue(dialog), SQLValue(event), .text(author.rawValue), .text(text), SQLValue(moment),
                SQLValue(exchange),
            ])
    }
}
