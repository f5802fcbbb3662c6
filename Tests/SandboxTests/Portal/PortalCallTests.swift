import Base
import TestSupport
import Testing

@testable import Sandbox

/// How the simulated portal takes calls: authorization, encodings, limits, batches, faults.
@Suite struct PortalCallTests {
    @Test("a call without a valid token is refused in Bitrix24's words")
    func authorization() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            #expect(try await fixture.call("profile").outcome == "401 NO_AUTH_FOUND")
            #expect(try await fixture.call("profile", token: "wrong").outcome == "401 NO_AUTH_FOUND")
            #expect(try await fixture.call("profile", token: token).result?["ADMIN"] == true)
            #expect(try await fixture.call("user.get", token: token).outcome == "200")
            #expect(try await fixture.call("crm.deal.list", token: token).outcome == "404 ERROR_METHOD_NOT_FOUND")
            fixture.authorization.expireAccessTokens(of: PortalFixture.clientID)
            #expect(try await fixture.call("profile", token: token).outcome == "401 expired_token")
        }
    }

    @Test("a webhook's address is all that its calls need, and its scope bounds them")
    func webhooks() async throws {
        try await PortalFixture.run { fixture async throws in
            let hook = fixture.portal.addWebhook(of: 1, scope: ["imbot"])
            #expect(try await fixture.call("profile", webhook: hook).result?["ID"] == "1")
            #expect(try await fixture.call("profile.json", webhook: hook).outcome == "200")
            #expect(try await fixture.call("user.get", webhook: hook).outcome == "403 insufficient_scope")
            #expect(try await fixture.call("app.info", webhook: hook).outcome == "400 ACCESS_DENIED")
            #expect(
                try await fixture.call("imbot.v2.Bot.list", webhook: hook).outcome == "400 BOT_TOKEN_NOT_SPECIFIED")
            let wrong = Secret(fixture.portal.clientEndpoint + "1/wrong/")
            #expect(try await fixture.call("profile", webhook: wrong).outcome == "401 NO_AUTH_FOUND")
            fixture.portal.removeWebhook(hook)
            #expect(try await fixture.call("profile", webhook: hook).outcome == "401 NO_AUTH_FOUND")
        }
    }

    @Test("JSON, forms, multipart and queries say the same")
    func encodings() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "bot")
            let root = fixture.portal.clientEndpoint + "imbot.v2.Chat.Message.send"
            let form = "auth=\(token)&botId=\(bot)&dialogId=1&fields[message]=Hello%20%26%20welcome"
            let inForm = try await fixture.send(
                .post, root, body: Array(form.utf8), type: "application/x-www-form-urlencoded")
            #expect(inForm.outcome == "200")
            #expect(try await fixture.send(.get, root + ".json?" + form).outcome == "200")
            let multipart = Multipart.encode([
                Multipart.Part(name: "botId", body: Array(String(bot).utf8)),
                Multipart.Part(name: "dialogId", body: Array("1".utf8)),
                Multipart.Part(name: "fields[message]", body: Array("Hello & welcome".utf8)),
            ])
            let inParts = try await fixture.send(
                .post, root + "?auth=\(token)", body: multipart.body, type: multipart.contentType)
            #expect(inParts.outcome == "200")
            let chat = try #require(fixture.portal.dialogs.first)
            #expect(
                fixture.portal.messages(in: chat.id).map(\.text) == Array(repeating: "Hello & welcome", count: 3))
        }
    }

    @Test("numbers out of range, wrong kinds and broken bodies are answered, never fatal")
    func badInput() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "personal")
            let huge = JSON.integer(.max)
            let odd: [JSON] = [
                huge, .integer(.min), .number(1e300), "x", .null, true, [], [:], [[[]]], ["a": ["b": huge]], "chat",
                .string(String(Int.max)), .string("chat\(Int.max)"), "-1",
            ]
            for method in RESTMethod.all.values.map(\.name) where !method.contains("nregister") {
                for value in odd {
                    var parameters: Members<JSON> = [:]
                    for name in [
                        "messageId", "dialogId", "fields", "offset", "limit", "start", "range", "cmd", "filter",
                    ] {
                        parameters[name] = value
                        parameters[name.uppercased()] = value
                    }
                    parameters["botId"] = JSON(bot)
                    parameters["BOT_ID"] = JSON(bot)
                    let answer = try await fixture.call(method, .object(parameters), token: token)
                    #expect(answer.status < 500, "\(method) \(value.text)")
                }
            }
            let root = fixture.portal.clientEndpoint
            for body in ["{", "[1", "\u{0}", #"{"cmd":"#] {
                for method in ["batch", "profile"] {
                    let answer = try await fixture.send(
                        .post, root + method, body: Array(body.utf8), type: "application/json")
                    #expect((400..<500).contains(answer.status))
                }
            }
            let deep = "auth=\(token)&cmd" + String(repeating: "[a]", count: 100) + "=1"
            #expect(try await fixture.send(.get, root + "batch?" + deep).outcome == "400 INVALID_REQUEST")
        }
    }

    @Test("more requests than the bucket holds are answered 503, a batch counts as one")
    func bucket() async throws {
        var settings = SimulatedPortal.Settings.quick
        settings.limit = SimulatedPortal.Limit(burst: 3, perSecond: 0.001)
        try await PortalFixture.run(settings: settings) { fixture in
            let token = try await fixture.install().access
            let commands: JSON = ["cmd": ["profile", "profile", "profile"]]
            #expect(try await fixture.call("batch", commands, token: token).outcome == "200")
            #expect(try await fixture.call("profile", token: token).outcome == "200")
            #expect(try await fixture.call("profile", token: token).outcome == "200")
            #expect(try await fixture.call("profile", token: token).outcome == "503 QUERY_LIMIT_EXCEEDED")
        }
    }

    @Test("a method that has used up its running time is blocked, the others go on")
    func operatingTime() async throws {
        var settings = SimulatedPortal.Settings.quick
        settings.sendDelay = .milliseconds(3) ... .milliseconds(5)
        settings.operatingLimit = .milliseconds(2)
        try await PortalFixture.run(settings: settings) { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "bot")
            let message: JSON = ["botId": JSON(bot), "dialogId": "1", "fields": ["message": "Hello"]]
            let first = try await fixture.call("imbot.v2.Chat.Message.send", message, token: token)
            #expect(first.outcome == "200")
            #expect(first.json?["time"]?["operating_reset_at"]?.integer != nil)
            let second = try await fixture.call("imbot.v2.Chat.Message.send", message, token: token)
            #expect(second.outcome == "429 OPERATION_TIME_LIMIT")
            #expect(try await fixture.call("profile", token: token).outcome == "200")
        }
    }

    @Test("a batch runs its commands as written, lets results be used, and reports each error in its place")
    func batch() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let body = #"""
                {"halt":0,"cmd":{"zebra":"user.current","apple":"user.get?FILTER[ID]=$result[zebra][ID]",
                "broken":"no.such.method","nested":"batch?cmd[a]=profile"},"auth":"TOKEN"}
                """#.replacing("TOKEN", with: token)
            let answer = try await fixture.send(
                .post, fixture.portal.clientEndpoint + "batch", body: Array(body.utf8), type: "application/json")
            #expect(answer.status == 200)
            let result = try #require(answer.result)
            #expect(result["result"]?["apple"]?.array?.first?["ID"] == "1")
            #expect(result["result_total"] == ["apple": 1])
            #expect(result["result_next"] == [])
            #expect(result["result_error"]?["broken"]?["error"] == "ERROR_METHOD_NOT_FOUND")
            #expect(result["result_error"]?["nested"]?["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED")
            #expect(result["result_time"]?["zebra"]?["duration"] != nil)
            let calls = fixture.portal.calls
            #expect(calls.map(\.method).last == "batch")
            #expect(calls.map(\.method).prefix(2) == ["user.current", "user.get"])
            #expect(calls.first?.isInsideBatch == true)
            #expect(calls.last?.parameters["cmd"]?["apple"] == "user.get")
        }
    }

    @Test("a halting batch stops at its first error; a list of commands is answered with a list")
    func haltingBatch() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let halting: JSON = ["halt": 1, "cmd": ["no.such.method", "profile"]]
            let halted = try await fixture.call("batch", halting, token: token)
            #expect(halted.result?["result"] == [])
            #expect(halted.result?["result_error"]?.array?.count == 1)
            let list = try await fixture.call("batch", ["cmd": ["profile", "server.time"]], token: token)
            #expect(list.result?["result"]?.array?.count == 2)
            #expect(list.result?["result_error"] == [])
            let long: JSON = ["cmd": .array(Array(repeating: "server.time", count: 51))]
            let cut = try await fixture.call("batch", long, token: token)
            #expect(cut.result?["result"]?.array?.count == 50)
            #expect(cut.result?["result_error"]?["50"]?["error"] == "ERROR_BATCH_LENGTH_EXCEEDED")
        }
    }

    @Test("injected faults hit the calls they name, once each, and then are over")
    func faults() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let portal = fixture.portal
            portal.inject(.init(.queryLimit, method: "server.time"))
            portal.inject(.init(.error(status: 400, code: "ODD", description: "odd"), times: 2))
            #expect(try await fixture.call("server.time", token: token).outcome == "503 QUERY_LIMIT_EXCEEDED")
            #expect(try await fixture.call("server.time", token: token).outcome == "400 ODD")
            #expect(try await fixture.call("profile", token: token).outcome == "400 ODD")
            #expect(try await fixture.call("profile", token: token).outcome == "200")

            portal.inject(.init(.expiredToken, method: "profile", insideBatch: true))
            let batch = try await fixture.call("batch", ["cmd": ["profile", "profile"]], token: token)
            #expect(batch.result?["result_error"]?.array?.first?["error"] == "expired_token")
            #expect(batch.result?["result"]?["1"] != nil)

            portal.inject(.init(.moved(to: "http://127.0.0.1:1")))
            let moved = try await fixture.call("profile", token: token)
            #expect(moved.status == 302)
            #expect(moved.headers["Location"] == "http://127.0.0.1:1/rest/profile")
        }
    }

    @Test("a lost connection means that nothing was done, a lost answer that all was")
    func lostConnections() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let bot = try await fixture.registerBot(token: token, type: "bot")
            let message: JSON = ["botId": JSON(bot), "dialogId": "1", "fields": ["message": "Hello"]]
            for kind in [SimulatedPortal.Fault.Kind.connectionLost, .answerLost] {
                fixture.portal.inject(.init(kind))
                await #expect(throws: HTTPClientError.self) {
                    try await fixture.call("imbot.v2.Chat.Message.send", message, token: token)
                }
            }
            let chat = try #require(fixture.portal.dialogs.first)
            #expect(fixture.portal.messages(in: chat.id).count == 1)
        }
    }
}

@Suite struct PortalAuthorizationTests {
    @Test("a refresh token brings a new pair once, and only to its own application")
    func renewal() async throws {
        try await PortalFixture.run { fixture in
            let refresh = try await fixture.install().refresh
            let first = try await fixture.renew(refresh)
            #expect(first.json?["expires_in"] == 3600)
            #expect(first.json?["member_id"]?.string == fixture.portal.settings.memberID)
            #expect(first.json?["client_endpoint"]?.string == fixture.portal.clientEndpoint)
            #expect(first.json?["user_id"] == 1)
            let access = try #require(first.json?["access_token"]?.string)
            #expect(try await fixture.call("profile", token: access).outcome == "200")
            #expect(try await fixture.renew(refresh).outcome == "400 invalid_grant")
            let second = try #require(first.json?["refresh_token"]?.string)
            #expect(try await fixture.renew(second, secret: "wrong").outcome == "400 invalid_client")
            fixture.authorization.refuseRenewals(of: PortalFixture.clientID, with: .paymentRequired)
            #expect(try await fixture.renew(second).outcome == "401 PAYMENT_REQUIRED")
            fixture.authorization.refuseRenewals(of: PortalFixture.clientID, with: .wrongClient)
            #expect(try await fixture.renew(second).outcome == "200 wrong_client")
            fixture.authorization.refuseRenewals(of: PortalFixture.clientID, with: nil)
            #expect(try await fixture.renew(second).outcome == "200")
            #expect(fixture.authorization.renewals == 2)
        }
    }

    @Test("an authorization code works once")
    func codes() async throws {
        try await PortalFixture.run { fixture in
            try await fixture.install()
            let query = try fixture.portal.authorizationCode(for: PortalFixture.clientID, as: 2)
            let code = try #require(try Form.decode(Array(query.utf8))["code"]?.string)
            let address =
                fixture.authorization.origin + "/oauth/token/?grant_type=authorization_code"
                + "&client_id=\(PortalFixture.clientID)&client_secret=\(PortalFixture.clientSecret.reveal())&code=\(code)"
            let granted = try await fixture.send(.get, address)
            let access = try #require(granted.json?["access_token"]?.string)
            #expect(try await fixture.call("profile", token: access).result?["ADMIN"] == false)
            #expect(try await fixture.send(.get, address).outcome == "400 invalid_grant")
        }
    }

    @Test("app.info at the authorization server tells for which application and portal a token is")
    func information() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let address = fixture.authorization.serverEndpoint + "app.info?auth="
            let answer = try await fixture.send(.get, address + token)
            #expect(answer.result?["client_id"]?.string == PortalFixture.clientID)
            #expect(answer.result?["install"]?["member_id"]?.string == fixture.portal.settings.memberID)
            #expect(answer.result?["user_id"] == 1)
            #expect(try await fixture.send(.get, address + "wrong").outcome == "401 NO_AUTH_FOUND")
        }
    }

    @Test("with an interface nothing is told to the application before installFinish")
    func interface() async throws {
        try await PortalFixture.run { fixture in
            var application = fixture.application
            application.pageURL = fixture.sink.url("/page")
            try await fixture.portal.install(application)
            let opened = try #require(fixture.sink.posts.first)
            #expect(opened.path == "/install")
            #expect(opened.query.hasPrefix("DOMAIN="))
            let token = try #require(opened.form["AUTH_ID"]?.string)
            #expect(opened.form["PLACEMENT"] == "DEFAULT")
            for event in ["ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL"] {
                let binding: JSON = ["event": .string(event), "handler": .string(fixture.sink.url("/events"))]
                #expect(try await fixture.call("event.bind", binding, token: token).outcome == "200")
            }
            #expect(try await fixture.call("app.info", token: token).result?["INSTALLED"] == false)
            let bot = try await fixture.registerBot(token: token)
            let line = fixture.portal.createOpenChannel(bot: bot)
            let dialog = try fixture.portal.startDialog(line: line)
            try fixture.portal.customerWrites("Too early", in: dialog.id)
            await fixture.portal.settle()
            #expect(fixture.sink.posts.count == 1)

            try fixture.portal.installFinish(application.clientID)
            let installed = try await fixture.sink.first("ONAPPINSTALL")
            let token1 = installed.form["auth"]?["application_token"]
            #expect(token1?.string == fixture.portal.applicationToken(of: application.clientID))

            try fixture.portal.update(application.clientID, to: 2)
            let updated = try await fixture.sink.first("ONAPPUPDATE")
            #expect(updated.form["auth"]?["application_token"] != token1)
            #expect(try await fixture.call("event.get", token: token).result == [])
        }
    }

    @Test("what is told of an uninstallation carries the application token and no other")
    func uninstallation() async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            let binding: JSON = ["event": "OnAppUninstall", "handler": .string(fixture.sink.url("/events"))]
            #expect(try await fixture.call("event.bind", binding, token: token).outcome == "200")
            let applicationToken = fixture.portal.applicationToken(of: PortalFixture.clientID)
            try fixture.portal.uninstall(PortalFixture.clientID, clean: true)
            let post = try await fixture.sink.first("ONAPPUNINSTALL")
            #expect(post.data["CLEAN"] == "1")
            let auth = try #require(post.form["auth"]?.object)
            #expect(auth["application_token"]?.string == applicationToken)
            #expect(auth["access_token"] == nil && auth["refresh_token"] == nil)
            #expect(try await fixture.call("profile", token: token).outcome == "401 NO_AUTH_FOUND")
        }
    }
}

extension PortalFixture {
    fileprivate func renew(_ refreshToken: String, secret: String? = nil) async throws -> RESTAnswer {
        let secret = secret ?? Self.clientSecret.reveal()
        return try await send(
            .get,
            authorization.origin + "/oauth/token/?grant_type=refresh_token&client_id=\(Self.clientID)"
                + "&client_secret=\(secret)&refresh_token=\(refreshToken)")
    }
}
