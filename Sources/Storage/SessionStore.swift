import Base

/// Where the ids of sessions live besides the store.
///
/// The store's own `sessions` table is written in the same transaction as the reply (``SessionRecord`` and the functions
/// in `Sessions.swift`); a second home is kept in step after the commit.
public protocol SessionStore: Sendable {
    /// The session that holds for this dialog now, given what the store says.
    ///
    /// A second home may know better: an id that another tool removed or changed wins. With the second home away the
    /// store's copy holds.
    func current(_ stored: SessionRecord?, key: SessionKey) async -> SessionRecord?

    /// Called after the commit that stored (or ended, `nil`) the session.
    func committed(_ session: SessionRecord?, key: SessionKey) async

    /// Writes what the second home lacks; called at start and after it was away.
    func repair() async

    /// `nil` when all is well, else what is wrong, for `/readyz`.
    var trouble: String? { get }
}

/// Names a dialog outside: `bitbot:{member_id}:{BOT_ID}:{DIALOG_ID}`.
public struct SessionKey: Sendable, Hashable {
    public var memberID: String
    public var botID: Int64
    public var dialogID: String
    public init(memberID: String, botID: Int64, dialogID: String) {
        self.memberID = memberID
        self.botID = botID
        self.dialogID = dialogID
    }
}

/// The default: the store alone.
public struct OwnSessionStore: SessionStore {
    public init() {}
    public func current(_ stored: SessionRecord?, key: SessionKey) async -> SessionRecord? { stored }
    public func committed(_ session: SessionRecord?, key: SessionKey) async {}
    public func repair() async {}
    public var trouble: String? { nil }
}
