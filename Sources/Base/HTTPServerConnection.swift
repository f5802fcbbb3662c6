import CBase
import Glibc

/// One client's connection: reads requests, has them answered one after another, and keeps its deadlines.
///
/// Unchecked: after `init` its state is touched on its loop only. It lives until ``close()``, held by its worker, and
/// longer if a handler still runs.
final class HTTPServerConnection: @unchecked Sendable {
    /// What becomes of bytes that arrive.
    private enum Input {
        case parsed
        /// No further request is taken; what arrives is thrown away.
        case ignored
        /// The client has ended its side.
        case ended
    }

    /// What waits for its turn to be answered.
    private enum Turn {
        case request(HTTPRequest, HTTPServerExchange)
        case refusal(status: Int, reason: String)
    }

    let worker: HTTPServerWorker
    private let admission: HTTPServerContext.Admission
    private let descriptor: Int32
    private let remoteAddress: String
    private let parser: OpaquePointer
    private var socket: LoopSocket?
    private var timer: LoopTimer?

    private var input = Input.parsed
    private var waiting: [Turn] = []
    private var current: HTTPServerExchange?
    private var output: HTTPServerOutput
    /// Writers of a streamed answer that wait until less is unsent.
    private var writers: [CheckedContinuation<Void, any Error>] = []
    private var continueIsOwed = false
    private var isFinishing = false
    private var isLingering = false
    private var isClosed = false

    private var armedFor = Moment.never
    private var receiveDeadline = Moment.never
    private var writeDeadline = Moment.never
    private var idleDeadline = Moment.never
    private var lingerDeadline = Moment.never

    /// Requests that are held for a connection, the one being answered included.
    private static let mostInFlight = 4
    /// Above so many unsent bytes, streams wait and no further request is begun.
    private static let outputMark = 64 * 1024
    /// How long a client may take to read a last answer and close.
    private static let lingerTime: Duration = .seconds(2)

    private var context: HTTPServerContext { worker.context }
    private var inFlight: Int { waiting.count + (current == nil ? 0 : 1) }

    init?(_ descriptor: Int32, admission: HTTPServerContext.Admission, worker: HTTPServerWorker) {
        let limits = worker.context.limits
        let parserLimits = base_http_limits(
            target_bytes: limits.targetBytes, header_bytes: limits.headerBytes, header_fields: limits.headerFields,
            body_bytes: UInt64(limits.bodyBytes))
        guard let parser = base_http_parser_new(parserLimits) else { return nil }
        self.parser = parser
        self.descriptor = descriptor
        self.admission = admission
        self.worker = worker
        output = HTTPServerOutput(descriptor)
        remoteAddress = peerAddress(of: descriptor)
    }

    deinit { base_http_parser_free(parser) }

    func start() {
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        socket = LoopSocket(on: worker.loop, descriptor: descriptor) { [self] in ready($0) }
        timer = LoopTimer(on: worker.loop) { [self] in deadlineReached() }
        if admission == .rejected { refuse(503, "The server has no room for another connection.") }
        update()
    }

    /// Lets what is in flight end, and closes.
    func finish() {
        guard !isClosed else { return }
        // A request may have arrived that nobody has read yet.
        if input == .parsed { receive() }
        isFinishing = true
        settle()
        update()
    }

    /// Closes at once, whatever is in flight.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        input = .ended
        socket?.close()
        timer?.close()
        socket = nil
        timer = nil
        Glibc.close(descriptor)
        waiting = []
        current?.task?.cancel()
        current = nil
        failWriters()
        worker.remove(self, admission: admission)
    }

    /// Closes so that the client learns that something is missing.
    private func abort() {
        var reset = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}

// MARK: - Reading

extension HTTPServerConnection {
    private func ready(_ readiness: LoopSocket.Readiness) {
        if readiness.contains(.write) { flush() }
        if isClosed { return }
        if readiness.contains(.read) {
            receive()
        } else if readiness.contains(.closed) {
            clientEnded()
        }
        update()
    }

    private var wantsInput: Bool {
        switch input {
        case .parsed: inFlight < HTTPServerConnection.mostInFlight
        case .ignored: true
        case .ended: false
        }
    }

