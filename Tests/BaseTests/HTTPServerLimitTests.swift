import Dispatch
import Glibc
import TestSupport
import Testing

@testable import Base

@Suite struct HTTPServerLimitTests {
    private func limits(_ change: (inout HTTPServer.Limits) -> Void) -> HTTPServer.Limits {
        var limits = HTTPServer.Limits()
        change(&limits)
        return limits
    }

    @Test("a request at every limit is served")
    func atTheLimits() async throws {
        let limits = limits {
            $0.targetBytes = 50
            $0.headerFields = 3
            $0.bodyBytes = 10
        }
        try await withServer(limits: limits, handler: echo) { fixture in
            let target = "/" + String(repeating: "a", count: 49)
            let answer = try await fixture.exchange(
                "POST \(target) HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 10\r\n\r\n0123456789")
            #expect(answer.text == "POST \(target) 0123456789")
            let chunked = try await fixture.exchange(
                "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"
            )
            #expect(chunked.text == "POST / 0123456789")
        }
    }

    @Test("chunks over the body's limit are 413 as soon as their size is told")
    func chunksOverTheLimit() async throws {
        try await withServer(limits: limits { $0.bodyBytes = 10 }, handler: echo) { fixture in
            let answer = try await fixture.exchange(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n")
            #expect(answer.status == 413)
        }
    }

    @Test("a client that goes on sending a refused body still reads its 413")
    func refusedWhileSending() async throws {
        try await withServer(limits: limits { $0.bodyBytes = 1_000 }, handler: echo) { fixture in
            let client = try fixture.connect()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n")
            try client.send([UInt8](repeating: 65, count: 4_000_000))
            #expect(try await client.answer().status == 413)
        }
    }

    @Test("a header that is sent field by field is counted as a whole")
    func dribbledHeader() async throws {
        try await withServer(limits: limits { $0.headerBytes = 1_000 }, handler: echo) { fixture in
            let client = try fixture.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n")
            for _ in 0..<50 where (try? client.send("X-Field: 0123456789\r\n")) == nil { break }
            #expect(try await client.answer().status == 431)
        }
    }

    @Test("a connection over the limit is told 503 once and closed; there is room again when another leaves")
    func tooManyConnections() async throws {
        try await withServer(limits: limits { $0.connections = 2 }, handler: echo) { fixture in
            let first = try fixture.connect()
            let second = try fixture.connect()
            for client in [first, second] {
                try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.answer().status == 200)
            }
            let third = try fixture.connect()
            try third.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await third.answer().status == 503)
            #expect(try await third.isClosedQuietly())
            third.close()
            first.close()
            try await eventually { fixture.server.openConnections == 1 }
            #expect(try await fixture.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
            try second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await second.answer().status == 200)
        }
    }

    @Test(
        "a request that is not whole in time is 408, however steadily its bytes come",
        arguments: [
            "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x=",
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999\r\n\r\n",
        ])
    func tooSlow(start: String) async throws {
        try await withServer(limits: limits { $0.requestDeadline = .milliseconds(300) }, handler: echo) { fixture in
            let client = try fixture.connect()
            try client.send(start)
            // On a thread of its own, so that other tests cannot make it pause.
            let answered = Recorder<Bool>()
            DispatchQueue.global().async {
                while answered.all.isEmpty, (try? client.send("1")) != nil { usleep(20_000) }
            }
            defer { answered.add(true) }
            var answer = try await client.answer()
            if answer.status == 100 { answer = try await client.answer() }
            #expect(answer.status == 408)
            // The neighbour's time runs on its own.
            #expect(try await fixture.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
        }
    }

    @Test("the deadline counts from each request's own first byte, and not while the handler works")
    func deadlineIsPerRequest() async throws {
        let limits = limits { $0.requestDeadline = .milliseconds(400) }
        let handler: HTTPHandler = { request in
            if request.path == "/slow" { try await Task.sleep(for: .milliseconds(600)) }
            return .text("")
        }
        try await withServer(
            limits: limits,
            handler: handler
        ) { fixture in
            let client = try fixture.connect()
            for path in ["/", "/", "/slow", "/", "/"] {
                try await Task.sleep(for: .milliseconds(150))
                try client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.answer().status == 200)
            }
        }
    }

    @Test("a connection without a request is closed quietly after the idle time, at once or after an answer")
    func idle() async throws {
        try await withServer(limits: limits { $0.idle = .milliseconds(200) }, handler: echo) { fixture in
            let silent = try fixture.connect()
            let served = try fixture.connect()
            try served.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await served.answer().status == 200)
            #expect(try await served.isClosedQuietly())
            #expect(try await silent.isClosedQuietly())
            try await eventually { fixture.server.openConnections == 0 }
        }
    }

    @Test("a client that reads nothing of its answer is cut after the deadline")
    func slowReader() async throws {
        let limits = limits { $0.requestDeadline = .milliseconds(200) }
        let big = [UInt8](repeating: 65, count: 64_000_000)
        let handler: HTTPHandler = { _ in HTTPResponse(status: 200, body: .bytes(big)) }
        try await withServer(limits: limits, handler: handler) {
            fixture in
            let client = try fixture.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await client.take(10)
            try await eventually { fixture.server.openConnections == 0 }
            await #expect(throws: RawClientError.self) { try await client.answer() }
        }
    }

    @Test("a streaming handler whose client reads nothing is cancelled after the deadline")
    func slowReaderOfStream() async throws {
        let ended = Recorder<Bool>()
        let limits = limits { $0.requestDeadline = .milliseconds(200) }
        let handler: HTTPHandler = { _ in
            HTTPResponse(
                status: 200,
                body: .stream { write in
                    do {
                        while true { try await write([UInt8](repeating: 65, count: 100_000)) }
                    } catch {
                        ended.add(Task.isCancelled)
                        throw error
                    }
                })
        }
        try await withServer(
            limits: limits,
            handler: handler
        ) { fixture in
            let client = try fixture.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { ended.all == [true] && fixture.server.openConnections == 0 }
        }
    }
}
