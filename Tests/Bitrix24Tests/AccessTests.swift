import Base
import Synchronization
import Testing

@testable import Bitrix24

@Suite("Installations that Bitrix24 lets in no more")
struct AccessTests {
    private static let send = PortalCall("imbot.v2.Chat.Message.send", ["botId": 1, "dialogId": "chat1"])

    @Test(
        "everybody who calls learns it, the administrator is told once, and a call from time to time sees whether it is over",
        arguments: [
            ("PAYMENT_REQUIRED", 401), ("PORTAL_DELETED", 500), ("OVERLOAD_LIMIT", 503), ("ACCESS_DENIED", 403),
            ("NOT_INSTALLED", 401), ("user_access_error", 403), ("NO_AUTH_FOUND", 401), ("INVALID_CREDENTIALS", 403),
            ("insufficient_scope", 403),
        ])
    func closed(code: String, status: Int) async throws {
        let now = Mutex(Timestamp(rawValue: 1_000_000))
        let isClosed = Mutex(true)
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        try await ScriptedPortal.run(
            script: { _ in isClosed.withLock { $0 } ? .error(code, status: status) : .result(["id": 1]) },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account(keeper: keeper, clock: WallClock { now.withLock { $0 } })
                let first = await client.failure(of: Self.send, as: account)
                #expect(first?.concernsInstallation == true && first?.code == code)
                let asked = portal.requests
                for _ in 0..<20 {
                    let error = await client.failure(of: Self.send, as: account)
                    #expect(error?.concernsInstallation == true && error?.retryAfter == .seconds(10))
                    #expect(error?.mayHaveHappened == false)
                }
                #expect(portal.requests == asked)
                // It tries again after ten seconds, and then after twenty.
                for pause in [10_000, 20_000] {
                    now.withLock { $0 = Timestamp(rawValue: $0.rawValue + Int64(pause)) }
                    _ = await client.failure(of: Self.send, as: account)
                    _ = await client.failure(of: Self.send, as: account)
                }
                let sends = portal.calls.filter { $0.method == Self.send.method }
                #expect(sends.count == 3)
                #expect(keeper.state.withLock { $0.told } == [code])
                isClosed.withLock { $0 = false }
                now.withLock { $0 = Timestamp(rawValue: $0.rawValue + 40_000) }
                _ = try await client.call(Self.send, as: account)
                _ = try await client.call(Self.send, as: account)
                #expect(keeper.state.withLock { $0.told } == [code, "granted"])
            })
    }

    @Test("an application that is opened again is tried at once")
    func reloaded() async throws {
        let isClosed = Mutex(true)
        try await ScriptedPortal.run(
            script: { _ in isClosed.withLock { $0 } ? .error("PAYMENT_REQUIRED", status: 401) : .result(["id": 1]) },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account()
                _ = await client.failure(of: Self.send, as: account)
                isClosed.withLock { $0 = false }
                let error = await client.failure(of: Self.send, as: account)
                #expect(error?.code == "PAYMENT_REQUIRED")
                account.reload()
                _ = try await client.call(Self.send, as: account)
            })
    }

    @Test("a chat that a bot is not in, and a right that only one method lacks, concern that call alone")
    func oneCall() async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        try await ScriptedPortal.run(
            script: { call in
                switch call.method {
                case Self.send.method: .error("ACCESS_DENIED", status: 403)
                case "user.get": .error("insufficient_scope", status: 403)
                default: .result(true)
                }
            },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account(keeper: keeper)
                for call in [Self.send, PortalCall("user.get")] {
                    let error = await client.failure(of: call, as: account)
                    #expect(error?.concernsInstallation == false && error?.isPassing == false)
                }
                _ = try await client.call(PortalCall("imbot.v2.Bot.list"), as: account)
                #expect(keeper.state.withLock { $0.told } == ["granted"])
            })
    }

    @Test("what a demoted administrator may not do any more the next one does; bots do not try it for their messages")
    func demoted() async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential(), MemoryKeeper.credential("2", access: "admin")])
        try await ScriptedPortal.run(
            script: { call in
                call.token == "admin" || call.method == "scope" ? .result(true) : .error("ACCESS_DENIED", status: 403)
            },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account(keeper: keeper)
                _ = try await client.call(PortalCall("event.bind", ["event": "ONAPPUPDATE"]), as: account)
                #expect(portal.calls.map(\.token) == ["access-0", "admin"])
                let error = await client.failure(of: Self.send, as: account)
                #expect(error?.code == "ACCESS_DENIED" && error?.concernsInstallation == false)
            })
    }

    @Test(
        "an authorization server that gives no tokens any more is no user's fault: the refresh token is kept",
        arguments: [("PAYMENT_REQUIRED", 401), ("NOT_INSTALLED", 401), ("invalid_client", 400), ("wrong_client", 200)])
    func noTokens(code: String, status: Int) async throws {
        let keeper = MemoryKeeper([MemoryKeeper.credential()])
        try await ScriptedPortal.run(
            oauth: { _ in ScriptedPortal.refusal(code, status: status) },
            script: { _ in .error("expired_token", status: 401) },
            body: { portal in
                let client = portal.portal(nil)
                let account = portal.account(keeper: keeper)
                for _ in 0..<3 {
                    let error = await client.failure(of: Self.send, as: account)
                    #expect(error?.concernsInstallation == true && error?.code == code)
                }
                #expect(portal.renewals == ["refresh-0"])
                #expect(keeper.state.withLock { $0.told } == [code] && keeper.state.withLock { $0.discarded.isEmpty })
            })
    }
}
