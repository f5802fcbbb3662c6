import Base
import Sandbox
import Storage
import TestSupport
import Testing

@Suite("The management API")
struct ManagementTests {
    @Test("without a valid token nothing is read or changed")
    func unauthorized() async throws {
        try await Stage.with { stage in
            let operations = try await stage.operations()
            #expect(operations.count > 40)
            for operation in operations where operation.description["security"]?.array != [] {
                let url = operation.url(id: "1")
                for headers: HTTPHeaders in [
                    [:], ["Authorization": "Bearer wrong"], ["Authorization": "Bearer"],
                    ["Authorization": "Basic YTpi"],
                    ["Authorization": stage.adminToken.reveal()],
                ] {
                    let reply = try await stage.send(operation.method, url, headers: headers, body: Array("{}".utf8))
                    #expect(reply.status == 401, "\(operation.id)")
                    #expect(reply.code == "unauthorized")
                    #expect(reply.headers["WWW-Authenticate"] == "Bearer")
                }
            }
        }
    }

    @Test("a one-time code buys a token once")
    func oneTimeCode() async throws {
        try await Stage.with { stage in
            let link = try await stage.command(.post, "/admin/reset").field("link")
            #expect(link.hasPrefix(stage.origin + "/admin/#code="))
            let code = String(try #require(link.split(separator: "=").last))
            #expect(try await stage.api(.get, "apps", token: code).status == 401)
            let first = try await stage.send(
                .post, "/api/v1/sign-in", body: (["code": .string(code)] as JSON).bytes)
            #expect(first.status == 200)
            let token = try first.json.field("token")
            #expect(try await stage.api(.get, "apps", token: token).status == 200)
            let second = try await stage.send(
                .post, "/api/v1/sign-in", body: (["code": .string(code)] as JSON).bytes)
            #expect(second.status == 403)
            #expect(second.code == "wrong_code")
        }
    }

    @Test("unknown, wrong and missing fields are named, each by itself")
    func wrongFields() async throws {
        try await Stage.with { stage in
            for operation in try await stage.operations() where operation.id.hasPrefix("create_") {
                let schema = try #require(operation.body)
                let required = schema["required"]?.array?.compactMap(\.string) ?? []
                let path = operation.url(id: "1").split(separator: "/api/v1/").joined()
                let missing = try await stage.api(operation.method, path, [:])
                #expect(missing.status == 422, "\(operation.id)")
                #expect(Set(missing.fields.keys) == Set(required), "\(operation.id)")

                let properties = try #require(schema["properties"]?.object)
                var wrong = properties.mapValues(Self.unfitting)
                wrong["no_such_field"] = "x"
                let refused = try await stage.api(operation.method, path, .object(wrong))
                #expect(refused.status == 422)
                #expect(refused.code == "invalid_fields")
                #expect(Set(refused.fields.keys) == Set(wrong.keys), "\(operation.id)")
            }
        }
    }

    /// A value that no field of this schema takes.
    private static func unfitting(_ schema: JSON) -> JSON {
        let types = schema["type"]?.array?.compactMap(\.string) ?? [schema["type"]?.string ?? ""]
        return types.contains("string") ? ["not": "text"] : "not this"
    }

    @Test("bodies that are no JSON object are 400, huge ones 413, both as the documented error")
    func noObject() async throws {
        try await Stage.with { stage in
            let headers: HTTPHeaders = ["Authorization": "Bearer \(stage.adminToken.reveal())"]
            for body in ["", "{", "[]", "null", "5", String(repeating: "[", count: 10_000), "{\"a\":\u{FF}"] {
                let reply = try await stage.send(.post, "/api/v1/apps", headers: headers, body: Array(body.utf8))
                #expect(reply.status == 400, "\(body.prefix(20))")
                #expect(reply.code == "bad_request")
            }
            let huge: JSON = ["name": .string(String(repeating: "a", count: 1_100_000))]
            let refused = try await stage.api(.post, "apps", huge)
            #expect(refused.status == 413)
            #expect(refused.code == "too_large")
            // More than the server reads of any body.
            let vast: JSON = ["name": .string(String(repeating: "a", count: 9 * 1024 * 1024))]
            for path in ["apps", "import"] {
                let refused = try await stage.api(.post, path, vast)
                #expect(refused.status == 413 && refused.code == "too_large", "\(refused.text)")
                #expect(refused.text.contains("bitbot import") == (path == "import"))
            }
            let long = try await stage.api(.post, "apps", ["name": .string(String(repeating: "a", count: 10_001))])
            #expect(long.status == 422)
            #expect(long.fields.keys.sorted() == ["name"])
        }
    }

    @Test("ids and cursors that are not ours are refused, never a crash")
    func wrongIDs() async throws {
        try await Stage.with { stage in
            for operation in try await stage.operations() where operation.description["security"]?.array != [] {
                let isList = operation.id.hasPrefix("list_")
                guard operation.path.contains("{") || isList else { continue }
                if operation.path.contains("{") {
                    for id in ["1", "0", "-1", "x", "99999999999999999999", "%00", "event-1", "%F0%9F%92%A9"] {
                        let reply = try await stage.send(
                            operation.method, operation.url(id: id), headers: stage.signedIn, body: Array("{}".utf8))
                        // What has required fields may be refused for them first.
                        let expected = operation.body?["required"] == nil ? [400, 404] : [400, 404, 422]
                        #expect(expected.contains(reply.status), "\(operation.id) \(id)")
                        #expect(reply.json["error"]?["message"]?.string != nil)
                    }
                } else {
                    for (query, field) in [
                        ("cursor=x", "cursor"), ("cursor=p0", "cursor"), ("cursor=%FF", "cursor"), ("limit=0", "limit"),
                        ("limit=201", "limit"), ("limit=many", "limit"), ("limit=99999999999999999999", "limit"),
                    ] {
                        let reply = try await stage.send(
                            .get, operation.path + "?" + query, headers: stage.signedIn)
                        #expect(reply.status == 422, "\(operation.id) \(query)")
                        #expect(reply.fields.keys.sorted() == [field], "\(operation.id) \(query)")
                    }
                }
            }
        }
    }

    @Test("an unknown address and an unknown method get the documented error, too")
    func unknownAddress() async throws {
        try await Stage.with { stage in
            let missing = try await stage.api(.get, "no-such-thing")
            #expect(missing.status == 404)
            #expect(missing.code == "not_found")
            let method = try await stage.api(.put, "apps", [:])
            #expect(method.status == 405)
            #expect(method.code == "method_not_allowed")
            #expect(method.headers["Allow"] == "GET, HEAD, POST")
        }
    }

    @Test("secrets are written and never read back")
    func secrets() async throws {
        try await Stage.with { stage in
            let secret = "very-secret-0987654321"
            let app = try await stage.make(
                "apps", ["name": "App", "client_id": "id", "client_secret": .string(secret)])
            let provider = try await stage.make("providers", ["name": "Dify", "type": "dify_chatflow"])
            let connector = try await stage.make(
                "connectors",
                ["name": "Flow", "provider_id": try #require(provider["id"]), "key": .string(secret)])
            for (path, field) in [
                ("apps/\(try app.field("id"))", "client_secret"), ("connectors/\(try connector.field("id"))", "key"),
            ] {
                let list = path.split(separator: "/")[0]
                for reply in [
                    try await stage.api(.get, path), try await stage.api(.get, String(list)),
                    try await stage.api(.patch, path, ["name": "New"]),
                    // What was read is not taken for a new secret.
                    try await stage.api(.patch, path, [field: .string("••••4321")]),
                ] {
                    #expect(reply.status == 200)
                    #expect(!reply.text.contains(secret))
                    #expect(reply.text.contains("••••4321"))
                }
                #expect(try await stage.api(.patch, path, [field: .null]).json[field] == .null)
            }
            #expect(!stage.lines.contains(secret))
        }
    }

    @Test("what was read can be sent back and changes nothing")
    func sentBack() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            let commands = "bots/\(try bot.field("id"))/commands"
            _ = try await stage.make(commands, stage.help)
            let calls = stage.portal.calls.filter { $0.method.contains("Bot.update") }.count
            for collection in ["apps", "portals", "installations", "providers", "connectors", "bots", commands] {
                let item = try #require(try await stage.read(collection)["items"]?.array?.first)
                let reply = try await stage.api(.patch, "\(collection)/\(try item.field("id"))", item)
                #expect(reply.status == 200, "\(collection): \(reply.text)")
                #expect(reply.json == item || collection == commands)
            }
            #expect(stage.portal.calls.filter { $0.method.contains("Bot.update") }.count == calls)
            // The secrets are what they were: the bot still answers.
            _ = try await stage.answered(bot, "Still there?")
        }
    }

    @Test("PATCH merges: what is left out stays, null empties, an object is merged member by member")
    func merging() async throws {
        try await Stage.with { stage in
            let portal = try await stage.make("portals", ["member_id": "m", "domain": "m.bitrix24.com"])
            let path = "portals/\(try portal.field("id"))"
            #expect(portal["limit"] == ["burst": 50, "per_second": 2])
            let faster = try await stage.api(.patch, path, ["limit": ["per_second": 5]])
            #expect(faster.json["limit"] == ["burst": 50, "per_second": 5])
            #expect(faster.json["domain"] == "m.bitrix24.com")
            for wrong: JSON in [
                ["burst": 0], ["burst": "50"], ["per_second": -1], ["per_second": 1e300], ["size": 5], 5,
            ] {
                let reply = try await stage.api(.patch, path, ["limit": wrong])
                #expect(reply.status == 422, "\(wrong.text)")
                #expect(reply.fields.keys.sorted() == ["limit"])
            }
            #expect(try await stage.api(.patch, path, ["member_id": "another"]).fields.keys.sorted() == ["member_id"])
            #expect(try await stage.api(.patch, path, ["domain": nil]).fields.keys.sorted() == ["domain"])

            let provider = try await stage.make("providers", ["name": "Models", "type": "openai"])
            let connector = try await stage.make(
                "connectors", ["name": "Model", "provider_id": try #require(provider["id"])])
            let id = try connector.field("id")
            var changed = try await stage.api(
                .patch, "connectors/\(id)",
                ["url": "https://example.com", "options": ["model": "gpt-4o-mini", "history": 3]])
            changed = try await stage.api(
                .patch, "connectors/\(id)", ["url": nil, "options": ["history": nil, "vision": true]])
            #expect(changed.json["url"] == .null)
            #expect(changed.json["options"] == ["model": "gpt-4o-mini", "vision": true])
            changed = try await stage.api(.patch, "connectors/\(id)", ["options": nil])
            #expect(changed.status == 200 && changed.json["options"] == [:])
        }
    }

    @Test("addresses and keys that could not be used, or would show a password, are refused")
    func addressesAndKeys() async throws {
        try await Stage.with { stage in
            let path = "connectors/\(try await stage.connector().field("id"))"
            for url in [
                "file:///etc/passwd", "https://", "http://?x", "https:///path", "ftp://host",
                "https://user:password@host/", "https://host/#part", "https://host/ with space", "host",
                "https://host\\@other/",
            ] {
                #expect(
                    try await stage.api(.patch, path, ["url": .string(url)]).fields.keys.sorted() == ["url"], "\(url)")
            }
            #expect(try await stage.api(.patch, path, ["key": "two\nlines"]).fields.keys.sorted() == ["key"])
            #expect(try await stage.api(.patch, path, ["name": "a\u{0}b"]).fields.keys.sorted() == ["name"])
            #expect(try await stage.api(.patch, path, ["name": "  "]).fields.keys.sorted() == ["name"])
            // Pasted with its line end.
            #expect(try await stage.api(.patch, path, ["key": " app-0123456789\n"]).status == 200)
            let id = try #require(ID<ConnectorRecord>(String(path.split(separator: "/")[1])))
            #expect(try await stage.store.connector(id)?.key == Secret("app-0123456789"))
            for page in ["javascript:alert(1)", "//other.host/", "page"] {
                let reply = try await stage.api(.post, "apps", ["name": "App", "page_url": .string(page)])
                #expect(reply.fields.keys.sorted() == ["page_url"])
            }
            #expect(try await stage.make("apps", ["name": "App", "page_url": "/own/page"])["page_url"] == "/own/page")
        }
    }

    @Test("lists come newest first, page by page")
    func paging() async throws {
        try await Stage.with { stage in
            var made: [String] = []
            for number in 1...5 {
                made.append(try await stage.make("apps", ["name": .string("\(number)")]).field("id"))
            }
            var seen: [String] = []
            var query = "?limit=2"
            while true {
                let page = try await stage.read("apps\(query)")
                let items = try #require(page["items"]?.array)
                #expect((1...2).contains(items.count))
                seen += try items.map { try $0.field("id") }
                guard let next = page["next"]?.string else { break }
                query = "?limit=2&cursor=\(Form.percentEncode(next))"
            }
            #expect(seen == made.reversed())
        }
    }

    @Test("what must be unique, and what is still in use, is a conflict that says so")
    func conflicts() async throws {
        try await Stage.with { stage in
            _ = try await stage.make("apps", ["name": "One", "client_id": "same"])
            let second = try await stage.api(.post, "apps", ["name": "Two", "client_id": "same"])
            #expect(second.status == 409)
            #expect(second.fields.keys.sorted() == ["client_id"])
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            let connector = try await stage.read("connectors/\(try bot.field("connector_id"))")
            #expect(try await stage.api(.delete, "connectors/\(try connector.field("id"))").code == "conflict")
            #expect(try await stage.api(.delete, "providers/\(try connector.field("provider_id"))").code == "conflict")
            let path = "bots/\(try bot.field("id"))"
            for (field, value) in [("type", "openline"), ("api", "v1"), ("installation_id", "999")] {
                let reply = try await stage.api(.patch, path, [field: .string(value)])
                #expect(reply.status == 422)
                #expect(reply.fields.keys.sorted() == [field])
            }
            for (field, value) in [("connector_id", "999"), ("installation_id", "999")] {
                var draft: JSON = ["name": "Bot", "installation_id": .string(installed.id)]
                draft[field] = .string(value)
                #expect(try await stage.api(.post, "bots", draft).fields.keys.sorted() == [field])
            }
        }
    }

    @Test("only an application that may register bots does")
    func notABotApplication() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            _ = try await stage.api(.patch, "apps/\(try installed.app.field("id"))", ["bitbot": false])
            let reply = try await stage.api(
                .post, "bots", ["name": "Bot", "installation_id": .string(installed.id)])
            #expect(reply.status == 409)
            #expect(stage.portal.bots.isEmpty)
        }
    }

