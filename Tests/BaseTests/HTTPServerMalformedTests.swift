import Testing

@testable import Base

/// Bytes that no good client sends, and what they are answered with.
struct Malformed: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: String
    let status: Int

    init(_ name: String, _ bytes: String, _ status: Int = 400) {
        self.name = name
        self.bytes = bytes
        self.status = status
    }

    var testDescription: String { name }

    static let all: [Malformed] = [
        Malformed("no Host", "GET / HTTP/1.1\r\n\r\n"),
        Malformed("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        Malformed("two Hosts of HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        Malformed("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        Malformed("a Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        Malformed("bare LF", "GET / HTTP/1.1\nHost: a\n\n"),
        Malformed("bare LF in the header", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
        Malformed("bare CR in the header", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"),
        Malformed("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n"),
        Malformed("NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n"),
        Malformed("NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed("blank before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"),
        Malformed("blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        Malformed("field without a colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"),
        Malformed("field without a name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
        Malformed("two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        Malformed(
            "the same length twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"),
        Malformed("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na"),
        Malformed("negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        Malformed("length with a sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na"),
        Malformed("length in hex", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na"),
        Malformed("empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
        Malformed(
            "length out of range", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
        Malformed(
            "length and chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Malformed(
            "chunked and length",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n"),
        Malformed("gzip encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
        Malformed(
            "gzip and chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        Malformed(
            "chunked twice",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Malformed("identity encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
        Malformed("xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        Malformed("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Malformed("chunk size that is none", chunked("zz\r\nab\r\n0\r\n\r\n")),
        Malformed("chunk size with 0x", chunked("0x2\r\nab\r\n0\r\n\r\n")),
        Malformed("chunk size below zero", chunked("-2\r\nab\r\n0\r\n\r\n")),
        Malformed("chunk size out of range", chunked("fffffffffffffffff\r\n"), 400),
        Malformed("chunk without its end", chunked("2\r\nabXX0\r\n\r\n")),
        Malformed("chunk extension that is none", chunked("2;\u{1}\r\nab\r\n0\r\n\r\n")),
        Malformed("endless chunk extension", chunked("2;x=" + String(repeating: "y", count: 20_000))),
        Malformed("endless trailer", chunked("0\r\n" + String(repeating: "X: y\r\n", count: 4_000))),
        Malformed("bad trailer", chunked("0\r\nno colon\r\n\r\n")),
        Malformed("chunk over the limit", chunked("7fffffff\r\n"), 413),
        Malformed("no version", "GET /\r\n\r\n"),
        Malformed("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        Malformed("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
        Malformed("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        Malformed("version in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        Malformed("version that is none", "GET / HTTQ/1.1\r\nHost: a\r\n\r\n"),
        Malformed("two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed("no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed("method with a slash", "G/T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed("no method", " / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed("endless method", String(repeating: "A", count: 5_000)),
        Malformed("target without a slash", "GET x HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed("target with a fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed("target beyond ASCII", "GET /é HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed("target of a tunnel", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
        Malformed("target with a password", "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        Malformed("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}ü\u{3}\u{3}" + String(repeating: "x", count: 200)),
        Malformed("an unknown expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
        Malformed(
            "target over the limit", "GET /" + String(repeating: "a", count: 8 * 1024) + " HTTP/1.1\r\nHost: a\r\n\r\n",
            414),
        Malformed("target without end", "GET /" + String(repeating: "a", count: 100_000), 414),
        Malformed(
            "too many fields",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 100) + "\r\n", 431),
        Malformed(
            "field over the limit",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 40_000) + "\r\n\r\n", 431),
        Malformed(
            "header without end", "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 100_000), 431),
        Malformed(
            "folded field over the limit",
            "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n" + String(repeating: " y\r\n", count: 10_000) + "\r\n", 431),
        Malformed("declared body over the limit", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388609\r\n\r\n", 413),
        Malformed(
            "declared body over the limit, asking first",
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 8388609\r\n\r\n", 413),
    ]

    private static func chunked(_ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    }
}

@Suite struct HTTPServerMalformedTests {
    @Test(
        "bad bytes get their status, the connection ends, no handler sees them, and a neighbour is answered",
        arguments: Malformed.all)
    func refused(_ malformed: Malformed) async throws {
        let handled = Recorder<String>()
        let handler: HTTPHandler = { request in
            handled.add(request.path)
            return .text("fine")
        }
        try await withServer(handler: handler) { fixture in
            let neighbour = try fixture.connect()
            try neighbour.send("GET /neighbour HTTP/1.1\r\nHo")
            let client = try fixture.connect()
            try client.send(malformed.bytes)
            let answer = try await client.answer()
            #expect(answer.status == malformed.status)
            #expect(answer.headers["Connection"] == "close")
            #expect(try await client.isClosedQuietly())
            try neighbour.send("st: a\r\n\r\n")
            #expect(try await neighbour.answer().text == "fine")
            #expect(handled.all == ["/neighbour"])
        }
    }

    @Test(
        "a refused request sent byte by byte is refused as well",
        arguments: Malformed.all.filter { $0.bytes.count < 200 })
    func byteByByte(_ malformed: Malformed) async throws {
        try await withServer(handler: echo) { fixture in
            let client = try fixture.connect()
            // The answer may come, and the connection end, before the last byte is out.
            for byte in malformed.bytes.utf8 where (try? client.send([byte])) == nil { break }
            #expect(try await client.answer().status == malformed.status)
        }
    }

    @Test("what was asked before the bad bytes is answered first")
    func afterGoodRequest() async throws {
        try await withServer(handler: echo) { fixture in
            let client = try fixture.connect()
            try client.send(
                "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.answer().text == "GET /1 ")
            #expect(try await client.answer().status == 400)
            #expect(try await client.isClosedQuietly())
        }
    }
}
