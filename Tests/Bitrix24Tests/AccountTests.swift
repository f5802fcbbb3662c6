import Base
import Synchronization
import TestSupport
import Testing

@testable import Bitrix24

@Suite("Tokens that renew themselves")
struct AccountTests {
    /// Takes only tokens that were renewed.
    private static let wantsNewToken: ScriptedPortal.Script = { call in
        call.token.hasPrefix("access-0") || call.token == "other-0"
            ? .error("expired_token", status: 401) : .result(.string(call.token))
    }

    @Test("many calls with an expired token renew it once, and the pair is saved before it is used")
    func once() async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        let unsavedUses = Mutex(0)
        try await ScriptedPortal.run(
            script: { call in
                if call.token == "access-0" { return .error("expired_token", status: 401) }
                if keeper.state.withLock({ $0.saved.isEmpty }) { unsavedUses.withLock { $0 += 1 } }
                return .result(true)
            },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account(keeper: keeper)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for n in 0..<100 {
                        group.addTask { _ = try await client.call(PortalCall("test", lane: "\(n)"), as: account) }
                    }
                    try await group.waitForAll()
                }
                #expect(portal.renewals == ["refresh-0"])
                #expect(unsavedUses.withLock { $0 } == 0)
                let saved = keeper.state.withLock { $0.saved }
                #expect(saved.count == 1)
                #expect(saved[0].accessToken.reveal() == "access-1" && saved[0].refreshToken?.reveal() == "refresh-1")
                #expect(saved[0].formerRefreshToken?.reveal() == "refresh-0")
            })
    }

    @Test("a valid token is never renewed in advance")
    func notInAdvance() async throws {
        try await ScriptedPortal.run(
            script: { _ in .result(true) },
            body: { portal in
                var credential = MemoryKeeper.credential()
                credential.expiresAt = Timestamp(rawValue: 0)
                let account = portal.account(keeper: MemoryKeeper([credential]))
                _ = try await portal.portal(nil).call(PortalCall("test"), as: account)
                #expect(portal.renewals.isEmpty)
            })
    }

    @Test("a renewed pair that could not be saved is saved at the next try, not renewed again")
    func savedLater() async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        keeper.state.withLock { $0.failingSaves = 1 }
        try await ScriptedPortal.run(
            script: Self.wantsNewToken,
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account(keeper: keeper)
                let error = await client.failure(of: PortalCall("test"), as: account)
                #expect(error?.isPassing == true && error?.mayHaveHappened == false)
                #expect(portal.calls.allSatisfy { $0.token == "access-0" })
                let result = try await client.call(PortalCall("test"), as: account)
                #expect(result == "access-1" && portal.renewals == ["refresh-0"])
            })
    }

    @Test("after a cut between renewal and save the former refresh token is tried, then another user's")
    func formerThenOther() async throws {
        var first = MemoryKeeper.credential()
        first.formerRefreshToken = Secret("refresh-former")
        let keeper = MemoryKeeper([first, MemoryKeeper.credential("2", access: "other-0", refresh: "other-refresh")])
        try await ScriptedPortal.run(
            oauth: { query in
                query["refresh_token"] == "other-refresh"
                    ? ScriptedPortal.pair(7) : ScriptedPortal.refusal("invalid_grant", status: 400)
            },
            script: Self.wantsNewToken,
            body: { portal in
                let result = try await portal.portal(nil).call(PortalCall("test"), as: portal.account(keeper: keeper))
                #expect(result == "access-7")
                #expect(portal.renewals == ["refresh-0", "refresh-former", "other-refresh"])
                #expect(keeper.state.withLock { $0.discarded } == ["1"])
            })
    }

    @Test("an application that is installed anew while its old tokens are refused keeps its new ones")
    func installedMeanwhile() async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        try await ScriptedPortal.run(
            oauth: { _ in
                keeper.state.withLock {
                    $0.credentials = [MemoryKeeper.credential(access: "access-9", refresh: "refresh-9")]
                }
                return ScriptedPortal.refusal("invalid_grant", status: 400)
            },
            script: Self.wantsNewToken,
            body: { portal in
                let result = try await portal.portal(nil).call(PortalCall("test"), as: portal.account(keeper: keeper))
                #expect(result == "access-9" && keeper.state.withLock { $0.discarded.isEmpty })
            })
    }

    @Test("the former refresh token alone brings a credential back")
    func former() async throws {
        var credential = MemoryKeeper.credential()
        credential.formerRefreshToken = Secret("refresh-former")
        let keeper = MemoryKeeper([credential])
        try await ScriptedPortal.run(
            oauth: { query in
                query["refresh_token"] == "refresh-former"
                    ? ScriptedPortal.pair(3) : ScriptedPortal.refusal("invalid_grant", status: 400)
            },
            script: Self.wantsNewToken,
            body: { portal in
                let result = try await portal.portal(nil).call(PortalCall("test"), as: portal.account(keeper: keeper))
                #expect(result == "access-3" && keeper.state.withLock { $0.discarded.isEmpty })
            })
    }

    @Test("with every credential refused for good the error says so and is final")
    func none() async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        try await ScriptedPortal.run(
            oauth: { _ in ScriptedPortal.refusal("invalid_grant", status: 400) }, script: Self.wantsNewToken,
            body: { portal in
                let account = portal.account(keeper: keeper)
                let error = await portal.portal(nil).failure(of: PortalCall("test"), as: account)
                #expect(error?.kind == .noCredential && error?.isPassing == false)
                let token = try await account.userAccessToken()
                #expect(token == nil)
            })
    }

    @Test(
        "what is not the credential's fault discards nothing, and no error holds a secret",
        arguments: [
            ("invalid_client", 400, false), ("wrong_client", 200, false), ("PAYMENT_REQUIRED", 401, false),
            ("NOT_INSTALLED", 401, false), ("invalid_scope", 403, false), ("something_new", 500, true),
        ])
    func notItsFault(code: String, status: Int, isPassing: Bool) async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        let log = Mutex("")
        try await ScriptedPortal.run(
            oauth: { query in
                ScriptedPortal.refusal(code, status: status, "bad: \(query.text)")
            },
            script: Self.wantsNewToken,
            body: { portal in
                let client = Portal(
                    http: portal.http, trust: .privateAllowed, limit: nil,
                    log: Log(level: .debug, write: { line in log.withLock { $0 += line } }), metrics: Metrics())
                let error = await client.failure(of: PortalCall("test"), as: portal.account(keeper: keeper))
                #expect(error?.code == code && error?.isPassing == isPassing)
                #expect(keeper.state.withLock { $0.discarded.isEmpty })
                for secret in ["client-secret-text", "refresh-0", "access-0"] {
                    #expect("\(String(reflecting: error))".contains(secret) == false)
                    #expect(log.withLock { $0.contains(secret) } == false)
                }
            })
    }

    @Test("an authorization server that cannot be reached is a passing fault", arguments: [502, 503])
    func serverDown(status: Int) async throws {
        try await ScriptedPortal.run(
            oauth: { _ in .text("<html>down</html>", status: status) }, script: Self.wantsNewToken,
            body: { portal in
                let keeper = MemoryKeeper([MemoryKeeper.credential()])
                let error = await portal.portal(nil).failure(of: PortalCall("test"), as: portal.account(keeper: keeper))
                #expect(error?.kind == .notBitrix24(status: status) && error?.isPassing == true)
                #expect(keeper.state.withLock { $0.discarded.isEmpty })
            })
    }

    @Test(
        "a token that the portal does not know makes way for another user's",
        arguments: ["NO_AUTH_FOUND", "invalid_token", "user_access_error", "authorization_error"])
    func unknownToken(code: String) async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential(), MemoryKeeper.credential("2", access: "good")])
        try await ScriptedPortal.run(
            script: { call in
                call.token == "good" ? .result(true) : .error(code, status: 401)
            },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account(keeper: keeper)
                _ = try await client.call(PortalCall("test"), as: account)
                _ = try await client.call(PortalCall("test"), as: account)
                // The second call did not try the first token again; nothing was renewed or discarded.
                #expect(portal.calls.map(\.token) == ["access-0", "good", "good"])
                #expect(portal.renewals.isEmpty && keeper.state.withLock { $0.discarded.isEmpty })
            })
    }

    @Test("the token for the variable is renewed when its hour is over")
    func variable() async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        try await ScriptedPortal.run(
            script: { _ in .result(true) },
            body: { portal in
                let account = portal.account(keeper: keeper, clock: WallClock { Timestamp(rawValue: 5_000) })
                let asItIs = try await account.userAccessToken()
                #expect(asItIs?.reveal() == "access-0")
                keeper.state.withLock { $0.credentials[0].expiresAt = Timestamp(rawValue: 4_000) }
                account.reload()
                let renewed = try await account.userAccessToken()
                #expect(renewed?.reveal() == "access-1")
                let again = try await account.userAccessToken()
                #expect(again?.reveal() == "access-1" && portal.renewals.count == 1)
            })
    }

    @Test("a portal that calls every token expired costs one renewal for each call, and the fault passes")
    func alwaysExpired() async throws {
        try await ScriptedPortal.run(
            script: { _ in .error("expired_token", status: 401) },
            body: { portal in
                let error = await portal.portal(nil).failure(of: PortalCall("test"), as: portal.account())
                #expect(error?.code == "expired_token" && error?.isPassing == true)
                #expect(portal.renewals.count == 1 && portal.calls.count == 2)
            })
    }

    @Test("an idle credential can be renewed before its 180 days are over")
    func idle() async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        try await ScriptedPortal.run(
            script: { _ in .result(true) },
            body: { portal in
                try await portal.account(keeper: keeper).renew(MemoryKeeper.credential())
                #expect(keeper.state.withLock { $0.saved.map { $0.accessToken.reveal() } } == ["access-1"])
            })
    }
}

