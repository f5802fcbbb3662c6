import CBase
import Glibc

/// Reading: from bytes to requests that wait for their turn.
extension HTTPServerConnection {
    func ready(_ readiness: LoopSocket.Readiness) {
        if readiness.contains(.write) { flush() }
        if isClosed { return }
        if readiness.contains(.read) {
            receive()
        } else if readiness.contains(.closed) {
            clientEnded()
        }
        update()
    }

    var wantsInput: Bool {
        switch input {
        case .parsed: hasRoom
        case .ignored: true
        case .ended: false
        }
    }

    func receive() {
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

    func take(_ count: Int) {
        let bytes = worker.received.baseAddress!.assumingMemoryBound(to: UInt8.self)
        if base_http_parser_feed(parser, bytes, count) {
            parse()
        } else {
            refuse(503, "The server has no memory left.")
        }
    }

    func parse() {
        while input == .parsed, hasRoom {
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
                if state == BASE_HTTP_BODY_TOO_LARGE, let answer = bodyRefusal() {
                    refuse(answer)
                } else {
                    refuse(Int(state.rawValue), String(cString: base_http_parser_reason(parser)))
                }
            }
        }
    }

    func noteExpectation() {
        var message = base_http_message()
        guard base_http_parser_message(parser, &message), message.expects_continue else { return }
        continueIsOwed = base_http_parser_unparsed(parser) == 0
        payContinue()
    }

    /// Tells a waiting client to send its body, once the answers before are out.
    func payContinue() {
        guard continueIsOwed, inFlight == 0, input == .parsed else { return }
        continueIsOwed = false
        send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }

    func takeRequest() {
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

    private func bodyRefusal() -> HTTPResponse? {
        var message = base_http_message()
        guard base_http_parser_message(parser, &message) else { return nil }
        // What has come of it is of no use.
        message.body = base_http_text()
        return HTTPRequest(message, remoteAddress: remoteAddress).flatMap { context.limits.bodyRefusal($0.path) }
    }

    func refuse(_ status: Int, _ reason: String) { refuse(.text(reason + "\n", status: status)) }

    /// Gives an answer of its own, after what is in flight, and takes nothing more.
    func refuse(_ answer: HTTPResponse) {
        input = .ignored
        receiveDeadline = .never
        waiting.append(.refusal(answer))
        startNext()
    }

    func clientEnded() {
        guard input != .ended else { return }
        input = .ended
        // It may only have ended its own side: an answer that comes all the same is still sent.
        current?.task?.cancel()
        failWriters()
        settle()
    }
}
