import Base

extension TypebotAnswer {
    /// What people see of it, what it asks left out: bubbles, with the actions between them.
    var parts: [ReplyPart] {
        let ids = Set(bubbles.compactMap { $0["id"]?.string })
        var due = Dictionary(grouping: actions) { $0.bubble.flatMap { ids.contains($0) ? $0 : nil } }
        var parts = (due[nil] ?? []).flatMap(\.parts)
        for bubble in bubbles {
            parts += TypebotBubble.parts(bubble)
            if let id = bubble["id"]?.string { parts += (due.removeValue(forKey: id) ?? []).flatMap(\.parts) }
        }
        return parts
    }
}

extension TypebotAction {
    fileprivate var parts: [ReplyPart] {
        switch kind {
        case .wait(let pause): pause > .zero ? [.pause(pause)] : []
        case .redirect(let url): TypebotLink.markdown(url).map { [.text($0), .nextMessage] } ?? []
        case .setVariable, .httpRequest, .other: []
        }
    }
}

/// One bubble as parts of a reply; none if there is nothing to see in it.
enum TypebotBubble {
    static func parts(_ bubble: JSON) -> [ReplyPart] {
        let content = bubble["content"] ?? .null
        let said: [ReplyPart] =
            switch bubble["type"]?.string {
            case "text": text(content).map { [.text($0)] } ?? []
            case "image": image(content)
            case "audio": TypebotLink.file(content["url"], fallback: "audio").map { [.file($0)] } ?? []
            case "video": video(content)
            default: TypebotLink.markdown(content["url"]?.string).map { [.text($0)] } ?? []
            }
        return said.isEmpty ? [] : said + [.nextMessage]
    }

    private static func text(_ content: JSON) -> String? {
        let markdown =
            content["markdown"]?.string.map { $0.replacing("<u>", with: "[u]").replacing("</u>", with: "[/u]") }
            ?? TypebotRichText.markdown(content["richText"]?.array ?? [])
        return markdown.allSatisfy(\.isWhitespace) ? nil : markdown
    }

    private static func image(_ content: JSON) -> [ReplyPart] {
        guard let file = TypebotLink.file(content["url"], fallback: "image") else { return [] }
        let click = content["clickLink"]
        guard let link = TypebotLink.markdown(click?["url"]?.string, label: click?["alt"]?.string) else {
            return [.file(file)]
        }
        return [.file(file), .text(link)]
    }

    /// A video of a platform is a page, not a file.
    private static func video(_ content: JSON) -> [ReplyPart] {
        let kind = content["type"]?.string ?? "url"
        if kind == "url", let file = TypebotLink.file(content["url"], fallback: "video"),
            MediaType(ofFileNamed: file.name).isVideo
        {
            return [.file(file)]
        }
        let id = content["id"]?.saying.map(Form.percentEncode)
        let page: String? =
            switch kind {
            case "youtube": id.map { "https://www.youtube.com/watch?v=\($0)" }
            case "vimeo": id.map { "https://vimeo.com/\($0)" }
            case "tiktok": id.map { "https://www.tiktok.com/embed/v2/\($0)" }
            case "gumlet": id.map { "https://play.gumlet.io/embed/\($0)" }
            default: nil
            }
        return TypebotLink.markdown(content["url"]?.string ?? page).map { [.text($0)] } ?? []
    }
}

/// Addresses in a flow, which its author typed or a variable held.
enum TypebotLink {
    /// A link for people to follow; `nil` if it leads nowhere.
    /// - Parameter label: shown instead of the address.
    static func markdown(_ url: String?, label: String? = nil) -> String? {
        guard var url = url?.filter({ !$0.isWhitespace && !$0.isNewline }), !url.isEmpty else { return nil }
        let scheme = url.prefix { $0 != ":" }
        if scheme.endIndex == url.endIndex || scheme.contains(".") {
            guard scheme.contains("."), !url.hasPrefix("/") else { return nil }
            url = "https://" + url
        } else if !["http", "https", "mailto", "tel"].contains(scheme.lowercased()) {
            return nil
        }
        let safe = url.replacing("<", with: "%3C").replacing(">", with: "%3E").replacing("\\", with: "%5C")
        guard let label, !label.allSatisfy(\.isWhitespace) else { return "<\(safe)>" }
        return "[\(TypebotRichText.escaped(label))](<\(safe)>)"
    }

    /// A file for people to get; `nil` if there is none.
    /// - Parameter fallback: its name, if the address has none.
    static func file(_ url: JSON?, fallback: String) -> ReplyFile? {
        guard let url = url?.string?.filter({ !$0.isNewline && $0 != " " }) else { return nil }
        if url.lowercased().hasPrefix("data:") {
            let type = MediaType(rawValue: String(url.dropFirst(5).prefix { $0 != ";" && $0 != "," }))
            return ReplyFile(url: url, name: type.ending.map { "\(fallback).\($0)" } ?? fallback)
        }
        guard url.lowercased().hasPrefix("https://") || url.lowercased().hasPrefix("http://") else { return nil }
        let path = url.prefix { $0 != "?" && $0 != "#" }.split(separator: "/").dropFirst(2)
        let name = path.last.map { Form.percentDecode($0) ?? String($0) }
        return ReplyFile(url: url, name: name.flatMap { $0.isEmpty ? nil : $0 } ?? fallback)
    }
}
