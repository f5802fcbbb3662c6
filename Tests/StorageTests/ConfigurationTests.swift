import Base
import TestSupport
import Testing

@testable import Storage

@Suite struct ConfigurationTests {
    private let now = TestStore.now
    private let later = TestStore.now + .seconds(60)

    @Test("an application is found by its id, address and client id, and changes are seen at once")
    func apps() async throws {
        let store = try await TestStore().store
        var app = try await store.createApp(
            name: "One", clientID: nil, clientSecret: nil, bitbot: false, pageURL: "/page/", sandbox: true, now: now)
        #expect(try await store.app(app.id) == app)
        #expect(try await store.app(addressKey: app.addressKey) == app)
        #expect(app.addressKey.count >= 32)
        app.name = "Two"
        app.clientID = "local.2"
        app.clientSecret = Secret("secret")
        app.bitbot = true
        app.pageURL = nil
        try await store.update(app.id) { [app] in $0 = app }
        #expect(try await store.app(app.id) == app)
        #expect(try await store.app(addressKey: app.addressKey) == app)
        #expect(try await store.app(clientID: "local.2") == app)
        try await store.deleteApp(app.id)
        #expect(try await store.app(app.id) == nil)
        #expect(try await store.app(addressKey: app.addressKey) == nil)
        await #expect(throws: StoreError.missing("apps")) { try await store.update(app.id) { [app] in $0 = app } }
        await #expect(throws: StoreError.missing("apps")) { try await store.deleteApp(app.id) }
    }

