import CBase
import Glibc

/// One client's connection: reads requests, has them answered one after another, and keeps its deadlines.
///
/// Unchecked: after `init` its state is touched on its loop only. It lives until ``close()``, held by its worker, and
/// longer if a handler still runs.
final class HTTPServerConnection: @unchecked Sendable {
    /// What becomes of bytes that arrive.
    enum Input {
        case parsed
        /// No further request is taken; what arrives is thrown away.
        case ignored
        /// The client has ended its side.
        case ended
    }

    /// What waits for its turn to be answered.
    enum Turn {
        case request(HTTPRequest, HTTPServerExchange)
        case refusal(HTTPResponse)
    }

    let worker: HTTPServerWorker
    let admission: HTTPServerContext.Admission
    let descriptor: Int32
    let remoteAddress: String
    let parser: OpaquePointer
    var socket: LoopSocket?
    var timer: LoopTimer?

    var input = Input.parsed
    var waiting: [Turn] = []
    var current: HTTPServerExchange?
    var output: HTTPServerOutput
    /// Writers of a streamed answer that wait until less is unsent.
    var writers: [CheckedContinuation<Void, any Error>] = []
    var continueIsOwed = false
    var isFinishing = false
    var isLingering = false
    var isClosed = false

    var armedFor = Moment.never
    var receiveDeadline = Moment.never
    var writeDeadline = Moment.never
    var idleDeadline = Moment.never
    var lingerDeadline = Moment.never

    /// Requests that are held for a connection, the one being answered included.
    static let mostInFlight = 4
    /// Bytes of bodies that wait for their turn; beyond them no further request is read.
    static let waitingMark = 64 * 1024
    /// Above so many unsent bytes, streams wait and no further request is begun.
    static let outputMark = 64 * 1024
    /// How long a client may take to read a last answer and close.
    static let lingerTime: Duration = .seconds(2)

    var context: HTTPServerContext { worker.context }
    var inFlight: Int { waiting.count + (current == nil ? 0 : 1) }

    /// Whether another request may be read.
    var hasRoom: Bool {
        if inFlight >= HTTPServerConnection.mostInFlight { return false }
        let waitingBytes = waiting.reduce(0) { sum, turn in
            if case .request(let request, _) = turn { sum + request.body.count } else { sum }
        }
        return waitingBytes <= HTTPServerConnection.waitingMark
    }

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
    func abort() {
        var reset = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}

// MARK: - Writing and closing

extension HTTPServerConnection {
    func send(_ bytes: [UInt8], _ more: [UInt8] = []) {
        guard !isClosed else { return }
        let wasEmpty = output.isEmpty
        output.append(bytes)
        output.append(more)
        if wasEmpty || output.count > HTTPServerConnection.outputMark { push() }
    }

    func flush() {
        push()
        guard !isClosed else { return }
        startNext()
        parse()
        settle()
    }

    func push() {
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

    func resumeWriters() {
        guard !writers.isEmpty, output.count <= HTTPServerConnection.outputMark else { return }
        let ready = writers
        writers = []
        for writer in ready { writer.resume() }
    }

    /// Their client has gone.
    func failWriters() {
        let failed = writers
        writers = []
        for writer in failed { writer.resume(throwing: CancellationError()) }
    }

    /// Closes when all is said and nothing more is to come.
    func settle() {
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
    func update() {
        guard !isClosed else { return }
        // While nothing is read, the client's end must be noticed all the same.
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

    func deadlineReached() {
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
