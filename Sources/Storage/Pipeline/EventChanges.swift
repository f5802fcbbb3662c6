import Base

/// A message of a person's, as an event about it names it.
public struct MessageKey: Sendable {
    public var portalID: ID<PortalRecord>
    public var botID: ID<BotRecord>
    public var dialogID: String
    public var messageID: Int64
    public init(portalID: ID<PortalRecord>, botID: ID<BotRecord>, dialogID: String, messageID: Int64) {
        self.portalID = portalID
        self.botID = botID
        self.dialogID = dialogID
        self.messageID = messageID
    }

    /// The identity that a message and its command share.
    public var knownAs: String { "message:\(botID):\(messageID)" }
}

/// Messages that are edited or deleted before they are answered. No order of events is promised, so an edit or a deletion
/// that comes before its message is remembered under the message's own identity, which costs nothing where none came.
extension Connection {
    /// Takes a message's new text, unless it has been asked already.
    /// - Parameters:
    ///   - text: for the transcript.
    ///   - sealedText: the same, sealed.
    ///   - mark: tells this edit of the message from others.
    /// - Returns: false if the edit is known, or came too late.
    public func takeEdit(
        of key: MessageKey, text: String, sealedText: [UInt8], mark: String, now: Timestamp
    ) throws -> Bool {
        let found = try row(
            "SELECT id, kind, state, joined_to, dialog_id FROM events WHERE known_as = ?", [.text(key.knownAs)]
        ) { ($0.integer(0), $0.text(1), $0.text(2), $0.integerIfAny(3), $0.integerIfAny(4)) }
        guard let (id, kind, state, joinedTo, dialog) = found else {
            guard try remember(key, as: "edit:\(key.botID):\(key.messageID):\(mark)", now: now) != nil,
                let id = try remember(key, as: key.knownAs, now: now)
            else { return false }
            try run(
                "INSERT INTO event_bodies (event_id, sealed, edited_sealed) VALUES (?, ?, ?)",
                [.integer(id), .bytes([]), .bytes(sealedText)])
            return true
        }
        let isEarly = kind == Self.early
        guard isEarly || (kind == "message" && state == "waiting" && joinedTo == nil),
            try remember(key, as: "edit:\(key.botID):\(key.messageID):\(mark)", now: now) != nil
        else { return false }
        try run("UPDATE events SET edits = edits + 1 WHERE id = ?", [.integer(id)])
        try run(
            "UPDATE event_bodies SET edited_sealed = ? WHERE event_id = ?", [.bytes(sealedText), .integer(id)])
        if let dialog {
            try run(
                "UPDATE messages SET text = ? WHERE dialog_id = ? AND event_id = ?",
                [.text(text), .integer(dialog), .integer(id)])
        }
        return true
    }

    /// A message that is deleted is not answered, unless it has been asked already.
    /// - Returns: false if that came too late, or is known.
    public func takeDeletion(of key: MessageKey, now: Timestamp) throws -> Bool {
        let commands = "command:\(key.botID):\(key.messageID)"
        let deleted = try rows(
            """
            UPDATE events SET state = 'done', finished_at = ?
            WHERE (known_as = ? OR (known_as > ? AND known_as < ?)) AND kind IN ('message', 'command')
                AND state = 'waiting' AND joined_to IS NULL
            RETURNING id, dialog_id
            """,
            [SQLValue(now), .text(key.knownAs), .text(commands + ":"), .text(commands + ";")],
            { ($0.integer(0), $0.integerIfAny(1)) })
        for (id, dialog) in deleted {
            try run("DELETE FROM event_bodies WHERE event_id = ?", [.integer(id)])
            if let dialog {
                try run(
                    "DELETE FROM messages WHERE dialog_id = ? AND event_id = ?", [.integer(dialog), .integer(id)])
            }
        }
        if !deleted.isEmpty { return true }
        _ = try remember(key, as: key.knownAs, now: now)
        let known = try row(
            "UPDATE events SET kind = 'message' WHERE known_as = ? AND kind = ? RETURNING id",
            [.text(key.knownAs), .text(Self.early)], { $0.integer(0) })
        guard let known else { return false }
        try run("DELETE FROM event_bodies WHERE event_id = ?", [.integer(known)])
        return true
    }

