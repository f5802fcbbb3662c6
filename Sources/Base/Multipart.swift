import Glibc

/// `multipart/form-data`.
public enum Multipart {
    public struct Limits: Sendable {
        public var parts = 1_000
        /// Bytes of one part's header.
        public var headerBytes = 16 * 1024
        public init() {}
    }

    public struct Part: Sendable, Equatable {
        public var name: String
        public var filename: String?
        public var contentType: String?
        public var body: [UInt8]
        public init(name: String, filename: String? = nil, contentType: String? = nil, body: [UInt8]) {
            self.name = name
            self.filename = filename
            self.contentType = contentType
            self.body = body
        }
    }

    /// - Parameter contentType: the request's `Content-Type` header, which names the boundary.
    /// - Throws: ``FormError``; `tooManyKeys` for too many parts.
    public static func decode(_ body: [UInt8], contentType: String, limits: Limits = Limits()) throws -> [Part] {
        guard let boundary = HeaderValue(contentType).parameters["boundary"], !boundary.isEmpty else {
            throw FormError.malformed("the Content-Type names no boundary")
        }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter may stand at the very beginning, without a line end before it.
        var position = body.starts(with: delimiter.dropFirst(2)) ? delimiter.count - 2 : nil
        if position == nil { position = find(delimiter, in: body, from: 0).map { $0 + delimiter.count } }
        guard var position else { throw FormError.malformed("the boundary does not occur") }

        var parts: [Part] = []
        while !body[position...].starts(with: "--".utf8) {
            while position < body.count, body[position] == 0x20 || body[position] == 0x09 { position += 1 }
            guard body[position...].starts(with: "\r\n".utf8) else {
                throw FormError.malformed("a boundary is not followed by a line end")
            }
            guard parts.count < limits.parts else { throw FormError.tooManyKeys(limit: limits.parts) }
            // A part may have no header at all, so the line end of the boundary can belong to the blank line.
            guard let headerEnd = find(Array("\r\n\r\n".utf8), in: body, from: position),
                headerEnd - position <= limits.headerBytes
            else { throw FormError.malformed("a part's header does not end") }
            guard let end = find(delimiter, in: body, from: headerEnd + 2) else {
                throw FormError.malformed("the last part does not end")
            }
            let content = headerEnd + 4 <= end ? Array(body[(headerEnd + 4)..<end]) : []
            parts.append(try part(header: body[position..<headerEnd], body: content))
            position = end + delimiter.count
        }
        return parts
    }

    /// The body and its `Content-Type`. A quote or line end in a name is escaped as browsers do (`%22`).
    public static func encode(_ parts: [Part]) -> (body: [UInt8], contentType: String) {
        let boundary = "bitbot-" + Vault.randomToken(bytes: 18)
        var body: [UInt8] = []
        body.reserveCapacity(parts.reduce(128) { $0 + $1.body.count + 256 })
        for part in parts {
            body.append(contentsOf: "--\(boundary)\r\nContent-Disposition: form-data; name=\(quoted(part.name))".utf8)
            if let filename = part.filename { body.append(contentsOf: "; filename=\(quoted(filename))".utf8) }
            if let type = part.contentType {
                body.append(contentsOf: "\r\nContent-Type: ".utf8)
                body.append(contentsOf: type.utf8.filter { $0 >= 0x20 && $0 != 0x7F })
            }
            body.append(contentsOf: "\r\n\r\n".utf8)
            body.append(contentsOf: part.body)
            body.append(contentsOf: "\r\n".utf8)
        }
        body.append(contentsOf: "--\(boundary)--\r\n".utf8)
        return (body, "multipart/form-data; boundary=\(boundary)")
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": result += "%22"
            case "\r": result += "%0D"
            case "\n": result += "%0A"
            case "\\": result += "\\\\"
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }

    private static func part(header: ArraySlice<UInt8>, body: [UInt8]) throws -> Part {
        var disposition: HeaderValue?
        var contentType: String?
        for line in String(decoding: header, as: UTF8.self).split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else { throw FormError.malformed("a header without a colon") }
            let value = line[line.index(after: colon)...].trimmingBlanks()
            switch line[..<colon].lowercased() {
            case "content-disposition": disposition = HeaderValue(value)
            case "content-type": contentType = value
            default: break
            }
        }
        guard let disposition, disposition.value == "form-data", let name = disposition.parameters["name"] else {
            throw FormError.malformed("a part without a name")
        }
        let extended = disposition.parameters["filename*"].flatMap(extendedValue)
        let filename = extended ?? disposition.parameters["filename"].map(unescaped)
        return Part(
            name: unescaped(name), filename: filename, contentType: contentType, body: body)
    }

    /// What browsers escape inside quotes.
    private static func unescaped(_ text: String) -> String {
        guard text.contains("%") else { return text }
        return text.replacing("%22", with: "\"").replacing("%0D", with: "\r").replacing("%0A", with: "\n")
    }

    /// `UTF-8''na%C3%AFve.txt` (RFC 8187).
    private static func extendedValue(_ text: String) -> String? {
        let pieces = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard pieces.count == 3, pieces[0].lowercased() == "utf-8" else { return nil }
        return Form.percentDecode(pieces[2])
    }

    /// Where `needle`, which begins with CR, occurs next.
    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { all -> Int? in
            guard let base = all.baseAddress else { return nil }
            var position = start
            while position + needle.count <= all.count,
                let found = memchr(base + position, 0x0D, all.count - needle.count + 1 - position)
            {
                if memcmp(found, needle, needle.count) == 0 { return UnsafeRawPointer(found) - base }
                position = UnsafeRawPointer(found) - base + 1
            }
            return nil
        }
    }
}