    private func receive() {
        // Bounded, so that a fast sender leaves the other connections their turn.
        for _ in 0..<4 where wantsInput {
            let count = recv(descriptor, worker.received.baseAddress, worker.received.count, 0)
            if count < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN { close() }
                return
            }
            if count == 0 {
                clientEnded()
                return
            }
            if input == .parsed { take(count) }
            if isClosed || count < worker.received.count { return }
        }
    }

    private func take(_ count: Int) {
        let bytes = worker.received.baseAddress!.assumingMemoryBound(to: UInt8.self)
        if base_http_parser_feed(parser, bytes, count) {
            parse()
        } else {
            refuse(503, "The server has no memory left.")
        }
    }

    private func parse() {
        while input == .parsed, inFlight < HTTPServerConnection.mostInFlight {
            let state = base_http_parser_next(parser)
            switch state {
            case BASE_HTTP_NEED_MORE:
                return
            case BASE_HTTP_HEADER:
                noteExpectation()
            case BASE_HTTP_COMPLETE:
                receiveDeadline = .never
                continueIsOwed = false
                takeRequest()
            default:
                refuse(Int(state.rawValue), String(cString: base_http_parser_reason(parser)))
            }
        }
    }

    private func noteExpectation() {
        var message = base_http_message()
        guard base_http_parser_message(parser, &message), message.expects_continue else { return }
        continueIsOwed = base_http_parser_unparsed(parser) == 0
        payContinue()
    }

    /// Tells a waiting client to send its body, once the answers before are out.
    private func payContinue() {
        guard continueIsOwed, inFlight == 0, input == .parsed else { return }
        continueIsOwed = false
        send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }

    private func takeRequest() {
        var message = base_http_message()
        guard base_http_parser_message(parser, &message) else {
            refuse(503, "The server has no memory left.")
            return
        }
        guard let request = HTTPRequest(message, remoteAddress: remoteAddress) else {
            refuse(400, "The request target is not valid.")
            return
        }
        let exchange = HTTPServerExchange(
            self, isHead: request.method == .head, isOld: message.version < 11)
        base_http_parser_reset(parser)
        if !message.keep_alive { input = .ignored }
        waiting.append(.request(request, exchange))
        startNext()
    }

    /// Answers with a status of its own, after what is in flight, and takes nothing more.
    private func refuse(_ status: Int, _ reason: String) {
        input = .ignored
        receiveDeadline = .never
        waiting.append(.refusal(status: status, reason: reason))
        startNext()
    }

    private func clientEnded() {
        guard input != .ended else { return }
        input = .ended
        // It may only have ended its own side: an answer that comes all the same is still sent.
        current?.task?.cancel()
        failWriters()
        settle()
    }
}

// MARK: - Answering

extension HTTPServerConnection {
    private func startNext() {
        while current == nil, !waiting.isEmpty, output.count <= HTTPServerConnection.outputMark {
            switch waiting.removeFirst() {
            case .refusal(let status, let reason):
                let answer = HTTPResponse.text(reason + "\n", status: status)
                guard case .bytes(let body) = answer.body else { return }
                let head = answer.head(framing: .length(body.count), date: worker.httpDate, connection: "close")
                send(head, body)
                settle()
            case .request(let request, let exchange):
                current = exchange
                exchange.start(request, context: context)
                if input == .ended { exchange.task?.cancel() }
            }
        }
    }

    /// Sends an answer that is whole.
    func answer(_ exchange: HTTPServerExchange, _ response: HTTPResponse) {
        guard exchange === current else { return }
        var body: [UInt8] = []
        var framing = HTTPBodyFraming.none
        if case .bytes(let bytes) = response.body {
            body = bytes
            if response.mayHaveBody { framing = .length(exchange.length(of: response, bytes)) }
        }
        if exchange.isHead || !response.mayHaveBody { body = [] }
        let joined = body.count <= 16 * 1024
        var head = head(of: response, exchange, framing: framing, extra: joined ? body.count : 0)
        if joined {
            head.append(contentsOf: body)
            send(head)
        } else {
            send(head, body)
        }
        end(exchange)
    }

    /// Sends the header of a streamed answer.
    func beginStream(_ exchange: HTTPServerExchange, _ response: HTTPResponse) {
        guard exchange === current else { return }
        exchange.isStreaming = true
        if exchange.isOld { takeNothingMore() }
        send(head(of: response, exchange, framing: exchange.isOld ? .untilClose : .chunked))
        update()
    }

    /// Takes a piece of a streamed answer, and resumes its writer when little enough is unsent.
    func write(_ piece: [UInt8], of exchange: HTTPServerExchange, _ writer: CheckedContinuation<Void, any Error>) {
        guard exchange === current, exchange.isStreaming, input != .ended else {
            writer.resume(throwing: CancellationError())
            return
        }
        writers.append(writer)
        if exchange.isOld {
            send(piece)
        } else if !piece.isEmpty {
            var chunk: [UInt8] = []
            chunk.reserveCapacity(piece.count + 12)
            chunk.append(contentsOf: String(piece.count, radix: 16).utf8)
            chunk.append(contentsOf: [13, 10])
            chunk.append(contentsOf: piece)
            chunk.append(contentsOf: [13, 10])
            send(chunk)
        }
        resumeWriters()
        update()
    }