    /// A message, or its command, that comes after an edit of it.
    func takeLate(_ draft: EventDraft, dialog: ID<DialogRecord>, vault: Vault) throws -> TakenEvent? {
        let id = try row(
            """
            UPDATE events SET kind = ?, command = ?, dialog_id = ?, state = 'waiting', received_at = ?, not_before = ?,
                finished_at = NULL
            WHERE known_as = ? AND kind = ? RETURNING id
            """,
            [
                .text(draft.kind.rawValue), SQLValue(draft.command), SQLValue(dialog), SQLValue(draft.receivedAt),
                SQLValue(draft.notBefore), .text(draft.knownAs), .text(Self.early),
            ], { $0.integer(0) })
        guard let id else { return nil }
        let sealed = try row("SELECT edited_sealed FROM event_bodies WHERE event_id = ?", [.integer(id)]) {
            $0.bytesIfAny(0)
        }
        // A command says what it said when it was given.
        let isMessage = draft.kind == .message
        let text = try isMessage ? sealed.flatMap { $0 }.map { try vault.openSecret($0).reveal() } : nil
        try run(
            "UPDATE event_bodies SET sealed = ?, edited_sealed = CASE WHEN ? THEN edited_sealed END WHERE event_id = ?",
            [.bytes(draft.sealedBody), SQLValue(isMessage), .integer(id)])
        let event = ID<EventRecord>(rawValue: id)
        try addMessage(
            dialog: dialog, event: event, author: .customer, text: text ?? draft.text, at: draft.receivedAt)
        return TakenEvent(event: event, dialog: dialog, editedText: text)
    }

    /// The kind of a row that holds an edit, or only its identity, while its message has not come.
    private static let early = "messageUpdated"

    /// Keeps an identity for as long as finished work is known.
    /// - Returns: `nil` if it is known.
    private func remember(_ key: MessageKey, as knownAs: String, now: Timestamp) throws -> Int64? {
        try insert(
            """
            INSERT INTO events (portal_id, bot_id, dialog_id, known_as, kind, message_id, state, received_at, not_before,
                finished_at)
            VALUES (?1, ?2, (SELECT id FROM dialogs WHERE bot_id = ?2 AND dialog_id = ?3), ?4, ?5, ?6, 'done', ?7, ?7, ?7)
            ON CONFLICT (known_as) DO NOTHING
            """,
            [
                SQLValue(key.portalID), SQLValue(key.botID), .text(key.dialogID), .text(knownAs), .text(Self.early),
                .integer(key.messageID), SQLValue(now),
            ])
    }
}

/// Reactions to what a bot said.
extension Connection {
    /// Stores a rating, or that it was taken back.
    /// - Parameter opposite: where the identities of the person's other kind of rating of that message begin; one given no
    ///   earlier counts more than the taking back of this one.
    /// - Returns: `nil` if it is known, or is of no use.
    public func takeReaction(_ draft: EventDraft, unlessSince opposite: (first: String, end: String)?) throws
        -> TakenEvent?
    {
        let dialog = try row(
            "SELECT id FROM dialogs WHERE bot_id = ? AND dialog_id = ?",
            [SQLValue(draft.botID), .text(draft.dialogID)],
            { $0.integer(0) })
        guard let dialog else { return nil }
        if let opposite, try knowsEvent(from: opposite.first, to: opposite.end) { return nil }
        let id = try insert(draft, dialog: ID(rawValue: dialog))
        return id.map { TakenEvent(event: $0, dialog: ID(rawValue: dialog)) }
    }
}
