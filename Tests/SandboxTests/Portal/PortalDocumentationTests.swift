import Base
import Testing

@testable import Sandbox

/// Every example request of the documentation, sent as it is printed there, against a portal that holds what it names.
@Suite struct PortalDocumentationTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var method: String
        var page: String
        var request: JSON
        var result: JSON
        var testDescription: String { method }

        init(_ json: JSON) {
            method = json["method"]?.string ?? ""
            page = json["page"]?.string ?? ""
            request = json["request"] ?? [:]
            result = json["result"] ?? .null
        }
    }

    static let examples = Examples.load("portal-examples").map(Example.init)

    @Test("every method that the portal has is tested with its page's example")
    func complete() {
        #expect(Set(Self.examples.map(\.method)) == Set(RESTMethod.all.values.map(\.name)))
        for example in Self.examples {
            #expect(RESTMethod.all[example.method.lowercased()]?.page == example.page)
        }
    }

    @Test("a documented request gets an answer of the documented shape", arguments: examples)
    func replay(_ example: Example) async throws {
        try await PortalFixture.run { fixture in
            let token = try await fixture.install().access
            fixture.portal.state.withLock { $0.seed(for: example) }
            let needsApplication = example.method.hasPrefix("event") || example.method == "app.info"
            let scope = ["imbot", "im", "imopenlines", "user", "disk"]
            let answer = try await fixture.call(
                example.method, example.request, token: needsApplication ? token : nil,
                webhook: needsApplication ? nil : fixture.portal.addWebhook(scope: scope))
            #expect(answer.outcome == "200")
            #expect(Examples.differences(example.result, answer.result) == [])
            let time = try #require(answer.json?["time"]?.object)
            let wanted: Set = ["start", "finish", "duration", "processing", "date_start", "date_finish", "operating"]
            #expect(wanted.isSubset(of: time.keys))
        }
    }
}

extension PortalState {
    /// Puts in place what the documentation's examples name by number.
    fileprivate mutating func seed(for example: PortalDocumentationTests.Example) {
        let now = WallClock.system.now
        while next(.user) < 12 {}
        for id in 1...12 {
            users[id] = SimulatedPortal.User(
                id: id, firstName: "User", lastName: "\(id)", kind: .employee, isAdmin: id == 1)
        }
        let name = example.request["CLIENT_ID"]?.string ?? example.request["botToken"]?.string ?? ""
        if !example.method.hasSuffix("ot.register"), example.method != "imbot.register" {
            seedBots(owner: .named(name), reads: example.method.contains("Message.get"), now: now)
        }
        lines[1] = Line(id: 1, name: "Line", botID: 456, leave: .queue, operators: [2])
        for (id, owner) in [(112, 2), (1373, 211)] {
            users[owner] =
                users[owner]
                ?? SimulatedPortal.User(
                    id: owner, firstName: "Guest", lastName: "", kind: .customer, isAdmin: false)
            var chat = Chat(
                id: id, kind: .openChannel(line: 1), title: "Guest", members: [owner, 456], owner: owner, created: now)
            chat.connector = "livechat"
            chat.sessionID = 321
            chats[id] = chat
        }
        sessions[321] = Session(id: 321, chatID: 112, start: now)
        users[503] = SimulatedPortal.User(id: 503, firstName: "User", lastName: "503", kind: .employee, isAdmin: false)
        chats[1763] = Chat(
            id: 1763, kind: .openChannel(line: 1), title: "Guest", members: [211], owner: 211, created: now)
        chats[1763]?.lead = 1205
        put(900, in: 112, by: 2, now)
        let file = SimulatedPortal.File(id: 137, name: "a.png", type: "image", content: [1])
        files[137] = StoredFile(chatID: 112, authorID: 2, date: now, file: file)
        messages[900]?.files = [file]
        files[9043] = StoredFile(
            chatID: 1489, authorID: 2, date: now,
            file: SimulatedPortal.File(id: 9043, name: "Test.docx", type: "file", content: [1]))
        chats[1489] = Chat(id: 1489, kind: .group, title: "Group", members: [1, 2], owner: 1, created: now)
        put(84_869, in: 1489, by: 2, now)
        put(84_877, in: 1489, by: 2, now)
        messages[84_877]?.uuid = "0c42a08f-4235-49fc-994f-c9bccd499ac1"
        messages[84_877]?.files = [file]
        if example.method == "event.unbind" || example.method == "event.get" {
            bindings.append(
                EventBinding(
                    id: 1, clientID: PortalFixture.clientID, event: "ONCRMLEADADD",
                    handler: "https://www.my-domain.com/handler/", authType: 0, isOffline: false))
        }
    }

    private mutating func seedBots(owner: Owner, reads: Bool, now: Timestamp) {
        for (id, generation) in [(456, SimulatedPortal.Bot.Generation.second), (39, .first), (1291, .first)] {
            users[id] = SimulatedPortal.User(id: id, firstName: "Bot", lastName: "", kind: .bot, isAdmin: false)
            bots[id] = BotRecord(
                id: id, code: id == 456 ? "support_bot" : "bot\(id)", owner: owner, generation: generation,
                type: reads ? "personal" : "bot", isOpenLine: false, isFetching: true)
        }
        for (id, bot) in [(5, 456), (123, 39)] {
            chats[id] = Chat(
                id: id, kind: .group, title: "Group", members: [bot, 1, 2, 4, 5], owner: bot, managers: [4],
                created: now)
        }
        put(789, in: 5, by: 456, now)
        put(19_880_117, in: 123, by: 39, now)
        put(33_871, in: 123, by: 1, now)
        chats[5]?.lastRead[456] = 700
        for (id, bot, command) in [(42, 456, "help"), (99, 1291, "echo")] {
            commands[id] = CommandRecord(
                id: id, botID: bot, command: command, isCommon: true, isHidden: false, isForExtranet: false,
                titles: ["en": "Title"], params: [:])
        }
        files[138] = StoredFile(
            chatID: 5, authorID: 1, date: now,
            file: SimulatedPortal.File(id: 138, name: "a.pdf", type: "file", content: [1]))
        bots[456]?.fetched.append(FetchQueue.Entry(id: 1001, type: "ONIMBOTV2DELETE", date: now, data: [:]))
    }

    private mutating func put(_ id: Int, in chat: Int, by author: Int, _ now: Timestamp) {
        messages[id] = SimulatedPortal.Message(id: id, chatID: chat, authorID: author, text: "Text", date: now)
        chats[chat]?.messageIDs.append(id)
    }
}
