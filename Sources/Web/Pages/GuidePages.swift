import Base
import Bitrix24

/// `/guide/`: the guide (`docs/*.md`) as pages, so that a server without a way out can show it. Names and anchors are those of
/// the files, so links between them are right in both places.
struct GuidePages: Sendable {
    static let all = GuidePages()

    /// By the file's name.
    private let pages: [String: String]

    private init() {
        let frame = PageFiles.all.html("guide/index.html")
        var pages: [String: String] = [:]
        for name in PageFiles.all.names where name.hasPrefix("guide/") && name.hasSuffix(".md") {
            let text = PageFiles.all.html(name)
            let title = text.prefix { !$0.isNewline }.drop { $0 == "#" || $0 == " " }
            pages[String(name.dropFirst("guide/".count))] = frame.replacing(
                "{{language}}", with: name.contains(".ru.") ? "ru" : "en"
            ).replacing("{{title}}", with: title).replacing("{{content}}", with: Self.html(text))
        }
        self.pages = pages
    }

    var names: [String] { pages.keys.sorted() }

    func add(to router: inout Router) {
        router.on(.get, "/guide/:name") { request in
            guard let page = pages[try request.parameter("name")] else { throw HTTPError(404, "Not found") }
            return .page(page)
        }
        router.on(.get, "/guide/") { _ in HTTPResponse(status: 302, headers: ["Location": "/guide/bitbot.md"]) }
    }

    /// Headings get the anchors that they have on GitHub. Pictures, and links out of the guide's folder, are left out: what they
    /// lead to is not on this server.
    private static func html(_ text: String) -> String {
        Markdown.html(ofOwn: text).replacing(/<img[^>]*>/, with: "").replacing(/<a href="\.\.\/[^>]*>(.*?)<\/a>/) {
            $0.output.1
        }.replacing(/<h([23])>(.*?)<\/h[23]>/) { match in
            let anchor = match.output.2.replacing(/<[^>]*>/, with: "").lowercased().filter {
                $0.isLetter || $0.isNumber || $0 == "-" || $0 == " " || $0 == "_"
            }
            return
                "<h\(match.output.1) id=\"\(anchor.replacing(" ", with: "-"))\">\(match.output.2)</h\(match.output.1)>"
        }
    }
}
