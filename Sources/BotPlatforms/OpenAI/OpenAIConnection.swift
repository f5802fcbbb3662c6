import Base

/// The server of a connector.
struct OpenAIConnection: Sendable {
    let address: OpenAIAddress
    let key: Secret?
    let trust: HTTPClient.Trust
    let http: HTTPClient
    let clock: WallClock

    /// A model may think for minutes before its first word.
    private static let silence = Duration.seconds(180)
    private static let whole = Duration.seconds(600)

    init(_ configuration: PlatformConfiguration) {
        address = OpenAIAddress(configuration.url.isEmpty ? PlatformType.openAI.defaultURL : configuration.url)
        key = configuration.key.flatMap { $0.isEmpty ? nil : $0 }
        trust = configuration.trust
        http = configuration.http
        clock = configuration.clock
    }

    /// Posts a question.
    /// - Throws: ``OpenAIRefusal`` for an answer that is no success, `HTTPClientError`.
    func ask(_ body: [UInt8]) async throws -> HTTPClient.StreamedAnswer {
        var first: OpenAIRefusal?
        for form in address.candidates {
            let answer = try await http.stream(request(form, body))
            if answer.status == 200 {
                try PlatformAnswers.checkIsPlain(answer.headers)
                address.remember(form)
                return answer
            }
            let refusal = OpenAIRefusal(
                status: answer.status, headers: answer.headers,
                body: try await Self.read(answer.body, atMost: 64 * 1024),
                clock: clock)
            guard refusal.isNoSuchRoute else {
                // Something is there; of two refusals the one that says more counts.
                if refusal.isOfServer, refusal.status < 500, refusal.status != 404 { address.remember(form) }
                throw first?.isOfServer == true && !refusal.isOfServer ? first ?? refusal : refusal
            }
            if first == nil || !(first?.isOfServer ?? false) { first = refusal }
        }
        throw first ?? OpenAIRefusal(status: 404, headers: [:], body: [], clock: clock)
    }

    private func request(_ url: String, _ body: [UInt8]) -> HTTPClient.Request {
        var request = HTTPClient.Request(.post, url, body: body, trust: trust)
        request.headers = ["Content-Type": "application/json", "Accept": "text/event-stream"]
        if let key { request.headers.add("Authorization", "Bearer \(key.reveal())") }
        request.timeouts.firstByte = Self.silence
        request.timeouts.idle = Self.silence
        request.timeouts.total = Self.whole
        request.maximumBytes = 16 * 1024 * 1024
        return request
    }

    /// The beginning of a body; what breaks it off does not matter.
    /// - Throws: `CancellationError`.
    static func read(_ body: HTTPClient.StreamedAnswer.Body, atMost limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await piece in body {
                bytes += piece
                if bytes.count >= limit { break }
            }
        } catch let error as CancellationError {
            throw error
        } catch {}
        return bytes
    }
}
