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
        /// Not done because of the batch it was in; alone it may go.
        case notInBatch

        var isPassing: Bool {
            switch self {
            case .passing, .underWay, .tooMany, .methodExhausted: true
            case .final, .expired, .credential, .notInBatch: false
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
        "ERROR_OAUTH": .credential, "USER_ACCESS_ERROR": .credential, "INVALID_CREDENTIALS": .credential,

        "QUERY_LIMIT_EXCEEDED": .tooMany,
        "OPERATION_TIME_LIMIT": .methodExhausted,
        "MESSAGE_DUPLICATED_BY_UUID": .underWay,
        "ERROR_BATCH_METHOD_NOT_ALLOWED": .notInBatch, "ERROR_BATCH_LENGTH_EXCEEDED": .notInBatch,

        "INTERNAL_SERVER_ERROR": .passing, "ERROR_UNEXPECTED_ANSWER": .passing, "OVERLOAD_LIMIT": .passing,

        "PORTAL_DELETED": .final, "INSUFFICIENT_SCOPE": .final, "ACCESS_DENIED": .final, "INVALID_REQUEST": .final,
        "ERROR_METHOD_NOT_FOUND": .final, "APPLICATION_NOT_FOUND": .final, "ERROR_MANIFEST_IS_NOT_AVAILABLE": .final,
        "WRONG_AUTH_TYPE": .final, "PAYMENT_REQUIRED": .final, "NOT_INSTALLED": .final,

        "INVALID_GRANT": .final, "INVALID_CLIENT": .final, "WRONG_CLIENT": .final, "INVALID_SCOPE": .final,
    ]
}
