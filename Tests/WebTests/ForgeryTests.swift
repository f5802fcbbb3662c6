import Base
import Bitrix24
import Sandbox
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Forged installations")
struct ForgeryTests {
    @Test("a stranger's made-up token installs nothing")
    func stranger() async throws {
        try await Stage.with { stage in
            let (app, simulated) = try await stage.application()
            let forged = stage.installEvent(access: "made-up", refresh: "made-up", application: "made-up")
            #expect(try await stage.post(forged, to: try app.field("events_url")).status == 403)
            #expect(try await stage.post(forged, to: simulated.installURL).status == 403)
            #expect(try await stage.post(forged, to: stage.origin + "/api/bitrix/apps/unknown").status == 403)
            #expect(try await stage.post(forged, to: stage.origin + "/app-install/unknown").status == 403)
            #expect(try await stage.read("portals")["items"]?.array == [])
        }
    }

    @Test("an authorization server that is not known is never called, whatever a post says")
    func unknownServer() async throws {
        try await Stage.with { stage in
            let theirs = try await SimulatedAuthorizationServer.start(loops: Stage.loops, log: .silent)
            let liar = try await SimulatedPortal.start(
                authorization: theirs, loops: Stage.loops, http: stage.http, log: .silent)
            let (_, simulated) = try await stage.application()
            let answer = try await liar.install(simulated)
            #expect(answer.status == 403)
            #expect(theirs.checks == 0)
            #expect(stage.authorization.checks == 1)
            #expect(liar.calls.isEmpty)
            #expect(try await stage.read("portals")["items"]?.array == [])
            await liar.stop()
            await theirs.stop()
        }
    }

    @Test("tokens of another application, and of another portal, prove nothing")
    func othersTokens() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let (_, other) = try await stage.application()
            #expect(try await stage.portal.install(other).status == 200)
            let foreign = stage.portal.tokens(of: other.clientID, as: 1)
            let token = try #require(stage.portal.applicationToken(of: installed.clientID))
            let forged = stage.installEvent(access: foreign.access, refresh: foreign.refresh, application: token)
            #expect(try await stage.post(forged, to: installed.eventsURL).status == 403)

