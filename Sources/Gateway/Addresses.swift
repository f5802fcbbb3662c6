import Storage

/// Where Bitrix24 reaches this server. The last segment is random: who does not know it finds nothing there.
public struct Addresses: Sendable {
    /// Without a closing slash.
    public let publicURL: String

    public init(publicURL: String) {
        self.publicURL = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
    }

    /// Events of an application and of its first-generation bots, which must all share one address.
    public func events(_ app: AppRecord) -> String { "\(publicURL)/api/bitrix/apps/\(app.addressKey)" }
    /// The installer page.
    public func install(_ app: AppRecord) -> String { "\(publicURL)/app-install/\(app.addressKey)" }
    /// The application page.
    public func settings(_ app: AppRecord) -> String { "\(publicURL)/app-settings/\(app.addressKey)" }
    /// Events of one second-generation bot.
    public func events(_ bot: BotRecord) -> String { "\(publicURL)/api/bitrix/bots/\(bot.addressKey)" }
}
