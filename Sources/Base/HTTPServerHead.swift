/// How the body of an answer is delimited.
enum HTTPBodyFraming {
    /// By `Content-Length`.
    case length(Int)
    case chunked
    /// By the end of the connection.
    case untilClose
    /// No body and no length: 204, 304, or a `HEAD` whose length is not known.
    case none
}

extension HTTPResponse {
    /// Whether the status allows a body (RFC 9110, 6.4.1).
    var mayHaveBody: Bool { status >= 200 && status != 204 && status != 304 }

    /// Whether the status and the fields can be sent as they are; anything else could split the answer.
    var isSendable: Bool {
        (200...599).contains(status)
            && headers.fields.allSatisfy { field in
                !field.name.isEmpty && field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
                    && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
            }
    }

    /// The status line and the header, with room for `extra` bytes.
    func head(framing: HTTPBodyFraming, date: [UInt8], connection: String?, extra: Int = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256 + extra)
        func line(_ name: StaticString, _ value: some Sequence<UInt8>) {
            name.withUTF8Buffer { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: value)
            bytes.append(contentsOf: [13, 10])
        }
        line("HTTP/1.1 ", HTTPResponse.statusLine(status).utf8)
        for field in headers.fields where !HTTPResponse.isServersOwn(field.name) {
            bytes.append(contentsOf: field.name.utf8)
            line(": ", field.value.utf8)
        }
        line("Date: ", date)
        switch framing {
        case .length(let count): line("Content-Length: ", String(count).utf8)
        case .chunked: line("Transfer-Encoding: ", "chunked".utf8)
        case .untilClose, .none: break
        }
        if let connection { line("Connection: ", connection.utf8) }
        bytes.append(contentsOf: [13, 10])
        return bytes
    }

    /// Fields that the server writes itself.
    private static func isServersOwn(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: equalIgnoringCase(name, "Date")
        case 10: equalIgnoringCase(name, "Connection") || equalIgnoringCase(name, "Keep-Alive")
        case 14: equalIgnoringCase(name, "Content-Length")
        case 17: equalIgnoringCase(name, "Transfer-Encoding")
        default: false
        }
    }

    private static func statusLine(_ status: Int) -> String {
        switch status {
        case 200: "200 OK"
        case 201: "201 Created"
        case 202: "202 Accepted"
        case 204: "204 No Content"
        case 301: "301 Moved Permanently"
        case 302: "302 Found"
        case 303: "303 See Other"
        case 304: "304 Not Modified"
        case 307: "307 Temporary Redirect"
        case 308: "308 Permanent Redirect"
        case 400: "400 Bad Request"
        case 401: "401 Unauthorized"
        case 403: "403 Forbidden"
        case 404: "404 Not Found"
        case 405: "405 Method Not Allowed"
        case 408: "408 Request Timeout"
        case 409: "409 Conflict"
        case 410: "410 Gone"
        case 411: "411 Length Required"
        case 412: "412 Precondition Failed"
        case 413: "413 Content Too Large"
        case 414: "414 URI Too Long"
        case 415: "415 Unsupported Media Type"
        case 417: "417 Expectation Failed"
        case 422: "422 Unprocessable Content"
        case 428: "428 Precondition Required"
        case 429: "429 Too Many Requests"
        case 431: "431 Request Header Fields Too Large"
        case 500: "500 Internal Server Error"
        case 501: "501 Not Implemented"
        case 502: "502 Bad Gateway"
        case 503: "503 Service Unavailable"
        case 504: "504 Gateway Timeout"
        case 505: "505 HTTP Version Not Supported"
        case 507: "507 Insufficient Storage"
        default: "\(status) "
        }
    }
}
