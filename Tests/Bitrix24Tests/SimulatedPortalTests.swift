import Base
import Sandbox
import Synchronization
import TestSupport
import Testing

@testable import Bitrix24

@Suite("With the simulated portal")
struct SimulatedPortalTests {
    /// Takes the portal's events.
    private final class Handler: Sendable {
        let events = Mutex<[PortalEvent]>([])

        @Sendable func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
            let event = try PortalEvent(decoding: request.body, contentType: request.headers["Content-Type"])
            events.withLock { $0.append(event) }
            return HTTPResponse(status: 200)
        }

        func bots(_ kind: BotEvent.Kind) -> [BotEvent] {
            events.withLock { $0 }.flatMap { event -> [BotEvent] in
                guard case .bots(let bots) = event.content else { return [] }
                return bots.filter { $0.kind == kind }
            }
        }
    }

    private struct World {
        var portal: SimulatedPortal
        var handler: Handler
        var handlerURL: String
        var client: Portal
        var account: Account
        var keeper: MemoryKeeper
        var authorization: AuthorizationServer
    }

    /// Starts a portal and installs an application on it, as the installation post allows.
    private func withWorld(
        hasSecondGeneration: Bool = true, _ body: (World) async throws -> Void
    ) async throws {
        let loops = EventLoopGroup(count: 1)
        let http = HTTPClient(loops: loops)
        let handler = Handler()
        let server = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: .silent, handler: handler.answer)
        let url = "http://127.0.0.1:\(server.port)/events"
        var settings = SimulatedPortal.Settings()
        settings.hasSecondGeneration = hasSecondGeneration
        settings.sendDelay = .zero ... .zero
        let oauth = try await SimulatedAuthorizationServer.start(loops: loops, log: .silent)
        // The portal posts to a loopback address.
        let poster = HTTPClient(loops: loops, alwaysAllowed: ["http://127.0.0.1:\(server.port)"])
        let portal = try await SimulatedPortal.start(
            settings: settings, authorization: oauth, loops: loops, http: poster, log: .silent)
        let outcome: Result<Void, any Error>
        do {
            let keys = ApplicationKeys(clientID: "local.1", clientSecret: Secret("the-secret-of-the-application"))
            try await portal.install(
                .init(clientID: keys.clientID, clientSecret: keys.clientSecret, installURL: url))
            try await eventually { handler.events.withLock { !$0.isEmpty } }
            let auth = handler.events.withLock { $0[0].auth }
            let keeper = MemoryKeeper([
                Credential(
                    id: "1", userID: auth.userID ?? "1", accessToken: try #require(auth.accessToken),
                    refreshToken: auth.refreshToken, expiresAt: Timestamp(rawValue: .max))
            ])
            let authorization = AuthorizationServer(url: oauth.origin, http: http)
            let account = Account(
                endpoint: try #require(auth.clientEndpoint), keys: keys, authorization: authorization, keeper: keeper,
                serverEndpoint: auth.serverEndpoint)
            let client = Portal(
                http: http, trust: .privateAllowed, limit: .init(), log: .silent, metrics: Metrics())
            outcome = .success(
                try await body(
                    World(
                        portal: portal, handler: handler, handlerURL: url, client: client, account: account,
                        keeper: keeper, authorization: authorization)))
        } catch {
            outcome = .failure(error)
        }
        await portal.stop()
        await oauth.stop()
        await http.shutdown()
        await poster.shutdown()
        await server.shutdown(grace: .zero)
        loops.stop()
        try outcome.get()
    }

    @Test("the installation's token proves its application, its portal and its administrator")
    func installation() async throws {
        try await withWorld { world in
            let token = try #require(try await world.account.userAccessToken())
            let info = try await world.authorization.tokenInfo(token, serverEndpoint: nil)
            #expect(info.clientID == "local.1" && info.memberID == world.portal.settings.memberID)
            #expect(info.clientEndpoint == world.portal.clientEndpoint)
            let user = try await world.authorization.user(
                token, clientEndpoint: info.clientEndpoint, trust: .privateAllowed)
            #expect(user.isAdministrator)
            #expect(!user.name.isEmpty)
            try await world.client.bindApplicationEvents(to: world.handlerURL, as: world.account)
            try await world.client.bindApplicationEvents(to: world.handlerURL, as: world.account)
            try world.portal.uninstall("local.1", clean: true)
            try await eventually {
                world.handler.events.withLock { events in
                    events.contains {
                        if case .applicationUninstalled(clean: true) = $0.content { true } else { false }
                    }
                }
            }
        }
    }

    @Test(
        "a bot of each generation hears a message and a command, and its answers are shown once",
        arguments: [BotGeneration.first, .second])
    func conversation(generation: BotGeneration) async throws {
        try await withWorld { world in
            let bot = BotRegistration(code: "b", name: "Bot", kind: .bot, webhookURL: world.handlerURL)
            let (id, spoken) = try await world.client.registerBot(bot, generation: generation, as: world.account)
            let (again, _) = try await world.client.registerBot(bot, generation: generation, as: world.account)
            #expect(spoken == generation && again == id)
            let command = CommandRegistration(
                command: "help", common: false, hidden: false, extranet: false,
                translations: [.init(language: "en", title: "Help", params: nil)])
            _ = try await world.client.registerCommand(
                command, bot: bot, botID: id, generation: generation, as: world.account)
            let chat = try world.portal.privateChat(of: 2, with: Int(id))
            try world.portal.employeeWrites("Hello bot", as: 2, in: chat.id)
            try await eventually { !world.handler.bots(.message).isEmpty }
            let heard = world.handler.bots(.message)[0]
            #expect(heard.text == "Hello bot" && heard.botID == id && heard.dialogID == "2" && heard.authorID == "2")
            #expect(heard.generation == generation && heard.botAccessToken != nil)

            await world.client.showTyping(botID: id, dialogID: "2", generation: generation, as: world.account)
            var answer = OutgoingMessage(
                generation: generation, botID: id, dialogID: heard.dialogID, text: "[b]Hi[/b] & $result[x]",
                uuid: "796c45aa-70e5-45aa-930c-c7fb32710c62")
            try await world.client.send(answer, as: world.account)
            if generation == .second { try await world.client.send(answer, as: world.account) }

            try world.portal.employeeWrites("/help me", as: 2, in: chat.id)
            try await eventually { !world.handler.bots(.command).isEmpty }
            let asked = world.handler.bots(.command)[0]
            #expect(asked.command?.name == "help" && asked.command?.params == "me")
            answer.text = "Helped"
            answer.command = .init(id: asked.command?.id ?? "", messageID: asked.messageID ?? 0)
            try await world.client.send(answer, as: world.account)
            let shown = world.portal.messages(in: chat.id).filter { $0.authorID == Int(id) }.map(\.text)
            #expect(shown == ["[b]Hi[/b] & $result[x]", "Helped"])
        }
    }

    @Test("messages to many dialogs go in batches, through an expired token and refusals, each shown once")
    func crowd() async throws {
        try await withWorld { world in
            let bot = BotRegistration(code: "b", name: "Bot", kind: .bot, webhookURL: world.handlerURL)
            let (id, _) = try await world.client.registerBot(bot, generation: .second, as: world.account)
            let employees = (0..<60).map { world.portal.addEmployee("Employee \($0)") }
            let chats = try employees.map { try world.portal.privateChat(of: $0, with: Int(id)).id }
            world.portal.authorization.expireAccessTokens(of: "local.1")
            world.portal.inject(.init(.queryLimit, times: 1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for n in 0..<60 {
                    group.addTask {
                        let message = OutgoingMessage(
                            generation: .second, botID: id, dialogID: "\(employees[n])", text: "to \(n)",
                            uuid: "uuid-\(n)")
                        try await world.client.send(message, as: world.account)
                    }
                }
                try await group.waitForAll()
            }
            for (n, chat) in chats.enumerated() {
                #expect(world.portal.messages(in: chat).filter { $0.text == "to \(n)" }.count == 1)
            }
            #expect(world.portal.authorization.renewals == 1)
        }
    }

    @Test("a send whose answer was lost may have happened; sent again it is shown once")
    func answerLost() async throws {
        try await withWorld { world in
            let bot = BotRegistration(code: "b", name: "Bot", kind: .bot, webhookURL: world.handlerURL)
            let (id, _) = try await world.client.registerBot(bot, generation: .second, as: world.account)
            let chat = try world.portal.privateChat(of: 2, with: Int(id))
            let message = OutgoingMessage(
                generation: .second, botID: id, dialogID: "2", text: "once",
                uuid: "796c45aa-70e5-45aa-930c-c7fb32710c62")
            world.portal.inject(.init(.answerLost, method: "imbot.v2.Chat.Message.send"))
            let error = await world.client.failure(of: message.call, as: world.account)
            #expect(error?.mayHaveHappened == true && error?.isPassing == true)
            try await world.client.send(message, as: world.account)
            #expect(world.portal.messages(in: chat.id).filter { $0.text == "once" }.count == 1)
        }
    }

    @Test("an old portal gets a bot of the first generation")
    func oldPortal() async throws {
        try await withWorld(hasSecondGeneration: false) { world in
            let bot = BotRegistration(code: "b", name: "Bot", kind: .openline, webhookURL: world.handlerURL)
            let (id, generation) = try await world.client.registerBot(bot, generation: .second, as: world.account)
            #expect(generation == .first && world.portal.bots.map(\.id) == [Int(id)])
            try await world.client.unregisterBot(id, generation: generation, as: world.account)
            try await world.client.unregisterBot(id, generation: generation, as: world.account)
            #expect(world.portal.bots.isEmpty)
        }
    }
}
