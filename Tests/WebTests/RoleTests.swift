import Base
import Bitrix24
import Sandbox
import Storage
import TestSupport
import Testing

@Suite("What people in Bitrix24 may")
struct RoleTests {
    @Test("the application page is for who has opened it: portal, name and role as Bitrix24 says")
    func start() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let administrator = try await stage.openedPage(of: installed, as: 1)
            #expect(administrator["role"] == "portal_admin")
            #expect(administrator["domain"]?.string == stage.portal.domain)
            #expect(administrator["app_name"] == "Support")
            #expect(administrator["installation_id"]?.string == installed.id)
            let employee = try await stage.openedPage(of: installed, as: 2)
            #expect(employee["role"] == "portal_user")
            #expect(employee["user_name"]?.string?.isEmpty == false)
            let session = try await stage.api(.get, "session", token: try employee.field("token"))
            #expect(session.json["kind"] == "portal_user")
            #expect(session.json["portal_id"] == administrator["portal_id"])
        }
    }

    @Test("a portal's administrator sets up connectors and bots there, and the log of changes names them")
    func administrator() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let provider = try await stage.make(
                "providers", ["name": "Dify", "type": "dify_chatflow", "url": .string(stage.dify.baseURL)])
            let token = try await stage.ticket(of: installed)
            let connector = try await stage.api(
                .post, "connectors",
                ["name": "Flow", "provider_id": try #require(provider["id"]), "key": .string(Stage.key.reveal())],
                token: token)
            #expect(connector.status == 201, "\(connector.text)")
            #expect(connector.json["portal_id"]?.string != nil)
            let bot = try await stage.api(
                .post, "bots",
                [
                    "name": "Helper", "type": "bot", "installation_id": .string(installed.id),
                    "connector_id": try #require(connector.json["id"]),
                ], token: token)
            #expect(bot.json["status"] == "active", "\(bot.text)")
            let answer = try await stage.answered(bot.json, "Good morning")
            #expect(answer.text.hasSuffix("Good morning"))
            let who = try await stage.read("changes")["items"]?.array?.first?["who"]?.string
            #expect(who == "user 1 of \(stage.portal.domain)")
        }
    }

    @Test("an employee sees the bots, and may do nothing else")
    func employee() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            _ = try await stage.bot(of: installed)
            let token = try await stage.ticket(of: installed, as: 2)
            for operation in try await stage.operations() where operation.description["security"]?.array != [] {
                let reply = try await stage.send(
                    operation.method, operation.url(id: "1"), headers: ["Authorization": "Bearer \(token)"],
                    body: Array("{}".utf8))
                if ["list_bots", "read_bot", "renew_session"].contains(operation.id) {
                    #expect(reply.status == 200, "\(operation.id)")
                } else {
                    #expect(reply.code == "not_allowed", "\(operation.id)")
                }
            }
        }
    }

    @Test("a portal never sees, uses or changes another portal's things, nor the server's")
    func apart() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let token = try await stage.ticket(of: installed)
            let foreign = try await stage.foreignThings()
            for (collection, id) in foreign {
                #expect(try await stage.api(.get, "\(collection)/\(id)", token: token).status == 404, "\(collection)")
                let changed = try await stage.api(.patch, "\(collection)/\(id)", ["name": "Mine"], token: token)
                #expect([403, 404, 405].contains(changed.status), "\(collection): \(changed.text)")
                let removed = try await stage.api(.delete, "\(collection)/\(id)", token: token)
                #expect([403, 404].contains(removed.status), "\(collection)")
                let list = try await stage.api(.get, collection, token: token)
                let ids = try #require(list.json["items"]?.array, "\(collection): \(list.text)").map {
                    $0["id"]?.string
                }
                #expect(!ids.contains(id), "\(collection)")
                #expect(try await stage.api(.get, "\(collection)/\(id)").status == 200, "\(collection)")
            }
            let portal = try #require(foreign["portals"])
            for path in ["bots", "installations", "connectors", "dialogs", "work", "live"] {
                #expect(try await stage.api(.get, "\(path)?portal_id=\(portal)", token: token).status == 404)
            }
            let dialog = try #require(foreign["dialogs"])
            for (method, path): (HTTPMethod, String) in [
                (.get, "dialogs/\(dialog)/messages"), (.get, "dialogs/\(dialog)/messages/1/exchange"),
                (.post, "dialogs/\(dialog)/resume"), (.post, "work/event-1/retry"), (.delete, "work/event-1"),
            ] {
                #expect(try await stage.api(method, path, token: token).status == 404, "\(path)")
            }
            for (field, collection) in [("connector_id", "connectors"), ("bot_id", "bots")] {
                let asked = try await stage.api(
                    .post, "playground", [field: .string(try #require(foreign[collection])), "text": "Hello"],
                    token: token)
                #expect(asked.fields.keys.sorted() == [field])
            }
            #expect(
                try await stage.api(.post, "connectors/\(foreign["connectors"] ?? "")/test", [:], token: token).status
                    == 404)
            for path in ["check", "repair", "channels"] {
                let method: HTTPMethod = path == "repair" ? .post : .get
                #expect(try await stage.api(method, "portals/\(portal)/\(path)", token: token).status == 404)
            }
            let bot = try await stage.api(
                .post, "bots", ["name": "Spy", "installation_id": .string(try #require(foreign["installations"]))],
                token: token)
            #expect(bot.fields.keys.sorted() == ["installation_id"])
            let borrowed = try await stage.api(
                .post, "bots",
                [
                    "name": "Borrower", "installation_id": .string(installed.id),
                    "connector_id": .string(try #require(foreign["connectors"])),
                ], token: token)
            #expect(borrowed.fields.keys.sorted() == ["connector_id"])
            for path in ["apps", "tokens", "changes", "overview", "statistics", "export?secrets=true"] {
                #expect(try await stage.api(.get, path, token: token).code == "not_allowed", "\(path)")
            }
        }
    }

    @Test("a connector that the server shares can be used in a portal, but not looked into or changed")
    func shared() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let connector = try await stage.connector()
            let id = try connector.field("id")
            let token = try await stage.ticket(of: installed)
            let body: JSON = [
                "name": "Helper", "type": "bot", "installation_id": .string(installed.id), "connector_id": .string(id),
            ]
            #expect(try await stage.api(.post, "bots", body, token: token).fields.keys.sorted() == ["connector_id"])
            let secret = "https://dify.internal/v1"
            _ = try await stage.api(
                .patch, "connectors/\(id)", ["shared": true, "options": [:], "url": .string(stage.dify.baseURL)])
            let seen = try await stage.api(.get, "connectors/\(id)", token: token)
            #expect(seen.json["editable"] == false)
            #expect(seen.json["key"] == .null && seen.json["url"] == .null && seen.json["options"] == .null)
            #expect(!seen.text.contains(secret))
            #expect(try await stage.api(.patch, "connectors/\(id)", ["name": "Mine"], token: token).status == 404)
            #expect(try await stage.api(.post, "bots", body, token: token).status == 201)
        }
    }

    @Test("which bot platforms a portal may use, and at which addresses, is for the server's administrator to say")
    func addresses() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let token = try await stage.ticket(of: installed)
            let provider = try await stage.make(
                "providers", ["name": "Typebot", "type": "typebot", "url": "https://typebot.example.com"])
            let id = try provider.field("id")
            func connector(_ url: String) async throws -> Reply {
                try await stage.api(
                    .post, "connectors", ["name": "Flow", "provider_id": .string(id), "url": .string(url)], token: token
                )
            }
            #expect(try await connector("https://typebot.example.com/api/v1/typebots/a/startChat").status == 201)
            let elsewhere = "https://elsewhere.example.com/api/v1/typebots/a/startChat"
            #expect(try await connector(elsewhere).fields.keys.sorted() == ["url"])
            _ = try await stage.api(.patch, "providers/\(id)", ["any_address": true])
            #expect(try await connector(elsewhere).status == 201)
            _ = try await stage.api(.patch, "providers/\(id)", ["shared": false])
            #expect(try await connector(elsewhere).fields.keys.sorted() == ["provider_id"])
            #expect(try await stage.api(.get, "providers", token: token).json["items"] == [])
        }
    }

    @Test("the page's token is renewed while Bitrix24 still lets its user in, and ends with the installation")
    func renewal() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let token = try await stage.ticket(of: installed, as: 2)
            let renewed = try await stage.api(.post, "session/renew", token: token)
            #expect(renewed.status == 200)
            #expect(try await stage.api(.get, "bots", token: try renewed.json.field("token")).status == 200)
            stage.authorization.revokeRefreshTokens(of: installed.clientID)
            stage.authorization.expireAccessTokens(of: installed.clientID)
            #expect(try await stage.api(.post, "session/renew", token: token).status == 401)
            _ = try await stage.api(.delete, "installations/\(installed.id)")
            #expect(try await stage.api(.get, "bots", token: token).status == 401)
        }
    }

    @Test("a token that was made up or changed lets nobody in")
    func forged() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let token = try await stage.ticket(of: installed)
            let vault = try Vault(key: Vault.randomBytes(32))
            let claims: JSON = ["installation": 1, "user": "1", "admin": true, "expires": 99_999_999_999_999]
            for forged in [
                "page.", "page.x", String(token.dropLast()), token + "A", "page." + vault.ticket(claims.bytes),
            ] {
                #expect(try await stage.api(.get, "bots", token: forged).status == 401)
            }
        }
    }
}