@Suite("The authorization server")
struct AuthorizationServerTests {
    private static let information: JSON = [
        "result": [
            "client_id": "app.1", "scope": "imbot,im", "expires": "2026-11-20T12:00:00+00:00", "user_id": 1,
            "install": [
                "installed": true, "version": 1, "status": "L", "scope": "imbot,im", "domain": "a.bitrix24.com",
                "client_endpoint": "https://a.bitrix24.com/rest/", "member_id": "abc",
            ],
        ]
    ]

    @Test("a token proves its application, its portal and its user")
    func tokenInfo() async throws {
        try await ScriptedPortal.run(
            beforeRequest: { .response(ScriptedPortal.json(Self.information)) }, script: { _ in .result(true) },
            body: {
                portal in
                let server = AuthorizationServer(url: portal.origin + "/", http: portal.http)
                let info = try await server.tokenInfo(Secret("access-0"), serverEndpoint: nil)
                #expect(info.clientID == "app.1" && info.memberID == "abc" && info.userID == "1")
                #expect(info.clientEndpoint == "https://a.bitrix24.com/rest/" && info.domain == "a.bitrix24.com")
                #expect(info.serverEndpoint == portal.origin + "/rest/" && info.scope == "imbot,im")
            })
    }

    @Test("a server that a post names is not asked unless it is known")
    func unknownServer() async throws {
        let answer: @Sendable () -> ScriptedPortal.Reply? = { .response(ScriptedPortal.json(Self.information)) }
        try await ScriptedPortal.run(
            beforeRequest: answer, script: { _ in .result(true) },
            body: { stranger in
                try await ScriptedPortal.run(
                    beforeRequest: answer, script: { _ in .result(true) },
                    body: { own in
                        let strict = AuthorizationServer(url: own.origin, http: own.http)
                        for named in [
                            stranger.endpoint, own.origin + ".evil.example/rest/", own.origin + "@evil/rest/",
                        ] {
                            _ = try await strict.tokenInfo(Secret("access-0"), serverEndpoint: named)
                        }
                        #expect(own.requests == 3 && stranger.requests == 0)
                        let open = AuthorizationServer(url: own.origin, alsoKnown: [stranger.origin], http: own.http)
                        let info = try await open.tokenInfo(Secret("access-0"), serverEndpoint: stranger.endpoint)
                        #expect(stranger.requests == 1 && info.serverEndpoint == stranger.endpoint)
                    })
            })
    }

