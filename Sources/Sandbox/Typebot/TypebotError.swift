import Base

/// An error in Typebot's envelope. Documentation: the contract's answers from 400 on.
struct TypebotError: Error {
    var status: Int
    var code: String
    var message: String
    var data: JSON?

    static func badRequest(_ message: String, data: JSON? = nil) -> TypebotError {
        TypebotError(status: 400, code: "BAD_REQUEST", message: message, data: data)
    }
    static func forbidden(_ message: String) -> TypebotError {
        TypebotError(status: 403, code: "FORBIDDEN", message: message)
    }
    static func notFound(_ message: String) -> TypebotError {
        TypebotError(status: 404, code: "NOT_FOUND", message: message)
    }
    static let unauthorized = TypebotError(
        status: 401, code: "UNAUTHORIZED", message: "You need to be authenticated to perform this action")
    static let timeout = TypebotError(status: 408, code: "TIMEOUT", message: "15 seconds timeout reached")

    /// The codes that the routes declare.
    private static let declared: Set = [
        "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "INTERNAL_SERVER_ERROR",
    ]

    var response: HTTPResponse {
        var body: JSON = [
            "defined": .bool(Self.declared.contains(code)), "code": .string(code),
            "status": .integer(Int64(status)), "message": .string(message),
        ]
        body["data"] = data
        return .json(body, status: status)
    }
}
