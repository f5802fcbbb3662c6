import Base

/// Links by which files are fetched. Documentation: `…/imbot.v2/files/file-download.md` (one-time, with a token),
/// `api-reference/disk/file/disk-file-get.md` (with the caller's token, which ends).
struct FileLinks: Sendable {
    enum Kind: String, Sendable { case imbot, disk }

    private struct Link: Sendable {
        var file: Int
        var kind: Kind
    }
    private var links: [String: Link] = [:]
    private var order: [String] = []
    private let limit = 1_000

    mutating func make(to file: Int, kind: Kind) -> String {
        let token = "\(kind.rawValue)|" + randomHexadecimal(digits: 32)
        links[token] = Link(file: file, kind: kind)
        order.append(token)
        if order.count > limit { links[order.removeFirst()] = nil }
        return token
    }

    /// The file of a link that works; a one-time link has worked then.
    mutating func use(_ token: String) -> Int? {
        guard let link = links[token] else { return nil }
        if link.kind == .imbot { links[token] = nil }
        return link.file
    }

    mutating func expire() {
        links = [:]
        order = []
    }
}

extension PortalState {
    mutating func makeLink(to file: Int, kind: FileLinks.Kind) -> String {
        "\(origin)/rest/download.json?token=" + Form.percentEncode(fileLinks.make(to: file, kind: kind))
    }
}

extension SimulatedPortal {
    /// Ends every link to a file that methods have given.
    public func expireFileLinks() { state.withLock { $0.fileLinks.expire() } }

    /// A file by its signed link. Documentation: `settings/how-to-call-rest-api/general-principles.md` (a request without
    /// `User-Agent` is not served).
    func download(_ request: HTTPRequest) async throws -> HTTPResponse {
        let fault = state.withLock { $0.takeFault(for: "download", insideBatch: false) }
        if let fault, let answer = try await suffer(fault, request) { return answer }
        let token = (try? Form.decode(Array(request.query.utf8)))?["token"]?.string ?? ""
        guard request.headers["User-Agent"]?.isEmpty == false, let stored = state.withLock({ $0.file(by: token) })
        else { return .text("Not found", status: 404, type: "text/html") }
        let ascii = String(stored.file.name.unicodeScalars.map { $0.isASCII && $0 != "\"" ? Character($0) : "_" })
        let name = Form.percentEncode(stored.file.name)
        return HTTPResponse(
            status: 200,
            headers: [
                "Content-Type": "application/octet-stream",
                "Content-Disposition": "attachment; filename=\"\(ascii)\"; filename*=utf-8''\(name)",
            ], body: .bytes(stored.file.content))
    }
}

extension PortalState {
    /// By a link of a method's, or by one that an event shows, which works for good.
    fileprivate mutating func file(by token: String) -> StoredFile? {
        if let id = fileLinks.use(token) { return files[id] }
        let parts = token.split(separator: "|")
        guard parts.count == 3, parts[0] == "imbot", let id = Int(parts[1]), let stored = files[id],
            stored.secret == parts[2]
        else { return nil }
        return stored
    }
}
