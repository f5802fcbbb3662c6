import Base

/// A bot of somebody's own: a program that takes questions by `POST` at its URL. What goes there and what it may answer:
/// `docs/webhook-bots.md`.
public struct WebhookBot: Greets {
    let url: String
    let key: Secret?
    let options: WebhookOptions
    let trust: HTTPClient.Trust
    let http: HTTPClient
    let clock: WallClock
    let log: Log
    var timeouts = HTTPClient.Timeouts()

    public init(_ configuration: PlatformConfiguration) {
        url = configuration.url
        key = configuration.key.flatMap { $0.isEmpty ? nil : $0 }
        options = WebhookOptions(configuration.options)
        trust = configuration.trust
        http = configuration.http
        clock = configuration.clock
        log = configuration.log
        timeouts.firstByte = .seconds(120)
        timeouts.total = .seconds(180)
    }

    public func reply(to question: Question) -> ReplyParts {
        WholeAnswer.stream { try await ask(question) }
    }

    /// The same, with the event `joined`; a bot without a greeting answers 204.
    public func greeting(for question: Question) -> ReplyParts {
        WholeAnswer.stream { try await ask(question) }
    }

    private func ask(_ question: Question) async throws -> [ReplyPart] {
        do {
            let answer = try await http.send(try await request(question))
            guard (200..<300).contains(answer.status) else { throw refusal(answer) }
            try PlatformAnswers.checkIsPlain(answer.headers)
            return try WebhookAnswer(answer, log: log).parts(following: question.session)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw PlatformError(error, hiding: Array(question.tokens.values) + (key.map { [$0] } ?? []))
        }
    }

    /// - Throws: ``PlatformError``.
    func request(_ question: Question) async throws -> HTTPClient.Request {
        try checkAddress()
        let body = try await WebhookQuestion(question, options).json.bytes
        var request = HTTPClient.Request(.post, url, body: body, trust: trust)
        request.headers = ["Content-Type": "application/json", "Accept": "application/json, text/plain"]
        if !question.id.isEmpty {
            request.headers.add("X-BitBot-Event", question.id)
            request.headers.add("Idempotency-Key", question.id)
        }
        if let key {
            let time = clock.now.rawValue / 1000
            let code = Signature.hmacSHA256(Array("\(time).".utf8) + body, key: key)
            request.headers.add("X-BitBot-Signature", "t=\(time),v1=\(code)")
        }
        request.timeouts = timeouts
        request.maximumBytes = 8 * 1024 * 1024
        return request
    }

    /// - Throws: ``PlatformError``.
    func checkAddress() throws {
        if url.isEmpty { throw PlatformError(.final, "The connector has no address: put the bot's URL there.") }
    }

    /// Only what says "not now" was surely not carried out.
    private func refusal(_ answer: HTTPClient.Answer) -> PlatformError {
        let kind: PlatformError.Kind =
            switch answer.status {
            case 429, 503: .passing
            case 408, 500...: .uncertain
            default: .final
            }
        let excerpt = PlatformAnswers.excerpt(answer.body)
        let advice =
            switch answer.status {
            case 300..<400: ". Redirects are not followed: put the bot's final URL into the connector."
            case 404, 405: ". Is the URL the bot's, and does it take POST?"
            default: ""
            }
        return PlatformError(
            kind, "The bot's URL answered \(answer.status)" + (excerpt.isEmpty ? "" : ": \(excerpt)") + advice,
            retryAfter: PlatformAnswers.retryAfter(answer.headers, clock: clock))
    }
}

extension PlatformType {
    static let webhook = PlatformType(
        name: "webhook", displayName: "Webhook", defaultURL: "", options: WebhookOptions.table,
        check: { try WebhookBot($0).checkAddress() }, make: { WebhookBot($0) })
}

/// What a connector's `options` say.
struct WebhookOptions: Sendable {
    var sendsTokens: Bool
    var sendsFiles: Bool

    static let table: [PlatformOption] = [
        PlatformOption(
            "send_tokens", .flag,
            "Whether the bot gets Bitrix24's tokens among its variables, and links to files, which hold tokens too; "
                + "not without it."),
        PlatformOption(
            "send_files", .flag, "Whether the bot gets the content of files up to 5 MB, in base64; not without it."),
    ]

    init(_ json: JSON) {
        sendsTokens = json["send_tokens"]?.bool ?? false
        sendsFiles = json["send_files"]?.bool ?? false
    }
}
