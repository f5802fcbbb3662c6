/// One request and its answer: runs the handler in a task and brings what it says back to the connection's loop.
///
/// Unchecked: `task` and `isStreaming` are touched on the connection's loop only, the rest never changes.
final class HTTPServerExchange: @unchecked Sendable {
    private let connection: HTTPServerConnection
    let isHead: Bool
    /// An HTTP/1.0 client, which does not know chunks.
    let isOld: Bool
    var task: Task<Void, Never>?
    var isStreaming = false

    init(_ connection: HTTPServerConnection, isHead: Bool, isOld: Bool) {
        self.connection = connection
        self.isHead = isHead
        self.isOld = isOld
    }

    private var loop: EventLoop { connection.worker.loop }

    func start(_ request: HTTPRequest, context: HTTPServerContext) {
        // On the connection's loop to save hops between threads; nothing below relies on it.
        task = Task(executorPreference: loop) {
            guard let response = await self.response(to: request, context: context) else {
                self.loop.execute { self.connection.abandon(self) }
                return
            }
            switch response.body {
            case .stream(let produce) where !self.isHead && response.mayHaveBody:
                await self.stream(response, produce, log: context.log)
            default:
                self.loop.execute { self.connection.answer(self, response) }
            }
        }
    }

    /// What the handler says, or the answer for its error; `nil` when it was cancelled.
    private func response(to request: HTTPRequest, context: HTTPServerContext) async -> HTTPResponse? {
        do {
            let response = try await answered(request, context)
            if response.isSendable { return response }
            context.log.error("http_answer_not_sendable", ["method": .text(request.method.rawValue)])
        } catch is CancellationError where Task.isCancelled {
            return nil
        } catch {
            // Not the path: it can hold the secret part of an event address.
            context.log.error(
                "http_handler_failed",
                ["method": .text(request.method.rawValue), "error": .text(String(describing: error))])
        }
        return .text("Internal server error\n", status: 500)
    }

    private func answered(_ request: HTTPRequest, _ context: HTTPServerContext) async throws -> HTTPResponse {
        do {
            return try await context.handler(request)
        } catch let error as HTTPError {
            return .text(error.message, status: error.status)
        }
    }

    /// The length to tell: that of the body, but a handler that answers `HEAD` without one may say it itself.
    func length(of response: HTTPResponse, _ body: [UInt8]) -> Int {
        guard isHead, body.isEmpty, let told = response.headers["Content-Length"].flatMap({ Int($0) }), told >= 0 else {
            return body.count
        }
        return told
    }
}

// MARK: - Streaming

extension HTTPServerExchange {
    private func stream(
        _ response: HTTPResponse, _ produce: @Sendable (_ write: @escaping HTTPBodyWriter) async throws -> Void,
        log: Log
    ) async {
        await withCheckedContinuation { continuation in
            loop.execute {
                self.connection.beginStream(self, response)
                continuation.resume()
            }
        }
        var isWhole = false
        do {
            try await produce { piece in try await self.write(piece) }
            isWhole = true
        } catch {
            if !Task.isCancelled { log.error("http_stream_failed", ["error": .text(String(describing: error))]) }
        }
        let ended = isWhole
        loop.execute { self.connection.endStream(self, isWhole: ended) }
    }

    private func write(_ piece: [UInt8]) async throws {
        try await withCheckedThrowingContinuation { writer in
            loop.execute { self.connection.write(piece, of: self, writer) }
        }
    }
}
