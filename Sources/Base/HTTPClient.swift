/// An HTTP client on libcurl's multi interface: keep-alive pool, streaming answers, cancellation by cancelling the task.
public final class HTTPClient: Sendable {
    /// Whether an address inside the operator's own network may be connected to.
    public enum Trust: Sendable, Hashable {
        /// Public addresses only, checked against the address actually connected to.
        case publicOnly
        /// Any address: the server's administrator has chosen it.
        case privateAllowed
    }

    public struct Timeouts: Sendable, Hashable {
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
        /// A Unix socket to connect to instead of the URL's host.
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

        /// The pieces as they arrive, read once; reading slowly slows the sender down.
        public struct Body: AsyncSequence, Sendable {
            public struct AsyncIterator: AsyncIteratorProtocol {
                public mutating func next() async throws -> [UInt8]? { fatalError("skeleton") }
            }
            public func makeAsyncIterator() -> AsyncIterator { fatalError("skeleton") }
        }
    }

    /// - Parameter alwaysAllowed: origins (`http://127.0.0.1:8090`) that pass the guard whatever their address: the
    ///   sandbox's own.
    public init(loops: EventLoopGroup, alwaysAllowed: Set<String> = [], userAgent: String = "BitBot") {
        fatalError("skeleton")
    }

    /// Sends and reads the whole answer. Any status is an answer, not an error. Redirects are not followed.
    /// - Throws: ``HTTPClientError``, or `CancellationError` when the task was cancelled.
    public func send(_ request: Request) async throws -> Answer { fatalError("skeleton") }

    /// Sends and returns with the answer's header.
    /// - Throws: as ``send(_:)``; the body's iterator throws the same.
    public func stream(_ request: Request) async throws -> StreamedAnswer { fatalError("skeleton") }

    /// Ends all transfers (they throw `CancellationError`) and frees the pools.
    public func shutdown() async { fatalError("skeleton") }
}

public enum HTTPClientError: Error, Sendable, Equatable {
    case invalidURL
    /// Not http or https.
    case schemeNotAllowed(String)
    /// The guard against private addresses refused; the host's name, never the URL.
    case addressNotAllowed(host: String)
    case cannotResolve(host: String)
    case cannotConnect(host: String)
    case connectTimeout(host: String)
    /// Sent, or partly sent, and nothing came back in time.
    case answerTimeout(host: String)
    /// The connection broke; the request may have arrived.
    case connectionLost(host: String, reason: String)
    case tls(host: String, reason: String)
    case tooLarge

    /// Whether the request can have reached the other side.
    public var mayHaveArrived: Bool {
        switch self {
        case .answerTimeout, .connectionLost, .tooLarge: true
        default: false
        }
    }
}
