import BotPlatforms

/// A bot's answer as its parts arrive.
struct Answer: Sendable {
    /// What became of the session.
    enum SessionChange: Sendable {
        case none
        case now(PlatformSession)
        case ended
    }
    private(set) var text = ""
    private(set) var session = SessionChange.none
    private var files: [(name: String, url: String)] = []

    mutating func take(_ part: ReplyPart) {
        switch part {
        case .trace: break
        case .text(let more): text += more
        case .replaceText(let whole): text = whole
        case .file(let url, let name, _): files.append((name, url))
        case .session(let session): self.session = session.map(SessionChange.now) ?? .ended
        }
    }

    /// The text with a link for each file, as Markdown.
    var markdown: String {
        let links = files.map { "[\($0.name.isEmpty ? $0.url : $0.name)](\($0.url))" }
        return ([text] + links).filter { !$0.isEmpty }.joined(separator: "\n\n")
    }
}