    @Test("a token of nobody proves nothing", arguments: ["expired_token", "NO_AUTH_FOUND"])
    func refused(code: String) async throws {
        try await ScriptedPortal.run(
            beforeRequest: { .response(ScriptedPortal.refusal(code, status: 401)) }, script: { _ in .result(true) },
            body: { portal in
                let server = AuthorizationServer(url: portal.origin, http: portal.http)
                await #expect(throws: PortalError.self) {
                    try await server.tokenInfo(Secret("access-0"), serverEndpoint: nil)
                }
            })
    }

    @Test("an administrator is told from an employee", arguments: [true, false])
    func administrator(isAdmin: Bool) async throws {
        try await ScriptedPortal.run(
            script: { call in
                .result(["ID": "1", "ADMIN": .bool(isAdmin && call.method == "profile")])
            },
            body: {
                portal in
                let server = AuthorizationServer(url: portal.origin, http: portal.http)
                let answer = try await server.user(
                    Secret("access-0"), clientEndpoint: portal.endpoint, trust: .privateAllowed)
                #expect(answer.isAdministrator == isAdmin)
            })
    }
}

@Suite("Errors of the portal")
struct PortalErrorTests {
    @Test(
        "each documented code is known as passing or final",
        arguments: [
            ("INTERNAL_SERVER_ERROR", 500, true), ("ERROR_UNEXPECTED_ANSWER", 500, true), ("OVERLOAD_LIMIT", 503, true),
            ("PORTAL_DELETED", 500, false), ("insufficient_scope", 403, false), ("ACCESS_DENIED", 403, false),
            ("INVALID_REQUEST", 400, false), ("ERROR_METHOD_NOT_FOUND", 404, false), ("EMPTY_MESSAGE", 400, false),
            ("BOT_NOT_FOUND", 400, false), ("MESSAGE_DUPLICATED_BY_UUID", 400, true), ("NEW_CODE", 502, true),
            ("NEW_CODE", 400, false), ("user_access_error", 403, false), ("INVALID_CREDENTIALS", 403, false),
            ("expired_token", 401, true),
        ])
    func codes(code: String, status: Int, isPassing: Bool) async throws {
        try await ScriptedPortal.run(
            script: { _ in .error(code, status: status) },
            body: { portal in
                let error = await portal.portal(.init()).failure(of: PortalCall("test"), as: portal.account())
                #expect(error?.code == code && error?.isPassing == isPassing)
                #expect(error?.kind == .refused(code: code, status: status))
            })
    }

