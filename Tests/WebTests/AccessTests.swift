import Base
import Sandbox
import TestSupport
import Testing

@Suite("A portal that is closed to us")
struct AccessTests {
    @Test("it is shown as denied, in plain words, once; what was to be said is said when the portal is open again")
    func denied() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let bot = try await stage.bot(of: installed)
            _ = try await stage.answered(bot, "before")
            stage.portal.inject(
                .init(
                    .error(status: 403, code: "ACCESS_DENIED", description: "REST API is available only on commercial"),
                    times: nil))
            let number = Int(try #require(bot["bot_id"]?.integer))
            let chat = try stage.portal.privateChat(of: 2, with: number).id
            for turn in 0..<3 { try stage.portal.employeeWrites("during \(turn)", as: 2, in: chat) }
            try await eventually { try await stage.status(of: installed) == "denied" }
            #expect(try await stage.notice(of: installed)?.contains("renew the plan") == true)
            try await eventually { try await stage.read("work")["items"]?.array?.count == 3 }
            let check = try await stage.read("portals/\(try await stage.portalID())/check")
            #expect(check["findings"]?.array?.first?["trouble"]?.string?.contains("ACCESS_DENIED") == true)
            #expect(stage.lines.count("Bitrix24 lets an installation in no more") == 1)
            #expect(stage.lines.count("will be repeated") == 0)
            stage.portal.clearFaults()
            #expect(try await stage.portal.openPage(of: installed.clientID, as: 1).status == 200)
            #expect(try await stage.status(of: installed) == "active")
            // A refusal that was on its way may close it once more, until the next look.
            try await eventually(timeout: .seconds(60)) {
                let said = stage.portal.messages(in: chat).filter { $0.authorID == number }.map(\.text)
                return said == ["before", "during 0", "during 1", "during 2"].map { "You said: \($0)" }
            }
        }
    }

    @Test("when the plan is paid again a check finds it, without anybody opening the application")
    func found() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            stage.authorization.refuseRenewals(of: installed.clientID, with: .paymentRequired)
            stage.authorization.expireAccessTokens(of: installed.clientID)
            let number = Int(try #require(bot["bot_id"]?.integer))
            let chat = try stage.portal.privateChat(of: 2, with: number).id
            try stage.portal.employeeWrites("hello", as: 2, in: chat)
            try await eventually { try await stage.status(of: installed) == "denied" }
            #expect(try await stage.notice(of: installed)?.contains("paid time") == true)
            stage.authorization.refuseRenewals(of: installed.clientID, with: nil)
            let check = try await stage.read("portals/\(try await stage.portalID())/check")
            #expect(check["well"]?.bool == true, "\(check.text)")
            #expect(try await stage.status(of: installed) == "active")
            #expect(try await stage.notice(of: installed) == nil)
            try await eventually { stage.portal.messages(in: chat).contains { $0.text == "You said: hello" } }
        }
    }

    @Test("tokens that the portal does not know keep what is to be said until the application is opened again")
    func unknownTokens() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let bot = try await stage.bot(of: installed)
            stage.portal.inject(
                .init(.error(status: 401, code: "NO_AUTH_FOUND", description: "Wrong authorization data"), times: nil))
            let number = Int(try #require(bot["bot_id"]?.integer))
            let chat = try stage.portal.privateChat(of: 2, with: number).id
            try stage.portal.employeeWrites("hello", as: 2, in: chat)
            try await eventually { try await stage.status(of: installed) == "reauthorize" }
            #expect(try await stage.notice(of: installed)?.contains("open the application") == true)
            try await eventually {
                try await stage.read("work")["items"]?.array?.map { $0["state"]?.string } == ["waiting"]
            }
            stage.portal.clearFaults()
            #expect(try await stage.portal.openPage(of: installed.clientID, as: 1).status == 200)
            try await eventually { stage.portal.messages(in: chat).contains { $0.text == "You said: hello" } }
            #expect(try await stage.status(of: installed) == "active")
        }
    }

    @Test("a chat that the bot was taken out of fails alone: its installation stays active")
    func oneChat() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed()
            let bot = try await stage.bot(of: installed)
            stage.portal.inject(
                .init(
                    .error(status: 403, code: "ACCESS_DENIED", description: "Access denied"),
                    method: "imbot.v2.Chat.Message.send"))
            let number = Int(try #require(bot["bot_id"]?.integer))
            let chat = try stage.portal.privateChat(of: 2, with: number).id
            try stage.portal.employeeWrites("hello", as: 2, in: chat)
            try await eventually {
                try await stage.read("work")["items"]?.array?.map { $0["state"]?.string } == ["failed"]
            }
            #expect(try await stage.status(of: installed) == "active")
            _ = try await stage.answered(bot, "again")
        }
    }

    @Test("when the administrator who installed it may not use it any more, another user's tokens take over")
    func anotherUser() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let bot = try await stage.bot(of: installed)
            #expect(try await stage.portal.openPage(of: installed.clientID, as: 2).status == 200)
            #expect(try await stage.storedUsers() == ["1 admin", "2"])
            // Bitrix24 does not take what the first one has.
            stage.portal.inject(
                .init(.error(status: 403, code: "user_access_error", description: "No access"), times: 1))
            _ = try await stage.answered(bot, "hello")
            #expect(try await stage.status(of: installed) == "active")
        }
    }
}

extension Stage {
    fileprivate func portalID() async throws -> String {
        try #require(try await read("portals")["items"]?.array?.first).field("id")
    }
}
