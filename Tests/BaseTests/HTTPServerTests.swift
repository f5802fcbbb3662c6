import TestSupport
import Testing

@testable import Base

@Suite struct HTTPServerTests {
    @Test("a connection serves one request after another")
    func keepAlive() async throws {
        try await withServer(handler: echo) { fixture in
            let client = try fixture.connect()
            for number in 1...20 {
                try client.send("POST /\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                let answer = try await client.answer()
                #expect(answer.status == 200)
                #expect(answer.text == "POST /\(number) hi")
                #expect(answer.headers["Connection"] == nil)
            }
            #expect(fixture.server.openConnections == 1)
        }
    }

    @Test("an answer has the header fields that every answer needs, each once")
    func fields() async throws {
        let handler: HTTPHandler = { _ in
            HTTPResponse(
                status: 201,
                headers: ["content-length": "99", "X-Mine": "yes", "Date": "never", "Transfer-Encoding": "gzip"],
                body: .bytes([65]))
        }
        try await withServer(handler: handler) { fixture in
            let answer = try await fixture.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer.status == 201)
            #expect(answer.headers.all("Content-Length") == ["1"])
            #expect(answer.headers["X-Mine"] == "yes")
            #expect(answer.headers["Transfer-Encoding"] == nil)
            let dates = answer.headers.all("Date")
            #expect(dates.count == 1)
            #expect(dates.first?.wholeMatch(of: /\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/) != nil)
        }
    }

    @Test("the handler sees method, path, query, fields, body and the peer's address")
    func request() async throws {
        let seen = Recorder<HTTPRequest>()
        let handler: HTTPHandler = { request in
            seen.add(request)
            return .text("")
        }
        try await withServer(handler: handler) { fixture in
            let answer = try await fixture.exchange(
                "PATCH /a%20b?c=d?e HTTP/1.1\r\nHost: h:80\r\nX-One: 1\r\nx-one:  2 \r\nContent-Length: 3\r\n\r\n\0é")
            #expect(answer.status == 200)
            let request = try #require(seen.all.first)
            #expect(request.method == .patch)
            #expect(request.path == "/a%20b")
            #expect(request.query == "c=d?e")
            #expect(request.headers.all("X-ONE") == ["1", "2"])
            #expect(request.headers["host"] == "h:80")
            #expect(request.body == Array("\0é".utf8))
            #expect(request.remoteAddress == "127.0.0.1")
        }
    }

    @Test(
        "the absolute form of a target gives path, query and host",
        arguments: [("http://b:1/x?y=z", "/x", "y=z"), ("HTTP://b:1", "/", ""), ("https://b:1?q", "/", "q")])
    func absoluteTarget(target: String, path: String, query: String) async throws {
        let handler: HTTPHandler = { .text("\($0.path)|\($0.query)|\($0.headers["Host"] ?? "")") }
        try await withServer(handler: handler) { fixture in
            let answer = try await fixture.exchange("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer.text == "\(path)|\(query)|b:1")
        }
    }

    @Test("pipelined requests are answered in order, one handler at a time")
    func pipelining() async throws {
        let running = Recorder<String>()
        let handler: HTTPHandler = { request in
            running.add("+\(request.path)")
            if request.path == "/1" { try await Task.sleep(for: .milliseconds(30)) }
            running.add("-\(request.path)")
            return .text(request.path)
        }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            let paths = (1...10).map { "/\($0)" }
            try client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            for path in paths { #expect(try await client.answer().text == path) }
            #expect(running.all == paths.flatMap { ["+\($0)", "-\($0)"] })
        }
    }

    @Test("a client that pipelines without end is not read further than a few requests")
    func pipeliningIsBounded() async throws {
        let gate = AsyncGate()
        let handler: HTTPHandler = { request in
            await gate.wait()
            return .text("\(request.body.count)")
        }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            let body = [UInt8](repeating: 65, count: 1_000_000)
            let one = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
            var sent = 0
            var quiet = 0
            while quiet < 50, sent < 100_000_000 {
                let count = client.sendWithoutWaiting(one[(sent % one.count)...])
                sent += count
                quiet = count == 0 ? quiet + 1 : 0
                if count == 0 { try await Task.sleep(for: .milliseconds(4)) }
            }
            #expect(sent < 50_000_000)
            await gate.open()
            let (whole, part) = (sent / one.count, sent % one.count)
            for _ in 0..<whole { #expect(try await client.answer().text == "1000000") }
            if part > 0 {
                try client.send(Array(one[part...]))
                #expect(try await client.answer().status == 200)
            }
        }
    }

    @Test("a chunked body arrives whole, with extensions and a trailer, also byte by byte", arguments: [false, true])
    func chunkedRequest(byteByByte: Bool) async throws {
        try await withServer(handler: echo) { fixture in
            let client = try fixture.connect()
            let body = "3;a=\"b\"\r\nabc\r\n00a\r\n0123456789\r\n0\r\nX-Trailer: x\r\n\r\n"
            let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n" + body
            if byteByByte {
                for byte in request.utf8 { try client.send([byte]) }
            } else {
                try client.send(request)
            }
            #expect(try await client.answer().text == "POST / abc0123456789")
            try client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.answer().text == "GET /next ")
        }
    }

    @Test("a last chunk that arrives byte by byte, with nothing before it, ends an empty body")
    func emptyChunkedRequest() async throws {
        try await withServer(handler: echo) { fixture in
            let client = try fixture.connect()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for byte in "0\r\n\r\n".utf8 {
                try await Task.sleep(for: .milliseconds(2))
                try client.send([byte])
            }
            #expect(try await client.answer().text == "POST / ")
        }
    }

