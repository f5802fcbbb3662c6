import Base

/// An open channel of a portal.
public struct OpenChannel: Sendable, Hashable {
    public var id: Int64
    public var name: String
    public var isActive: Bool
    /// The bot that speaks with customers there, if one does.
    public var welcomeBot: Int64?
}

extension Portal {
    /// The portal's open channels, in the order of their ids.
    ///
    /// Documentation: `api-reference/imopenlines/openlines/imopenlines-config-list-get.md`.
    /// - Throws: ``PortalError``.
    public func openChannels(as account: Account) async throws -> [OpenChannel] {
        let most = 200
        var channels: [OpenChannel] = []
        while true {
            let parameters: JSON = [
                "select": ["ID", "LINE_NAME", "ACTIVE", "WELCOME_BOT_ENABLE", "WELCOME_BOT_ID"],
                "order": ["ID": "ASC"], "limit": .integer(Int64(most)), "offset": .integer(Int64(channels.count)),
            ]
            let answer = try await call(
                PortalCall("imopenlines.config.list.get", ["PARAMS": parameters]), as: account)
            let page = answer.looseList.compactMap(OpenChannel.init)
            // A portal that does not know these pages answers the same again.
            let known = Set(channels.map(\.id))
            let new = page.filter { !known.contains($0.id) }
            channels += new
            if page.count < most || new.isEmpty { return channels }
        }
    }
}

extension OpenChannel {
    fileprivate init?(_ line: JSON) {
        guard let id = line["ID"]?.looseInteger else { return nil }
        let bot = line["WELCOME_BOT_ID"]?.looseInteger ?? 0
        self.init(
            id: id, name: line["LINE_NAME"]?.looseText ?? "", isActive: line["ACTIVE"]?.looseFlag ?? true,
            welcomeBot: line["WELCOME_BOT_ENABLE"]?.looseFlag == true && bot > 0 ? bot : nil)
    }
}
