import Base

/// An answer that is an error: an HTTP status, or an `error` inside a stream.
/// Documentation: `platform.openai.com/docs/guides/error-codes`; other servers differ in all but `message`.
struct OpenAIRefusal: Error {
    var status: Int
    /// A word (`invalid_api_key`), where there is one, else the error's type.
    var code: String?
    var message: String
    /// Whether it came in the shape of such an error: else from a proxy, or from something else.
    var isOfServer: Bool
    var retryAfter: Duration?
    /// Whether it came inside a stream: then the request was taken, and has ended.
    var isInStream = false
    /// Whether no text came before it.
    var saidNothing = true

    init(status: Int, headers: HTTPHeaders, body: [UInt8], clock: WallClock) {
        self.status = status
        retryAfter = PlatformAnswers.retryAfter(headers, clock: clock)
        if let error = (try? JSON(parsing: body)).flatMap(Self.read) {
            (code, message) = error
            isOfServer = true
        } else {
            message = PlatformAnswers.isPage(body) ? headers["Content-Type"] ?? "" : PlatformAnswers.excerpt(body)
            isOfServer = false
        }
    }

    /// - Parameter event: one of a stream; `nil` is given if it is no error.
    init?(event: JSON) {
        guard let error = Self.read(event) else { return nil }
        (code, message) = error
        status = event["error"]?["code"]?.integer.flatMap { Int(exactly: $0) } ?? 200
        isOfServer = true
        isInStream = true
    }

    /// `{"error":{…}}`, `{"error":"…"}`, or an error at the top.
    private static func read(_ json: JSON) -> (code: String?, message: String)? {
        var error = json
        if let inside = json["error"], !inside.isNull {
            error = inside
        } else if json["object"] != "error" {
            // FastAPI's own refusals.
            return json["detail"].map { (nil, $0.string ?? $0.text) }
        }
        if let text = error.string { return (nil, text) }
        guard error.object != nil else { return nil }
        return (
            [error["code"], error["type"]].lazy.compactMap { $0?.string }.first { !$0.isEmpty },
            error["message"]?.string ?? ""
        )
    }

    /// Whether the address has no such thing; a model that is missing is told by the same status.
    var isNoSuchRoute: Bool {
        (status == 404 || status == 405) && code != "model_not_found"
            && !(isOfServer && message.lowercased().contains("model"))
    }

    var error: PlatformError {
        let word = code.map { " \($0)" } ?? ""
        let said =
            (isInStream ? "The server ended its answer with an error\(word)" : "The server answered \(status)\(word)")
            + (message.isEmpty ? "" : ": \(message)")
        return PlatformError(kind, advice.map { "\(said). \($0)" } ?? said, retryAfter: retryAfter)
    }

    private var isOutOfQuota: Bool { code == "insufficient_quota" || code == "billing_hard_limit_reached" }

    private var kind: PlatformError.Kind {
        if isOutOfQuota { return .final }
        if isInStream, status == 429 || code == "rate_limit_exceeded" { return saidNothing ? .passing : .final }
        // It was taken and is known to have failed.
        if isInStream { return .final }
        if status == 429 || status == 503 || status == 529 { return .passing }
        return status >= 500 || status == 408 ? .uncertain : .final
    }

    private var advice: String? {
        switch (status, code) {
        case _ where isOutOfQuota: "The account's quota is used up: look at its billing."
        case (_, "context_length_exceeded"): "Lower the connector's option history, or choose another model."
        case (_, "model_not_found"): "Look at the connector's option model."
        case (401, _), (403, _): "The key is refused: put the server's key into the connector."
        case (404, _) where isOfServer: "Look at the connector's option model."
        case (300..<400, _), (404, _), (405, _):
            "This is no interface like OpenAI's; its address often ends with /v1."
        default: nil
        }
    }
}
