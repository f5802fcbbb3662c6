import BotPlatforms
import Foundation

extension ReplyFile {
    /// What people read: the name that the platform gave it, else the end of its address.
    var shownName: String {
        let names = [name, Self.lastSegment(of: url)].map(Self.cleaned)
        return names.first { !$0.isEmpty } ?? "file"
    }

    private static func lastSegment(of url: String) -> String {
        guard !url.lowercased().hasPrefix("data:"), let start = url.firstRange(of: "://")?.upperBound else { return "" }
        let path = url[start...].prefix { $0 != "?" && $0 != "#" }.split(separator: "/").dropFirst()
        return path.last.map { $0.removingPercentEncoding ?? String($0) } ?? ""
    }

    /// Without what a file system takes for something else.
    private static func cleaned(_ name: String) -> String {
        let allowed = name.unicodeScalars.filter { !"/\\:*?\"<>|".unicodeScalars.contains($0) && $0.value >= 0x20 }
        let words = String(String.UnicodeScalarView(allowed)).split(whereSeparator: \.isWhitespace)
        let whole = words.joined(separator: " ")
        guard whole.count > 150 else { return whole }
        // The ending says what it is.
        return whole.prefix(100) + "…" + whole.suffix(40)
    }
}