    func endStream(_ exchange: HTTPServerExchange, isWhole: Bool) {
        guard exchange === current else { return }
        exchange.isStreaming = false
        if !isWhole {
            // Only a broken connection tells the client that the answer is not whole.
            abort()
            return
        }
        if !exchange.isOld { send(Array("0\r\n\r\n".utf8)) }
        end(exchange)
    }

    /// Gives an exchange up whose client has gone.
    func abandon(_ exchange: HTTPServerExchange) {
        if exchange === current { close() }
    }

    private func head(
        of response: HTTPResponse, _ exchange: HTTPServerExchange, framing: HTTPBodyFraming, extra: Int = 0
    ) -> [UInt8] {
        if response.headers["Connection"].map({ equalIgnoringCase($0, "close") }) == true {
            takeNothingMore()
        }
        if context.isShuttingDown, input == .parsed { input = .ignored }
        let closes = input != .parsed && waiting.isEmpty
        let connection = closes ? "close" : exchange.isOld ? "keep-alive" : nil
        return response.head(framing: framing, date: worker.httpDate, connection: connection, extra: extra)
    }

    /// The answer under way is the connection's last one.
    private func takeNothingMore() {
        waiting = []
        if input == .parsed { input = .ignored }
    }

    private func end(_ exchange: HTTPServerExchange) {
        guard exchange === current else { return }
        current = nil
        exchange.task = nil
        startNext()
        parse()
        payContinue()
        settle()
        update()
    }
}

// MARK: - Writing and closing

extension HTTPServerConnection {
    private func send(_ bytes: [UInt8], _ more: [UInt8] = []) {
        guard !isClosed else { return }
        let wasEmpty = output.isEmpty
        output.append(bytes)
        output.append(more)
        if wasEmpty || output.count > HTTPServerConnection.outputMark { push() }
    }

    private func flush() {
        push()
        guard !isClosed else { return }
        startNext()
        parse()
        settle()
    }

    private func push() {
        switch output.flush() {
        case .done:
            writeDeadline = .never
        case .some:
            writeDeadline = Moment.now + context.limits.requestDeadline
        case .none:
            if writeDeadline == .never { writeDeadline = Moment.now + context.limits.requestDeadline }
        case .broken:
            close()
            return
        }
        resumeWriters()
    }

    private func resumeWriters() {
        guard !writers.isEmpty, output.count <= HTTPServerConnection.outputMark else { return }
        let ready = writers
        writers = []
        for writer in ready { writer.resume() }
    }

    /// Their client has gone.
    private func failWriters() {
        let failed = writers
        writers = []
        for writer in failed { writer.resume(throwing: CancellationError()) }
    }

    /// Closes when all is said and nothing more is to come.
    private func settle() {
        guard !isClosed, !isLingering, inFlight == 0, output.isEmpty else { return }
        if input == .parsed {
            if isFinishing, !base_http_parser_has_begun(parser) { close() }
            return
        }
        if input == .ended {
            close()
            return
        }
        // Bytes that arrive at a closed socket would reset the connection before the client has read the answer.
        isLingering = true
        shutdown(descriptor, Int32(SHUT_WR))
        lingerDeadline = Moment.now + HTTPServerConnection.lingerTime
    }

    /// Watches for what can happen next and sets the timer to the next deadline.
    private func update() {
        guard !isClosed else { return }
        var readiness: LoopSocket.Readiness = wantsInput ? .read : input == .ended ? [] : .closed
        if !output.isEmpty { readiness.insert(.write) }
        socket?.watch(readiness)

        let hasBegun = input == .parsed && base_http_parser_has_begun(parser)
        if hasBegun, wantsInput {
            if receiveDeadline == .never { receiveDeadline = Moment.now + context.limits.requestDeadline }
        } else {
            receiveDeadline = .never
        }
        if input == .parsed, !hasBegun, inFlight == 0, output.isEmpty {
            if idleDeadline == .never { idleDeadline = Moment.now + context.limits.idle }
        } else {
            idleDeadline = .never
        }
        let next = min(receiveDeadline, writeDeadline, idleDeadline, lingerDeadline)
        // A timer that fires too early is set again then; that is cheaper than to move it at each request.
        if next < armedFor {
            armedFor = next
            timer?.start(after: next - Moment.now)
        }
    }

    private func deadlineReached() {
        armedFor = .never
        let now = Moment.now
        if lingerDeadline <= now {
            close()
        } else if idleDeadline <= now {
            close()
        } else if writeDeadline <= now {
            abort()
        } else if receiveDeadline <= now {
            refuse(408, "The request did not arrive in time.")
        }
        update()
    }
}
