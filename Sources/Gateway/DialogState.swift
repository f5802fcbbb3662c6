import Base
import BotPlatforms
import Storage

/// What the store knows of a dialog when an event of it is asked.
struct DialogState: Sendable {
    var session: SessionRecord?
    /// What the last reply offered, as it is stored.
    var offer: String?
    /// `nil` if the dialog is gone.
    var desk: OperatorDesk?

    /// - Parameter connector: whose session it must be.
    init(
        of dialog: ID<DialogRecord>, in connection: Connection, connector: ID<ConnectorRecord>, now: Timestamp
    ) throws {
        guard let standing = try connection.standing(of: dialog, connector: connector, now: now) else { return }
        session = standing.session
        offer = standing.offer
        desk = OperatorDesk(standing.state, storedNotes: standing.notes)
    }
}
