import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Base

struct HTTPClientStreamTests {
    private func read(_ body: HTTPClient.StreamedAnswer.Body) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in body { bytes += piece }
        return bytes
    }

    private func request(_ url: String) -> HTTPClient.Request {
        HTTPClient.Request(.post, url, body: [1], trust: .privateAllowed)
    }

    @Test("a body that is still on its way when the answer begins arrives as it is")
    func answeredEarly() async throws {
        let body = [UInt8](unsafeUninitializedCapacity: 8_000_000) { bytes, count in
            for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index / 7) }
            count = bytes.count
        }
        let server = try ScriptedServer { connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            connection.write(connection.readRequest()?.body == body ? "same" : "else")
        }
        let request = HTTPClient.Request(.post, server.origin, body: body, trust: .privateAllowed)
        let test = TestClient()
        let answer = try await test.client.stream(request)
        #expect(try await read(answer.body) == Array("same".utf8))
    }

    @Test("pieces are handed over as they arrive, the header before the body")
    func asTheyArrive() async throws {
        let gates = (0..<3).map { _ in ScriptGate() }
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for (number, gate) in gates.enumerated() {
                gate.wait()
                connection.write("8\r\npiece \(number)\n\r\n")
            }
            connection.write("0\r\n\r\n")
        }
        let test = TestClient()
        let answer = try await test.client.stream(request(server.origin))
        #expect(answer.headers["content-type"] == "text/event-stream")
        var pieces = answer.body.makeAsyncIterator()
        for (number, gate) in gates.enumerated() {
            gate.open()
            #expect(try await pieces.next() == Array("piece \(number)\n".utf8))
        }
        #expect(try await pieces.next() == nil)
        #expect(try await pieces.next() == nil, "and it stays at its end")
        #expect(await test.client.openTransfers() == 0)
    }

    @Test("a reader that is slow slows the sender down, and gets every byte")
    func backPressure() async throws {
        let total = 16 * 1024 * 1024
        let sent = Mutex(0)
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let block = (0..<65536).map { UInt8(truncatingIfNeeded: $0) }
            while sent.withLock({ $0 }) < total, connection.write(block) { sent.withLock { $0 += block.count } }
            connection.waitForClose()
        }
        let test = TestClient()
        var request = request(server.origin)
        request.maximumBytes = total
        let limit = Duration.seconds(1)
        request.timeouts.idle = limit
        let answer = try await test.client.stream(request)
        // The sender stops once the buffers on the way are full, for longer than the limit. That is not the silence that the
        // limit is about.
        var before = -1
        try await eventually {
            try await Task.sleep(for: limit + .milliseconds(200))
            defer { before = sent.withLock { $0 } }
            return before == sent.withLock { $0 } && before > 0
        }
        #expect(sent.withLock { $0 } < total / 2)
        let bytes = try await read(answer.body)
        let block = (0..<65536).map { UInt8(truncatingIfNeeded: $0) }
        #expect(bytes.count == total)
        #expect(stride(from: 0, to: total, by: block.count).allSatisfy { bytes[$0..<($0 + block.count)] == block[...] })
    }

    @Test("a body that is dropped unread ends its transfer")
    func dropped() async throws {
        let closed = ScriptGate()
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\nsome")
            connection.waitForClose()
            closed.open()
        }
        let test = TestClient()
        _ = try await test.client.stream(request(server.origin)).status
        try await eventually { !closed.isClosed }
        #expect(await test.client.openTransfers() == 0)
    }

    @Test("a reader that stops in the middle ends its transfer")
    func leftInTheMiddle() async throws {
        let closed = ScriptGate()
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            while connection.write([UInt8](repeating: 1, count: 100_000)) {}
            closed.open()
        }
        let test = TestClient()
        for try await _ in try await test.client.stream(request(server.origin)).body { break }
        try await eventually { !closed.isClosed }
        #expect(await test.client.openTransfers() == 0)
    }

    @Test("cancelling the reader ends the transfer and throws, also when pieces are unread", arguments: [false, true])
    func cancelled(hasUnread: Bool) async throws {
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(hasUnread ? 5 : 10)\r\n\r\nfirst")
            connection.waitForClose()
        }
        let test = TestClient()
        let isReading = ScriptGate()
        let task = Task {
            let answer = try await test.client.stream(request(server.origin))
            var pieces = answer.body.makeAsyncIterator()
            if hasUnread {
                isReading.open()
                while !Task.isCancelled { await Task.yield() }
            } else {
                #expect(try await pieces.next() == Array("first".utf8))
                isReading.open()
            }
            _ = try await pieces.next()
        }
        try await eventually { !isReading.isClosed }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await eventually { await test.client.openTransfers() == 0 }
    }

    @Test("a body that breaks off gives what came, then throws")
    func brokenOff() async throws {
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        }
        let test = TestClient()
        let answer = try await test.client.stream(request(server.origin))
        var bytes: [UInt8] = []
        let error = await #expect(throws: HTTPClientError.self) {
            for try await piece in answer.body { bytes += piece }
        }
        #expect(bytes == Array("half".utf8))
        #expect(error?.mayHaveArrived == true)
    }

    @Test("silence in the middle of a stream is an error of its reader")
    func silence() async throws {
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\nsome")
            connection.waitForClose()
        }
        let test = TestClient()
        var request = request(server.origin)
        request.timeouts.idle = .milliseconds(50)
        let answer = try await test.client.stream(request)
        await #expect(throws: HTTPClientError.answerTimeout(host: "127.0.0.1")) { try await read(answer.body) }
        #expect(await test.client.openTransfers() == 0)
    }

    @Test("a body over the limit is refused, whether its length was told or not")
    func tooLarge() async throws {
        let told = try ScriptedServer(always: "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world")
        let untold = try ScriptedServer(
            always: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        let test = TestClient()
        for server in [told, untold] {
            var request = request(server.origin)
            request.maximumBytes = 10
            let limited = request
            await #expect(throws: HTTPClientError.tooLarge) { try await test.client.send(limited) }
            await #expect(throws: HTTPClientError.tooLarge) {
                try await read(try await test.client.stream(limited).body)
            }
            request.maximumBytes = 11
            #expect(try await test.client.send(request).body == Array("hello world".utf8))
        }
        #expect(await test.client.openTransfers() == 0)
    }

    @Test("a header without end is refused")
    func endlessHeader() async throws {
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n")
            while connection.write("X-Field: \(String(repeating: "x", count: 1000))\r\n") {}
        }
        await #expect(throws: HTTPClientError.tooLarge) { try await TestClient().get(server.origin) }
    }

    @Test("hundreds of streams at once each get their own bytes")
    func manyAtOnce() async throws {
        let server = try ScriptedServer { connection, _ in
            while let request = connection.readRequest() {
                let word = request.head.split(separator: " ")[1].dropFirst()
                connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<20 { connection.write("\(String(word.count, radix: 16))\r\n\(word)\r\n") }
                connection.write("0\r\n\r\n")
            }
        }
        let test = TestClient()
        try await withThrowingTaskGroup { group in
            for number in 0..<300 {
                group.addTask {
                    for turn in 0..<3 {
                        let word = "stream-\(number)-\(turn)"
                        let answer = try await test.client.stream(request(server.origin + "/" + word))
                        #expect(try await read(answer.body) == Array(String(repeating: word, count: 20).utf8))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await test.client.openTransfers() == 0)
    }

    @Test("a stream of events is read through the client as it was written")
    func events() async throws {
        let server = try ScriptedServer(
            always:
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\ndata: one\n\nd\r\n3\r\nata\r\n7\r\n: two\n\n\r\n0\r\n\r\n"
        )
        let answer = try await TestClient().client.stream(request(server.origin))
        var parser = ServerSentEventParser()
        var events: [String] = []
        for try await piece in answer.body { events += try parser.feed(piece).map(\.data) }
        #expect(events == ["one", "two"])
    }
}
