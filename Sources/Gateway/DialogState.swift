import Base
import BotPlatforms
import Storage

/// What the store knows of a dialog when an event of it is asked.
struct DialogState: Sendable {
    var session: SessionRecord?
    /// What the last reply offered, as it is stored.
    var offer: String?

    /// - Parameter connector: whose session it must be.
    init(
        of dialog: ID<DialogRecord>, in connection: Connection, connector: ID<ConnectorRecord>, now: Timestamp
    ) throws {
        session = try connection.session(of: dialog, connector: connector, now: now)
        offer = try connection.offer(in: dialog)
    }
}
