import TestSupport
import Testing

@testable import Base

@Suite struct HTTPServerStreamTests {
    private func stream(
        _ produce: @escaping @Sendable (_ write: HTTPBodyWriter) async throws -> Void
    ) -> HTTPHandler {
        { _ in HTTPResponse(status: 200, body: .stream(produce)) }
    }

    @Test("a streamed answer arrives piece by piece, in chunks, and the connection stays")
    func chunks() async throws {
        try await withServer(
            handler: stream { write in
                try await write(Array("first".utf8))
                try await write([])
                await Task.yield()
                try await write(Array("second".utf8))
            }
        ) { fixture in
            let client = try fixture.connect()
            for _ in 1...2 {
                try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try await client.answer()
                #expect(answer.headers["Transfer-Encoding"] == "chunked")
                #expect(answer.headers["Content-Length"] == nil)
                #expect(answer.text == "firstsecond")
            }
        }
    }

    @Test("the first piece is sent before the second is made")
    func atOnce() async throws {
        let gate = AsyncGate()
        try await withServer(
            handler: stream { write in
                try await write(Array("first".utf8))
                await gate.wait()
            }
        ) { fixture in
            let client = try fixture.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            var seen = ""
            while !seen.contains("first") { seen += String(decoding: try await client.take(1), as: UTF8.self) }
            await gate.open()
            #expect(String(decoding: try await client.take(7), as: UTF8.self) == "\r\n0\r\n\r\n")
        }
    }

    @Test("an HTTP/1.0 client gets a streamed answer without chunks, ended by closing")
    func oldClient() async throws {
        try await withServer(
            handler: stream { write in
                try await write(Array("first".utf8))
                try await write(Array("second".utf8))
            }
        ) { fixture in
            let answer = try await fixture.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(answer.headers["Transfer-Encoding"] == nil)
            #expect(answer.headers["Connection"] == "close")
            #expect(answer.text == "firstsecond")
        }
    }

    @Test("a writer waits while the client does not read, and everything arrives when it does")
    func backPressure() async throws {
        let accepted = Recorder<Int>()
        let total = 64
        try await withServer(
            handler: stream { write in
                for number in 0..<total {
                    try await write([UInt8](repeating: UInt8(number), count: 1_000_000))
                    accepted.add(number)
                }
            }
        ) { fixture in
            let client = try fixture.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually { !accepted.all.isEmpty }
            var last = -1
            while accepted.all.count != last {
                last = accepted.all.count
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(last < total / 2)
            let body = try await client.answer().body
            #expect(body.count == total * 1_000_000)
            #expect(body.last == UInt8(total - 1))
            #expect(accepted.all.count == total)
        }
    }

    @Test("a streamed answer that fails midway is cut, not ended as if whole")
    func failsMidway() async throws {
        struct Failure: Error {}
        try await withServer(
            handler: stream { write in
                try await write(Array("first".utf8))
                throw Failure()
            }
        ) { fixture in
            for version in ["1.1", "1.0"] {
                let client = try fixture.connect()
                try client.send("GET / HTTP/\(version)\r\nHost: a\r\n\r\n")
                await #expect(throws: RawClientError.self) { try await client.answer() }
            }
            #expect(fixture.logged.all.count == 2)
        }
    }

    @Test("a client that leaves makes the writer throw and cancels the handler's task")
    func clientLeaves() async throws {
        let ended = Recorder<Bool>()
        try await withServer(
            handler: stream { write in
                do {
                    while true {
                        try await write([UInt8](repeating: 65, count: 1_000))
                        await Task.yield()
                    }
                } catch {
                    ended.add(Task.isCancelled && error is CancellationError)
                    throw error
                }
            }
        ) { fixture in
            let client = try fixture.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await client.take(100)
            client.close()
            try await eventually { ended.all == [true] && fixture.server.openConnections == 0 }
            #expect(fixture.logged.all.isEmpty)
        }
    }
}
