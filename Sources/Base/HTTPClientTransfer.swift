import CBase
import Glibc

/// One request and its answer. Made anywhere; from ``start(_:)`` on its state is touched on its lane's loop only, which
/// is what makes the unchecked conformance sound. It is never used again: a cancellation that comes late finds it done
/// and cannot hit the next request on the same handle.
final class HTTPClientTransfer: @unchecked Sendable {
    enum Route: Sendable {
        /// - guarded: only public addresses may be connected to.
        case direct(guarded: Bool)
        case proxy(HTTPClientProxies.Proxy)
    }

    /// Who waits for the answer.
    enum Waiter {
        case answer(CheckedContinuation<HTTPClient.Answer, any Error>)
        case head(CheckedContinuation<HTTPClient.StreamedAnswer, any Error>, HTTPClientBodyStream)
    }

    private enum Phase {
        case connecting
        /// The connection stands and the request has begun to go out.
        case sending
        case receiving
    }

    private(set) var request: HTTPClient.Request
    /// Of its body, in bytes.
    let length: Int
    /// `nil` once the answer has begun.
    private(set) var target: HTTPClientTarget?
    let origin: HTTPOrigin
    /// Whether the URL names a user.
    let hasUser: Bool
    let route: Route
    private let lane: HTTPClientLane

    /// What libcurl runs it on, while it runs.
    var handle: HTTPClientHandle?
    private var isCancelled = false
    private var waiter: Waiter?
    private var stream: HTTPClientBodyStream?

    private var head = HTTPClientHead()
    private var body: [UInt8] = []
    private var receivedBytes = 0
    private var isPaused = false
    /// Why a callback stopped the transfer; libcurl itself then only says that a callback did.
    private var failure: HTTPClientError?
    private var guardRefused = false

    private var phase = Phase.connecting
    private var startedAt: Int64 = 0
    /// When the phase began, or, in the phases of sending and receiving, when there was last something to see.
    private var lastActivity: Int64 = 0
    /// When it ends at the latest, once nobody reads it any more.
    private var lastMoment = Int64.max
    private var uploadedBytes: Int64 = 0
    /// What had been sent, to a proxy, before the request went out for the first time.
    private var bytesBeforeRequest: Int?

    init(_ request: HTTPClient.Request, target: HTTPClientTarget, route: Route, lane: HTTPClientLane) {
        self.request = request
        length = request.body.count
        self.target = target
        origin = target.origin
        hasUser = target.hasUser
        self.route = route
        self.lane = lane
    }

    private var host: String { origin.host }

    /// Whom a failure to connect concerns.
    private var peer: String {
        if case .proxy(let proxy) = route { return proxy.host }
        return host
    }

    // MARK: From any thread

    func start(_ waiter: sending Waiter) {
        // Handed over to the loop: nobody else has it.
        self.waiter = waiter
        lane.loop.execute { self.begin() }
    }

    /// Ends the transfer; its waiter or reader gets a `CancellationError`. Does nothing when it is done.
    func cancel() {
        // Never at once, though this may be the loop: libcurl forbids it in its callbacks.
        lane.loop.submit {
            self.isCancelled = true
            self.handle?.pool.cancel(self)
        }
    }

    /// The reader of a paused body has room again.
    func resume() {
        lane.loop.submit {
            guard self.isPaused, let handle = self.handle else { return }
            self.isPaused = false
            self.lastActivity = monotonicNanoseconds()
            handle.watchDeadline(self.deadline)
            handle.pool.resume(handle)
        }
    }

    /// Lets the rest of the answer pass, for at most `duration`.
    func runOut(within duration: Duration) {
        lane.loop.execute {
            guard let handle = self.handle else { return }
            self.lastMoment = monotonicNanoseconds() + duration.nanoseconds
            handle.watchDeadline(self.deadline)
            if self.isPaused { self.resume() }
        }
    }

    // MARK: On the loop

    private func begin() {
        startedAt = monotonicNanoseconds()
        lastActivity = startedAt
        guard !isCancelled, let pool = lane.pool(for: request.trust) else { return finish(CancellationError()) }
        pool.start(self)
    }

    /// libcurl has a copy of what is sent: this one would be held for as long as the answer is waited for.
    func letGoOfWhatIsSent() {
        request.url = ""
        request.headers = [:]
        request.body = []
    }

    /// When the transfer has waited too long, if nothing more happens.
    var deadline: Int64 {
        let timeouts = request.timeouts
        let total = min(startedAt + timeouts.total.nanoseconds, lastMoment)
        switch phase {
        case .connecting: return min(total, startedAt + timeouts.connect.nanoseconds)
        case .sending: return min(total, lastActivity + timeouts.firstByte.nanoseconds)
        case .receiving: return isPaused ? total : min(total, lastActivity + timeouts.idle.nanoseconds)
        }
    }

    /// A long body counts as activity as long as it moves. Short ones go out with the header.
    func noteUpload(_ handle: HTTPClientHandle) {
        guard phase == .sending, length > 64 * 1024 else { return }
        let uploaded = handle.uploadedBytes
        if uploaded > uploadedBytes {
            uploadedBytes = uploaded
            lastActivity = monotonicNanoseconds()
        }
    }

