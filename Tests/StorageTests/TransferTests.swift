import Base
import TestSupport
import Testing

@testable import Storage

@Suite("The configuration as one document")
struct TransferTests {
    @Test("with its secrets it lets another server go on: same addresses, keys, tokens, bots and commands")
    func wholeMove() async throws {
        let (from, to) = (try await TestStore(), try await TestStore())
        let bot = try await from.store.addBot()
        _ = try await from.store.createCommand(
            CommandRecord(
                id: ID(rawValue: 0), botID: bot.id, command: "help",
                translations: [.init(language: "en", title: "Helps")], commandID: 5))
        try await from.store.setAvatar([0x89, 0x50, 0x4E, 0x47], of: bot.id)
        let document = try await from.store.exportConfiguration(secrets: true, now: TestStore.now)
        // Ids there are taken already.
        _ = try await to.store.addApp("local.other")
        let outcome = try await to.store.importConfiguration(document, now: TestStore.now)
        #expect(
            outcome.created == [
                "apps": 1, "portals": 1, "installations": 1, "credentials": 1, "providers": 1, "connectors": 1,
                "bots": 1,
                "bot_avatars": 1, "commands": 1,
            ])
        #expect(outcome.updated.isEmpty && outcome.notes.isEmpty)

        let moved = try #require(try await to.store.bot(addressKey: bot.addressKey))
        #expect(moved.botID == 77 && moved.status == .active && moved.hasAvatar)
        #expect(try await to.store.avatar(of: moved.id) == [0x89, 0x50, 0x4E, 0x47])
        let connectorOfBot = try #require(moved.connectorID)
        let connector = try #require(try await to.store.connector(connectorOfBot))
        #expect(connector.key == Secret("app-connector-key-0123456789"))
        let installation = try #require(try await to.store.installation(moved.installationID))
        #expect(installation.status == .active)
        #expect(installation.applicationToken == Secret("application-token-0123456789"))
        let credential = try #require(try await to.store.credentials(of: installation.id).first)
        #expect(credential.refreshToken == Secret("refresh-token-0123456789"))
        #expect(try await to.store.app(clientID: "local.1")?.clientSecret == Secret("client-secret-0123456789"))
        let commands = try await to.store.commands(of: moved.id, limit: 10, after: nil).items
        #expect(commands.map(\.command) == ["help"] && commands.first?.commandID == 5)
    }

    @Test("without its secrets it holds none, and what was imported of it says what is still to be done")
    func withoutSecrets() async throws {
        let (from, to) = (try await TestStore(), try await TestStore())
        let bot = try await from.store.addBot()
        let document = try await from.store.exportConfiguration(secrets: false, now: TestStore.now)
        for secret in [
            "app-connector-key-0123456789", "client-secret-0123456789", "application-token-0123456789",
            "access-token-0123456789", "refresh-token-0123456789", bot.addressKey,
        ] { #expect(!document.text.contains(secret)) }
        let outcome = try await to.store.importConfiguration(document, now: TestStore.now)
        #expect(outcome.created["bots"] == 1 && !outcome.notes.isEmpty)
        let moved = try #require(try await to.store.bots(limit: 10, after: nil).items.first)
        #expect(moved.status == .failed && moved.statusReason?.contains("save the bot") == true)
        let installation = try #require(try await to.store.installation(moved.installationID))
        #expect(installation.status == .reauthorize && installation.notice?.contains("secrets") == true)
    }

    @Test(
        "a webhook that never ends is null there and can be imported, also as former versions and JavaScript wrote it",
        arguments: ["null", "9223372036854775807", "9223372036854776000"])
    func endless(_ written: String) async throws {
        let (from, to) = (try await TestStore(), try await TestStore())
        _ = try await from.store.saveWebhook(
            CheckedWebhook(
                domain: "portal.example", sandbox: false, scope: "imbot",
                clientEndpoint: "https://portal.example/rest/", path: Secret("1/code"), userID: "1", admin: true,
                notice: nil), now: TestStore.now)
        let document = try await from.store.exportConfiguration(secrets: true, now: TestStore.now).text
        let never = #""expires_at":null"#
        #expect(document.contains(never))
        let taken = document.replacing(never, with: #""expires_at":"# + written)
        _ = try await to.store.importConfiguration(try JSON(parsing: taken.utf8), now: TestStore.now)
        let installation = try #require(try await to.store.installations(limit: 1, after: nil).items.first)
        let credential = try #require(try await to.store.credentials(of: installation.id).first)
        #expect(credential.expiresAt == Timestamp(rawValue: .max) && credential.accessToken == Secret("1/code"))
    }

    @Test("taken again it changes what has changed, adds nothing, and takes no secret away")
    func again() async throws {
        let test = try await TestStore()
        let bot = try await test.store.addBot()
        let dialog = try await test.store.addDialog(of: bot)
        var document = try await test.store.exportConfiguration(secrets: false, now: TestStore.now)
        var bots = try #require(document["bots"]?.array)
        bots[0]["name"] = "Renamed"
        document["bots"] = .array(bots)
        let session = SessionRecord(
            dialogID: dialog, connectorID: try #require(bot.connectorID), platformID: "conversation",
            expiresAt: .init(rawValue: .max))
        try await test.database.write { try $0.save(session) }
        let outcome = try await test.store.importConfiguration(document, now: TestStore.now)
        #expect(outcome.created.isEmpty && outcome.updated["bots"] == 1)
        let renamed = try #require(try await test.store.bot(bot.id))
        #expect(renamed.name == "Renamed" && renamed.status == .active && renamed.addressKey == bot.addressKey)
        let connectorID = try #require(bot.connectorID)
        #expect(try await test.store.connector(connectorID)?.key == Secret("app-connector-key-0123456789"))
        #expect(try await test.store.count("sessions") == 1)

        var connectors = try #require(document["connectors"]?.array)
        connectors[0]["key"] = "another-key"
        document["connectors"] = .array(connectors)
        _ = try await test.store.importConfiguration(document, now: TestStore.now)
        #expect(try await test.store.connector(connectorID)?.key == Secret("another-key"))
        #expect(try await test.store.count("sessions") == 0, "a bot with another key goes on with old conversations")
    }

    @Test(
        "of a document that cannot be imported nothing is, and the error says what is wrong",
        arguments: [
            ("{}", "no configuration"), (#"{"bitbot":99}"#, "newer"),
            (
                #"{"bitbot":1,"providers":[{"id":"1","name":"A","type":"typebot","url":"u"}],"bots":[{"id":"1"}]}"#,
                "bots"
            ),
            (#"{"bitbot":1,"providers":[{"id":"1","name":"A","type":"typebot","url":5}]}"#, "url"),
            (
                #"{"bitbot":1,"providers":[{"id":"1","name":"A","type":"typebot","url":"u"}],"connectors":[{"id":"1","portal_id":null,"provider_id":"9","name":"C"}]}"#,
                "providers"
            ),
        ])
    func refused(document: String, reason: String) async throws {
        let test = try await TestStore()
        let document = try JSON(parsing: document.utf8)
        let error = try await #require(throws: ImportError.self) {
            try await test.store.importConfiguration(document, now: TestStore.now)
        }
        #expect(error.message.contains(reason))
        #expect(try await test.store.count("providers") == 0)
    }

    @Test("the sandbox is none of it")
    func sandbox() async throws {
        let test = try await TestStore()
        let app = try await test.store.addApp("local.sandbox", sandbox: true)
        _ = try await test.store.saveInstallation(
            .example(app: app.id, member: "sandbox", sandbox: true), now: TestStore.now)
        let document = try await test.store.exportConfiguration(secrets: true, now: TestStore.now)
        for table in ["apps", "portals", "installations", "credentials", "bots"] { #expect(document[table] == []) }
    }
}
