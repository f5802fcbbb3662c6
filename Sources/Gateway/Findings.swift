import Bitrix24
import BotPlatforms
import Storage

/// One thing that was looked at.
public struct Finding: Sendable, Hashable {
    public var name: String
    /// What is wrong; `nil`: all is well.
    public var trouble: String?
    /// How to mend it.
    public var remedy: String?
    public init(_ name: String, trouble: String? = nil, remedy: String? = nil) {
        self.name = name
        self.trouble = trouble
        self.remedy = remedy
    }
}

/// What can be seen without asking anybody.
extension Finding {
    /// `nil` if nothing is wrong with the bot.
    init?(troubleWith bot: BotRecord) {
        let name = "Bot \(bot.name)"
        if bot.connectorID == nil {
            self.init(name, trouble: "has no connector", remedy: "Choose the connector that answers for it")
        } else if bot.status == .active, bot.botID != nil {
            return nil
        } else {
            self.init(
                name, trouble: bot.statusReason ?? "is not registered in Bitrix24 yet",
                remedy: "Mend what Bitrix24 says, then save the bot again")
        }
    }

    /// - Parameter provider: `nil` if it is gone.
    public init(_ connector: ConnectorRecord, _ provider: ProviderRecord?, _ platforms: Platforms) {
        self.init("connector \(connector.name)")
        guard let provider, platforms.platform(connector, provider) != nil else {
            trouble = "its provider is of a type that this version does not serve"
            remedy = "Choose another provider for it"
            return
        }
        if connector.key == nil, PlatformType.named(provider.type)?.needsKey == true {
            trouble = "has no key"
            remedy = "Give it the key of its bot platform"
        } else if let fault = platforms.fault(connector, provider) {
            trouble = fault
            remedy = "Set it at the connector or its provider, then test the connector"
        }
    }

    init(limitOf portal: Portal) {
        let load = portal.load
        self.init("Limit")
        if load.isSlowedDown {
            trouble = "Bitrix24 refuses calls: there are too many"
        } else if load.waiting > 100 {
            trouble = "\(load.waiting) calls wait for the portal's limit"
        } else {
            return
        }
        remedy =
            "Wait; if it lasts, look which other programs at this address call the portal, or give an Enterprise portal its limit (250, 5)"
    }
}

extension InstallationRecord {
    /// What lets it in again.
    var remedy: String {
        kind == .webhook
            ? "Make a new incoming webhook in Bitrix24 and paste its address here"
            : "Open the application in Bitrix24 as an administrator"
    }

    static let missing = "Install the application there, or add an incoming webhook"
}

extension AppRecord {
    static let remedy = "Give the application its client_id and client_secret"
}
