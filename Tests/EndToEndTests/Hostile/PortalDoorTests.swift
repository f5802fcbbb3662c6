import Base
import Foundation
import Sandbox
import Synchronization
import TestSupport
import Testing

/// What a portal, and the authorization server about it, say of addresses, and where a person's file is taken from and put.
extension EndToEnd.Doors {
    @Test(
        "the link by which a portal gives out a person's file, though the portal itself may be inside",
        arguments: [true, false])
    func personsFile(allowPrivate: Bool) async throws {
        let loops = EventLoopGroup(count: 1)
        let webhook = try await SimulatedWebhook.start(loops: loops, log: .silent) { _ in .text("Thank you") }
        try await Self.with { stage, outside in
            let link = Mutex("")
            outside.answer { [origin = stage.portal.origin] request in
                guard request.path.hasPrefix("/rest/") else { return Outside.file }
                return try await outside.pass(request, to: origin, naming: "downloadUrl", link.withLock { $0 })
            }
            try await stage.movePortal(to: "http://portal.outside.test", allowPrivate: allowPrivate)
            try await stage.connect(to: "webhook", provider: webhook.url, options: ["send_files": true])
            for address in outside.addresses(for: "link") {
                link.withLock { $0 = address.origin + "/a.txt?token=planted" }
                let chat = try stage.customer()
                try stage.portal.customerWrites("", files: [("a.txt", Array("mine".utf8))], in: chat)
                try await stage.untilAnswers(1, in: chat)
                // The bot hears of the file, and has its content only from outside.
                #expect(stage.answers(in: chat) == ["Thank you"])
                let file = webhook.asked.last?.body["files"]?.array?.first
                let content = address.leads == .changing ? Data(Outside.content).base64EncodedString() : nil
                #expect(file != nil && file?["content"]?.string == content, "\(address.origin)")
                #expect(!outside.trap.isSprung, "\(address.origin)")
            }
            #expect(outside.wasAsked(by: "link"))
            #expect(stage.bitbot.log.contains("10.0.0.1 is an address in a private network"))
            #expect(!stage.bitbot.log.contains("planted"))
        }
        await webhook.shutdown()
        loops.stop()
    }

    @Test("the place where Typebot wants a person's file put, as it is or in a form", arguments: [false, true])
    func upload(byForm: Bool) async throws {
        let loops = EventLoopGroup(count: 1)
        var settings = SimulatedTypebot.Settings()
        settings.uploadsByForm = byForm
        let typebot = try await SimulatedTypebot.start(
            flows: [.init("bot", [.input(.file), .text("Thank you")])], settings: settings, loops: loops, log: .silent)
        try await Self.with { stage, outside in
            let place = Mutex("")
            outside.answer { [origin = typebot.origin] request in
                guard request.headers["Host"] == "typebot.outside.test" else { return Outside.file }
                return try await outside.pass(request, to: origin, naming: "presignedUrl", place.withLock { $0 })
            }
            let start = typebot.startURL("bot").replacing(typebot.origin, with: "http://typebot.outside.test")
            try await stage.connect(to: "typebot", provider: start)
            for address in outside.addresses(for: "place") {
                place.withLock { $0 = address.origin + "/place?signature=planted" }
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                try stage.portal.customerWrites("", files: [("a.txt", Array("mine".utf8))], in: chat)
                try await stage.untilAnswers(2, in: chat)
                let told =
                    switch address.leads {
                    case .straight: "The bot cannot answer right now. Please try again later."
                    // The flow asks for the file again.
                    case .jumping: "Invalid message. Please, try again."
                    case .changing: "Thank you"
                    }
                #expect(stage.answers(in: chat).last == told, "\(address.origin)")
                #expect(!outside.trap.isSprung, "\(address.origin)")
            }
            #expect(outside.wasAsked(by: "place"))
            let reasons = try await stage.bitbot.work().compactMap { $0["last_error"]?.string }
            #expect(reasons.count == 7 && reasons.allSatisfy { $0.contains("is a private address") })
            #expect(!(reasons + [stage.bitbot.log]).contains { $0.contains("planted") })
        }
        await typebot.shutdown()
        loops.stop()
    }

    @Test("where the authorization server says that a portal is: nothing is installed, and no page is shown")
    func installation() async throws {
        try await Self.with { stage, outside in
            let before = try await stage.bitbot.items("portals").first?["domain"]
            for address in outside.addresses(for: "portal") {
                let (event, page) = try await stage.install(at: address.origin)
                #expect(event == 403 && page.status == 403, "\(address.origin)")
                let shown = String(decoding: page.body, as: UTF8.self)
                #expect(shown.contains("not_confirmed"))
                #expect(!shown.contains("127.0.0.1") && !shown.contains(address.origin))
                #expect(!outside.trap.isSprung, "\(address.origin)")
            }
            #expect(outside.wasAsked(by: "portal"))
            #expect(try await stage.bitbot.items("portals").first?["domain"] == before)
            #expect(stage.bitbot.log.contains("10.0.0.1 is an address in a private network"))
            #expect(!stage.authorization.knownTokens.contains { stage.bitbot.log.contains($0) })
        }
    }

