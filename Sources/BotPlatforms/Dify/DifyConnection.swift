import Base
import Foundation

/// One Dify app as reached by its key: the requests that all kinds of apps share.
/// Documentation: `en/api-reference/guides/get-started.mdx`.
struct DifyConnection: Sendable {
    let url: String
    let key: Secret?
    let trust: HTTPClient.Trust
    /// `https://dify.example` of `https://dify.example/v1`.
    let origin: String
    let http: HTTPClient
    let clock: WallClock
    let timing: DifyTiming

    init(_ configuration: PlatformConfiguration, timing: DifyTiming) {
        var url = configuration.url.isEmpty ? PlatformType.difyURL : configuration.url
        while url.hasSuffix("/") { url.removeLast() }
        self.url = url
        let host = url.firstRange(of: "://").map { url[$0.upperBound...].prefix { $0 != "/" }.endIndex }
        origin = String(url[..<(host ?? url.endIndex)])
        key = configuration.key
        trust = configuration.trust
        http = configuration.http
        clock = configuration.clock
        self.timing = timing
    }

    /// Posts a body whose answer is a stream of events.
    /// - Throws: ``DifyRefusal`` for any other answer, `HTTPClientError`, ``PlatformError``.
    func stream(_ path: String, _ body: consuming [UInt8]) async throws -> HTTPClient.StreamedAnswer {
        try await stream(post(path, body), within: nil)
    }

    /// Follows a run that goes on, or was resumed; one that has ended tells its end alone.
    /// Documentation: the contract's `/workflow/{workflow_run_id}/events`.
    /// - Parameter replays: whether what happened before is told first.
    func events(ofRun id: String, user: String, replays: Bool = false) async throws -> HTTPClient.StreamedAnswer {
        let query = "user=\(Form.percentEncode(user))" + (replays ? "&include_state_snapshot=true" : "")
        let request = try request(.get, "/workflow/\(Form.percentEncode(id))/events?\(query)")
        return try await stream(request, within: replays ? timing.lookUp : timing.answer)
    }

    private func stream(_ request: consuming HTTPClient.Request, within limit: Duration?) async throws
        -> HTTPClient.StreamedAnswer
    {
        request.headers.add("Accept", "text/event-stream")
        request.timeouts.firstByte = min(timing.silence, limit ?? timing.silence)
        request.timeouts.idle = timing.silence
        request.timeouts.total = limit ?? timing.answer
        request.maximumBytes = 128 * 1024 * 1024
        let answer = try await http.stream(request)
        if answer.status == 200 { try PlatformAnswers.checkIsPlain(answer.headers) }
        let type = answer.headers["Content-Type"] ?? "text/event-stream"
        if answer.status == 200, type.lowercased().hasBytes(of: "event-stream") { return answer }
        throw DifyRefusal(
            status: answer.status, headers: answer.headers, body: await beginning(of: answer.body), clock: clock)
    }

    /// Posts a body whose answer comes in one piece.
    /// - Throws: as ``stream(_:_:)``.
    @discardableResult
    func post(_ path: String, _ body: JSON) async throws -> [UInt8] {
        try await answer(to: post(path, body.bytes), within: timing.lookUp)
    }

    /// The same, waited for as long as a stream may take.
    func ask(_ path: String, _ body: consuming [UInt8]) async throws -> [UInt8] {
        try await answer(to: post(path, body), within: timing.answer)
    }

    private func post(_ path: String, _ body: consuming [UInt8]) throws -> HTTPClient.Request {
        var request = try request(.post, path)
        request.headers.add("Content-Type", "application/json")
        request.body = body
        return request
    }

    /// Sends a file. Documentation: the contract's `/files/upload`.
    /// - Throws: as ``stream(_:_:)``.
    func upload(_ path: String, _ parts: [Multipart.Part]) async throws -> JSON {
        var request = try request(.post, path)
        let form = Multipart.encode(parts)
        request.headers.add("Content-Type", form.contentType)
        request.body = form.body
        return try JSON(parsing: try await answer(to: request, within: timing.upload))
    }

