import TestSupport
import Testing

@testable import Base

@Suite struct HTTPServerMalformedTests {
    @Test(
        "bad bytes get their status, the connection ends, no handler sees them, and a neighbour is answered",
        arguments: MalformedRequest.all)
    func refused(_ malformed: MalformedRequest) async throws {
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
        arguments: MalformedRequest.all.filter { $0.bytes.count < 200 })
    func byteByByte(_ malformed: MalformedRequest) async throws {
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
