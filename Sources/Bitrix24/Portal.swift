import Base

/// A Bitrix24 portal's REST interface: sends calls within the portal's limit, together in `batch` where several wait, with
/// tokens that renew themselves.
///
/// One value for each portal address, shared by all applications on it, since the limit is theirs together.
/// Documentation: `limits.md`, `settings/how-to-call-rest-api/batch.md`.
public final class Portal: Sendable {
    /// The leaky bucket: `burst` calls at once, `perSecond` flow out. `nil` in ``init``: no limit.
    public struct Limit: Sendable, Hashable {
        public var burst: Int
        public var perSecond: Double
        public init(burst: Int = 50, perSecond: Double = 2) {
            self.burst = burst
            self.perSecond = perSecond
        }
    }

    /// - Parameter startsHalfFull: as after a restart, when what was sent before is not known.
    public init(
        http: HTTPClient, trust: HTTPClient.Trust, limit: Limit?, startsHalfFull: Bool = true, log: Log,
        metrics: Metrics
    ) { fatalError("skeleton") }

    /// Calls a method and returns its `result`.
    ///
    /// Waits for the portal's limit; calls that wait go together as one `batch`, at most one of each `lane` in it, and the
    /// next of a lane goes when the former's outcome is known. An expired token is renewed once and the call repeated;
    /// a call refused with `QUERY_LIMIT_EXCEEDED` was not done: it goes again, slower. A portal that moved (302) is
    /// called at its new address, which ``Account/endpoint`` then has.
    /// - Throws: ``PortalError``, or `CancellationError`.
    public func call(_ call: PortalCall, as account: Account) async throws -> JSON { fatalError("skeleton") }

    /// Takes a new limit (the administrator changed it).
    public func setLimit(_ limit: Limit?) { fatalError("skeleton") }
}

/// One REST call.
public struct PortalCall: Sendable, Hashable {
    /// `imbot.v2.Chat.Message.send`, without `.json`.
    public var method: String
    /// An object.
    public var parameters: JSON
    /// Calls of one lane (a dialog) never overtake each other; `nil`: no such bond.
    public var lane: String?
    public init(_ method: String, _ parameters: JSON = [:], lane: String? = nil) {
        self.method = method
        self.parameters = parameters
        self.lane = lane
    }
}

/// Why a call did not succeed.
public struct PortalError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// An answer of Bitrix24 with an error code (`ACCESS_DENIED`), as sent.
        case refused(code: String, status: Int)
        /// No answer that could be read.
        case unreachable(HTTPClientError)
        /// Something answered that is not Bitrix24 (a proxy's page, say).
        case notBitrix24(status: Int)
        /// No credential of the installation is accepted any more.
        case noCredential
    }
    public var kind: Kind
    /// For the administrator: Bitrix24's description or ours; never holds a token.
    public var message: String
    /// Worth trying again later.
    public var isPassing: Bool
    /// How long to wait before that, where the portal said so.
    public var retryAfter: Duration?
    /// Whether the call may have been carried out all the same.
    public var mayHaveHappened: Bool

    /// Bitrix24's error code, if it gave one.
    public var code: String? { if case .refused(let code, _) = kind { code } else { nil } }
    public var description: String { message }

    public init(
        _ kind: Kind, message: String, isPassing: Bool, retryAfter: Duration? = nil, mayHaveHappened: Bool = false
    ) {
        self.kind = kind
        self.message = message
        self.isPassing = isPassing
        self.retryAfter = retryAfter
        self.mayHaveHappened = mayHaveHappened
    }
}
