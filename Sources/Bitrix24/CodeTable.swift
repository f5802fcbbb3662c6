/// What Bitrix24's error codes mean for the call that got one.
///
/// Documentation: `_includes/system-errors.md`, `limits.md`, `settings/oauth/error-codes.md`,
/// `api-reference/rest-v3.md` (an unknown method), and the methods' own pages.
enum CodeTable {
    enum Meaning: Equatable {
        /// Trying again changes nothing.
        case final
        /// Worth trying again later.
        case passing
        /// The first send of this message is still under way.
        case underWay
        /// Refused before it began; it may go again, slower.
        case tooMany
        /// This method of this application has used up its running time.
        case methodExhausted
        /// The access token's hour is over.
        case expired
        /// This user's tokens are no good for this call; another user's may be.
        case credential
        /// This user, or this bot, may not do this; or REST is closed to the portal: the same code says both.
        case forbidden
        /// The rights that the installation, or the user, was given do not hold this method.
        case rights
        /// Nobody of this installation is let in before the administrator has done something. `passes`: it may end without.
        case closed(passes: Bool)
        /// Not done because of the batch it was in; alone it may go.
        case notInBatch

        var isPassing: Bool {
            switch self {
            case .passing, .underWay, .tooMany, .methodExhausted: true
            case .closed(let passes): passes
            case .final, .expired, .credential, .forbidden, .rights, .notInBatch: false
            }
        }

        var retryAfter: Duration? { self == .underWay ? .seconds(2) : nil }
    }

    /// A code that is not listed passes if the server failed (5xx) and is final if it refused (4xx).
    static func meaning(of code: String, status: Int) -> Meaning {
        if let meaning = known[code.uppercased()] { return meaning }
        return status >= 500 || status == 429 ? .passing : .final
    }

    /// In upper case: Bitrix24 writes some codes in both.
    private static let known: [String: Meaning] = [
        "EXPIRED_TOKEN": .expired,

        "NO_AUTH_FOUND": .credential, "INVALID_TOKEN": .credential, "AUTHORIZATION_ERROR": .credential,
        "ERROR_OAUTH": .credential, "USER_ACCESS_ERROR": .credential,
        "ACCESS_DENIED": .forbidden, "INVALID_CREDENTIALS": .rights, "INSUFFICIENT_SCOPE": .rights,

        "QUERY_LIMIT_EXCEEDED": .tooMany,
        "OPERATION_TIME_LIMIT": .methodExhausted,
        "MESSAGE_DUPLICATED_BY_UUID": .underWay,
        "ERROR_BATCH_METHOD_NOT_ALLOWED": .notInBatch, "ERROR_BATCH_LENGTH_EXCEEDED": .notInBatch,

        "INTERNAL_SERVER_ERROR": .passing, "ERROR_UNEXPECTED_ANSWER": .passing,

        "PORTAL_DELETED": .closed(passes: false), "PAYMENT_REQUIRED": .closed(passes: false),
        "NOT_INSTALLED": .closed(passes: false), "APPLICATION_NOT_FOUND": .closed(passes: false),
        "INVALID_CLIENT": .closed(passes: false), "WRONG_CLIENT": .closed(passes: false),
        "OVERLOAD_LIMIT": .closed(passes: true),

        "INVALID_REQUEST": .final, "ERROR_METHOD_NOT_FOUND": .final, "ERROR_MANIFEST_IS_NOT_AVAILABLE": .final,
        "WRONG_AUTH_TYPE": .final, "INVALID_GRANT": .final, "INVALID_SCOPE": .final,
    ]
}
