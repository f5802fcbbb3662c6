/// Where a flow is reached, read from a connector's address. Taken are
///
/// - the start address, `https://HOST/api/v1/typebots/PUBLIC-ID/startChat`, also without `/startChat`,
/// - that of a preview, `https://HOST/api/v1/typebots/ID/preview/startChat`, which needs a key,
/// - the address at which people open the flow in a browser, `https://HOST/PUBLIC-ID`.
///
/// A query and a slash at the end do not matter.
struct TypebotAddress: Sendable, Hashable {
    /// `https://typebot.io`
    let origin: String
    /// `https://typebot.io/api`, without a slash at its end.
    let api: String
    /// Whole.
    let startChat: String
    /// Where people open the flow in a browser; a preview has no such page.
    let page: String?

    init?(_ address: String) {
        let text = address.filter { !$0.isWhitespace }.prefix { $0 != "?" && $0 != "#" }
        guard let scheme = text.range(of: "://") else { return nil }
        let rest = text[scheme.upperBound...].split(separator: "/")
        guard let host = rest.first else { return nil }
        let origin = text[..<scheme.upperBound] + host
        self.origin = String(origin)
        var path = rest.dropFirst().map(String.init)
        if path.count == 1, path[0].lowercased() != "api", path[0].lowercased() != "startchat" {
            api = origin + "/api"
            startChat = origin + "/api/v1/typebots/\(path[0])/startChat"
            page = "\(origin)/\(path[0])"
            return
        }
        if path.last == "startChat" { path.removeLast() }
        let isPreview = path.last == "preview"
        if isPreview { path.removeLast() }
        guard path.count >= 3, let id = path.popLast(), path.suffix(2) == ["v1", "typebots"] else { return nil }
        api = ([String(origin)] + path.dropLast(2)).joined(separator: "/")
        startChat = api + "/v1/typebots/\(id)" + (isPreview ? "/preview" : "") + "/startChat"
        page = isPreview || !api.hasSuffix("/api") ? nil : "\(api.dropLast(4))/\(id)"
    }

    static let advice =
        "The address of the connector must be the bot's start address, "
        + "https://HOST/api/v1/typebots/PUBLIC-ID/startChat: Typebot shows it under Share, API."
}
