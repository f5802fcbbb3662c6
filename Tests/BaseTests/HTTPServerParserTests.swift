import CBase
import Testing

@testable import Base

@Suite struct HTTPServerParserTests {
    private static let stream = [
        "GET /first?a=b HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n",
        "\r\nPOST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /third HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n1\r\nd\r\n0\r\nT: x\r\n\r\n",
        "POST /fourth HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /fifth HTTP/1.0\r\n\r\n",
        "GET /bad HTTP/1.1\r\nHost : a\r\n\r\n",
    ].joined()

    private static let expected = [
        "GET /first?a=b [Host=a,X=y folded] ", "POST /second? [Host=a,Content-Length=5] hello",
        "POST /third? [Host=a,Transfer-Encoding=chunked] abcd", "POST /fourth? [Host=a,Transfer-Encoding=chunked] ",
        "GET /fifth? [] ", "400",
    ]

    /// Feeds the pieces and tells what comes out.
    private func outcome(_ pieces: [ArraySlice<UInt8>]) throws -> [String] {
        let limits = base_http_limits(target_bytes: 100, header_bytes: 200, header_fields: 3, body_bytes: 10)
        let parser = try #require(base_http_parser_new(limits))
        defer { base_http_parser_free(parser) }
        var outcome: [String] = []
        for piece in pieces {
            let fed = piece.withUnsafeBufferPointer { base_http_parser_feed(parser, $0.baseAddress, $0.count) }
            try #require(fed)
            reading: while true {
                switch base_http_parser_next(parser) {
                case BASE_HTTP_NEED_MORE: break reading
                case BASE_HTTP_HEADER: continue
                case BASE_HTTP_COMPLETE:
                    outcome.append(try request(in: parser))
                    base_http_parser_reset(parser)
                case let refusal: return outcome + ["\(refusal.rawValue)"]
                }
            }
        }
        return outcome
    }

    private func request(in parser: OpaquePointer) throws -> String {
        var message = base_http_message()
        try #require(base_http_parser_message(parser, &message))
        let request = try #require(HTTPRequest(message, remoteAddress: ""))
        let fields = request.headers.fields.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        let body = String(decoding: request.body, as: UTF8.self)
        return "\(request.method.rawValue) \(request.path)?\(request.query) [\(fields)] \(body)"
    }

    @Test("a stream of requests gives the same requests however the network cuts it")
    func cuts() throws {
        let bytes = Array(HTTPServerParserTests.stream.utf8)
        #expect(try outcome([bytes[...]]) == HTTPServerParserTests.expected)
        #expect(try outcome(bytes.indices.map { bytes[$0...$0] }) == HTTPServerParserTests.expected)
        for cut in bytes.indices {
            #expect(try outcome([bytes[..<cut], bytes[cut...]]) == HTTPServerParserTests.expected)
        }
    }
}
