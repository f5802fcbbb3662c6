import Base

extension SandboxPage {
    func routes() -> HTTPHandler {
        var router = Router()
        router.wrap(guardPage)
        for file in PageFile.all {
            let response = file.response
            for path in file.paths { router.on(.get, path) { _ in response } }
        }
        router.on(.get, "/sandbox/events") { [self] _ in eventStream() }
        router.on(.post, "/sandbox/messages") { [self] in try write($0) }
        router.on(.post, "/sandbox/conversations") { [self] _ in
            try openConversation()
            return HTTPResponse(status: 204)
        }
        router.on(.post, "/sandbox/buttons") { [self] in try press($0) }
        router.on(.post, "/sandbox/choices") { [self] in try choose($0) }
        router.on(.post, "/sandbox/operator") { [self] in try operate($0) }
        router.on(.get, "/sandbox/files/:id/:name") { [self] in try download($0) }
        return router.handler
    }

    /// Refuses hosts that are no loopback names, and posts that do not come from the page; errors become JSON.
    private var guardPage: HTTPMiddleware {
        { request, next in
            do {
                guard let host = request.headers["Host"], isLoopback(host) else {
                    throw HTTPError(403, "This page answers on localhost only.")
                }
                if request.method == .post { try Self.checkOrigin(request, host: host) }
                return try await next(request)
            } catch let error as HTTPError {
                let body: JSON = ["error": ["message": .string(error.message)]]
                return HTTPResponse(
                    status: error.status, headers: ["Content-Type": "application/json"], body: .bytes(body.bytes))
            }
        }
    }

    private static func checkOrigin(_ request: HTTPRequest, host: String) throws {
        let isOwn =
            if let site = request.headers["Sec-Fetch-Site"] {
                site == "same-origin"
            } else {
                request.headers["Origin"] == "http://\(host)"
            }
        guard isOwn else { throw HTTPError(403, "Only the page itself may do this.") }
        guard request.headers["Content-Type"]?.lowercased().hasPrefix("application/json") == true else {
            throw HTTPError(415, "Send JSON.")
        }
    }

    private func eventStream() -> HTTPResponse {
        let events = events()
        return HTTPResponse(
            status: 200, headers: ["Content-Type": "text/event-stream", "Cache-Control": "no-store"],
            body: .stream { write in
                for await event in events { try await write(event) }
            })
    }

    // MARK: What the person does

    private func write(_ request: HTTPRequest) throws -> HTTPResponse {
        let body = try body(of: request)
        let side = try side(body["place"]?.string)
        let text = body["text"]?.string ?? ""
        let files = try files(body)
        if text.isEmpty, files.isEmpty { throw HTTPError(400, "The message is empty.") }
        guard text.count <= 20_000 else { throw HTTPError(413, "The message is too long.") }
        try post(text, files: files, on: side)
        return HTTPResponse(status: 204)
    }

    private func post(
        _ text: String, files: [(name: String, content: [UInt8])], on side: Side
    ) throws {
        let place = try known(side)
        do {
            switch side {
            case .customer: try portal.customerWrites(text, files: files, in: place.chat)
            case .employee: try portal.employeeWrites(text, files: files, as: place.user, in: place.chat)
            }
        } catch SimulatedPortalError.unknownDialog {
            throw HTTPError(409, "Take the dialog over first.")
        }
    }

    /// A file of a message. Pictures are shown, all else is only kept: what a bot sends must not run here.
    private func download(_ request: HTTPRequest) throws -> HTTPResponse {
        guard let file = portal.file(try request.parameter("id")) else {
            throw HTTPError(404, "There is no such file.")
        }
        let pictures = ["png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "webp": "webp"]
        let picture = pictures[file.fileExtension]
        return HTTPResponse(
            status: 200,
            headers: [
                "Content-Type": picture.map { "image/\($0)" } ?? "application/octet-stream",
                "Content-Disposition": picture == nil ? "attachment" : "inline",
                "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cross-Origin-Resource-Policy": "same-origin",
            ], body: .bytes(file.content))
    }

    private func choose(_ request: HTTPRequest) throws -> HTTPResponse {
        let body = try body(of: request)
        try choose(body["id"]?.string ?? "", on: side(body["place"]?.string))
        return HTTPResponse(status: 204)
    }

    private func operate(_ request: HTTPRequest) throws -> HTTPResponse {
        guard let act = OperatorAct(rawValue: try body(of: request)["act"]?.string ?? "") else {
            throw HTTPError(400, "An operator takes, returns or finishes.")
        }
        try operate(act)
        return HTTPResponse(status: 204)
    }

    /// `"files": [{"name": "photo.png", "content": "…"}]`, the content in base64.
    private func files(_ body: JSON) throws -> [(name: String, content: [UInt8])] {
        try (body["files"]?.array ?? []).prefix(10).map { file in
            guard let name = file["name"]?.string, !name.isEmpty,
                let content = file["content"]?.string.flatMap(decodedBase64)
            else { throw HTTPError(400, "A file has a name, and its content in base64.") }
            return (name, content)
        }
    }

    private func press(_ request: HTTPRequest) throws -> HTTPResponse {
        let body = try body(of: request)
        let place = try known(side(body["place"]?.string))
        guard let message = body["message"]?.integer, let text = body["text"]?.string else {
            throw HTTPError(400, "Name the message and the button's text.")
        }
        do {
            try portal.press(button: text, of: Int(message), as: place.user)
        } catch is SimulatedPortalError {
            throw HTTPError(404, "There is no such button.")
        }
        return HTTPResponse(status: 204)
    }

    private func body(of request: HTTPRequest) throws -> JSON {
        guard let body = try? JSON(parsing: request.body), body.object != nil else {
            throw HTTPError(400, "Send a JSON object.")
        }
        return body
    }

    private func side(_ name: String?) throws -> Side {
        guard let side = name.flatMap(Side.init) else { throw HTTPError(400, "The place is customer or employee.") }
        return side
    }

    private func known(_ side: Side) throws -> Place {
        guard let place = place(side) else { throw HTTPError(409, "BitBot is not connected yet.") }
        return place
    }
}

/// `localhost` or a loopback address, with or without a port.
func isLoopback(_ host: String) -> Bool {
    let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
    return ["localhost", "127.0.0.1", "[::1]"].contains(name.lowercased())
}

/// A file of the page.
private struct PageFile {
    var paths: [String]
    var type: String
    var bytes: [UInt8]

    init(_ name: String, _ type: String, _ bytes: [UInt8]) {
        paths = name == "index.html" ? ["/", "/index.html"] : ["/\(name)"]
        self.type = type
        self.bytes = bytes
    }

    static var all: [PageFile] {
        let script = "text/javascript; charset=utf-8"
        return [
            PageFile("index.html", "text/html; charset=utf-8", PackageResources.index_html),
            PageFile("page.css", "text/css; charset=utf-8", PackageResources.page_css),
            PageFile("main.js", script, PackageResources.main_js),
            PageFile("chat.js", script, PackageResources.chat_js),
            PageFile("message.js", script, PackageResources.message_js),
            PageFile("wire.js", script, PackageResources.wire_js),
            PageFile("bbcode.js", script, PackageResources.bbcode_js),
            PageFile("texts.js", script, PackageResources.texts_js),
            PageFile("icon.svg", "image/svg+xml", PackageResources.icon_svg),
        ]
    }

    var response: HTTPResponse {
        HTTPResponse(
            status: 200,
            headers: [
                "Content-Type": type, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Content-Security-Policy":
                    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
                    + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            ], body: .bytes(bytes))
    }
}