    @Test("a proxy's page is not Bitrix24: 5xx pass, 4xx do not", arguments: [502, 504, 404, 200])
    func page(status: Int) async throws {
        try await ScriptedPortal.run(
            script: { _ in .response(.text("<html>", status: status)) },
            body: { portal in
                let error = await portal.portal(.init()).failure(of: PortalCall("test"), as: portal.account())
                #expect(error?.kind == .notBitrix24(status: status) && error?.isPassing == (status >= 500))
                #expect(error?.mayHaveHappened == (status != 404))
            })
    }

    @Test("a portal that cannot be connected to has done nothing")
    func unreachable() async throws {
        let port = try freePort()
        try await ScriptedPortal.run(
            script: { _ in .result(true) },
            body: { portal in
                let account = Account(
                    endpoint: "http://127.0.0.1:\(port)/rest/",
                    keys: ApplicationKeys(clientID: "app.1", clientSecret: Secret("s")),
                    authorization: AuthorizationServer(url: portal.origin, http: portal.http),
                    keeper: MemoryKeeper([MemoryKeeper.credential()]))
                let error = await portal.portal(.init()).failure(of: PortalCall("test"), as: account)
                #expect(error?.isPassing == true && error?.mayHaveHappened == false)
            })
    }

    @Test("an error's text never repeats the token")
    func hidden() async throws {
        let token = "a-rather-long-access-token"
        try await ScriptedPortal.run(
            script: { call in
                .response(ScriptedPortal.refusal("ACCESS_DENIED", status: 403, "not for \(call.token)!"))
            },
            body: { portal in
                let account = portal.account(keeper: MemoryKeeper([MemoryKeeper.credential("1", access: token)]))
                let error = await portal.portal(.init()).failure(of: PortalCall("test"), as: account)
                #expect(error?.message == "ACCESS_DENIED: not for ••••oken!")
            })
    }

    @Test("a long error's text is cut, and not within a token")
    func cutOff() async throws {
        let token = "a-rather-long-access-token"
        let much = String(repeating: "x", count: 290)
        try await ScriptedPortal.run(
            script: { call in
                .response(ScriptedPortal.refusal("ACCESS_DENIED", status: 403, "\(much) \(call.token)"))
            },
            body: { portal in
                let account = portal.account(keeper: MemoryKeeper([MemoryKeeper.credential("1", access: token)]))
                let error = await portal.portal(.init()).failure(of: PortalCall("test"), as: account)
                #expect(error?.message == "ACCESS_DENIED: \(much) …")
            })
    }
}