    @Test("two applications cannot have one client id")
    func clientIDIsUnique() async throws {
        let store = try await TestStore().store
        _ = try await store.addApp("local.1")
        var other = try await store.addApp("local.2")
        await #expect(throws: StoreError.alreadyThere("apps.client_id")) { try await store.addApp("local.1") }
        other.clientID = "local.1"
        let changed = other
        await #expect(throws: StoreError.alreadyThere("apps.client_id")) {
            try await store.update(changed.id) { [changed] in $0 = changed }
        }
    }

    @Test("changes of one record at one time lose nothing of each other; one that is given up changes nothing")
    func updates() async throws {
        let store = try await TestStore().store
        let portal = try await store.createPortal(memberID: "m", domain: "d", allowPrivate: false, now: now)
        try await withThrowingTaskGroup { group in
            for number in 1...200 {
                group.addTask {
                    do {
                        try await store.update(portal.id) { portal in
                            portal.limitBurst += 1
                            if number.isMultiple(of: 2) { throw Unexpected("an objection") }
                        }
                    } catch is Unexpected {}
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.portal(portal.id)?.limitBurst == portal.limitBurst + 100)
    }

    @Test("a list is read page by page, newest first, each record once")
    func paging() async throws {
        let store = try await TestStore().store
        var made: [ID<AppRecord>] = []
        for n in 1...5 { made.append(try await store.addApp("local.\(n)").id) }
        let first = try await store.apps(limit: 2, after: nil)
        let second = try await store.apps(limit: 2, after: first.next)
        let third = try await store.apps(limit: 2, after: second.next)
        #expect((first.items + second.items + third.items).map(\.id) == made.reversed())
        #expect(third.next == nil)
        #expect(try await store.apps(limit: 5, after: nil).next == nil)
    }

    @Test(
        "a cursor that is none of ours is refused",
        arguments: ["", "p", "5", "p-1", "p0", "p+1", "p01", "P1", "p1 ", "pzzzzzzzzzzzzzzzzzzz", "p1;DROP"])
    func cursors(_ cursor: String) async throws {
        let store = try await TestStore().store
        await #expect(throws: StoreError.badCursor) { try await store.apps(limit: 10, after: cursor) }
    }

    @Test("a confirmed installation brings its portal and credential; confirming it again renews them")
    func installations() async throws {
        let store = try await TestStore().store
        let app = try await store.addApp()
        let made = try await store.addInstallation(of: app)
        var portal = try #require(try await store.portal(memberID: "member-1"))
        #expect(made.portalID == portal.id && made.appID == app.id && made.kind == .app && made.status == .active)
        #expect(portal.limitBurst == 50 && portal.limitPerSecond == 2 && portal.lastSeenAt == now)

        var changed = made
        changed.status = .reauthorize
        changed.notice = "The token is unknown."
        try await store.update(changed.id) { [changed] in $0 = changed }
        #expect(try await store.installation(made.id) == changed)
        portal.limitBurst = 250
        portal.limitPerSecond = 5
        portal.allowPrivate = true
        try await store.update(portal.id) { [portal] in $0 = portal }
        #expect(try await store.portal(portal.id) == portal)

        var again = ConfirmedInstallation.example(app: app.id, token: nil)
        again.domain = "renamed.bitrix24.com"
        again.scope = "imbot"
        again.accessToken = Secret("access-2")
        let renewed = try await store.saveInstallation(again, now: later)
        #expect(renewed.id == made.id && renewed.status == .active && renewed.notice == nil)
        #expect(renewed.scope == "imbot" && renewed.updatedAt == later && renewed.createdAt == now)
        #expect(renewed.applicationToken == made.applicationToken)
        #expect(try await store.installation(portal: portal.id, app: app.id) == renewed)
        let seen = try #require(try await store.portal(portal.id))
        #expect(seen.domain == "renamed.bitrix24.com" && seen.limitBurst == 250 && seen.lastSeenAt == later)
        let credentials = try await store.credentials(of: made.id)
        #expect(credentials.map(\.accessToken) == [Secret("access-2")])
        #expect(try await store.portals(limit: 9, after: nil).items == [seen])
        #expect(try await store.installations(limit: 9, after: nil).items == [renewed])
    }

    @Test(
        "a sandbox installation never takes a real portal's place, nor the other way round", arguments: [true, false])
    func sandboxStaysApart(_ sandbox: Bool) async throws {
        let store = try await TestStore().store
        let app = try await store.addApp()
        _ = try await store.saveInstallation(.example(app: app.id, sandbox: sandbox), now: now)
        await #expect(throws: StoreError.alreadyThere("portals.sandbox")) {
            try await store.saveInstallation(.example(app: app.id, sandbox: !sandbox, user: "2"), now: later)
        }
        #expect(try await store.count("credentials") == 1)
        #expect(try await store.portal(memberID: "member-1")?.sandbox == sandbox)
    }

    @Test("credentials come in the order to try: administrators first, then the oldest; refused ones not at all")
    func credentials() async throws {
        let store = try await TestStore().store
        let app = try await store.addApp()
        let installation = try await store.addInstallation(of: app, user: "1", admin: false)
        _ = try await store.addInstallation(of: app, user: "2", admin: true)
        _ = try await store.addInstallation(of: app, user: "3", admin: true)
        var all = try await store.credentials(of: installation.id)
        #expect(all.map(\.userID) == ["2", "3", "1"])
        all[0].formerRefreshToken = all[0].refreshToken
        all[0].accessToken = Secret("new-access")
        all[0].refreshToken = Secret("new-refresh")
        all[0].renewedAt = later
        try await store.update(all[0].id) { [all] in $0 = all[0] }
        #expect(try await store.credentials(of: installation.id) == all)
        #expect(try await store.idleCredentials(renewedBefore: later).map(\.userID) == ["1", "3"])
        all[1].usable = false
        try await store.update(all[1].id) { [all] in $0 = all[1] }
        #expect(try await store.credentials(of: installation.id).map(\.userID) == ["2", "1"])
        var gone = installation
        gone.status = .uninstalled
        try await store.update(gone.id) { [gone] in $0 = gone }
        #expect(try await store.idleCredentials(renewedBefore: later) == [])
    }

    @Test("a provider cannot be deleted while a connector uses it, nor a connector while a bot uses it")
    func inUse() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let connectorID = try #require(bot.connectorID)
        let connector = try #require(try await store.connector(connectorID))
        await #expect(throws: StoreError.inUse("connectors")) { try await store.deleteProvider(connector.providerID) }
        await #expect(throws: StoreError.inUse("bots")) { try await store.deleteConnector(connectorID) }
        try await store.deleteBot(bot.id)
        try await store.deleteConnector(connectorID)
        try await store.deleteProvider(connector.providerID)
        #expect(try await store.provider(connector.providerID) == nil)
        #expect(try await store.connector(connectorID) == nil)
        #expect(try await store.providers(limit: 9, after: nil).items == [])
    }

    @Test("providers, connectors and bots keep what they were given, and changes are seen at once")
    func records() async throws {
        let store = try await TestStore().store
        var bot = try await store.addBot()
        let connectorID = try #require(bot.connectorID)
        var connector = try #require(try await store.connector(connectorID))
        var provider = try #require(try await store.provider(connector.providerID))
        provider.name = "Other"
        try await store.update(provider.id) { [provider] in $0 = provider }
        #expect(try await store.provider(provider.id) == provider)
        #expect(try await store.providers(limit: 9, after: nil).items == [provider])

        connector.options = ["response_mode": "blocking", "depth": ["a": [1, 2.5, nil, true]]]
        connector.url = "https://dify.example.com/v1"
        connector.shared = true
        connector.key = nil
        connector.updatedAt = later
        try await store.update(connector.id, now: later) { [connector] stored, _ in stored = connector }
        #expect(try await store.connector(connector.id) == connector)
        #expect(try await store.connectors(limit: 9, after: nil).items == [connector])

        bot.settings = ["welcome": "Hello"]
        bot.status = .failed
        bot.statusReason = "no rights"
        bot.botID = nil
        bot.connectorID = nil
        bot.updatedAt = later
        try await store.update(bot.id, now: later) { [bot] in $0 = bot }
        #expect(try await store.bot(bot.id) == bot)
        #expect(try await store.bot(addressKey: bot.addressKey) == bot)
        #expect(try await store.bots(of: bot.installationID) == [bot])
        #expect(try await store.bots(limit: 9, after: nil).items == [bot])
    }

    @Test("what a record refers to must be there")
    func missingReferences() async throws {
        let store = try await TestStore().store
        await #expect(throws: StoreError.missing("providers")) {
            try await store.createConnector(ConnectorDraft(providerID: ID(rawValue: 9), name: "x"), now: now)
        }
        await #expect(throws: StoreError.missing("installations")) {
            try await store.createBot(BotDraft(installationID: ID(rawValue: 9), name: "x", code: "x"), now: now)
        }
        await #expect(throws: StoreError.missing("apps")) {
            try await store.saveInstallation(.example(app: ID(rawValue: 9)), now: now)
        }
        var bot = try await store.addBot()
        bot.connectorID = ID(rawValue: 99)
        let changed = bot
        await #expect(throws: StoreError.missing("connectors")) {
            try await store.update(changed.id, now: now) { [changed] in $0 = changed }
        }
    }

    @Test("a bot's commands are its own; one name is there once")
    func commands() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        #expect(try await store.commands(of: bot.id) == [])
        let draft = CommandRecord(
            id: ID(rawValue: 0), botID: bot.id, command: "help", common: true, hidden: false, extranet: true,
            translations: [
                .init(language: "de", title: "Hilfe", params: "Thema"), .init(language: "en", title: "Help"),
            ],
            commandID: nil)
        var command = try await store.createCommand(draft)
        #expect(try await store.commands(of: bot.id) == [command])
        await #expect(throws: StoreError.alreadyThere("commands.command")) { try await store.createCommand(draft) }
        command.commandID = 12
        command.hidden = true
        command.translations.removeLast()
        try await store.update(command.id) { [command] in $0 = command }
        #expect(try await store.command(command.id) == command)
        #expect(try await store.commands(of: bot.id) == [command])
        try await store.deleteCommand(command.id)
        #expect(try await store.commands(of: bot.id) == [])
    }

    @Test("deleting a portal takes everything of it along and nothing of others")
    func deletePortal() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot(member: "member-1")
        let other = try await store.addBot(member: "member-2")
        for n in 1...250 { _ = try await store.addDialog(of: bot, "chat\(n)") }
        let kept = try await store.addDialog(of: other)
        let portal = try #require(try await store.portal(memberID: "member-1"))
        try await store.deletePortal(portal.id)
        #expect(try await store.portal(memberID: "member-1") == nil)
        #expect(try await store.bot(bot.id) == nil)
        #expect(try await store.bot(other.id) == other)
        #expect(try await store.dialogs(limit: 9, after: nil).items.map(\.dialog.id) == [kept])
        #expect(try await store.count("installations") == 1)
        #expect(try await store.count("credentials") == 1)
    }

    @Test("a portal whose own connector its own bot uses can be deleted; one used elsewhere cannot")
    func deletePortalWithConnector() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot(member: "member-1")
        let connectorID = try #require(bot.connectorID)
        var connector = try #require(try await store.connector(connectorID))
        let portal = try #require(try await store.portal(memberID: "member-1"))
        connector.portalID = portal.id
        try await store.update(connector.id, now: now) { [connector] stored, _ in stored = connector }
        var other = try await store.addBot(member: "member-2")
        let own = other.connectorID
        other.connectorID = connector.id
        try await store.update(other.id, now: now) { [other] in $0 = other }
        await #expect(throws: StoreError.inUse("bots")) { try await store.deletePortal(portal.id) }
        other.connectorID = own
        try await store.update(other.id, now: now) { [other] in $0 = other }
        try await store.deletePortal(portal.id)
        #expect(try await store.connector(connector.id) == nil)
    }

    @Test("a read that began before a change does not bring the former record back")
    func cacheAndRacingReads() async throws {
        let cache = RecordCache<Int, String>()
        let read = try await cache.value(1) {
            cache.forget(1)
            return "former"
        }
        #expect(read == "former")
        #expect(try await cache.value(1) { "new" } == "new")
        #expect(try await cache.value(1) { "not read" } == "new")
    }

    @Test("an access token is known until it expires; a sign-in code works once")
    func apiTokens() async throws {
        let test = try await TestStore()
        let store = test.store
        let token = try await store.createAPIToken(.token, name: "script", expiresAt: later, now: now).secret
        let code = try await store.createAPIToken(.code, name: "sign-in", expiresAt: nil, now: now).secret
        #expect(try await store.apiToken(.token, token, now: now)?.name == "script")
        #expect(try await store.apiToken(.token, token, now: now) != nil)
        #expect(try await store.apiToken(.session, token, now: now) == nil)
        #expect(try await store.apiToken(.token, token, now: later) == nil)
        #expect(try await store.apiToken(.token, Secret("other"), now: now) == nil)
        #expect(try await !store.useCode(token, now: now))
        let uses = try await withThrowingTaskGroup { group in
            for _ in 1...10 { group.addTask { try await store.useCode(code, now: later) } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(uses == 1)
    }
}