extension Stage {
    /// What another portal and the server have: the collection and the id.
    fileprivate func foreignThings() async throws -> [String: String] {
        let provider = try await make(
            "providers", ["name": "Private", "type": "dify_chatflow", "shared": false, "url": .string(dify.baseURL)])
        let app = try await make("apps", ["name": "Other", "bitbot": true])
        let installation = try await store.saveInstallation(
            ConfirmedInstallation(
                memberID: "another", domain: "another.bitrix24.com", appID: try #require(ID(try app.field("id"))),
                sandbox: false, scope: "imbot", clientEndpoint: "https://another.bitrix24.com/rest/",
                serverEndpoint: "", applicationToken: nil, userID: "1", admin: true, accessToken: Secret("access"),
                refreshToken: nil, expiresAt: WallClock.system.now),
            now: WallClock.system.now)
        let connector = try await make(
            "connectors",
            [
                "name": "Theirs", "portal_id": .string("\(installation.portalID)"), "shared": true,
                "provider_id": try #require(provider["id"]),
            ])
        let bot = try await store.createBot(
            BotDraft(installationID: installation.id, name: "Theirs", code: "theirs"), now: WallClock.system.now)
        let dialog = try await store.database.write { connection -> Int64 in
            _ = try connection.run(
                """
                INSERT INTO dialogs (bot_id, portal_id, dialog_id, created_at, last_message_at)
                VALUES (?, ?, 'chat1', 0, 0)
                """, [SQLValue(bot.id), SQLValue(installation.portalID)])
            let dialog = connection.lastInsertID
            _ = try connection.run(
                "INSERT INTO messages (dialog_id, author, text, created_at) VALUES (?, 'customer', 'Private', 0)",
                [.integer(dialog)])
            _ = try connection.run(
                """
                INSERT INTO events (portal_id, bot_id, dialog_id, known_as, kind, state, last_error, received_at, not_before)
                VALUES (?, ?, ?, 'theirs', 'message', 'failed', 'Why', 0, 0)
                """, [SQLValue(installation.portalID), SQLValue(bot.id), .integer(dialog)])
            return dialog
        }
        return [
            "dialogs": "\(dialog)", "portals": "\(installation.portalID)", "installations": "\(installation.id)",
            "connectors": try connector.field("id"), "providers": try provider.field("id"), "bots": "\(bot.id)",
        ]
    }
}
