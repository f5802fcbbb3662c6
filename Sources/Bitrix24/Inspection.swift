import Base
import Foundation

/// What a portal says of itself and of what we have there: for finding out what is wrong.
extension Portal {
    /// How hard the portal's limit presses.
    public struct Load: Sendable, Hashable {
        /// Calls that wait.
        public var waiting: Int
        /// It has said `QUERY_LIMIT_EXCEEDED` lately.
        public var isSlowedDown: Bool
    }

    public var load: Load {
        state.withLock { Load(waiting: $0.queue.count, isSlowedDown: $0.slowDown.level > 0) }
    }

    /// Documentation: `api-reference/common/system/scope.md`.
    /// - Throws: ``PortalError``.
    public func scopes(as account: Account) async throws -> Set<String> {
        let answer = try await call(PortalCall("scope"), as: account)
        let words = answer.looseText.map { [$0] } ?? answer.looseList.compactMap(\.looseText)
        return Set(words.flatMap { $0.split { $0 == "," || $0 == " " } }.map(String.init))
    }

    /// The user for whom it calls. Documentation: `api-reference/common/users/profile.md`.
    /// - Throws: ``PortalError``.
    public func profile(as account: Account) async throws -> (id: String?, isAdministrator: Bool) {
        let answer = try await call(PortalCall("profile"), as: account)
        return (answer["ID"]?.looseText, answer["ADMIN"]?.looseFlag ?? false)
    }

    /// The portal's clock; `nil` if it cannot be read.
    /// Documentation: `api-reference/common/system/server-time.md`.
    /// - Throws: ``PortalError``.
    public func time(as account: Account) async throws -> Timestamp? {
        let answer = try await call(PortalCall("server.time"), as: account)
        guard let text = answer.looseText, let date = try? Date(text, strategy: .iso8601) else { return nil }
        return Timestamp(rawValue: Int64(date.timeIntervalSince1970 * 1000))
    }

    /// How Bitrix24 has a bot.
    public struct KnownBot: Sendable, Hashable {
        /// `fetch` or `webhook`; `nil` where Bitrix24 does not tell.
        public var delivery: String?
    }

    /// - Returns: `nil` if there is no such bot.
    /// - Throws: ``PortalError``.
    ///
    /// Documentation: `…/imbot.v2/bots/bot-get.md`, `…/outdated/bots/imbot-bot-list.md`.
    public func knownBot(
        _ botID: Int64, generation: BotGeneration, as account: Account
    ) async throws -> KnownBot? {
        switch generation {
        case .first:
            let bots = try await call(PortalCall("imbot.bot.list", bot: botID), as: account).looseEntries
            let isThere = bots.contains { ($0.value["ID"]?.looseInteger ?? Int64($0.key)) == botID }
            return isThere ? KnownBot(delivery: nil) : nil
        case .second:
            do {
                let answer = try await call(PortalCall("imbot.v2.Bot.get", ["botId": .integer(botID)]), as: account)
                return KnownBot(delivery: answer["bot"]?["eventMode"]?.looseText)
            } catch let error as PortalError where error.code == "BOT_NOT_FOUND" {
                return nil
            }
        }
    }

    /// The commands of a second generation bot: names without the slash, and Bitrix24's ids.
    /// Documentation: `…/imbot.v2/commands/command-list.md`.
    /// - Throws: ``PortalError``.
    public func commands(of botID: Int64, as account: Account) async throws -> [String: Int64] {
        let answer = try await call(PortalCall("imbot.v2.Command.list", ["botId": .integer(botID)]), as: account)
        let pairs = (answer["commands"]?.looseList ?? []).compactMap { command in
            command["command"]?.looseText.flatMap { name in
                command["id"]?.looseInteger.map { (withoutSlash(name), $0) }
            }
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// Has Bitrix24 send `ONAPPTEST` with a mark to the application's address; works for applications only.
    /// Documentation: `api-reference/events/test-handler.md`.
    /// - Throws: ``PortalError``.
    public func sendTestEvent(_ mark: String, to url: String, as account: Account) async throws {
        try await bind(["ONAPPTEST"], to: url, as: account)
        _ = try await call(PortalCall("event.test", ["any": .string(mark)]), as: account)
    }
}
