import CBase
import Glibc
import Synchronization

/// An HTTP client on libcurl's multi interface: keep-alive pool, streaming answers, cancellation by cancelling the task.
///
/// HTTP/1.1 only. A request on a kept connection that the server closed before anything was sent goes out again on a new
/// one; once a byte of it was sent, only `GET`, `HEAD` and `OPTIONS` are repeated, and anything else is
/// ``HTTPClientError/connectionLost(host:reason:)``.
///
/// Proxies are those of the environment (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`), and so is the file of
/// certificate authorities that are trusted instead of the system's (`SSL_CERT_FILE`).
public final class HTTPClient: Sendable {
    /// Whether an address inside the operator's own network may be connected to.
    public enum Trust: Sendable, Hashable {
        /// Public addresses only, checked against the address actually connected to.
        case publicOnly
        /// Any address: the server's administrator has chosen it.
        case privateAllowed
    }

    public struct Timeouts: Sendable, Hashable {
        /// Looking up the name, connecting, and the TLS handshake.
        public var connect: Duration = .seconds(10)
        /// From the request's last byte to the answer's first.
        public var firstByte: Duration = .seconds(60)
        /// Longest silence between two pieces of the answer.
        public var idle: Duration = .seconds(60)
        public var total: Duration = .seconds(120)
        public init() {}
    }

    public struct Request: Sendable {
        public var method: HTTPMethod
        public var url: String
        public var headers: HTTPHeaders
        public var body: [UInt8]
        public var trust: Trust
        public var timeouts = Timeouts()
        /// Longest answer body; a longer one fails with ``HTTPClientError/tooLarge``.
        public var maximumBytes = 16 * 1024 * 1024
        /// A Unix socket to connect to instead of the URL's host. Needs ``Trust/privateAllowed``.
        public var unixSocket: String?

        public init(
            _ method: HTTPMethod, _ url: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
            trust: Trust = .publicOnly
        ) {
            self.method = method
            self.url = url
            self.headers = headers
            self.body = body
            self.trust = trust
        }
    }

    public struct Answer: Sendable {
        public var status: Int
        public var headers: HTTPHeaders
        public var body: [UInt8]
        public init(status: Int, headers: HTTPHeaders, body: [UInt8]) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    /// An answer whose body is read piece by piece. Dropping it, or cancelling its reader, ends the transfer.
    public struct StreamedAnswer: Sendable {
        public var status: Int
        public var headers: HTTPHeaders
        public var body: Body
    }

    /// Kept, so that the loops run for as long as the client is used.
    private let loops: EventLoopGroup
    private let lanes: [HTTPClientLane]
    private let turn = Atomic<Int>(0)
    private let allowedOrigins: Set<HTTPOrigin>
    private let proxies: HTTPClientProxies
    private let proxyIsTrusted: Bool

    /// - Parameters:
    ///   - alwaysAllowed: origins (`http://127.0.0.1:8090`) that pass the guard whatever their address, and are never
    ///     reached through a proxy: the sandbox's own. What is not an origin is left out.
    ///   - proxyIsTrusted: whether the environment's proxy itself keeps requests away from private addresses. Without
    ///     that a ``Trust/publicOnly`` request that would go through it is refused: its address cannot be checked here.
    public convenience init(
        loops: EventLoopGroup, alwaysAllowed: Set<String> = [], userAgent: String = "BitBot",
        proxyIsTrusted: Bool = false
    ) {
        self.init(
            loops: loops, alwaysAllowed: alwaysAllowed, userAgent: userAgent, proxyIsTrusted: proxyIsTrusted,
            environment: { name in getenv(name).map { String(cString: $0) } })
    }

