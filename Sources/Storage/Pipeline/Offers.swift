import Base

/// What a dialog's last reply offered the person to choose from. It ends with the dialog's session (`Sessions.swift`).
extension Connection {
    /// Replaces the offer; `nil` takes it back.
    public func setOffer(_ offer: String?, in dialog: ID<DialogRecord>) throws {
        try run("UPDATE dialogs SET offered = ? WHERE id = ?", [SQLValue(offer), SQLValue(dialog)])
    }
}
