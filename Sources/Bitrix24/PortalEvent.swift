import Base

/// What Bitrix24 sent to one of our addresses, of either generation, in one shape.
///
/// Documentation: `api-reference/events/index.md`.
public struct PortalEvent: Sendable {
    /// The event's name as sent, in upper case (`ONIMBOTV2MESSAGEADD`).
    public var name: String
    public var auth: EventAuth
    /// When it was sent, by the portal's clock, in whole seconds.
    public var sentAt: Timestamp?
    public var content: Content
    /// The body as it came, of a form only the part that is read; what it is decoded from again means the same.
    public internal(set) var body: [UInt8] = []

    public enum Content: Sendable {
        /// `ONAPPINSTALL`.
        case applicationInstalled
        /// `ONAPPUPDATE`; the auth brings new tokens and a new application token.
        case applicationUpdated
        /// `ONAPPUNINSTALL`; `clean`: the portal's data is to be erased too.
        case applicationUninstalled(clean: Bool)
        /// `ONAPPTEST`, which we asked for with this mark.
        case test(mark: String)
        /// One for each bot that it concerns (the first generation may name several).
        case bots([BotEvent])
        /// Anything else.
        case unknown
    }

    public init(name: String, auth: EventAuth, content: Content) {
        self.name = name
        self.auth = auth
        self.content = content
    }
}

public enum EventDecodingError: Error, Sendable, Equatable, CustomStringConvertible {
    case form(FormError)
    case notJSON
    /// A field without which the event means nothing; named as in the documentation (`auth[member_id]`).
    case missing(String)
    /// A field that is there but cannot be what it says.
    case invalid(String)

    public var description: String {
        switch self {
        case .form(.tooManyKeys(let limit)): "the form has more than \(limit) keys"
        case .form(.tooDeep(let limit)): "the form is nested more than \(limit) deep"
        case .form(.malformed(let what)): "the form is malformed: \(what)"
        case .notJSON: "the body is not JSON"
        case .missing(let field): "\(field) is missing"
        case .invalid(let field): "\(field) is not valid"
        }
    }
}

/// The top-level `auth` of an event. Almost all of it may be absent.
///
/// Documentation: `_includes/auth-params-in-events.md`.
public struct EventAuth: Sendable {
    public var memberID: String
    public var domain: String?
    public var applicationToken: Secret?
    public var accessToken: Secret?
    public var refreshToken: Secret?
    public var expiresIn: Int?
    public var scope: String?
    public var clientEndpoint: String?
    public var serverEndpoint: String?
    public var userID: String?

    public init(memberID: String) { self.memberID = memberID }
}

/// Which of the two chat-bot interfaces a bot speaks (`imbot.*` or `imbot.v2.*`).
public enum BotGeneration: String, Sendable, Codable {
    case first = "v1"
    case second = "v2"
}