    /// - Parameter environment: where the proxies and the certificate authorities are named.
    init(
        loops: EventLoopGroup, alwaysAllowed: Set<String> = [], userAgent: String = "BitBot",
        proxyIsTrusted: Bool = false, environment: (String) -> String?
    ) {
        _ = HTTPClient.libraryIsReady
        self.loops = loops
        let certificates = environment("SSL_CERT_FILE").flatMap { $0.isEmpty ? nil : $0 }
        // One for each of thousands of portals; with fewer, libcurl looks through all of them to close one for each request.
        // Of the process's files three quarters belong to the server's connections.
        let kept = min(8192, max(256, EventLoop.mostOpenFiles / 8 / loops.loops.count))
        let settings = HTTPClientHandle.Settings(
            userAgent: userAgent, certificates: certificates, keptConnections: kept)
        lanes = loops.loops.map { HTTPClientLane(loop: $0, settings: settings) }
        allowedOrigins = Set(alwaysAllowed.compactMap { try? HTTPClientTarget($0).origin })
        proxies = HTTPClientProxies(environment: environment)
        self.proxyIsTrusted = proxyIsTrusted
    }

    deinit {
        for lane in lanes { lane.loop.submit { [lane] in lane.close() } }
    }

    private static let libraryIsReady: Bool = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// Sends and reads the whole answer. Any status is an answer, not an error. Redirects are not followed.
    /// - Throws: ``HTTPClientError``, or `CancellationError` when the task was cancelled.
    public func send(_ request: consuming Request) async throws -> Answer {
        let transfer = try makeTransfer(request)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { transfer.start(.answer($0)) }
        } onCancel: {
            transfer.cancel()
        }
    }

    /// Sends and returns with the answer's header.
    /// - Throws: as ``send(_:)``; the body's iterator throws the same.
    public func stream(_ request: consuming Request) async throws -> StreamedAnswer {
        let transfer = try makeTransfer(request)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { transfer.start(.head($0, HTTPClientBodyStream())) }
        } onCancel: {
            transfer.cancel()
        }
    }

    /// Ends all transfers (they throw `CancellationError`) and frees the pools. Call it before the loops are stopped.
    public func shutdown() async {
        for lane in lanes {
            await withCheckedContinuation { done in
                lane.loop.submit {
                    lane.close()
                    done.resume()
                }
            }
        }
    }

    /// A loop for a task that mostly waits for this client: the caller's own if it runs on one.
    public var loop: EventLoop { nextLane().loop }

    /// Transfers under way, for tests.
    func openTransfers() async -> Int {
        var count = 0
        for lane in lanes {
            count += await withCheckedContinuation { done in
                lane.loop.submit { done.resume(returning: lane.openTransfers) }
            }
        }
        return count
    }

    private func makeTransfer(_ request: consuming Request) throws(HTTPClientError) -> HTTPClientTransfer {
        let target = try HTTPClientTarget(request.url)
        for field in request.headers.fields where !field.isSendable {
            throw .invalidHeader(field.isNameSendable ? field.name : "")
        }
        let route = try route(request, to: target)
        return HTTPClientTransfer(request, target: target, route: route, lane: nextLane())
    }

    private func route(
        _ request: borrowing Request, to target: HTTPClientTarget
    ) throws(HTTPClientError) -> HTTPClientTransfer.Route {
        let host = target.origin.host
        if request.unixSocket != nil {
            guard request.trust == .privateAllowed else { throw .addressNotAllowed(host: host) }
            return .direct(guarded: false)
        }
        if !allowedOrigins.isEmpty, allowedOrigins.contains(target.origin) { return .direct(guarded: false) }
        let isGuarded = request.trust == .publicOnly
        guard !proxies.isEmpty, let proxy = proxies.proxy(for: target.origin) else {
            return .direct(guarded: isGuarded)
        }
        if isGuarded, !proxyIsTrusted { throw .addressNotAllowed(host: host) }
        return .proxy(proxy)
    }

    /// The caller's own loop if it runs on one, which saves two changes of threads; else one after another.
    private func nextLane() -> HTTPClientLane {
        if lanes.count == 1 { return lanes[0] }
        if let lane = lanes.first(where: { $0.loop.isCurrent }) { return lane }
        return lanes[Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).oldValue) % UInt(lanes.count))]
    }
}

extension HTTPHeaders.Field {
    /// Whether the field can be sent as it is: a name of token characters, a value without control characters.
    fileprivate var isSendable: Bool {
        isNameSendable && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    fileprivate var isNameSendable: Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default:
                    "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
