import Base
import Sandbox
import Synchronization
import TestSupport
import Testing

@Suite("Installations")
struct InstallationTests {
    @Test("an application without interface installs by its event, and its own events are bound")
    func byEvent() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            #expect(try await stage.status(of: installed) == "active")
            let portal = try #require(try await stage.read("portals")["items"]?.array?.first)
            #expect(portal["member_id"]?.string == stage.portal.settings.memberID)
            #expect(portal["domain"]?.string == stage.portal.domain)
            #expect(portal["last_seen_at"]?.string != nil)
            try await stage.bound(installed)
        }
    }

    @Test(
        "an application with interface installs by its page, which the portal alone may frame and which ends the installation"
    )
    func byPage() async throws {
        try await Stage.with { stage in
            let (_, simulated) = try await stage.application(page: true)
            let page = try await stage.portal.install(simulated)
            #expect(page.status == 200)
            #expect(page.headers["Content-Security-Policy"]?.contains("frame-ancestors \(stage.portal.origin)") == true)
            #expect(String(decoding: page.body, as: UTF8.self).contains("/pages/application/installer.js"))
            #expect(try await stage.send(.get, "/pages/application/installer.js").text.contains("installFinish"))
            #expect(try await stage.read("installations")["items"]?.array?.count == 1)
        }
    }

    @Test("the application page renews what was installed, an employee's tokens are kept beside the administrator's")
    func applicationPage() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let page = try await stage.portal.openPage(of: installed.clientID, as: 2)
            #expect(page.status == 200)
            #expect(String(decoding: page.body, as: UTF8.self).contains(#""app_name":"Support""#))
            let stored = try await stage.storedUsers()
            #expect(stored == ["1 admin", "2"])
            #expect(try await stage.status(of: installed) == "active")
            #expect(try await stage.notice(of: installed) == nil)
        }
    }

    @Test(
        "when Bitrix24 accepts no stored token any more the administrator sees it, and opening the application mends it"
    )
    func reauthorized() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let bot = try await stage.bot(of: installed)
            stage.authorization.revokeRefreshTokens(of: installed.clientID)
            stage.authorization.expireAccessTokens(of: installed.clientID)
            let path = "bots/\(try bot.field("id"))"
            _ = try await stage.api(.patch, path, ["name": "Renamed"])
            #expect(try await stage.status(of: installed) == "reauthorize")
            #expect(try await stage.notice(of: installed)?.contains("open the application") == true)
            #expect(try await stage.portal.openPage(of: installed.clientID, as: 1).status == 200)
            #expect(try await stage.status(of: installed) == "active")
            #expect(try await stage.notice(of: installed) == nil)
            let renamed = try await stage.api(.patch, path, ["name": "Renamed"]).json
            #expect(renamed["status_reason"] == .null)
            #expect(stage.portal.bots.map(\.name) == ["Renamed"])
        }
    }

    @Test("a refused event does not undo an installation that is renewed at the same time")
    func renewedMeanwhile() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let before = try await stage.record(installed)
            try await stage.bound(installed)
            try stage.portal.update(installed.clientID, to: 2)
            await stage.portal.settle()
            try await eventually { try await stage.record(installed).applicationToken != before.applicationToken }
            try await stage.store.setStatus(.reauthorize, notice: "stale", of: before, now: WallClock.system.now)
            let record = try await stage.record(installed)
            #expect(record.status == .active)
            #expect(record.applicationToken?.reveal() == stage.portal.applicationToken(of: installed.clientID))
        }
    }

    @Test("names of the page's fields count in any case of letters")
    func mixedCase() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let request = try stage.portal.pageRequest(of: installed.clientID, as: 1)
            let fields = request.fields.map { ($0.name.lowercased(), JSON.string($0.value)) }
            let reply = try await stage.post(
                .object(Members(fields)), to: request.url)
            #expect(reply.status == 200)
        }
    }

    @Test("an employee cannot install an application first")
    func employeeFirst() async throws {
        try await Stage.with { stage in
            let (app, simulated) = try await stage.application(page: true)
            _ = try await stage.portal.install(
                .init(
                    clientID: simulated.clientID, clientSecret: simulated.clientSecret,
                    installURL: stage.origin + "/healthz", pageURL: simulated.pageURL))
            let page = try await stage.portal.openPage(of: simulated.clientID, as: 2, at: try app.field("install_url"))
            #expect(page.status == 403)
            #expect(try await stage.read("installations")["items"]?.array == [])
            #expect(try await stage.read("portals")["items"]?.array == [])
        }
    }

    @Test("an application without keys says so, and takes nothing")
    func withoutKeys() async throws {
        try await Stage.with { stage in
            let (_, simulated) = try await stage.application()
            let waiting = try await stage.make("apps", ["name": "Keys follow"])
            #expect(waiting["status"] == "waiting_for_keys")
            var application = simulated
            application.installURL = try waiting.field("install_url")
            #expect(try await stage.portal.install(application).status == 409)
            #expect(try await stage.read("installations")["items"]?.array == [])
        }
    }

    @Test("ONAPPUPDATE brings a new application token, shown as a notice, and the events are bound again")
    func update() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            for version in 2...3 {
                try await stage.bound(installed)
                try stage.portal.update(installed.clientID, to: version)
                await stage.portal.settle()
                #expect(stage.portal.deliveries.last?.event == "ONAPPUPDATE")
                #expect(stage.portal.deliveries.last?.status == 200)
            }
            try await stage.bound(installed)
            #expect(try await stage.status(of: installed) == "active")
            #expect(try await stage.notice(of: installed)?.contains("application token") == true)
            #expect(stage.lines.contains("an application token has changed"))
            // Events with the new token are taken.
            _ = try await stage.answered(try await stage.bot(of: installed), "Hello")
            let away = try await stage.api(.patch, "installations/\(installed.id)", ["notice": nil])
            #expect(away.json["notice"] == .null)
        }
    }

    @Test("ONAPPUNINSTALL marks the installation and its bots; a new installation brings them back")
    func uninstall() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            let path = "bots/\(try bot.field("id"))"
            try await stage.bound(installed)
            try stage.portal.uninstall(installed.clientID)
            await stage.portal.settle()
            #expect(try await stage.status(of: installed) == "uninstalled")
            #expect(try await stage.read(path)["status"] == "deleted")
            #expect(try await stage.portal.install(installed.simulated).status == 200)
            #expect(try await stage.status(of: installed) == "active")
            try await eventually { try await stage.read(path)["status"] == "active" }
            _ = try await stage.answered(try await stage.read(path), "Are you back?")
        }
    }

    @Test("ONAPPUNINSTALL with CLEAN erases the installation with everything in it")
    func uninstallClean() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            _ = try await stage.answered(bot, "Hello")
            try await stage.bound(installed)
            try stage.portal.uninstall(installed.clientID, clean: true)
            await stage.portal.settle()
            #expect(try await stage.api(.get, "installations/\(installed.id)").status == 404)
            #expect(try await stage.read("bots")["items"]?.array == [])
            #expect(try await stage.read("dialogs")["items"]?.array == [])
            #expect(try await stage.storedEvents() == 0)
        }
    }

    @Test("ONAPPUNINSTALL without the right application token is refused")
    func forgedUninstall() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let forged: JSON = [
                "event": "ONAPPUNINSTALL", "data": ["CLEAN": "1"],
                "auth": ["member_id": .string(stage.portal.settings.memberID), "application_token": "made up"],
            ]
            #expect(try await stage.post(forged, to: installed.eventsURL).status == 403)
            #expect(try await stage.status(of: installed) == "active")
            #expect(try await stage.notice(of: installed)?.contains("wrong application token") == true)
            // Opened once, with the right one: it was a stranger's.
            #expect(try await stage.portal.openPage(of: installed.clientID, as: 1).status == 200)
            #expect(try await stage.notice(of: installed) == nil)
        }
    }

    @Test("a sandbox's installation is of its own kind, and neither it nor a real portal takes the other's place")
    func sandboxApart() async throws {
        var options = Stage.Options()
        options.isSandbox = true
        options.portal.memberID = "0123456789abcdef0123456789abcdef"
        let memberID = options.portal.memberID
        try await Stage.with(options) { stage in
            let portal = try await stage.make(
                "portals", ["member_id": .string(memberID), "domain": "real.bitrix24.com"])
            let (_, simulated) = try await stage.application()
            #expect(try await stage.portal.install(simulated).status == 403)
            #expect(try await stage.read("installations")["items"]?.array == [])
            #expect(try await stage.read("portals")["items"]?.array?.first?["domain"] == "real.bitrix24.com")
            #expect(try await stage.api(.delete, "portals/\(try portal.field("id"))").status == 204)
            #expect(try await stage.portal.install(simulated).status == 200)
            #expect(try await stage.read("installations")["items"]?.array?.first?["kind"] == "sandbox")
        }
        // The same portal under the same name, confirmed by a server that counts as Bitrix24's own.
        options.isSandbox = false
        try await Stage.with(options) { stage in
            let (app, simulated) = try await stage.application()
            try await stage.makeSandboxPortal(memberID: memberID, app: try app.field("id"))
            #expect(try await stage.portal.install(simulated).status == 403)
            #expect(try await stage.read("installations")["items"]?.array?.map { $0["kind"] } == ["sandbox"])
        }
    }
}
