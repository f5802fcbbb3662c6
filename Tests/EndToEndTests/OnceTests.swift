import Base
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Answered once")
    struct Once {
        @Test("the same event delivered five times is answered once")
        func fiveTimes() async throws {
            try await Stage.with { stage in
                var delivery = SimulatedPortal.DeliveryPlan()
                delivery.copies = 5
                stage.portal.deliver(by: delivery)
                let chats = try (0..<4).map { try stage.customer("C\($0)") }
                for (number, chat) in chats.enumerated() {
                    for turn in 1...3 { try stage.portal.customerWrites("hello \(turn) of \(number)", in: chat) }
                }
                try await stage.untilNothingWaits()
                #expect(stage.accepted.count == 60)
                for (number, chat) in chats.enumerated() {
                    #expect(stage.answers(in: chat) == (1...3).map { "You said hello \($0) of \(number)." })
                }
                #expect(stage.dify.counts.runs == 12)
            }
        }

        @Test("an event delivered again after a restart is not answered again")
        func acrossRestart() async throws {
            try await Stage.with { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                let delivery = try await stage.firstAccepted()
                stage.bitbot.kill()
                try await stage.bitbot.start()
                // Bitrix24's own bytes are gone by now; the delivery has what they said.
                for _ in 0..<4 { #expect(try await stage.repost(delivery) == 200) }
                try stage.portal.customerWrites("next", in: chat)
                try await stage.untilAnswers(2, in: chat)
                try await stage.untilNothingWaits()
                #expect(stage.answers(in: chat) == ["You said hello.", "You said next."])
                #expect(stage.dify.counts.runs == 2)
                #expect(stage.dify.counts.conversationsCreated == 1)
            }
        }

        private static let command: JSON = [
            "command": "help", "common": true, "translations": [["language": "en", "title": "Help"]],
        ]

        @Test("a command that comes as a message too is answered once, as a command")
        func commandWithMessage() async throws {
            var plan = Stage.Plan()
            plan.script = { ask in [.text("\(ask.inputs["event"]?.string ?? "none"): \(ask.query)")] }
            try await Stage.with(plan) { stage in
                stage.dify.change(stage.key) { $0.form = [.init("event"), .init("COMMAND"), .init("COMMAND_PARAMS")] }
                _ = try await stage.bitbot.create("bots/\(stage.bot)/commands", Self.command)
                let chat = try stage.portal.privateChat(of: 2, with: stage.botID).id
                for disorder: Duration? in [nil, .milliseconds(300)] {
                    var delivery = SimulatedPortal.DeliveryPlan()
                    delivery.commandsAsMessagesToo = true
                    delivery.disorder = disorder
                    stage.portal.deliver(by: delivery)
                    let before = stage.answers(in: chat).count
                    try stage.portal.employeeWrites("/help me \(before)", as: 2, in: chat)
                    try await stage.untilAnswers(before + 1, in: chat)
                    try await stage.untilNothingWaits()
                    #expect(stage.answers(in: chat).count == before + 1)
                    #expect(stage.answers(in: chat).last == "ONIMCOMMANDADD: /help me \(before)")
                }
                #expect(stage.portal.calls.contains { $0.method == "imbot.v2.Command.answer" && $0.error == nil })
            }
        }

        @Test("every button of one message is answered once, however often its press is delivered")
        func buttons() async throws {
            try await Stage.with { stage in
                _ = try await stage.bitbot.create("bots/\(stage.bot)/commands", Self.command)
                let chat = try stage.portal.privateChat(of: 2, with: stage.botID).id
                let buttons: [JSON] = ["A", "B"].map {
                    ["TEXT": .string($0), "COMMAND": "help", "COMMAND_PARAMS": .string($0)]
                }
                let sent = try await stage.callPortal(
                    "imbot.v2.Chat.Message.send",
                    [
                        "botId": .integer(Int64(stage.botID)), "dialogId": "2",
                        "fields": ["message": "Which?", "keyboard": .array(buttons)],
                    ])
                let message = Int(try #require(sent["result"]?["id"]?.integer))
                var delivery = SimulatedPortal.DeliveryPlan()
                delivery.copies = 5
                stage.portal.deliver(by: delivery)
                for button in ["A", "B"] { try stage.portal.press(button: button, of: message, as: 2) }
                try await stage.untilAnswers(3, in: chat)
                try await stage.untilNothingWaits()
                let pressed = stage.portal.deliveries.filter { $0.status == 200 && $0.event == "ONIMBOTV2COMMANDADD" }
                #expect(pressed.count == 10)
                #expect(stage.dify.counts.runs == 2)
                #expect(stage.answers(in: chat) == ["Which?", "You said /help A.", "You said /help B."])
            }
        }

        @Test("a text that begins with a command whose own event never comes is answered as a message")
        func commandWithoutEvent() async throws {
            var plan = Stage.Plan()
            plan.script = { ask in [.text("\(ask.inputs["event"]?.string ?? "none"): \(ask.query)")] }
            try await Stage.with(plan) { stage in
                stage.dify.change(stage.key) { $0.form = [.init("event")] }
                let command = try await stage.bitbot.create(
                    "bots/\(stage.bot)/commands", Self.command)
                // The portal has lost it, so only the message's event comes.
                let number = try #require(command["command_id"]?.integer)
                let lost = try await stage.callPortal(
                    "imbot.v2.Command.unregister",
                    ["botId": .integer(Int64(stage.botID)), "commandId": .integer(number)])
                #expect(lost["error"] == nil)
                let chat = try stage.customer()
                try stage.portal.customerWrites("/help me", in: chat)
                try await stage.untilAnswers(1, in: chat)
                #expect(stage.answers(in: chat) == ["ONIMBOTMESSAGEADD: /help me"])
            }
        }

        @Test("bots and the portal's own notes are not answered")
        func notForAnswer() async throws {
            try await Stage.with { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                let bot = try await stage.firstAccepted()
                var data = bot.data
                data["user"]?["bot"] = true
                data["message"]?["id"] = 900_001
                #expect(try await stage.repost(bot, data: data) == 200)
                data = bot.data
                data["message"]?["isSystem"] = true
                data["message"]?["id"] = 900_002
                #expect(try await stage.repost(bot, data: data) == 200)
                try await stage.untilNothingWaits()
                #expect(stage.dify.counts.runs == 1)
            }
        }

        @Test(
            "an event with a wrong application token, from another portal, or at a wrong address is 403 and not stored")
        func strangers() async throws {
            try await Stage.with { stage in
                let chat = try stage.customer()
                try stage.portal.customerWrites("hello", in: chat)
                try await stage.untilAnswers(1, in: chat)
                let known = try await stage.firstAccepted()
                var data = known.data
                data["message"]?["id"] = 900_001
                #expect(try await stage.repost(known, data: data, url: known.url + "x") == 403)
                #expect(try await stage.repost(known, data: data, auth: ["member_id": "0123"]) == 403)
                #expect(try await stage.repost(known, data: data, auth: ["application_token": "wrong"]) == 403)
                try await stage.untilNothingWaits()
                #expect(stage.dify.counts.runs == 1)
                // The administrator reads of it; nothing else has changed.
                let installation = try await stage.bitbot.items("installations").first
                #expect(installation?["status"] == "active")
                #expect(installation?["notice"]?.string?.contains("wrong application token") == true)
                try stage.portal.customerWrites("still there?", in: chat)
                try await stage.untilAnswers(2, in: chat)
            }
        }
    }
}

extension Stage {
    /// Posts a delivery's data again, as Bitrix24 would have.
    /// - Returns: BitBot's status.
    func repost(
        _ delivery: SimulatedPortal.Delivery, data: JSON? = nil, url: String? = nil, auth: Members<JSON> = [:]
    ) async throws -> Int {
        var whole: JSON = [
            "domain": .string(portal.domain), "member_id": .string(portal.settings.memberID),
            "application_token": .string(portal.applicationToken(of: application.clientID) ?? ""),
            "client_endpoint": .string(portal.clientEndpoint), "scope": "imbot",
        ]
        for (name, value) in auth { whole[name] = value }
        let body: JSON = ["event": .string(delivery.event), "data": data ?? delivery.data, "auth": whole]
        return try await post(body, to: url ?? delivery.url)
    }

    /// Posts a form to BitBot and returns its status.
    func post(_ body: JSON, to url: String) async throws -> Int {
        let request = HTTPClient.Request(
            .post, url, headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: Array(Form.encode(body).utf8), trust: .privateAllowed)
        return try await alone { try await $0.send(request).status }
    }

    /// Calls the portal as the application's administrator.
    func callPortal(_ method: String, _ parameters: JSON) async throws -> JSON {
        var parameters = parameters
        parameters["auth"] = .string(portal.tokens(of: application.clientID, as: 1).access)
        let request = HTTPClient.Request(
            .post, portal.clientEndpoint + method, headers: ["Content-Type": "application/json"],
            body: parameters.bytes, trust: .privateAllowed)
        return try await alone { try JSON(parsing: try await $0.send(request).body) }
    }

    /// With a client of its own.
    private func alone<T>(_ body: (HTTPClient) async throws -> T) async throws -> T {
        let loops = EventLoopGroup(count: 1)
        let http = HTTPClient(loops: loops)
        defer { loops.stop() }
        let result = try await body(http)
        await http.shutdown()
        return result
    }
}
