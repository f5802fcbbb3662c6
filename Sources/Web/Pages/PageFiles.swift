import Base
import CPages

/// The files of the pages (`Sources/CPages`), served at `/pages/FOLDER/FILE`. A browser keeps them and asks whether they are
/// still the same.
struct PageFiles: Sendable {
    private struct File: Sendable {
        var type: String
        var plain: [UInt8]
        var compressed: [UInt8]
        var tag: String
    }

    /// By name, as `design/design.css`.
    private let files: [String: File]

    static let all = PageFiles()

    private init() {
        var files: [String: File] = [:]
        for file in EmbeddedFile.all(page_files()) {
            files[file.name] = File(
                type: Self.type(of: file.name), plain: file.bytes, compressed: Gzip.compress(file.bytes),
                tag: "\"\(Vault.fingerprint(String(decoding: file.bytes, as: UTF8.self)).prefix(20))\"")
        }
        self.files = files
    }

    var names: [String] { files.keys.sorted() }

    /// A page's HTML.
    func html(_ name: String) -> String { String(decoding: files[name]?.plain ?? [], as: UTF8.self) }

    func add(to router: inout Router) {
        router.on(.get, "/pages/*name") { request in
            guard let file = files[try request.parameter("name")] else { throw HTTPError(404, "Not found") }
            var headers: HTTPHeaders = [
                "Content-Type": file.type, "ETag": file.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding",
            ]
            if request.headers["If-None-Match"] == file.tag { return HTTPResponse(status: 304, headers: headers) }
            guard request.acceptsGzip else {
                return HTTPResponse(status: 200, headers: headers, body: .bytes(file.plain))
            }
            headers["Content-Encoding"] = "gzip"
            return HTTPResponse(status: 200, headers: headers, body: .bytes(file.compressed))
        }
    }

    private static func type(of name: String) -> String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        default: "application/octet-stream"
        }
    }
}

extension HTTPRequest {
    /// Whether gzip may be sent; one that gives it a weight of 0 does not want it.
    var acceptsGzip: Bool {
        headers.all("Accept-Encoding").contains { header in
            header.lowercased().split(separator: ",").contains { choice in
                let parts = choice.split(separator: ";").map { trimmed(String($0)) }
                return parts.first == "gzip"
                    && !parts.dropFirst().contains { $0.hasPrefix("q=0") && !$0.contains { "123456789".contains($0) } }
            }
        }
    }
}
