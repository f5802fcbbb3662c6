import Base

/// What is known of a dialog when an event of it is asked.
public struct DialogStanding: Sendable {
    public var state: DialogRecord.State
    /// What else the gateway knows of who has the dialog.
    public var notes: String?
    /// What the last reply offered, as its owner's JSON.
    public var offer: String?
    public var session: SessionRecord?
}

/// Who has a dialog, inside the transactions of the gateway.
extension Connection {
    /// The dialog's state, and what else the gateway knows of it; `nil` if the dialog is gone.
    public func desk(of dialog: ID<DialogRecord>) throws -> (state: DialogRecord.State, notes: String?)? {
        try row("SELECT state, desk FROM dialogs WHERE id = ?", [SQLValue(dialog)]) { row in
            (try row.choice(0), row.textIfAny(1))
        }
    }

    /// All that, by one look; `nil` if the dialog is gone.
    /// - Parameter connector: whose session it must be.
    public func standing(
        of dialog: ID<DialogRecord>, connector: ID<ConnectorRecord>, now: Timestamp
    ) throws -> DialogStanding? {
        try row(
            """
            SELECT d.state, d.desk, d.offered, s.platform_id, s.data, s.expires_at FROM dialogs d
                LEFT JOIN sessions s ON s.dialog_id = d.id AND s.connector_id = ? AND s.expires_at > ?
            WHERE d.id = ?
            """, [SQLValue(connector), SQLValue(now), SQLValue(dialog)]
        ) { row in
            DialogStanding(
                state: try row.choice(0), notes: row.textIfAny(1), offer: row.textIfAny(2),
                session: row.isNull(3) ? nil : try Self.session(row, from: 3, of: dialog, connector))
        }
    }

    public func saveDesk(of dialog: ID<DialogRecord>, state: DialogRecord.State, notes: String) throws {
        try run(
            "UPDATE dialogs SET state = ?, desk = ? WHERE id = ?",
            [.text(state.rawValue), .text(notes), SQLValue(dialog)])
    }

    public func dialog(of bot: ID<BotRecord>, named dialogID: String) throws -> ID<DialogRecord>? {
        try row(
            "SELECT id FROM dialogs WHERE bot_id = ? AND dialog_id = ?", [SQLValue(bot), .text(dialogID)],
            { $0.integer(0) }
        ).map(ID.init(rawValue:))
    }

    /// Stores what an operator said, with its dialog; nothing is to be answered.
    /// - Returns: `nil` if the event is known already.
    public func takeOperatorMessage(_ draft: EventDraft) throws -> ID<DialogRecord>? {
        let dialog = try touchDialog(
            bot: draft.botID, portal: draft.portalID, dialogID: draft.dialogID, chatID: draft.chatID,
            title: draft.title, now: draft.receivedAt)
        let event = try insert(
            """
            INSERT INTO events (portal_id, bot_id, dialog_id, known_as, kind, message_id, state, received_at, not_before,
                finished_at)
            VALUES (?1, ?2, ?3, ?4, 'message', ?5, 'done', ?6, ?6, ?6)
            ON CONFLICT (known_as) DO NOTHING
            """,
            [
                SQLValue(draft.portalID), SQLValue(draft.botID), SQLValue(dialog), .text(draft.knownAs),
                .integer(draft.messageID), SQLValue(draft.receivedAt),
            ])
        guard let event else { return nil }
        try addMessage(
            dialog: dialog, event: ID(rawValue: event), author: .operator, text: draft.text, at: draft.receivedAt)
        return dialog
    }
}
