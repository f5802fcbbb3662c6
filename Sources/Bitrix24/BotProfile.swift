import Base

/// How a bot looks in Bitrix24, beside its name.
///
/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/bots/bot-register.md`,
/// `…/imbot.v2/chats/chat-add.md` (the colours), `…/outdated/bots/imbot-register.md`.
public struct BotProfile: Sendable, Hashable {
    /// What stands below its name.
    public var position = ""
    /// One of ``colors``; `nil`: Bitrix24 chooses.
    public var color: String?
    /// An image, in Base64; `nil` leaves the one that Bitrix24 has.
    public var avatar: String?
    public init(position: String = "", color: String? = nil, avatar: String? = nil) {
        self.position = position
        self.color = color
        self.avatar = avatar
    }

    /// As the second generation writes them.
    public static let colors = [
        "red", "green", "mint", "lightBlue", "darkBlue", "purple", "aqua", "pink", "lime", "brown", "azure", "khaki",
        "sand", "marengo", "gray", "graphite",
    ]

    /// The kind of an image, by its first bytes; `nil` if it is none that Bitrix24 is known to show.
    public static func kind(ofImage bytes: some Collection<UInt8>) -> String? {
        let start = Array(bytes.prefix(12))
        func isAt(_ offset: Int, _ text: String) -> Bool { start.dropFirst(offset).starts(with: text.utf8) }
        if start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "png" }
        if start.starts(with: [0xFF, 0xD8, 0xFF]) { return "jpeg" }
        if isAt(0, "GIF87a") || isAt(0, "GIF89a") { return "gif" }
        return isAt(0, "RIFF") && isAt(8, "WEBP") ? "webp" : nil
    }
}

extension BotRegistration {
    /// Of the second generation.
    var properties: JSON {
        var properties: JSON = ["name": .string(name), "workPosition": .string(profile.position)]
        if let color = profile.color { properties["color"] = .string(color) }
        if let avatar = profile.avatar { properties["avatar"] = .string(avatar) }
        return properties
    }

    /// The first generation writes `LIGHT_BLUE` for `lightBlue`.
    var firstGenerationProperties: JSON {
        var properties: JSON = ["NAME": .string(name), "WORK_POSITION": .string(profile.position)]
        if let color = profile.color {
            let words = color.map { $0.isUppercase ? "_\($0)" : $0.uppercased() }
            properties["COLOR"] = .string(words.joined())
        }
        if let avatar = profile.avatar { properties["PERSONAL_PHOTO"] = .string(avatar) }
        return properties
    }
}
