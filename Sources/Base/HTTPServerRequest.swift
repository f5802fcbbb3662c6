import CBase

extension base_http_text {
    fileprivate var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: count) }
    fileprivate var string: String { String(decoding: buffer, as: UTF8.self) }
}

extension HTTPRequest {
    /// Copies a parsed request.
    /// - Returns: `nil` when its target is none that a server is asked for.
    init?(_ message: base_http_message, remoteAddress: String) {
        let target = message.target.buffer
        guard target.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else { return nil }
        var fields: [HTTPHeaders.Field] = []
        fields.reserveCapacity(message.field_count)
        for field in UnsafeBufferPointer(start: message.fields, count: message.field_count) {
            fields.append(HTTPHeaders.Field(name: field.name.string, value: field.value.string))
        }
        var headers = HTTPHeaders(fields)
        var resource = target[...]
        if target.first != UInt8(ascii: "/") {
            // The absolute form: its authority stands for the Host field (RFC 9112, 3.2.2).
            guard let parts = HTTPRequest.splitAbsolute(target) else { return nil }
            headers["Host"] = String(decoding: parts.authority, as: UTF8.self)
            resource = parts.resource
        }
        let mark = resource.firstIndex(of: UInt8(ascii: "?"))
        let path = resource[..<(mark ?? resource.endIndex)]
        self.init(
            method: HTTPMethod(rawValue: message.method.string),
            path: path.isEmpty ? "/" : String(decoding: path, as: UTF8.self),
            query: mark.map { String(decoding: resource[($0 + 1)...], as: UTF8.self) } ?? "",
            headers: headers, body: Array(message.body.buffer), remoteAddress: remoteAddress)
    }

    private typealias Part = Slice<UnsafeBufferPointer<UInt8>>

    private static func splitAbsolute(_ target: UnsafeBufferPointer<UInt8>) -> (authority: Part, resource: Part)? {
        for scheme in ["http://", "https://"] {
            let prefix = target.prefix(scheme.utf8.count)
            guard prefix.elementsEqual(scheme.utf8, by: { $0 | 0x20 == $1 | 0x20 }) else { continue }
            let rest = target[prefix.endIndex...]
            let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            let authority = rest[..<end]
            return authority.isEmpty || authority.contains(UInt8(ascii: "@")) ? nil : (authority, rest[end...])
        }
        return nil
    }
}