    private func answer(to request: HTTPClient.Request, within limit: Duration) async throws -> [UInt8] {
        var request = request
        request.timeouts.firstByte = limit
        request.timeouts.idle = limit
        request.timeouts.total = limit
        request.maximumBytes = 32 * 1024 * 1024
        let answer = try await http.send(request)
        if answer.status == 200 { try PlatformAnswers.checkIsPlain(answer.headers) }
        if (200..<300).contains(answer.status), (try? JSON(parsing: answer.body))?.object != nil { return answer.body }
        throw DifyRefusal(status: answer.status, headers: answer.headers, body: answer.body, clock: clock)
    }

    /// What Dify knows of something, and the time of day there; `nil` if there is no such thing.
    /// - Throws: as ``stream(_:_:)``.
    func read<Value: Decodable>(
        _ path: String, _ query: [(String, String)] = [], within limit: Duration? = nil,
        atMost bytes: Int = Self.longest,
        as type: Value.Type = Value.self
    ) async throws -> (value: Value, serverTime: Timestamp)? {
        try await read(path, query, within: limit, atMost: bytes) {
            try JSONDecoder().decode(Value.self, from: Data($0))
        }
    }

    /// The same, read in a way of its own.
    func read<Value>(
        _ path: String, _ query: [(String, String)] = [], within limit: Duration? = nil,
        atMost bytes: Int = Self.longest,
        decode: ([UInt8]) throws -> Value
    ) async throws -> (value: Value, serverTime: Timestamp)? {
        let query = query.map { "\($0)=\(Form.percentEncode($1))" }.joined(separator: "&")
        var request = try request(.get, query.isEmpty ? path : "\(path)?\(query)")
        request.timeouts.firstByte = limit ?? timing.lookUp
        request.timeouts.total = limit ?? timing.lookUp
        request.maximumBytes = bytes
        let answer = try await http.send(request)
        if answer.status == 200 { try PlatformAnswers.checkIsPlain(answer.headers) }
        if answer.status == 200, let value = try? decode(answer.body) {
            let date = answer.headers["Date"].flatMap(Timestamp.init(httpDate:))
            return (value, date ?? clock.now)
        }
        let refusal = DifyRefusal(status: answer.status, headers: answer.headers, body: answer.body, clock: clock)
        if refusal.isNotFound { return nil }
        throw refusal
    }

    /// Bytes of a look-up: a page of messages may hold long ones.
    static let longest = 48 * 1024 * 1024

    private func request(_ method: HTTPMethod, _ path: String) throws -> HTTPClient.Request {
        guard let key, !key.isEmpty else {
            throw PlatformError(.final, "The connector has no key: put the Dify app's API key there.")
        }
        return HTTPClient.Request(
            method, url + path, headers: ["Authorization": "Bearer \(key.reveal())"], trust: trust)
    }

    /// Enough of a refusal to say what it is.
    private func beginning(of body: HTTPClient.StreamedAnswer.Body) async -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await piece in body {
                bytes += piece
                if bytes.count > 64 * 1024 { break }
            }
        } catch {
            // The status alone says what matters.
        }
        return bytes
    }
}

/// How long things may take.
struct DifyTiming: Sendable {
    /// Longest silence of a stream; Dify pings every 10 s.
    var silence: Duration = .seconds(60)
    /// Longest way to a whole answer.
    var answer: Duration = .seconds(600)
    /// Longest look at something that Dify has stored.
    var lookUp: Duration = .seconds(10)
    /// Longest way of a person's file to Dify, and of a voice message's text back.
    var upload: Duration = .seconds(300)
    /// Longest wait for the questions that an app suggests after its answer.
    var suggestions: Duration = .seconds(5)
    /// Longest wait for the end of a chatflow's run when its answer is whole.
    var epilogue: Duration = .milliseconds(500)
    /// How long a lost request may still be on its way to Dify.
    var arrival: Duration = .seconds(3)
    /// First pause between two looks at a run that goes on; later ones grow to ten times that.
    var pause: Duration = .milliseconds(500)
    /// How long what `/parameters` said is believed.
    var form: Duration = .seconds(60)
    /// How long a failed look at `/parameters` is not repeated.
    var missingForm: Duration = .seconds(10)
}
