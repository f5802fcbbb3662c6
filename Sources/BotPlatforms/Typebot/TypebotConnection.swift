import Base
import Foundation

/// One flow as reached by its address: the requests of the chat API.
///
/// Never sends an `Origin`: a bot may allow only some.
struct TypebotConnection: Sendable {
    let address: TypebotAddress?
    let key: Secret?
    let trust: HTTPClient.Trust
    let http: HTTPClient
    let clock: WallClock
    let log: Log
    let timing: TypebotTiming

    init(_ configuration: PlatformConfiguration, timing: TypebotTiming) {
        address = TypebotAddress(configuration.url)
        key = configuration.key.flatMap { $0.isEmpty ? nil : $0 }
        trust = configuration.trust
        http = configuration.http
        clock = configuration.clock
        log = configuration.log
        self.timing = timing
    }

    /// Starts a session, without a message: nothing would tell whether the flow took it (`startBotFlow.ts`).
    /// - Throws: ``TypebotRefusal``, `HTTPClientError`, ``PlatformError``.
    func start(variables: JSON) async throws -> TypebotAnswer {
        let body: JSON = [
            "isStreamEnabled": false, "textBubbleContentFormat": "richText", "prefilledVariables": variables,
        ]
        let answer = try await post(try reachable().startChat, body)
        guard let read = TypebotAnswer(answer.json), !read.sessionID.isEmpty else { throw refusal(answer.raw) }
        return read
    }

    /// - Parameter message: `nil` where the flow waits for a sign only.
    /// - Throws: as ``start(variables:)``.
    func goOn(_ session: String, message: JSON?) async throws -> TypebotAnswer {
        var body: JSON = ["textBubbleContentFormat": "richText"]
        body["message"] = message
        let url = try reachable().api + "/v1/sessions/\(Form.percentEncode(session))/continueChat"
        let answer = try await post(url, body)
        guard let read = TypebotAnswer(answer.json) else { throw refusal(answer.raw) }
        return read
    }

    /// - Returns: what Typebot answered with 200.
    /// - Throws: as ``start(variables:)``.
    func post(_ url: String, _ body: JSON) async throws -> (json: JSON, raw: HTTPClient.Answer) {
        var request = HTTPClient.Request(
            .post, url, headers: ["Content-Type": "application/json", "Accept": "application/json"],
            body: body.bytes, trust: trust)
        if let key { request.headers.add("Authorization", "Bearer \(key.reveal())") }
        request.timeouts.firstByte = timing.answer
        request.timeouts.total = timing.answer
        request.maximumBytes = Self.longestAnswer
        let answer = try await http.send(request)
        if answer.status == 200 { try PlatformAnswers.checkIsPlain(answer.headers) }
        guard answer.status == 200, let json = try? JSON(parsing: answer.body), json.object != nil else {
            throw refusal(answer)
        }
        return (json, answer)
    }

    /// - Throws: ``PlatformError``
    func reachable() throws -> TypebotAddress {
        guard let address else { throw PlatformError(.final, TypebotAddress.advice) }
        return address
    }

    private func refusal(_ answer: HTTPClient.Answer) -> TypebotRefusal {
        TypebotRefusal(status: answer.status, headers: answer.headers, body: answer.body, clock: clock)
    }

    /// What an error means for the question, as the gateway takes it.
    func fault(_ error: any Error, hiding secrets: [Secret] = []) -> PlatformError {
        PlatformError((error as? TypebotRefusal)?.error ?? error, hiding: secrets)
    }

    /// Bytes; a hundred bubbles with pictures in them fit.
    static let longestAnswer = 8 * 1024 * 1024
}

/// How long things may take.
struct TypebotTiming: Sendable {
    /// Longest way to an answer: the flow may ask language models and services of its own.
    var answer: Duration = .seconds(300)
    /// Before the second try of what goes on from a step that was carried out; later pauses double.
    var pause: Duration = .seconds(1)
}
