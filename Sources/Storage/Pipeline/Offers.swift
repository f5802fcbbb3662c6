import Base

/// What a dialog's last reply offered the person to choose from. It ends with the dialog's session (`Sessions.swift`).
extension Connection {
    /// The offer as its owner's JSON; `nil` if there is none.
    public func offer(in dialog: ID<DialogRecord>) throws -> String? {
        try row("SELECT offered FROM dialogs WHERE id = ?", [SQLValue(dialog)]) { $0.textIfAny(0) } ?? nil
    }

    /// Replaces the offer; `nil` takes it back.
    public func setOffer(_ offer: String?, in dialog: ID<DialogRecord>) throws {
        // Most replies neither make nor end one: their dialog's row is not written again.
        try run(
            "UPDATE dialogs SET offered = ?1 WHERE id = ?2 AND offered IS NOT ?1", [SQLValue(offer), SQLValue(dialog)])
    }
}