            let elsewhere = try await SimulatedPortal.start(
                authorization: stage.authorization, loops: Stage.loops, http: stage.http, log: .silent)
            // BitBot may call that portal, so that nothing but the mismatch is left to refuse.
            _ = try await stage.make(
                "portals",
                [
                    "member_id": .string(elsewhere.settings.memberID), "domain": "elsewhere.bitrix24.com",
                    "allow_private": true,
                ])
            var application = installed.simulated
            application.installURL = stage.origin + "/healthz"
            _ = try await elsewhere.install(application)
            let theirs = elsewhere.tokens(of: installed.clientID, as: 1)
            let second = stage.installEvent(access: theirs.access, refresh: theirs.refresh, application: token)
            #expect(try await stage.post(second, to: installed.eventsURL).status == 403)
            #expect(try await stage.storedUsers() == ["1 admin", "1 admin"])
            await elsewhere.stop()
        }
    }

    @Test("an employee cannot bring another application token")
    func employee() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let tokens = stage.portal.tokens(of: installed.clientID, as: 2)
            let forged = stage.installEvent(
                access: tokens.access, refresh: tokens.refresh, application: "the employee's")
            #expect(try await stage.post(forged, to: installed.eventsURL).status == 403)
            try await stage.isUntouched(installed)
        }
    }

    @Test("an administrator brings another application token: it is taken, logged and shown")
    func administrator() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let tokens = stage.portal.tokens(of: installed.clientID, as: 1)
            let claim = stage.installEvent(access: tokens.access, refresh: tokens.refresh, application: "another-token")
            #expect(try await stage.post(claim, to: installed.eventsURL).status == 200)
            let record = try await stage.record(installed)
            #expect(record.applicationToken == Secret("another-token"))
            #expect(record.status == .active)
            #expect(try await stage.notice(of: installed)?.contains("User 1") == true)
            #expect(stage.lines.contains("an application token has changed"))
            #expect(!stage.lines.contains("another-token"))
            // The tokens that came with it were renewed on the way; what was stored works.
            try await stage.bound(installed)
            #expect(try await stage.bot(of: installed)["status"] == "active")
        }
    }

    @Test("an expiry out of range is bounded")
    func expiry() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let tokens = stage.portal.tokens(of: installed.clientID, as: 1)
            let known = try #require(stage.portal.applicationToken(of: installed.clientID))
            let claim = stage.installEvent(access: tokens.access, refresh: tokens.refresh, application: known)
            #expect(try await stage.post(claim, to: installed.eventsURL).status == 200)
            let id = try #require(ID<InstallationRecord>(installed.id))
            let stored = try #require(try await stage.store.credentials(of: id).first)
            #expect(stored.accessToken.reveal() == tokens.access)
            #expect(stored.expiresAt < WallClock.system.now + .seconds(90_000))
            #expect(stage.authorization.renewals == 0)
        }
    }

    @Test("a bot platform's tokens do not install: not the bot's, not the administrator's that it is given")
    func botPlatform() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            _ = try await stage.answered(try await stage.bot(of: installed), "Hello")
            await stage.portal.settle()
            let event = try #require(stage.portal.deliveries.last { $0.event == "ONIMBOTV2MESSAGEADD" })
            let ofBot = try #require(event.data["bot"]?["auth"]?["access_token"]?.string)
            let id = try #require(ID<InstallationRecord>(installed.id))
            let ofAdministrator = try #require(try await stage.store.credentials(of: id).first?.accessToken.reveal())
            let employees = stage.portal.tokens(of: installed.clientID, as: 2).refresh
            let forgeries = [
                stage.installEvent(access: ofBot, refresh: "made-up", application: "the platform's"),
                stage.installEvent(access: ofAdministrator, refresh: nil, application: "the platform's"),
                stage.installEvent(access: ofAdministrator, refresh: "made-up", application: "the platform's"),
                stage.installEvent(access: ofAdministrator, refresh: employees, application: "the platform's"),
                stage.installEvent(access: ofAdministrator, refresh: "made-up", application: nil),
            ]
            for forged in forgeries {
                #expect(try await stage.post(forged, to: installed.eventsURL).status == 403)
            }
            try await stage.isUntouched(installed)
            #expect(try await stage.store.credentials(of: id).first?.accessToken.reveal() == ofAdministrator)
        }
    }

    @Test("a sender gets one confirmation a second, a few wait for it and the rest are turned away")
    func limited() async throws {
        try await Stage.with { stage in
            let (app, _) = try await stage.application()
            let url = try app.field("events_url")
            let statuses = try await withThrowingTaskGroup(of: Reply.self) { group in
                for number in 1...20 {
                    let forged = stage.installEvent(access: "made-up-\(number)", refresh: nil, application: "x")
                    group.addTask { try await stage.post(forged, to: url) }
                }
                return try await group.reduce(into: [Int]()) { statuses, reply in
                    statuses.append(reply.status)
                    if reply.status == 429 { #expect(reply.headers["Retry-After"] != nil) }
                }
            }
            #expect(Set(statuses) == [403, 429])
            #expect(stage.authorization.checks == statuses.filter { $0 == 403 }.count)
            #expect(stage.authorization.checks <= 8)
        }
    }

    @Test("four confirmations run at once, whoever asks")
    func atOnce() async throws {
        let gate = ConfirmationGate()
        let running = Running()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 1...30 {
                group.addTask {
                    try await gate.confirm("192.0.2.\(sender)") {
                        running.begin()
                        try await Task.sleep(for: .milliseconds(20))
                        running.end()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(running.most == 4)
        // A confirmation that fails gives its place back, too.
        struct Failure: Error {}
        for sender in 1...5 {
            await #expect(throws: Failure.self) { try await gate.confirm("198.51.100.\(sender)") { throw Failure() } }
        }
        #expect(try await gate.confirm("203.0.113.1") { true })
    }

    @Test("an authorization server that is away is told apart from one that refuses")
    func serverAway() async throws {
        try await Stage.with { stage in
            let (_, simulated) = try await stage.application()
            await stage.authorization.stop()
            #expect(try await stage.portal.install(simulated).status == 503)
        }
    }
}

extension Stage {
    /// `ONAPPINSTALL` as anybody could write it.
    func installEvent(access: String, refresh: String?, application: String?) -> JSON {
        var auth: JSON = [
            "member_id": .string(portal.settings.memberID), "domain": .string(portal.domain),
            "access_token": .string(access), "expires_in": "9223372036854775807",
            "client_endpoint": .string(portal.clientEndpoint),
            "server_endpoint": .string(authorization.serverEndpoint),
        ]
        if let refresh { auth["refresh_token"] = .string(refresh) }
        if let application { auth["application_token"] = .string(application) }
        return ["event": "ONAPPINSTALL", "data": ["VERSION": "1"], "auth": auth]
    }

    func record(_ installed: Installed) async throws -> InstallationRecord {
        let id = try #require(ID<InstallationRecord>(installed.id))
        return try #require(try await store.installation(id))
    }

    /// That a forgery has changed nothing.
    func isUntouched(_ installed: Installed) async throws {
        let record = try await record(installed)
        #expect(record.applicationToken?.reveal() == portal.applicationToken(of: installed.clientID))
        #expect(record.status == .active)
        #expect(record.notice == nil)
        #expect(try await storedUsers() == ["1 admin"])
    }
}

/// How many run now, and how many did at most.
private final class Running: Sendable {
    private let state = Mutex((now: 0, most: 0))
    var most: Int { state.withLock { $0.most } }
    func begin() {
        state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
        }
    }
    func end() { state.withLock { $0.now -= 1 } }
}
