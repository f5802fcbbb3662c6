/// Answering: one request after another, whole or streamed.
extension HTTPServerConnection {
    func startNext() {
        while current == nil, !waiting.isEmpty, output.count <= HTTPServerConnection.outputMark {
            switch waiting.removeFirst() {
            case .refusal(let answer):
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

    func head(
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
    func takeNothingMore() {
        waiting = []
        if input == .parsed { input = .ignored }
    }

    func end(_ exchange: HTTPServerExchange) {
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
