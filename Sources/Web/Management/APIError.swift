import Base
import Storage

/// An error of the management API: status, a word for programs, a sentence for people, and what is wrong with which field.
struct APIError: Error, Sendable {
    var status: Int
    var code: String
    var message: String
    var fields: Members<String> = [:]
    /// Seconds, after which it is worth another try.
    var retryAfter: Int?

    static let unauthorized = APIError(
        status: 401, code: "unauthorized", message: "Give a valid token: Authorization: Bearer TOKEN")
    static let notAllowed = APIError(
        status: 403, code: "not_allowed", message: "This takes an administrator")
    static let wrongCode = APIError(
        status: 403, code: "wrong_code", message: "This link or code is unknown, used or too old")
    static func notFound(_ what: String) -> APIError {
        APIError(status: 404, code: "not_found", message: "There is no such \(what)")
    }
    static func tooLarge(_ most: Int) -> APIError {
        APIError(
            status: 413, code: "too_large", message: "The body must not be larger than \(most / 1_048_576) MB")
    }
    static func badRequest(_ message: String) -> APIError {
        APIError(status: 400, code: "bad_request", message: message)
    }
    static func invalid(_ fields: Members<String>) -> APIError {
        let list = fields.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: "; ")
        return APIError(status: 422, code: "invalid_fields", message: list, fields: fields)
    }
    static func conflict(_ message: String) -> APIError { APIError(status: 409, code: "conflict", message: message) }

    /// What the store, or Bitrix24, said, as this API says it.
    init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as HTTPError:
            self.init(
                status: error.status, code: error.status == 404 ? "not_found" : "bad_request", message: error.message)
        case StoreError.alreadyThere(let column):
            let field = String(column.split(separator: ".").last ?? "")
            self.init(
                status: 409, code: "conflict", message: "There is one with this \(field) already",
                fields: [field: "is in use already"])
        case StoreError.inUse(let what): self = .conflict("It is still in use: \(what)")
        case StoreError.missing: self = .notFound("record any more")
        case StoreError.badCursor: self = .invalid(["cursor": "is not one of ours"])
        case is StoreError:
            self.init(status: 503, code: "store_unavailable", message: "The store cannot be used now")
        default:
            self.init(status: 500, code: "internal", message: "Something went wrong here; the log says what")
        }
    }

    init(
        status: Int, code: String, message: String, fields: Members<String> = [:], retryAfter: Int? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.retryAfter = retryAfter
    }

    var response: HTTPResponse {
        var error: Members<JSON> = ["code": .string(code), "message": .string(message)]
        if !fields.isEmpty { error["fields"] = .object(fields.mapValues(JSON.string)) }
        var response = HTTPResponse.json(.object(["error": .object(error)]), status: status)
        if let retryAfter { response.headers["Retry-After"] = "\(retryAfter)" }
        if status == 401 { response.headers["WWW-Authenticate"] = "Bearer" }
        return response
    }
}

extension HTTPResponse {
    static func json(_ value: JSON, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"],
            body: .bytes(value.bytes))
    }
}
