import Base

extension SimulatedDify {
    /// Decides what an app does with a request. Called once for each run, when the request has arrived.
    public typealias Script = @Sendable (Ask) -> [Step]

    /// What an app is asked.
    public struct Ask: Sendable {
        public var mode: App.Mode
        public var user: String
        /// The message; of a workflow, the input `query` if it has one.
        public var query: String
        /// The declared inputs that came.
        public var inputs: Members<JSON>
        /// Counted from 1 within the conversation; 1 where there are none.
        public var turn: Int
        /// Empty in the modes without conversations.
        public var conversationID: String
        public var fileCount: Int
    }

    /// One step of an answer. Steps that take time let the run go on even when the client has left.
    public enum Step: Sendable {
        /// The app works. The server keeps the connection alive with its pings.
        case wait(Duration)
        /// As ``wait(_:)``, but not even pings are sent.
        case silence(Duration)
        /// A piece of the answer.
        case text(String)
        /// Text that appears in the outputs only, never as a piece.
        case output(String)
        /// Replaces everything said so far, as moderation does.
        case replace(String)
        /// A reasoning step of an agent; not for the customer.
        case thought(String)
        /// A file that the assistant made.
        /// - Parameter type: `image`, `document`, `audio`, `video` or `custom`.
        case file(url: String, type: String = "image")
        /// An output with a name of its own.
        case namedOutput(String, JSON)
        /// A file as an output with a name of its own.
        case outputFile(String, url: String, type: String = "document")
        /// A node fails and the run goes on: it ends as `partial-succeeded`.
        case partial
        /// The run pauses for a person; what follows it is decided by what they submit. The last step.
        case askHuman(HumanForm, then: AfterForm)
        /// A keep-alive line at once.
        case ping
        /// Bytes as they are, for events that no version sends.
        case raw(String)
        /// The run fails: the end of it that the app's mode has.
        case failRun(String)
        /// An `error` event ends the stream.
        case error(status: Int, code: String, message: String)
        /// The first step only: an HTTP error instead of a run. Nothing is recorded.
        case refuse(status: Int, code: String, message: String, retryAfter: Int? = nil)
        /// The connection breaks here; the run goes on.
        case cut
        /// The first step only: the connection breaks before the answer's header; the run goes on.
        case reset

        /// How long the step takes; `nil` if it takes no time.
        var duration: Duration? {
            switch self {
            case .wait(let duration), .silence(let duration): duration > .zero ? duration : nil
            default: nil
            }
        }
    }
}

/// An error in Dify's envelope. Documentation: `en/api-reference/guides/errors.mdx`.
struct DifyError: Error {
    var status: Int
    var code: String
    var message: String
    var retryAfter: Int?

    static func invalid(_ message: String) -> DifyError {
        DifyError(status: 400, code: "invalid_param", message: message)
    }

    static func notFound(_ message: String) -> DifyError {
        DifyError(status: 404, code: "not_found", message: message)
    }

    static func badRequest(_ message: String) -> DifyError {
        DifyError(status: 400, code: "bad_request", message: message)
    }

    static let noConversation = notFound("Conversation Not Exists.")
    static let noMessage = notFound("Message Not Exists.")
    static let noRun = notFound("Workflow run not found")
    static let notChatApp = DifyError(
        status: 400, code: "not_chat_app", message: "Please check if your app mode matches the right API route.")
    static let notWorkflowApp = DifyError(
        status: 400, code: "not_workflow_app", message: "Please check if your app mode matches the right API route.")
    static let appUnavailable = DifyError(
        status: 400, code: "app_unavailable", message: "App unavailable, please check your app configurations.")

    var response: HTTPResponse {
        var response = HTTPResponse.dify(status: status) {
            $0.member("code", code)
            $0.member("message", message)
            $0.member("status", status)
        }
        if let retryAfter { response.headers["Retry-After"] = String(retryAfter) }
        return response
    }
}
