import Base
import Foundation

/// An answer of Typebot's that is an error: `{defined, code, status, message, data?}` in its contract. A path that it does not
/// know, and proxies, answer otherwise.
struct TypebotRefusal: Error {
    var status: Int
    /// A word like `NOT_FOUND`; `nil` when the answer was not in Typebot's envelope.
    var code: String?
    var message: String
    var retryAfter: Duration?

    init(status: Int, headers: HTTPHeaders, body: [UInt8], clock: WallClock) {
        self.status = status
        let json = status == 200 || body.count > 64 * 1024 ? nil : try? JSON(parsing: body)
        code = json?["code"]?.string
        message = json?["message"]?.string ?? headers["Content-Type"] ?? ""
        retryAfter = PlatformAnswers.retryAfter(headers, clock: clock)
    }

    /// Typebot deletes a session when its flow ends, and two days after the last message.
    var meansSessionIsGone: Bool { status == 404 }

    /// The flow has no such command, or nothing follows it.
    var meansNoSuchCommand: Bool { status == 400 && message.lowercased().contains("command event") }

    /// As the gateway takes it.
    var error: PlatformError {
        let said =
            "Typebot answered \(status)" + (code.map { " \($0)" } ?? "") + (message.isEmpty ? "" : ": \(message)")
        return PlatformError(kind, advice.map { "\(said). \($0)" } ?? said, retryAfter: retryAfter)
    }

    /// Other errors of the server tell nothing: the flow may have done half its work.
    private var kind: PlatformError.Kind {
        if status == 429 || status == 503 { return .passing }
        return status >= 500 || status == 408 || code == "TIMEOUT" ? .uncertain : .final
    }

    private var advice: String? {
        switch status {
        case 200..<400: "This is not Typebot's API. \(TypebotAddress.advice)"
        case 400 where message.lowercased().contains("closed"): "Open the bot in Typebot again."
        case 401: "The key is refused: put an API token of Typebot's into the connector, or none for a published bot."
        case 403: "Look in Typebot whether the workspace is suspended or the bot's allowed origins keep servers out."
        case 404 where message.lowercased().contains("typebot not found"):
            "Look whether the bot is published, and compare its public id with the connector's address."
        case 404, 405: code == nil ? "This is not Typebot's API. \(TypebotAddress.advice)" : nil
        default: nil
        }
    }
}
