import Testing

/// Bytes that no good client sends, and what they are answered with.
public struct MalformedRequest: Sendable, CustomTestStringConvertible {
    public let name: String
    public let bytes: String
    public let status: Int

    init(_ name: String, _ bytes: String, _ status: Int = 400) {
        self.name = name
        self.bytes = bytes
        self.status = status
    }

    public var testDescription: String { name }

    public static let all: [MalformedRequest] = [
        MalformedRequest("no Host", "GET / HTTP/1.1\r\n\r\n"),
        MalformedRequest("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        MalformedRequest("two Hosts of HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        MalformedRequest("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        MalformedRequest("a Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        MalformedRequest("bare LF", "GET / HTTP/1.1\nHost: a\n\n"),
        MalformedRequest("bare LF in the header", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
        MalformedRequest("bare CR in the header", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"),
        MalformedRequest("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n"),
        MalformedRequest("NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n"),
        MalformedRequest("NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("blank before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"),
        MalformedRequest("blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        MalformedRequest("field without a colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"),
        MalformedRequest(
            "a method of 65 letters", "\(String(repeating: "G", count: 65)) / HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("field without a name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
        MalformedRequest(
            "two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        MalformedRequest(
            "the same length twice", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"),
        MalformedRequest("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na"),
        MalformedRequest("negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        MalformedRequest("length with a sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na"),
        MalformedRequest("length in hex", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na"),
        MalformedRequest("empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
        MalformedRequest(
            "length out of range", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
        MalformedRequest(
            "length and chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        MalformedRequest(
            "chunked and length",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n"),
        MalformedRequest("gzip encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
        MalformedRequest(
            "gzip and chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        MalformedRequest(
            "chunked twice",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        MalformedRequest("identity encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
        MalformedRequest("xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        MalformedRequest("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        MalformedRequest("chunk size that is none", chunked("zz\r\nab\r\n0\r\n\r\n")),
        MalformedRequest("chunk size with 0x", chunked("0x2\r\nab\r\n0\r\n\r\n")),
        MalformedRequest("chunk size below zero", chunked("-2\r\nab\r\n0\r\n\r\n")),
        MalformedRequest("chunk size out of range", chunked("fffffffffffffffff\r\n"), 400),
        MalformedRequest("chunk without its end", chunked("2\r\nabXX0\r\n\r\n")),
        MalformedRequest("chunk extension that is none", chunked("2;\u{1}\r\nab\r\n0\r\n\r\n")),
        MalformedRequest("endless chunk extension", chunked("2;x=" + String(repeating: "y", count: 20_000))),
        MalformedRequest("endless trailer", chunked("0\r\n" + String(repeating: "X: y\r\n", count: 4_000))),
        MalformedRequest("bad trailer", chunked("0\r\nno colon\r\n\r\n")),
        MalformedRequest("chunk over the limit", chunked("7fffffff\r\n"), 413),
        MalformedRequest("no version", "GET /\r\n\r\n"),
        MalformedRequest("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        MalformedRequest("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
        MalformedRequest("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        MalformedRequest("version in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("version that is none", "GET / HTTQ/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("method with a slash", "G/T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("no method", " / HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("endless method", String(repeating: "A", count: 5_000)),
        MalformedRequest("target without a slash", "GET x HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("target with a fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("target beyond ASCII", "GET /é HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("target of a tunnel", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
        MalformedRequest("target with a password", "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        MalformedRequest("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}ü\u{3}\u{3}" + String(repeating: "x", count: 200)),
        MalformedRequest("an unknown expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
        MalformedRequest(
            "target over the limit", "GET /" + String(repeating: "a", count: 8 * 1024) + " HTTP/1.1\r\nHost: a\r\n\r\n",
            414),
        MalformedRequest("target without end", "GET /" + String(repeating: "a", count: 100_000), 414),
        MalformedRequest(
            "too many fields",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 100) + "\r\n", 431),
        MalformedRequest(
            "field over the limit",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 40_000) + "\r\n\r\n", 431),
        MalformedRequest(
            "header without end", "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 100_000), 431),
        MalformedRequest(
            "folded field over the limit",
            "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n" + String(repeating: " y\r\n", count: 10_000) + "\r\n", 431),
        MalformedRequest(
            "declared body over the limit", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388609\r\n\r\n", 413),
        MalformedRequest(
            "declared body over the limit, asking first",
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 8388609\r\n\r\n", 413),
    ]

    private static func chunked(_ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    }
}
