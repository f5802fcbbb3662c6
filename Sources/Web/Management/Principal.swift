import Storage

/// Who uses the management API, and what they may.
enum Principal: Sendable, Hashable {
    /// Whoever has not said; for what anybody may ask.
    case nobody
    /// The server's administrator, by what let them in.
    case admin(String)
    /// Somebody in Bitrix24, through the application page; only their own portal is there for them.
    case visitor(Visitor)

    /// What an operation asks of whoever calls it; who may more may less.
    enum Access: Int, Comparable, Sendable {
        case anybody, portalUser, portalAdmin, admin
        static func < (left: Access, right: Access) -> Bool { left.rawValue < right.rawValue }
    }

    var access: Access {
        switch self {
        case .nobody: .anybody
        case .admin: .admin
        case .visitor(let visitor): visitor.isAdministrator ? .portalAdmin : .portalUser
        }
    }

    /// The portal that everything must belong to; `nil`: no such bound.
    var portal: ID<PortalRecord>? { if case .visitor(let visitor) = self { visitor.portal } else { nil } }

    /// As the log of changes names them.
    var name: String {
        switch self {
        case .nobody: "one-time code or password"
        case .admin(let name): name
        case .visitor(let visitor): "user \(visitor.userID) of \(visitor.domain)"
        }
    }
}

/// A user of a portal who has opened the application.
struct Visitor: Sendable, Hashable {
    var portal: ID<PortalRecord>
    var installation: ID<InstallationRecord>
    var userID: String
    /// Of the portal.
    var isAdministrator: Bool
    var domain: String
}
