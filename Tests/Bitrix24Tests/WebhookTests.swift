import Base
import Sandbox
import Synchronization
import TestSupport
import Testing

@testable import Bitrix24

@Suite("Calls by an inbound webhook")
struct WebhookTests {
    private static let token = Secret("a-token-of-exactly-forty-characters-0123")

    /// A keeper of one webhook and one bot's token.
    private final class Keeper: CredentialKeeper {
        let news = Mutex<[String]>([])
        let path: Mutex<Secret>
        init(_ path: Secret) { self.path = Mutex(path) }
        func credentials() async throws -> [Credential] {
            [
                Credential(
                    id: "w", userID: "1", accessToken: path.withLock { $0 }, refreshToken: nil,
                    expiresAt: Timestamp(rawValue: .max))
            ]
        }
        func save(_ credential: Credential) async throws {}
        func discard(_ credential: Credential, reason: String) async throws {}
        func moved(to clientEndpoint: String) async throws { news.withLock { $0.append("moved to " + clientEndpoint) } }
        func botToken(of bot: Int64) async throws -> Secret? { WebhookTests.token }
        func accessRefused(_ error: PortalError) async { news.withLock { $0.append("refused") } }
        func accessGranted() async { news.withLock { $0.append("accepted") } }
    }

    private struct World {
        var portal: SimulatedPortal
        var client: Portal
        var account: Account
        var keeper: Keeper
        var address: Secret
        var code: String
    }

    private func withWorld(_ body: (World) async throws -> Void) async throws {
        let loops = EventLoopGroup(count: 1)
        let http = HTTPClient(loops: loops)
        let oauth = try await SimulatedAuthorizationServer.start(loops: loops, log: .silent)
        var settings = SimulatedPortal.Settings()
        settings.sendDelay = .zero ... .zero
        let portal = try await SimulatedPortal.start(
            settings: settings, authorization: oauth, loops: loops, http: http, log: .silent)
        var outcome: Result<Void, any Error>
        do {
            let address = portal.addWebhook(of: 1)
            let path = address.reveal().dropFirst(portal.clientEndpoint.count).dropLast()
            let keeper = Keeper(Secret(String(path)))
            let account = Account(webhookAt: portal.clientEndpoint, keeper: keeper)
            let client = Portal(http: http, trust: .privateAllowed, limit: .init(), log: .silent, metrics: Metrics())
            outcome = .success(
                try await body(
                    World(
                        portal: portal, client: client, account: account, keeper: keeper, address: address,
                        code: String(path.dropFirst(2)))))
        } catch {
            outcome = .failure(error)
        }
        await portal.stop()
        await oauth.stop()
        await http.shutdown()
        loops.stop()
        try outcome.get()
    }

    private func register(_ world: World) async throws -> Int64 {
        var bot = BotRegistration(code: "b", name: "Bot", kind: .bot, webhookURL: "")
        bot.fetches = true
        bot.token = Self.token
        return try await world.client.registerBot(bot, generation: .second, as: world.account).botID
    }

    @Test("a bot's events are fetched with their JSON types, and kept by the portal until they are confirmed")
    func fetching() async throws {
        try await withWorld { world in
            let bot = try await register(world)
            let chat = try world.portal.privateChat(of: 2, with: Int(bot))
            for text in ["One", "Two", "Three"] { try world.portal.employeeWrites(text, as: 2, in: chat.id) }
            var poll = EventPoll(botID: bot, offset: nil, limit: 2)
            let first = try await world.client.fetchEvents([poll], as: world.account)[0].get()
            #expect(first.events.count == 2 && first.hasMore)
            let again = try await world.client.fetchEvents([poll], as: world.account)[0].get()
            #expect(again.events.map(\.id) == first.events.map(\.id))
            poll.offset = first.nextOffset
            poll.limit = 1000
            let rest = try await world.client.fetchEvents([poll], as: world.account)[0].get()
            #expect(!rest.hasMore && !rest.events.contains { $0.id < first.nextOffset ?? 0 })
            let texts = try (first.events + rest.events).compactMap { event -> String? in
                let decoded = try PortalEvent(decoding: event.body(memberID: "m"), contentType: "application/json")
                guard case .bots(let events) = decoded.content, decoded.auth.memberID == "m" else { return nil }
                #expect(events[0].botID == bot && events[0].botAccessToken == nil)
                return events[0].kind == .message ? events[0].text : nil
            }
            #expect(texts == ["One", "Two", "Three"])
        }
    }

    @Test("the bot's token goes along with each call that wants it, alone and in a batch, and with no other")
    func tokens() async throws {
        try await withWorld { world in
            let bot = try await register(world)
            let chat = try world.portal.privateChat(of: 2, with: Int(bot))
            try await withThrowingTaskGroup { group in
                for number in 0..<30 {
                    group.addTask {
                        try await world.client.send(
                            OutgoingMessage(
                                generation: .second, botID: bot, dialogID: "2", text: "\(number)",
                                uuid: "796c45aa-70e5-45aa-930c-c7fb327100\(number + 10)"), as: world.account)
                    }
                }
                try await group.waitForAll()
            }
            #expect(world.portal.messages(in: chat.id).filter { $0.authorID == Int(bot) }.count == 30)
            #expect(try await world.client.knownBot(bot, generation: .second, as: world.account)?.delivery == "fetch")
            let line = world.portal.createOpenChannel("Line", bot: Int(bot))
            let dialog = try world.portal.startDialog(line: line, customer: "C")
            try await world.client.perform(
                ChannelAction(.transferToUser(2), botID: bot, dialogID: "chat\(dialog.id)", chatID: "\(dialog.id)"),
                as: world.account)
            #expect(world.portal.dialogs.first { $0.id == dialog.id }?.operatorID == 2)
            let plain = try await world.account.completed(
                PortalCall("im.dialog.messages.get", ["DIALOG_ID": "2"], bot: bot))
            #expect(plain.parameters == ["DIALOG_ID": "2"])
            #expect(try await world.account.userAccessToken() == nil)
            try await world.client.unregisterBot(bot, generation: .second, as: world.account)
        }
    }

    @Test("a code that is not taken is told once, its call waits for a better one, and no error shows it")
    func refusal() async throws {
        try await withWorld { world in
            _ = try await world.client.profile(as: world.account)
            world.portal.removeWebhook(world.address)
            for _ in 0..<2 {
                let error = await #expect(throws: PortalError.self) {
                    try await world.client.profile(as: world.account)
                }
                #expect(error?.concernsInstallation == true && error?.message.contains(world.code) == false)
            }
            #expect(world.keeper.news.withLock { $0 } == ["accepted", "refused"])
            let renewed = world.portal.addWebhook(of: 1)
            world.keeper.path.withLock { path in
                path = Secret(String(renewed.reveal().dropFirst(world.portal.clientEndpoint.count).dropLast()))
            }
            world.account.reload()
            _ = try await world.client.profile(as: world.account)
        }
    }

    @Test("a portal that moved is called at its new address, which is kept without the code")
    func moved() async throws {
        try await withWorld { world in
            let other = world.portal.origin.replacing("127.0.0.1", with: "localhost")
            world.portal.inject(.init(.moved(to: other), method: "profile"))
            let profile = try await world.client.profile(as: world.account)
            #expect(profile.id == "1" && profile.isAdministrator)
            #expect(world.account.endpoint == other + "/rest/")
            #expect(world.keeper.news.withLock { $0 }.contains("moved to \(other)/rest/"))
        }
    }
}
