import Foundation
import Synchronization
import Testing

@testable import Base

@Suite struct LogTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
        func log(_ level: Log.Level = .debug) -> Log {
            Log(level: level) { line in self.all.withLock { $0.append(line) } }
        }
        func fields() throws -> [JSON] { try all.withLock { try $0.map { try JSON(parsing: $0.utf8) } } }
    }

    @Test("an event is one JSON line with time, level, name and fields")
    func line() throws {
        let lines = Lines()
        let who = "Anna"
        lines.log().info("signed_in", ["user": .text(who), "count": 3, "share": 0.5, "new": true, "note": "by \(who)"])
        let line = try #require(try lines.fields().first)
        #expect(line["level"] == "info")
        #expect(line["event"] == "signed_in")
        #expect(line["user"] == "Anna" && line["count"] == 3 && line["share"] == 0.5 && line["new"] == true)
        #expect(line["note"] == "by Anna")
        #expect(line["time"]?.string?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        #expect(lines.all.withLock { $0[0].hasPrefix("{\"time\":") })
    }

    @Test("levels below the log's own are not written")
    func levels() throws {
        let lines = Lines()
        let log = lines.log(.warning)
        log.debug("a")
        log.info("b")
        log.warning("c")
        log.error("d")
        #expect(try lines.fields().map { $0["event"] } == ["c", "d"])
    }

    @Test("line ends and control characters cannot begin another line or command a terminal")
    func escaping() throws {
        let lines = Lines()
        let nasty = "a\nb\r\u{1B}[31m\u{9B}\u{7F}\u{2028}\"\\"
        lines.log().info("x", ["text": .text(nasty), nasty: 1])
        let line = lines.all.withLock { $0[0] }
        #expect(line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0 != "\u{2028}" })
        let fields = try #require(try lines.fields().first)
        #expect(fields["text"]?.string == nasty)
        #expect(fields[nasty] == 1)
    }

    @Test("a secret is masked, also inside an error")
    func secrets() throws {
        enum Failure: Error { case refused(Secret, reason: String) }
        struct Wrapped: Error { var inner: any Error }
        let lines = Lines()
        let failure = Failure.refused(Secret("0123456789abcdef"), reason: "no such host")
        lines.log().error(
            "x",
            [
                "key": .secret(Secret("0123456789abcdef")), "error": .error(failure),
                "deep": .error(Wrapped(inner: failure)),
            ])
        let line = lines.all.withLock { $0[0] }
        #expect(!line.contains("0123456789"))
        let fields = try #require(try lines.fields().first)
        #expect(fields["deep"]?.string?.hasPrefix("Wrapped(inner: ") == true)
        #expect(fields["key"] == "••••cdef")
        #expect(fields["error"]?.string?.hasPrefix("Failure.refused(") == true)
        #expect(fields["error"]?.string?.contains("no such host") == true)
    }

    @Test("a field cannot stand in for the time, level or name")
    func reserved() throws {
        let lines = Lines()
        lines.log().info("real", ["event": "ONIMBOTMESSAGEADD", "level": "x", "time": "y"])
        let fields = try #require(try lines.fields().first)
        #expect(fields["event"] == "real" && fields["event_"] == "ONIMBOTMESSAGEADD" && fields["level"] == "info")
    }

    @Test("a huge text is cut and numbers that JSON lacks are null")
    func bounds() throws {
        let lines = Lines()
        lines.log().info("x", ["text": .text(String(repeating: "é", count: 1_000_000)), "n": .number(.nan)])
        #expect(lines.all.withLock { $0[0].utf8.count } < 10_000)
        #expect(try lines.fields().first?["n"] == .null)
    }

    @Test("a moment is shown as ISO 8601 in UTC, also before 1970")
    func moments() {
        #expect(Timestamp(rawValue: 0).iso8601 == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(rawValue: 1_709_210_096_007).iso8601 == "2024-02-29T12:34:56.007Z")
        #expect(Timestamp(rawValue: -1).iso8601 == "1969-12-31T23:59:59.999Z")
    }

    @Test(
        "a log that nobody reads stops nobody; read again, its lines are whole and in order, and it tells how many are missing",
        .timeLimit(.minutes(1)))
    func unread() async throws {
        let pipe = Pipe()
        let output = LineOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor) { "lost \($0)" }
        let padding = String(repeating: "x", count: 6_000)
        let count = 1_000
        for number in 1...count { output.write(line: "\(number) \(padding)") }
        // It returned though the pipe, and what may wait, are full: now somebody reads.
        var lines: [Substring] = []
        var unfinished: [UInt8] = []
        while !lines.contains(where: { $0.hasPrefix("lost") }) {
            unfinished += pipe.fileHandleForReading.availableData
            let end = unfinished.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            lines += String(decoding: unfinished[..<end], as: UTF8.self).split(separator: "\n")
            unfinished.removeFirst(end)
        }
        let lost = try #require(lines.last.flatMap { Int($0.dropFirst("lost ".count)) })
        #expect(lost > 0 && lines.count - 1 + lost == count)
        #expect(lines.dropLast().enumerated().allSatisfy { $1 == "\($0 + 1) \(padding)" })
        output.write(line: "and on")
        #expect(pipe.fileHandleForReading.availableData == Data("and on\n".utf8))
    }
}
