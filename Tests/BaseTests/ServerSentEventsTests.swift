import Testing

@testable import Base

struct ServerSentEventsTests {
    private func parse(_ pieces: [[UInt8]]) throws -> [ServerSentEvent] {
        var parser = ServerSentEventParser()
        return try pieces.flatMap { try parser.feed($0) }
    }

    private func parse(_ text: String) throws -> [ServerSentEvent] { try parse([Array(text.utf8)]) }

    /// A stream with everything in it, and what it says.
    private static let stream =
        "\u{FEFF}: hello\r\ndata: eins\r\ndata:zwei\r\n\r\n" + "event: ping\n\n" + "event:named\rdata: ünï 🙂\r\r"
        + "data\n\n" + "id: 7\nretry: 10\nunknown: x\ndata:  two spaces\n\n" + "\n\r\n\r"
        + "data: {\"a\":\"b: c\"}\r\n\r\n"
        + "event: lost\ndata: never ended\n"
    private static let events = [
        ServerSentEvent(name: "", data: "eins\nzwei"), ServerSentEvent(name: "ping", data: ""),
        ServerSentEvent(name: "named", data: "ünï 🙂"), ServerSentEvent(name: "", data: ""),
        ServerSentEvent(name: "", data: " two spaces"), ServerSentEvent(name: "", data: "{\"a\":\"b: c\"}"),
    ]

    @Test("a stream says the same wherever the network cuts it in two")
    func cutInTwo() throws {
        let bytes = Array(Self.stream.utf8)
        #expect(try parse([bytes]) == Self.events)
        for cut in 0...bytes.count {
            #expect(try parse([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.events, "cut at \(cut)")
        }
    }

    @Test("a stream says the same in pieces of any size, down to single bytes")
    func cutInPieces() throws {
        let bytes = Array(Self.stream.utf8)
        for size in 1...bytes.count {
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min($0 + size, bytes.count)])
            }
            #expect(try parse(pieces) == Self.events, "pieces of \(size)")
        }
    }

    @Test("LF, CR and CRLF end a line, also mixed", arguments: ["\n", "\r", "\r\n"])
    func lineEnds(end: String) throws {
        #expect(
            try parse("data: a\(end)data: b\(end)\(end)data: c\(end)\(end)")
                == [ServerSentEvent(name: "", data: "a\nb"), ServerSentEvent(name: "", data: "c")])
    }

    @Test("a name is that of its own event only, and the last one given counts")
    func names() throws {
        #expect(
            try parse("event: x\nevent: y\ndata: 1\n\ndata: 2\n\n")
                == [ServerSentEvent(name: "y", data: "1"), ServerSentEvent(name: "", data: "2")])
    }

    @Test("comments and empty lines alone are no events")
    func comments() throws {
        #expect(try parse(": keep-alive\n\n\n:\n\nevent\n\nevent:\n\n").isEmpty)
    }

    @Test("a byte order mark counts at the stream's beginning only")
    func byteOrderMark() throws {
        #expect(try parse("\u{FEFF}data: a\n\n") == [ServerSentEvent(name: "", data: "a")])
        #expect(try parse("data: a\n\n\u{FEFF}data: b\n\n") == [ServerSentEvent(name: "", data: "a")])
    }

    @Test("invalid UTF-8 is replaced, and what follows is read")
    func invalidUTF8() throws {
        let bytes = Array("data: a".utf8) + [0xFF, 0xC3] + Array("b\n\ndata: c\n\n".utf8)
        #expect(
            try parse([bytes])
                == [ServerSentEvent(name: "", data: "a\u{FFFD}\u{FFFD}b"), ServerSentEvent(name: "", data: "c")])
    }

    @Test("an event over the limit is refused, however it is cut, and one of just the limit is read")
    func limit() throws {
        let line = "data: " + String(repeating: "x", count: 94) + "\n"
        var parser = ServerSentEventParser(maximumBytes: 100)
        #expect(try parser.feed(Array((line + "\n").utf8)).count == 1)
        #expect(try parser.feed(Array((line + "\n").utf8)).count == 1)
        _ = try parser.feed(Array(line.utf8))
        #expect(throws: ServerSentEventError.tooLong(maximumBytes: 100)) { try parser.feed(Array(line.utf8)) }

        var endless = ServerSentEventParser(maximumBytes: 100)
        #expect(throws: ServerSentEventError.tooLong(maximumBytes: 100)) {
            for _ in 0..<101 { _ = try endless.feed([UInt8(ascii: ":")]) }
        }
    }

    @Test(
        "a large piece of many short lines is read whole, whichever line end it has", arguments: ["\n", "\r", "\r\n"])
    func manyLines(end: String) throws {
        let text = String(repeating: "data: x\(end)\(end)", count: 20_000)
        #expect(try parse(text).count == 20_000)
    }
}
