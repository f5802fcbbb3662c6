import BotPlatforms
import Storage
import Synchronization

/// What the events of a bot are answered with, once for all that wait for an answer at the same time.
final class SettingCache: Sendable {
    private let settings = Mutex<[ID<BotRecord>: Conversation.Setting]>([:])

    /// Far above the bots of a server; those that are gone are forgotten with all.
    private static let most = 20_000

    /// - Returns: `nil` if there is no platform.
    func setting(
        bot: BotRecord, connector: ConnectorRecord, provider: ProviderRecord, installation: InstallationRecord,
        portal: PortalRecord, platform: () -> (any BotPlatform)?
    ) -> Conversation.Setting? {
        let known = settings.withLock { $0[bot.id] }
        if let known, known.bot == bot, known.connector == connector, known.provider == provider,
            known.installation == installation, known.portal == portal
        {
            return known
        }
        guard let platform = platform() else { return nil }
        let setting = Conversation.Setting(
            bot: bot, connector: connector, provider: provider, installation: installation, portal: portal,
            platform: platform)
        settings.withLock { settings in
            if settings.count >= Self.most { settings = [:] }
            settings[bot.id] = setting
        }
        return setting
    }
}
