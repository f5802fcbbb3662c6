import Base
import Storage
import Testing

@testable import Gateway

@Suite("Housekeeping", .timeLimit(.minutes(1)))
struct HousekeepingTests {
    @Test("only tokens that nobody used for 170 days are renewed, and only once")
    func idleCredentials() async throws {
        try await Stage.with { stage in
            let now = WallClock.system.now
            let app = try #require(try await stage.store.apps(limit: 1, after: nil).items.first)
            for user in ["2", "3"] {
                _ = try await stage.store.saveInstallation(
                    ConfirmedInstallation(
                        memberID: stage.portal.memberID, domain: stage.portal.domain, appID: app.id, sandbox: false,
                        scope: "imbot", clientEndpoint: stage.installation.clientEndpoint,
                        serverEndpoint: stage.installation.clientEndpoint, applicationToken: nil, userID: user,
                        admin: false, accessToken: Secret("access"), refreshToken: Secret("refresh " + user),
                        expiresAt: now), now: now)
            }
            // Users 1, 2 and 3: of today, just too old, just young enough.
            let day = Duration.seconds(24 * 3600)
            let ages: [String: Duration] = ["2": day * 170 + .seconds(60), "3": day * 170 - .seconds(60)]
            for credential in try await stage.store.credentials(of: stage.installation.id) {
                guard let age = ages[credential.userID] else { continue }
                try await stage.store.update(credential.id) { $0.renewedAt = now - age }
            }
            await stage.gateway.housekeeping.round()
            #expect(stage.renewals == ["refresh 2"])
            await stage.gateway.housekeeping.round()
            #expect(stage.renewals == ["refresh 2"])
            let kept = try await stage.store.credentials(of: stage.installation.id)
            #expect(
                Dictionary(uniqueKeysWithValues: kept.map { ($0.userID, $0.refreshToken?.reveal()) })
                    == ["1": "refresh-token", "2": "next refresh 2", "3": "refresh 3"])
        }
    }
}
