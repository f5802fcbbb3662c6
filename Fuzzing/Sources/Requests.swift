import CBase

@testable import Base

/// What the server takes of a connection's bytes: a line for each request.
func requests(in bytes: [UInt8], cutEvery count: Int) -> [String] {
    let limits = base_http_limits(target_bytes: 256, header_bytes: 2_048, header_fields: 20, body_bytes: 1_024)
    guard let parser = base_http_parser_new(limits) else { return [] }
    defer { base_http_parser_free(parser) }
    var lines: [String] = []
    for start in stride(from: 0, to: bytes.count, by: count) {
        guard
            base_http_parser_feed(
                parser, Array(bytes[start..<min(start + count, bytes.count)]), min(count, bytes.count - start))
        else { return lines }
        reading: while true {
            switch base_http_parser_next(parser) {
            case BASE_HTTP_NEED_MORE: break reading
            case BASE_HTTP_HEADER: _ = message(of: parser)
            case BASE_HTTP_COMPLETE:
                guard let message = message(of: parser) else { return lines }
                guard let request = HTTPRequest(message, remoteAddress: "") else { return lines }
                lines.append(
                    "\(request.method.rawValue) \(request.path) \(request.query) \(request.headers) \(request.body)")
                if !message.keep_alive { return lines }
                base_http_parser_reset(parser)
            default: return lines
            }
        }
    }
    return lines
}

private func message(of parser: OpaquePointer) -> base_http_message? {
    var message = base_http_message()
    return base_http_parser_message(parser, &message) ? message : nil
}