    @Test("an empty line before a request is skipped")
    func emptyLine() async throws {
        try await withServer(handler: echo) { fixture in
            let answer = try await fixture.exchange("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer.text == "GET / ")
        }
    }

    @Test("a large body and a large answer pass whole")
    func large() async throws {
        let handler: HTTPHandler = { HTTPResponse(status: 200, body: .bytes($0.body)) }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            var body = (0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 7) }
            for _ in 0..<10 { body += body }
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
            try client.send(body)
            #expect(try await client.answer().body == body)
        }
    }

    @Test("a client that asks before it sends its body is told to continue, once")
    func expectContinue() async throws {
        try await withServer(handler: echo) { fixture in
            let client = try fixture.connect()
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try await client.answer().status == 100)
            try client.send("hi")
            let answer = try await client.answer()
            #expect(answer.status == 200)
            #expect(answer.text == "POST / hi")
            // One that did not wait needs no word.
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nho")
            #expect(try await client.answer().text == "POST / ho")
        }
    }

    @Test("a pipelined request that asks is told to continue after the answer before it")
    func expectContinueInOrder() async throws {
        let gate = AsyncGate()
        let handler: HTTPHandler = { request in
            if request.path == "/1" { await gate.wait() }
            return .text(request.path)
        }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            try client.send(
                "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                    + "POST /2 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            await gate.open()
            #expect(try await client.answer().text == "/1")
            #expect(try await client.answer().status == 100)
            try client.send("hi")
            #expect(try await client.answer().text == "/2")
        }
    }

    @Test("HEAD is answered with the length of the body and without it")
    func head() async throws {
        let handler: HTTPHandler = { request in
            request.path == "/told"
                ? HTTPResponse(status: 200, headers: ["Content-Length": "1234"])
                : request.path == "/stream"
                    ? HTTPResponse(status: 200, body: .stream { try await $0([1]) }) : .text("hello")
        }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            for (path, length) in [("/", "5"), ("/told", "1234"), ("/stream", nil)] {
                try client.send("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try await client.answer(toHead: true)
                #expect(answer.status == 200)
                #expect(answer.headers["Content-Length"] == length)
            }
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.answer().text == "hello")
        }
    }

    @Test("a 204 and a 304 have no body and no length", arguments: [204, 304])
    func noBody(status: Int) async throws {
        let handler: HTTPHandler = { _ in HTTPResponse(status: status, body: .bytes([1, 2])) }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            for _ in 1...2 {
                try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.status == status)
                #expect(answer.headers["Content-Length"] == nil)
            }
        }
    }

    @Test("a connection ends after the answer when either side says so, and for HTTP/1.0 unless it asks")
    func connectionClose() async throws {
        let handler: HTTPHandler = { request in
            HTTPResponse(status: 200, headers: request.path == "/close" ? ["Connection": "close"] : [:])
        }
        try await withServer(handler: handler) { fixture in
            for request in [
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
                "GET /close HTTP/1.1\r\nHost: a\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n",
            ] {
                let client = try fixture.connect()
                try client.send(request)
                #expect(try await client.answer().headers["Connection"] == "close")
                #expect(try await client.isClosedQuietly())
            }
            let client = try fixture.connect()
            for _ in 1...2 {
                try client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                #expect(try await client.answer().headers["Connection"] == "keep-alive")
            }
        }
    }

    @Test("a handler's HTTPError is told to the client; any other error is 500 without details, and logged")
    func errors() async throws {
        struct Failure: Error { let detail = "the database is on fire" }
        let handler: HTTPHandler = { request in
            if request.path == "/teapot" { throw HTTPError(418, "I am a teapot") }
            throw Failure()
        }
        try await withServer(handler: handler) { fixture in
            let client = try fixture.connect()
            try client.send("GET /teapot HTTP/1.1\r\nHost: a\r\n\r\n")
            let told = try await client.answer()
            #expect(told.status == 418)
            #expect(told.text == "I am a teapot")
            #expect(told.headers["Content-Type"] == "text/plain; charset=utf-8")
            #expect(fixture.logged.all.isEmpty)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let failed = try await client.answer()
            #expect(failed.status == 500)
            #expect(!failed.text.contains("fire"))
            #expect(fixture.logged.all.contains { $0.contains("on fire") })
        }
    }

    @Test(
        "an answer that would split the header, or has an impossible status, becomes a 500",
        arguments: [
            HTTPResponse(status: 200, headers: ["X": "a\r\nSet-Cookie: b"]),
            HTTPResponse(status: 200, headers: ["X\n": ""]),
            HTTPResponse(status: 200, headers: ["": "x"]), HTTPResponse(status: 200, headers: ["X": "a\0"]),
            HTTPResponse(status: 99), HTTPResponse(status: 101), HTTPResponse(status: 1000),
        ])
    func unsendable(response: HTTPResponse) async throws {
        let handler: HTTPHandler = { _ in response }
        try await withServer(handler: handler) { fixture in
            let answer = try await fixture.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer.status == 500)
            #expect(answer.headers["Set-Cookie"] == nil)
        }
    }

    @Test("several loops serve many connections at once, and none stays open")
    func manyConnections() async throws {
        try await withServer(loops: 2, handler: echo) { fixture in
            try await withThrowingTaskGroup { group in
                for number in 0..<100 {
                    group.addTask {
                        let client = try fixture.connect()
                        for round in 0..<5 {
                            try client.send("GET /\(number)/\(round) HTTP/1.1\r\nHost: a\r\n\r\n")
                            #expect(try await client.answer().text == "GET /\(number)/\(round) ")
                        }
                        client.close()
                    }
                }
                try await group.waitForAll()
            }
            try await eventually { fixture.server.openConnections == 0 }
        }
    }
}