    /// The connection stands and the request goes out, for the first time or, after a kept connection turned out to be
    /// dead, again.
    /// - Parameter sentBytes: what was sent of it already, and what made a proxy open a tunnel.
    /// - Returns: false when it must not be sent again, because the server may have got it.
    func willSend(sentBytes: Int) -> Bool {
        if let before = bytesBeforeRequest, sentBytes > before, !request.method.isSafe {
            failure = .connectionLost(host: host, reason: "the kept connection was closed while the request was sent")
            return false
        }
        if bytesBeforeRequest == nil { bytesBeforeRequest = sentBytes }
        phase = .sending
        lastActivity = monotonicNanoseconds()
        handle?.watchDeadline(deadline)
        return true
    }

    /// Whether the socket may be opened.
    func allows(_ address: UnsafePointer<sockaddr>) -> Bool {
        guard case .direct(guarded: true) = route else { return true }
        if AddressGuard.isPublic(address) { return true }
        guardRefused = true
        return false
    }

    func receive(header line: UnsafeRawBufferPointer) -> Bool {
        phase = .receiving
        lastActivity = monotonicNanoseconds()
        guard head.take(line) else {
            failure = .tooLarge
            return false
        }
        guard head.isComplete, !head.isHandled else { return true }
        head.isHandled = true
        // It will not be sent again.
        handle?.letGoOfRequest()
        target = nil
        handle?.watchDeadline(deadline)
        if request.method != .head, let length = head.contentLength {
            guard length <= request.maximumBytes else {
                failure = .tooLarge
                return false
            }
            if stream == nil { body.reserveCapacity(min(length, 64 * 1024)) }
        }
        deliverHead()
        return true
    }

    private func deliverHead() {
        guard case .head(let continuation, let stream) = waiter else { return }
        waiter = nil
        self.stream = stream
        let reader = HTTPClientBodyReader(transfer: self, stream: stream)
        continuation.resume(
            returning: HTTPClient.StreamedAnswer(
                status: head.status, headers: head.handOver(),
                body: HTTPClient.StreamedAnswer.Body(reader: reader)))
    }

    enum Reception { case taken, pause, stop }

    func receive(body bytes: UnsafeRawBufferPointer) -> Reception {
        lastActivity = monotonicNanoseconds()
        guard receivedBytes + bytes.count <= request.maximumBytes else {
            failure = .tooLarge
            return .stop
        }
        if let stream {
            guard stream.deliver(bytes) else {
                isPaused = true
                return .pause
            }
        } else {
            body.append(contentsOf: bytes)
        }
        receivedBytes += bytes.count
        return .taken
    }

    /// libcurl is done with it.
    func finish(code: CURLcode, detail: String?) {
        if failure == nil, code == CURLE_OK, head.isComplete { return finish(nil) }
        finish(failure ?? error(for: code, detail: detail))
    }

    func timedOut() {
        finish(phase == .connecting ? HTTPClientError.connectTimeout(host: peer) : .answerTimeout(host: host))
    }

    /// Ends it; once only, since the waiter and the stream are then gone.
    func finish(_ error: (any Error)?) {
        handle = nil
        if let stream {
            self.stream = nil
            return stream.finish(error)
        }
        defer { waiter = nil }
        switch (waiter, error) {
        case (.answer(let continuation), let error?): continuation.resume(throwing: error)
        case (.head(let continuation, _), let error?): continuation.resume(throwing: error)
        case (.answer(let continuation), nil):
            continuation.resume(
                returning: HTTPClient.Answer(status: head.status, headers: head.handOver(), body: body))
        // The head is delivered before the end.
        case (.head, nil), (nil, _): break
        }
    }

    private func error(for code: CURLcode, detail: String?) -> HTTPClientError {
        if phase != .connecting {
            if code == CURLE_OPERATION_TIMEDOUT { return .answerTimeout(host: host) }
            return .connectionLost(host: host, reason: String(cString: curl_easy_strerror(code)))
        }
        switch code {
        case CURLE_URL_MALFORMAT: return .invalidURL
        case CURLE_UNSUPPORTED_PROTOCOL: return .schemeNotAllowed(origin.scheme)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return .cannotResolve(host: peer)
        case CURLE_OPERATION_TIMEDOUT: return .connectTimeout(host: peer)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_INITFAILED:
            return .tls(host: host, reason: detail ?? String(cString: curl_easy_strerror(code)))
        default: return guardRefused ? .addressNotAllowed(host: host) : .cannotConnect(host: peer)
        }
    }
}

extension HTTPMethod {
    /// Whether sending it twice does the same as once, by its definition.
    fileprivate var isSafe: Bool { self == .get || self == .head || self == .options }
}

extension Duration {
    /// Whole nanoseconds, at most some thirty years.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(max(seconds, 0), 1_000_000_000) * 1_000_000_000 + max(attoseconds, 0) / 1_000_000_000
    }
}

/// The clock of deadlines.
func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
