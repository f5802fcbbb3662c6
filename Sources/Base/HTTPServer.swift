/// An HTTP/1.1 server on libevent sockets.
public final class HTTPServer: Sendable {
    public enum Address: Sendable, Hashable {
        /// `port` 0 takes a free one.
        case tcp(host: String, port: Int)
        /// A Unix socket, made with mode 0600; a dead one left there is replaced.
        case unix(path: String)
    }

    /// What a client may use. A request beyond a limit gets the status named there.
    public struct Limits: Sendable {
        /// Bytes of the request line's target (414).
        public var targetBytes = 8 * 1024
        /// Bytes of the whole header (431).
        public var headerBytes = 32 * 1024
        /// Header fields (431).
        public var headerFields = 100
        /// Bytes of the body (413).
        public var bodyBytes = 8 * 1024 * 1024
        /// Connections at once; one more is told 503 and closed. Never more than three quarters of the files that the process
        /// may open: the rest is for its own connections and its store.
        public var connections = 10_000
        /// From a request's first byte to its last (408). A client that takes nothing of an answer for as long is cut.
        public var requestDeadline: Duration = .seconds(30)
        /// A connection without a request is closed after this.
        public var idle: Duration = .seconds(75)
        /// What a body beyond ``bodyBytes`` is answered by its path, where that is more than a line of text.
        public var bodyRefusal: @Sendable (_ path: String) -> HTTPResponse? = { _ in nil }
        public init() {}
    }

    /// The port in use (of a TCP address; 0 on a Unix socket).
    public let port: Int

    private let context: HTTPServerContext
    private let listener: HTTPServerListener
    private let workers: [HTTPServerWorker]

    private init(
        port: Int, context: HTTPServerContext, listener: HTTPServerListener, workers: [HTTPServerWorker]
    ) {
        self.port = port
        self.context = context
        self.listener = listener
        self.workers = workers
    }

    /// Binds, listens and answers with `handler` until ``shutdown(grace:)``.
    /// - Throws: ``HTTPServerError`` that names the address when it cannot be had.
    public static func start(
        on address: Address, loops: EventLoopGroup, limits: Limits = Limits(), log: Log, handler: @escaping HTTPHandler
    ) async throws -> HTTPServer {
        let (descriptor, port) = try HTTPServerListener.listen(on: address)
        var limits = limits
        limits.connections = min(limits.connections, EventLoop.mostOpenFiles / 4 * 3)
        let context = HTTPServerContext(limits: limits, log: log, handler: handler)
        let workers = loops.loops.map { HTTPServerWorker(loop: $0, context: context) }
        let listener = HTTPServerListener(
            descriptor: descriptor, address: address, loop: loops.next(), context: context, workers: workers)
        await listener.start()
        return HTTPServer(port: port, context: context, listener: listener, workers: workers)
    }

    /// Stops accepting, lets requests in flight finish for at most `grace`, then closes what is left.
    public func shutdown(grace: Duration) async {
        await listener.stop()
        context.beginShutdown()
        for worker in workers { worker.loop.submit { worker.finish() } }
        let limit = Task {
            try await Task.sleep(for: grace)
            for worker in workers { worker.loop.submit { worker.closeAll() } }
        }
        await context.allConnectionsClosed()
        limit.cancel()
    }

    /// Connections that are open now.
    var openConnections: Int { context.openConnections }
}

public enum HTTPServerError: Error, Sendable, Equatable {
    case addressInUse(String)
    case cannotListen(String, reason: String)
}
