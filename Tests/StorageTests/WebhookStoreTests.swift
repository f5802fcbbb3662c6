import Base
import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite("Webhooks and fetched events in the store")
struct WebhookStoreTests {
    private let now = TestStore.now

    private func webhook(_ path: String, user: String = "1") -> CheckedWebhook {
        CheckedWebhook(
            domain: "portal.example", sandbox: false, scope: "imbot", clientEndpoint: "https://portal.example/rest/",
            path: Secret(path), userID: user, admin: true, notice: nil)
    }

    @Test("a portal has one webhook: a new address takes the place of the former, and its code is sealed")
    func replaced() async throws {
        let test = try await TestStore()
        let first = try await test.store.saveWebhook(webhook("1/code-of-the-first"), now: now)
        let second = try await test.store.saveWebhook(webhook("7/code-of-the-second", user: "7"), now: now)
        #expect(first.id == second.id && second.kind == .webhook)
        let credentials = try await test.store.credentials(of: first.id)
        #expect(credentials.map(\.accessToken) == [Secret("7/code-of-the-second")])
        // Nothing of it ever needs renewing.
        #expect(try await test.store.idleCredentials(renewedBefore: now + .seconds(1)).isEmpty)
        for name in try FileManager.default.contentsOfDirectory(atPath: test.folder.path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: test.folder.file(name)))
            #expect(bytes.range(of: Data("code-of-the".utf8)) == nil)
        }
    }

    @Test("a webhook joins the portal that is known at its address, and a later installation names its portal")
    func portals() async throws {
        let store = try await TestStore().store
        let app = try await store.addApp()
        let known = try await store.addInstallation(of: app)
        var webhook = webhook("1/code")
        webhook.domain = "Member-1.bitrix24.com"
        #expect(try await store.saveWebhook(webhook, now: now).portalID == known.portalID)
        webhook.domain = "member-2.bitrix24.com"
        let stranger = try await store.saveWebhook(webhook, now: now)
        #expect(try await store.portal(stranger.portalID)?.memberID == "webhook:member-2.bitrix24.com")
        #expect(try await store.addInstallation(of: app, member: "member-2").portalID == stranger.portalID)
        #expect(try await store.portal(stranger.portalID)?.memberID == "member-2")
        // A name that another portal has, or that is lasting already, is not taken.
        try await store.learn(memberID: "member-1", of: stranger.portalID)
        #expect(try await store.portal(stranger.portalID)?.memberID == "member-2")
    }

    @Test("a bot's token is made once, fits Bitrix24's forty characters, and its events' token is the first one told")
    func tokens() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let token = try await store.makeBotToken(of: bot.id)
        #expect(try await store.makeBotToken(of: bot.id) == token)
        #expect(token.reveal().utf8.count == 40)
        #expect(try await store.botToken(of: 77, installation: bot.installationID) == token)
        #expect(try await store.botToken(of: 78, installation: bot.installationID) == nil)
        #expect(try await store.learnEventToken(Secret("first"), of: bot.id) == Secret("first"))
        #expect(try await store.learnEventToken(Secret("second"), of: bot.id) == Secret("first"))
        try await store.forgetEventToken(of: bot.id)
        #expect(try await store.learnEventToken(Secret("second"), of: bot.id) == Secret("second"))
    }

    @Test("a fetched event is known for seven days")
    func known() async throws {
        let store = try await TestStore().store
        let bot = try await store.addBot()
        let take = { (date: String, moment: Timestamp) in
            try await store.database.write { try $0.takeFetched(5, date: date, bot: bot.id, now: moment) }
        }
        #expect(try await take("monday", now - .seconds(8 * 86400)))
        #expect(try await !take("monday", now))
        // A portal that counts anew.
        #expect(try await take("tuesday", now))
        while try await store.purge(now: now, keepDays: 30) {}
        #expect(try await take("monday", now))
        #expect(try await !take("tuesday", now))
    }

    @Test("a bot that is switched to webhook is drained until Bitrix24 was told and nothing is left; changes are told")
    func draining() async throws {
        let store = try await TestStore().store
        var bot = try await store.addBot()
        #expect(try await store.fetchingBots().isEmpty)
        var changes = store.botChanges().makeAsyncIterator()
        try await store.switchDelivery(of: bot.id, to: "fetch", now: now)
        _ = await changes.next()
        #expect(try await store.fetchingBots().map(\.draining) == [.no])
        try await store.database.write { [id = bot.id] in try $0.setEventOffset(12, of: id) }
        try await store.switchDelivery(of: bot.id, to: "webhook", now: now)
        #expect(try await store.fetchingBots().map(\.draining) == [.untold])
        try await store.endDraining(of: bot.id)
        #expect(try await store.fetchingBots().map(\.draining) == [.untold])
        bot.statusReason = "not reachable"
        bot = try await store.setRegistration(of: bot, now: now)
        #expect(try await store.fetchingBots().map(\.draining) == [.untold])
        bot.statusReason = nil
        bot = try await store.setRegistration(of: bot, now: now)
        #expect(try await store.fetchingBots().map(\.draining) == [.told])
        #expect(try await store.fetchingBots().map(\.offset) == [12])
        try await store.endDraining(of: bot.id)
        #expect(try await store.fetchingBots().isEmpty)
        // Registered anew, it has another queue.
        bot.botID = 78
        _ = try await store.setRegistration(of: bot, now: now)
        try await store.switchDelivery(of: bot.id, to: "fetch", now: now)
        #expect(try await store.fetchingBots().map(\.offset) == [nil])
    }
}