    @Test("a portal that says it has moved inside: nothing is sent there, and its administrator reads why")
    func move() async throws {
        try await Self.with { stage, outside in
            let target = Mutex<String?>(nil)
            outside.answer { [origin = stage.portal.origin] request in
                if request.headers["Host"] == "portal.outside.test", let target = target.withLock({ $0 }) {
                    return Outside.redirect(request, to: target)
                }
                return try await outside.pass(request, to: origin)
            }
            for address in outside.addresses(for: "move") {
                target.withLock { $0 = nil }
                try await stage.movePortal(to: "http://portal.outside.test")
                let ticket = try await stage.ticket()
                let portal = try await stage.bitbot.items("portals").first?["id"]?.string ?? ""
                let chat = try stage.customer()
                target.withLock { $0 = address.origin }
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilNothingWaits()
                let reason = try await stage.bitbot.work().first?["last_error"]?.string ?? ""
                let check = try await stage.bitbot.send(.get, "/api/v1/portals/\(portal)/check", as: ticket)
                let renewed = try await stage.bitbot.send(.post, "/api/v1/session/renew", as: ticket)
                if address.leads == .changing {
                    #expect(stage.answers(in: chat) == ["You said hello."] && renewed.status == 200)
                } else {
                    let found = try JSON(parsing: check.body)["findings"]?.array?.first?["trouble"]?.string ?? ""
                    // A move to an address of the sixth version is none.
                    let why = address.origin.contains("[") ? "status 307" : "private network"
                    #expect(reason.contains(why) && found.contains(why), "\(address.origin): \(reason) \(found)")
                    #expect(stage.answers(in: chat).isEmpty && renewed.status >= 400, "\(address.origin)")
                }
                #expect(!outside.trap.isSprung, "\(address.origin)")
            }
            #expect(outside.wasAsked(by: "move"))
            #expect(!stage.authorization.knownTokens.contains { stage.bitbot.log.contains($0) })
        }
    }
}

extension Stage {
    /// The application page's token, for the portal's administrator.
    func ticket() async throws -> String {
        let page = try await portal.openPage(of: application.clientID, as: 1, at: settingsURL)
        let html = String(decoding: page.body, as: UTF8.self)
        let start = html.split(separator: #"id="start">"#).dropFirst().first?.split(separator: "</").first
        guard let start, let token = try JSON(parsing: start.utf8)["token"]?.string else {
            throw HarnessError("the application page was answered \(page.status):\n\(html)")
        }
        return token
    }

    private var settingsURL: String { application.installURL.replacing("/api/bitrix/apps/", with: "/app-settings/") }

    /// The portal is elsewhere, and the application installed there anew.
    fileprivate func movePortal(to origin: String, allowPrivate: Bool = false) async throws {
        let (event, _) = try await install(at: origin, allowPrivate: allowPrivate)
        guard event == 200 else { throw HarnessError("the installation was answered \(event)") }
    }

    /// Bitrix24 says that the portal is there, posts an installation, and opens the application's page.
    fileprivate func install(
        at origin: String, allowPrivate: Bool = false
    ) async throws -> (event: Int, page: HTTPClient.Answer) {
        for record in try await bitbot.items("portals") {
            _ = try await bitbot.send(
                .patch, "/api/v1/portals/\(record["id"]?.string ?? "")", ["allow_private": .bool(allowPrivate)])
        }
        authorization.move(
            memberID: portal.settings.memberID, domain: String(origin.dropFirst("http://".count)),
            clientEndpoint: origin + "/rest/")
        let tokens = portal.tokens(of: application.clientID, as: 1)
        let event: JSON = [
            "event": "ONAPPINSTALL", "data": ["VERSION": "1"],
            "auth": [
                "member_id": .string(portal.settings.memberID), "access_token": .string(tokens.access),
                "refresh_token": .string(tokens.refresh), "server_endpoint": .string(authorization.serverEndpoint),
                "application_token": .string(portal.applicationToken(of: application.clientID) ?? ""),
            ],
        ]
        return (
            try await post(event, to: application.installURL),
            try await portal.openPage(of: application.clientID, as: 1, at: settingsURL)
        )
    }
}
