/// The answer's status and fields, gathered from the lines that libcurl hands over.
struct HTTPClientHead {
    private static let maximumBytes = 256 * 1024

    private(set) var status = 0
    private var fields: [HTTPHeaders.Field] = []
    private(set) var isComplete = false
    /// Whether somebody was told that it is complete.
    var isHandled = false
    private var bytes = 0

    var contentLength: Int? {
        fields.first { equalIgnoringCase($0.name, "Content-Length") }.flatMap { Int($0.value) }
    }

    /// The fields, to be kept elsewhere from now on.
    mutating func handOver() -> HTTPHeaders {
        defer { fields = [] }
        return HTTPHeaders(fields)
    }

    /// - Parameter line: with its line end.
    /// - Returns: false when the header has become too long.
    mutating func take(_ line: UnsafeRawBufferPointer) -> Bool {
        // What follows the body is no part of the header, but counts.
        bytes += line.count
        guard bytes <= Self.maximumBytes else { return false }
        if isComplete { return true }
        var line = line[...]
        while let last = line.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { line.removeLast() }
        if line.isEmpty {
            // An interim answer (100, 103): the real one follows.
            isComplete = !(100..<200 ~= status)
        } else if line.starts(with: "HTTP/".utf8) {
            fields.removeAll(keepingCapacity: true)
            status = line.drop { $0 != UInt8(ascii: " ") }.dropFirst().prefix(3)
                .reduce(0) { $0 * 10 + Int($1 &- UInt8(ascii: "0")) }
        } else if isSpace(line[line.startIndex]), let last = fields.indices.last {
            fields[last].value += " " + text(line)
        } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
            fields.append(
                HTTPHeaders.Field(
                    name: String(decoding: line[..<colon], as: UTF8.self), value: text(line[(colon + 1)...])))
        }
        return true
    }

    private func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
