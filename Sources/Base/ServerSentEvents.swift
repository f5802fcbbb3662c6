import Glibc

/// One event of a `text/event-stream`.
public struct ServerSentEvent: Sendable, Equatable {
    /// The `event:` field; empty if there was none.
    public var name: String
    /// The `data:` lines, joined by line ends; empty for an event that had none (Dify's `event: ping`).
    public var data: String
    public init(name: String, data: String) {
        self.name = name
        self.data = data
    }
}

/// Why a stream of events cannot be read on.
public enum ServerSentEventError: Error, Sendable, Equatable {
    /// One event, or one line, is longer than the parser's limit.
    case tooLong(maximumBytes: Int)
}

/// Cuts a stream into events, wherever the network cut it (inside a character, between CR and LF). Follows the HTML
/// standard's rules, except that an event with a name and no data is reported too, since Dify's pings are of that kind.
/// `id` and `retry` are skipped: nobody reconnects to such a stream. An event that the stream's end cuts is not one.
public struct ServerSentEventParser: Sendable {
    private let maximumBytes: Int
    /// The beginning of a line whose end has not come.
    private var line: [UInt8] = []
    private var name: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var isFirstLine = true
    /// The last piece ended with CR: an LF at the beginning of the next belongs to it.
    private var endedWithCarriageReturn = false

    /// - Parameter maximumBytes: longest event; a longer one throws.
    public init(maximumBytes: Int = 4 * 1024 * 1024) { self.maximumBytes = maximumBytes }

    /// The events that this piece completed.
    /// - Throws: ``ServerSentEventError``; the parser is of no use after that.
    public mutating func feed(_ piece: [UInt8]) throws -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        try piece.withUnsafeBytes { bytes in
            guard !bytes.isEmpty else { return }
            var start = 0
            if endedWithCarriageReturn, bytes[0] == UInt8(ascii: "\n") { start = 1 }
            endedWithCarriageReturn = false
            var lines = LineEnds(bytes)
            while let end = lines.next(from: start) {
                try take(lineEnd: UnsafeRawBufferPointer(rebasing: bytes[start..<end]), into: &events)
                start = end + 1
                guard bytes[end] == UInt8(ascii: "\r") else { continue }
                if start == bytes.count {
                    endedWithCarriageReturn = true
                } else if bytes[start] == UInt8(ascii: "\n") {
                    start += 1
                }
            }
            let rest = bytes[start...]
            try checkLength(adding: rest.count)
            line.append(contentsOf: rest)
        }
        letGo()
        return events
    }

    /// The next event may be long in coming: what is empty takes no memory until then.
    private mutating func letGo() {
        if line.isEmpty { line = [] }
        if name.isEmpty { name = [] }
        if data.isEmpty { data = [] }
    }

    /// Finds CR or LF; each byte is looked at once, whichever of the two a stream uses.
    private struct LineEnds {
        private let bytes: UnsafeRawBufferPointer
        private var lineFeed = -1
        private var carriageReturn = -1

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        mutating func next(from start: Int) -> Int? {
            if lineFeed < start { lineFeed = find("\n", from: start) }
            if carriageReturn < start { carriageReturn = find("\r", from: start) }
            let end = min(lineFeed, carriageReturn)
            return end == Int.max ? nil : end
        }

        private func find(_ character: Unicode.Scalar, from start: Int) -> Int {
            guard start < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + start, Int32(character.value), bytes.count - start)
            else { return Int.max }
            return UnsafeRawPointer(found) - base
        }
    }

    private func checkLength(adding count: Int) throws {
        if line.count + name.count + data.count + count > maximumBytes {
            throw ServerSentEventError.tooLong(maximumBytes: maximumBytes)
        }
    }

    private mutating func take(lineEnd bytes: UnsafeRawBufferPointer, into events: inout [ServerSentEvent]) throws {
        try checkLength(adding: bytes.count)
        if line.isEmpty {
            take(line: bytes, into: &events)
        } else {
            line.append(contentsOf: bytes)
            let whole = line
            line.removeAll(keepingCapacity: true)
            whole.withUnsafeBytes { take(line: $0, into: &events) }
        }
    }

    private mutating func take(line: UnsafeRawBufferPointer, into events: inout [ServerSentEvent]) {
        var line = line
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = UnsafeRawBufferPointer(rebasing: line[3...]) }
        }
        if line.isEmpty { return dispatch(into: &events) }
        var nameEnd = line.count
        var valueStart = line.count
        if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
            nameEnd = colon
            valueStart = nameEnd + 1
            if valueStart < line.count, line[valueStart] == UInt8(ascii: " ") { valueStart += 1 }
        }
        let field = line[..<nameEnd]
        let value = line[valueStart...]
        if field.elementsEqual("data".utf8) {
            if hasData { data.append(UInt8(ascii: "\n")) }
            hasData = true
            data.append(contentsOf: value)
        } else if field.elementsEqual("event".utf8) {
            name.removeAll(keepingCapacity: true)
            name.append(contentsOf: value)
        }
    }

    private mutating func dispatch(into events: inout [ServerSentEvent]) {
        if hasData || !name.isEmpty {
            events.append(
                ServerSentEvent(
                    name: String(decoding: name, as: UTF8.self), data: String(decoding: data, as: UTF8.self)))
        }
        name.removeAll(keepingCapacity: true)
        data.removeAll(keepingCapacity: true)
        hasData = false
    }
}
