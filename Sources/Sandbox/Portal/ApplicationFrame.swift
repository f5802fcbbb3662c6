import Base

/// The portal's own page that shows an application in a frame, for browsers: `/marketplace/app/NUMBER/`, with `?user=2` for
/// another user than the administrator and `&lang=ru` for another language than the portal's.
///
/// As in Bitrix24 a form posts the page's fields into the frame, whose name is `DOMAIN|PROTOCOL|APP_SID`; an installer's page
/// is opened first where the installation is not finished, and `BX24.installFinish()` reloads the frame with the application's
/// page.
/// Documentation: `settings/oauth/simple-way.md`, `sdk/bx24-js-sdk/system-functions/bx24-install-finish.md`.
extension SimulatedPortal {
    /// Where a browser opens an application; `nil` if it is not installed or has no interface.
    public func framePage(of clientID: String) -> String? {
        state.withLock { state in
            guard let found = state.installations[clientID], found.application.pageURL != nil else { return nil }
            return "\(state.origin)/marketplace/app/\(found.number)/"
        }
    }

    /// - Returns: `nil` if the path is none of the frame's.
    func frame(_ request: HTTPRequest) throws -> HTTPResponse? {
        let path = request.path.split(separator: "/")
        if request.method == .get, path == ["bitrix24.js"] { return .script(Self.libraryScript) }
        if request.method == .get, path == ["marketplace", "frame.js"] { return .script(Self.frameScript) }
        guard path.count >= 3, path[0] == "marketplace", path[1] == "app", let number = Int(path[2]) else { return nil }
        // A page elsewhere whose name leads here must not play the portal's administrator.
        guard isLoopback(request.headers["Host"] ?? "") else {
            throw HTTPError(403, "This portal is for this machine.")
        }
        let found = state.withLock { state in state.installations.values.first { $0.number == number } }
        guard let found, found.application.pageURL != nil else { throw HTTPError(404, "No such application.") }
        if request.method == .post, path.dropFirst(3) == ["finish"] {
            try installFinish(found.application.clientID)
            return HTTPResponse(status: 204)
        }
        guard request.method == .get, path.count == 3 else { return nil }
        let query = (try? Form.decode(request.query.utf8)) ?? .null
        let page = try pageRequest(
            of: found.application.clientID, as: query["user"]?.string.flatMap { Int($0) } ?? 1,
            at: found.isFinished ? nil : found.application.installURL)
        return .text(Self.html(page, language: query["lang"]?.string), type: "text/html; charset=utf-8")
    }

    private static func html(_ page: PageRequest, language: String?) -> String {
        let url = language.map { page.url.replacing(/LANG=[a-z]+/, with: "LANG=\($0)") } ?? page.url
        let name = url.split(separator: "APP_SID=").last.map(String.init) ?? ""
        let domain = String(url.split(separator: "DOMAIN=").last?.prefix { $0 != "&" } ?? "")
        let fields = page.fields.map {
            #"<input type="hidden" name="\#(escaped($0.name))" value="\#(escaped($0.value))">"#
        }
        return """
            <!doctype html>
            <html lang="\(escaped(language ?? "en"))">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Simulated Bitrix24</title>
            <link rel="icon" href="data:,">
            <style>
            html, body { height: 100%; margin: 0; }
            body { display: flex; flex-direction: column; font: 14px/1.4 system-ui, sans-serif; background: #d5dce6; color: #1c2533; }
            header { padding: 10px 20px; }
            iframe { flex: 1; margin: 0 20px 20px; border: 0; border-radius: 10px; background: #fff; }
            </style>
            <header>Simulated Bitrix24</header>
            <iframe name="\(escaped(domain))|0|\(escaped(name))" title="Application"></iframe>
            <form method="post" action="\(escaped(url))" target="\(escaped(domain))|0|\(escaped(name))" hidden>
            \(fields.joined(separator: "\n"))
            </form>
            <script src="/marketplace/frame.js"></script>
            </html>
            """
    }

    /// Opens the page in the frame, and hears what it asks of the portal.
    private static let frameScript = """
        document.forms[0].submit();
        addEventListener("message", async (event) => {
          if (event.source !== frames[0] || event.data !== "installFinish") return;
          await fetch(location.pathname + "finish", { method: "POST" });
          location.reload();
        });

        """

    /// What of Bitrix24's script for applications (`https://api.bitrix24.com/api/v1/`) is simulated.
    private static let libraryScript = """
        window.BX24 = {
          init: (ready) => ready(),
          installFinish: () => parent.postMessage("installFinish", "*"),
        };

        """
}

private func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        .replacing("\"", with: "&quot;")
}

extension HTTPResponse {
    fileprivate static func script(_ text: String) -> HTTPResponse {
        .text(text, type: "text/javascript; charset=utf-8")
    }
}
