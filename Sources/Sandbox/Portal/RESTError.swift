import Base

/// An error as REST answers it: `{"error", "error_description"}` with a status.
/// Documentation: `_includes/system-errors.md` and each method's page.
struct RESTError: Error, Sendable {
    var status: Int
    var code: String
    var description: String

    init(_ status: Int, _ code: String, _ description: String) {
        self.status = status
        self.code = code
        self.description = description
    }

    var json: JSON { ["error": .string(code), "error_description": .string(description)] }

    static let queryLimit = RESTError(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")
    static let operationTimeLimit = RESTError(
        429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
    static let expiredToken = RESTError(401, "expired_token", "The access token provided has expired.")
    static let noAuth = RESTError(401, "NO_AUTH_FOUND", "Wrong authorization data")
    static let insufficientScope = RESTError(
        403, "insufficient_scope", "The request requires higher privileges than provided by the access token")
    static let methodNotFound = RESTError(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
    static let internalServer = RESTError(500, "INTERNAL_SERVER_ERROR", "Internal server error")
    static let batchTooLong = RESTError(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
    static let notInBatch = RESTError(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
    static let accessDenied = RESTError(403, "ACCESS_DENIED", "Access denied")
    static let applicationRequired = RESTError(
        400, "ACCESS_DENIED", "Access denied! Application context required")
    static let messageEmpty = RESTError(400, "MESSAGE_EMPTY", "Message can't be empty")

    static func missing(_ argument: String) -> RESTError {
        RESTError(400, "ERROR_ARGUMENT", "Argument '\(argument)' is null or empty")
    }
}
