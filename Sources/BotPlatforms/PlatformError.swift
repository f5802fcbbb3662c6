/// Why a bot did not answer.
public struct PlatformError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// Worth trying again; it was surely not carried out.
        case passing
        /// It may have been carried out, and the outcome is not known.
        case uncertain
        /// For the administrator to mend; trying again is useless.
        case final
    }
    public var kind: Kind
    /// For the administrator; never holds a key.
    public var message: String
    public var retryAfter: Duration?
    public var description: String { message }
    public init(_ kind: Kind, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
    }
}
