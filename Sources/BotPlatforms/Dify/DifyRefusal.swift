import Base
import Foundation

/// An answer of Dify's that is an error: an HTTP status, or an `error` event inside a stream.
/// Documentation: `en/api-reference/guides/errors.mdx`.
struct DifyRefusal: Error {
    var status: Int
    /// `nil` when the answer was not in Dify's envelope: it came from a proxy, or the address is not Dify's.
    var code: String?
    var message: String
    var retryAfter: Duration?
    /// Whether the app had begun to work on the question.
    var hasBegun = false

    private struct Envelope: Decodable {
        var code: String
        var message: String?
    }

    init(status: Int, headers: HTTPHeaders, body: [UInt8], clock: WallClock) {
        self.status = status
        if let envelope = try? JSONDecoder().decode(Envelope.self, from: Data(body)) {
            code = envelope.code
            message = envelope.message ?? ""
        } else {
            message = headers["Content-Type"] ?? ""
        }
        retryAfter = PlatformAnswers.retryAfter(headers, clock: clock)
    }

    init(event: JSON, hasBegun: Bool) {
        status = event["status"]?.integer.flatMap { Int(exactly: $0) } ?? 500
        code = event["code"]?.string ?? "unknown"
        message = event["message"]?.string ?? ""
        self.hasBegun = hasBegun
    }

    var isNotFound: Bool { status == 404 && code == "not_found" }

    /// Whether a request without this conversation may be answered. "Workflow not found" has the same code.
    func meansConversationIsGone(_ session: PlatformSession) -> Bool {
        guard !hasBegun else { return false }
        switch code {
        case "not_found": return status == 404 && message.lowercased().contains("conversation")
        case "conversation_completed": return true
        case "invalid_param": return status == 400 && UUID(uuidString: session.id) == nil
        default: return false
        }
    }

    /// As the gateway takes it.
    var error: PlatformError {
        let said = "Dify answered \(status)" + (code.map { " \($0)" } ?? "") + (message.isEmpty ? "" : ": \(message)")
        return PlatformError(kind, advice.map { "\(said). \($0)" } ?? said, retryAfter: retryAfter)
    }

    private var kind: PlatformError.Kind {
        if code == "rate_limit_error" { return .final }
        // The run is over and known to have failed; asking again would be a second run.
        if hasBegun { return .final }
        if status == 429 || code == "too_many_requests" { return .passing }
        // "Unavailable" means that the request was not taken. Other errors tell nothing, Dify's own neither: its run may go on
        // when only the answer to it failed.
        if status >= 500 { return status == 503 ? .passing : .uncertain }
        return .final
    }

    /// What to do about a variable that the app did not take.
    private var variableAdvice: String? {
        if let match = message.firstMatch(of: /(\S+) in input form must be less than (\d+) characters/) {
            return PlatformError.variableTooLong(String(match.1), limit: Int(match.2) ?? 0, length: nil).message
        }
        if let match = message.firstMatch(of: /(\S+) is required in input form/) {
            return "Make the field `\(match.1)` optional in the app's start node in Dify, or give it a default."
        }
        return nil
    }

    private var advice: String? {
        switch (status, code) {
        case (_, "rate_limit_error"): "The quota of the Dify plan is used up; it comes back with the next period."
        case (_, "provider_not_initialize"): "Give the app's model provider valid credentials in Dify."
        case (_, "provider_quota_exceeded"): "The model provider's quota is used up; raise it or take another in Dify."
        case (_, "model_currently_not_support"): "Choose another model for the app in Dify."
        case (_, "completion_request_error"): "The model refused the request; look at the app's log in Dify."
        case (_, "not_chat_app"): "The key belongs to a Dify app of another kind than the connector's provider."
        case (_, "app_unavailable"): "Publish the app in Dify and look at its configuration."
        case (401, _): "The key is refused: put the app's API key into the connector."
        case (403, _): "The key is refused: look whether the app's API access is switched on in Dify."
        case (200..<400, _): "This is not Dify's API; its address usually ends with /v1."
        case (404, nil), (405, nil): "This is not Dify's API; its address usually ends with /v1."
        case (_, "agent_not_published"): "Publish the agent in Dify."
        case (_, "not_workflow_app"): "The key belongs to a Dify app of another kind than the connector's provider."
        case (_, "invalid_param") where hasBegun: "The run failed; look at the app's log in Dify."
        case (_, "invalid_param"): variableAdvice ?? "Look at the variables that the app asks for in Dify."
        default: nil
        }
    }
}

extension PlatformError {
    /// The app wants a person to fill in a form, and does not tell which.
    static let pausesForHumanInput = PlatformError(
        .final, "The app pauses for human input, but its form cannot be read. Let its node deliver to the web app.")

    static func runFailed(_ reason: String?) -> PlatformError {
        var reason = reason ?? "no reason given"
        while reason.hasSuffix(".") { reason.removeLast() }
        return PlatformError(.final, "The run failed in Dify: \(reason). Look at the app's log there.")
    }

    static let stoppedUnsaid = PlatformError(.final, "The run was stopped in Dify before it said anything.")
}