    @Test("a bot's settings are checked one by one, merged, and taken back with null")
    func botSettings() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let path = "bots/\(try await stage.bot(of: installed, isConnected: false).field("id"))"
            let wrong: [(JSON, String)] = [
                (["seperate": true], "has no seperate"), (["separate": "yes"], "separate must be true or false"),
                (["collect_ms": 60_001], "collect_ms must be a whole number from 0 to 60000"),
                (["collect_ms": "soon"], "collect_ms must be a whole number from 0 to 60000"),
                (["failure_text": "Sorry"], "failure_text must be an object with a text for each language"),
                (
                    ["failure_text": ["English": "Sorry"]],
                    "failure_text must name languages by two small letters, not English"
                ),
                (["failure_text": ["en": 1]], "failure_text must hold texts of at most 4,000 characters"),
                (["greet": []], "greet must be true or false"), ([], "must be an object"),
            ]
            for (settings, message) in wrong {
                let reply = try await stage.api(.patch, path, ["settings": settings])
                #expect(reply.status == 422 && reply.fields == ["settings": .string(message)], "\(settings.text)")
            }
            let first: JSON = ["separate": true, "collect_ms": 500, "failure_text": ["en": "Sorry", "ru": "Увы"]]
            #expect(try await stage.api(.patch, path, ["settings": first]).json["settings"] == first)
            let patch: JSON = ["collect_ms": .null, "failure_text": ["ru": .null, "de": "Leider"]]
            let merged: JSON = ["separate": true, "failure_text": ["en": "Sorry", "de": "Leider"]]
            #expect(try await stage.api(.patch, path, ["settings": patch]).json["settings"] == merged)
            let create = try #require(try await stage.operations().first { $0.id == "create_bot" }?.body)
            let described = create["properties"]?["settings"]?["properties"]?.object ?? [:]
            #expect(Set(described.keys).isSuperset(of: ["typing", "separate", "live", "collect_ms", "greet"]))
            #expect(described["collect_ms"]?["maximum"] == 60_000)
        }
    }

    @Test("a bot that Bitrix24 refuses says why, and is registered when it is changed again")
    func refusedBot() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            stage.portal.inject(
                .init(
                    .error(status: 403, code: "ACCESS_DENIED", description: "No bots here"),
                    method: "imbot.v2.Bot.register"))
            let bot = try await stage.make(
                "bots", ["name": "Bot", "type": "bot", "installation_id": .string(installed.id)])
            #expect(bot["status"] == "failed")
            #expect(bot["status_reason"]?.string?.contains("No bots here") == true)
            let path = "bots/\(try bot.field("id"))"
            #expect(try await stage.api(.patch, path, [:]).json["status"] == "active")
            // A change that cannot be told now does not take the bot away.
            stage.portal.inject(
                .init(
                    .error(status: 400, code: "NAME_ERROR", description: "Not this name"), method: "imbot.v2.Bot.update"
                ))
            let renamed = try await stage.api(.patch, path, ["name": "Rude"]).json
            #expect(renamed["status"] == "active")
            #expect(renamed["status_reason"]?.string?.contains("Not this name") == true)
            #expect(try await stage.api(.patch, path, ["name": "Polite"]).json["status_reason"] == .null)
        }
    }

    @Test("a bot that was deleted in Bitrix24 is registered anew with its commands when it is changed")
    func deletedBot() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            let path = "bots/\(try bot.field("id"))"
            let command = try await stage.make(path + "/commands", stage.help)
            try stage.portal.deleteBot(Int(try #require(bot["bot_id"]?.integer)))
            await stage.portal.settle()
            #expect(try await stage.read(path)["status"] == "deleted")
            let again = try await stage.api(.patch, path, [:]).json
            #expect(again["status"] == "active")
            #expect(again["bot_id"] != bot["bot_id"])
            let commands = try #require(try await stage.read(path + "/commands")["items"]?.array)
            #expect(commands.count == 1)
            #expect(commands[0]["command_id"] != command["command_id"])
            _ = try await stage.answered(again, "Hello again")
        }
    }

    @Test("a command is one word without its slash, and there once")
    func commands() async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed())
            let path = "bots/\(try bot.field("id"))/commands"
            for word in ["/help", "two words", ""] {
                #expect(
                    try await stage.api(.post, path, ["command": .string(word)]).fields.keys.sorted() == ["command"])
            }
            _ = try await stage.make(path, stage.help)
            let again = try await stage.api(.post, path, stage.help)
            #expect(again.status == 409)
            #expect(again.fields.keys.sorted() == ["command"])
            let wrong = try await stage.api(
                .post, path, ["command": "other", "translations": [["language": "en", "titel": "typo"]]])
            #expect(wrong.fields.keys.sorted() == ["translations"])
        }
    }

    @Test("a command that Bitrix24 refuses is not kept; a change that it refuses can be sent again")
    func refusedCommand() async throws {
        try await Stage.with { stage in
            let bot = try await stage.bot(of: try await stage.installed())
            let path = "bots/\(try bot.field("id"))/commands"
            let refusal = SimulatedPortal.Fault(
                .error(status: 400, code: "COMMAND_ERROR", description: "Not this one"),
                method: "imbot.v2.Command.register")
            stage.portal.inject(refusal)
            let refused = try await stage.api(.post, path, stage.help)
            #expect(refused.status == 502)
            #expect(refused.code == "bitrix24_refused")
            #expect(refused.json["error"]?["message"]?.string?.contains("Not this one") == true)
            #expect(try await stage.read(path)["items"]?.array == [])
            let command = path + "/" + (try await stage.make(path, stage.help).field("id"))
            stage.portal.inject(refusal)
            #expect(try await stage.api(.patch, command, ["common": true]).status == 502)
            #expect(try await stage.read(command)["command_id"] == .null)
            let again = try await stage.api(.patch, command, ["common": true])
            #expect(again.status == 200)
            #expect(again.json["command_id"]?.integer != nil)
            #expect(again.json["common"] == true)
        }
    }

    @Test("what is changed while Bitrix24 is asked about a bot is not lost")
    func changedMeanwhile() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed, isConnected: false)
            let path = "bots/\(try bot.field("id"))"
            let connector = try await stage.connector().field("id")
            stage.portal.inject(.init(.slow(.seconds(1)), method: "imbot.v2.Bot.update"))
            async let renamed = stage.api(.patch, path, ["name": "Renamed"])
            try await eventually { try await stage.read(path)["name"] == "Renamed" }
            _ = try await stage.api(.patch, path, ["connector_id": .string(connector)])
            #expect(try await renamed.status == 200)
            let now = try await stage.read(path)
            #expect(now["connector_id"]?.string == connector)
            #expect(now["name"] == "Renamed")
        }
    }

    @Test(
        "a portal that is away keeps its bot until it can be asked, but installations, portals and applications can go")
    func portalAway() async throws {
        for collection in ["installations", "portals", "apps"] {
            try await Stage.with { stage in
                let installed = try await stage.installed()
                let bot = try await stage.bot(of: installed)
                let portal = try #require(try await stage.read("portals")["items"]?.array?.first)
                await stage.portal.stop()
                let reply = try await stage.api(.delete, "bots/\(try bot.field("id"))")
                #expect(reply.status == 503)
                #expect(reply.code == "bitrix24_refused")
                #expect(try await stage.read("bots")["items"]?.array?.count == 1)
                let id = [
                    "installations": installed.id, "portals": try portal.field("id"),
                    "apps": try installed.app.field("id"),
                ][collection]
                #expect(try await stage.api(.delete, "\(collection)/\(id ?? "")").status == 204)
                #expect(try await stage.read("bots")["items"]?.array == [])
                #expect(try await stage.read("installations")["items"]?.array == [])
            }
        }
    }
}

/// An operation of the OpenAPI document.
struct DescribedOperation {
    var id: String
    var method: HTTPMethod
    var path: String
    var description: JSON

    /// What it takes.
    var body: JSON? { description["requestBody"]?["content"]?["application/json"]?["schema"] }

    func url(id: String) -> String {
        path.split(separator: "/").map { $0.hasPrefix("{") ? id : String($0) }.reduce("") { $0 + "/" + $1 }
    }
}

extension Stage {
    /// A command as it is asked for.
    var help: JSON { ["command": "help", "translations": [["language": "en", "title": "Helps"]]] }

    var signedIn: HTTPHeaders { ["Authorization": "Bearer \(adminToken.reveal())"] }

    func operations() async throws -> [DescribedOperation] {
        let document = try await send(.get, "/api/v1/openapi.json").json
        return try #require(document["paths"]?.object).flatMap { path, methods in
            try (methods.object ?? [:]).map { method, description in
                DescribedOperation(
                    id: try description.field("operationId"), method: HTTPMethod(rawValue: method.uppercased()),
                    path: path, description: description)
            }
        }
    }
}
