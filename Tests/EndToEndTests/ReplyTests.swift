import Base
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("What a reply can hold")
    struct Replies {
        /// A bot of somebody's own, asked by webhook: it offers two dishes, and says what it was told of the choice.
        private static func waiter(_ request: HTTPRequest) throws -> HTTPResponse {
            let body = try JSON(parsing: request.body)
            if body["event"]?.string == "joined" { return HTTPResponse(status: 204) }
            let chosen = body["chosen"]?.array?.compactMap { $0["value"]?.string } ?? []
            let answer: JSON =
                chosen.isEmpty
                ? [
                    "messages": [
                        [
                            "text": "What would you like?",
                            "buttons": [["text": "Pizza", "value": "p1"], ["text": "Tomato soup", "value": "s2"]],
                        ]
                    ]
                ]
                : [
                    "messages": [
                        ["text": .string("You get \(chosen.joined(separator: "+")).")],
                        ["files": [["url": "data:text/plain,bill", "name": "bill.txt"]]],
                    ]
                ]
            return HTTPResponse(
                status: 200, headers: ["Content-Type": "application/json"], body: .bytes(answer.bytes))
        }

        @Test("a colleague presses a button, a customer writes a number that was shown: the bot learns which")
        func choices() async throws {
            let loops = EventLoopGroup(count: 1)
            let server = try await HTTPServer.start(
                on: .tcp(host: "127.0.0.1", port: 0), loops: loops, log: .silent, handler: { try Self.waiter($0) })
            try await Stage.with { stage in
                let provider = try await stage.bitbot.create(
                    "providers",
                    ["name": "Own", "type": "webhook", "url": .string("http://127.0.0.1:\(server.port)/bot")])
                let connector = try await stage.bitbot.create(
                    "connectors", ["name": "Own", "provider_id": provider["id"] ?? .null, "key": "signing-key"])
                let change = try await stage.bitbot.send(
                    .patch, "/api/v1/bots/\(stage.bot)", ["connector_id": connector["id"] ?? .null])
                try #require(change.status == 200)

                let inside = try stage.portal.privateChat(of: 2, with: stage.botID).id
                try stage.portal.employeeWrites("hello", as: 2, in: inside)
                try await stage.untilAnswers(1, in: inside)
                let offer = try #require(stage.portal.messages(in: inside).last)
                #expect(offer.text == "What would you like?")
                // No numbers were shown, and whoever may say anything is not corrected.
                for (count, text) in [(2, "2"), (3, "Piza")] {
                    try stage.portal.employeeWrites(text, as: 2, in: inside)
                    try await stage.untilAnswers(count, in: inside)
                }
                try stage.portal.press(button: "Tomato soup", of: offer.id, as: 2)

                let outside = try stage.customer()
                try stage.portal.customerWrites("hello", in: outside)
                try await stage.untilAnswers(1, in: outside)
                #expect(stage.answers(in: outside) == ["What would you like?\n\n1. Pizza\n2. Tomato soup"])
                try stage.portal.customerWrites("1.", in: outside)

                for (chat, asked, words) in [(inside, 3, "You get s2."), (outside, 1, "You get p1.")] {
                    try await stage.untilAnswers(asked + 2, in: chat)
                    #expect(stage.answers(in: chat)[asked] == words)
                    let file = try #require(stage.portal.messages(in: chat).last?.files.first)
                    #expect(file.name == "bill.txt" && file.content == Array("bill".utf8))
                }
            }
            await server.shutdown(grace: .zero)
            loops.stop()
        }

        @Test("a number that answers a form is not taken for one of its buttons", arguments: [true, false])
        func form(isInside: Bool) async throws {
            var plan = Stage.Plan()
            plan.script = { _ in
                let form = SimulatedDify.HumanForm(
                    "How many days?", inputs: [["type": "paragraph", "output_variable_name": "days", "default": nil]],
                    actions: [("approve", "Approve"), ("reject", "Reject")])
                return [
                    .askHuman(form) { [.text($0.map { "\($0.action): \($0.inputs["days"]?.string ?? "")" } ?? "none")] }
                ]
            }
            try await Stage.with(plan) { stage in
                let chat = try isInside ? stage.portal.privateChat(of: 2, with: stage.botID).id : stage.customer()
                for (count, text) in ["leave", "2", "aprove"].enumerated() {
                    if isInside {
                        try stage.portal.employeeWrites(text, as: 2, in: chat)
                    } else {
                        try stage.portal.customerWrites(text, in: chat)
                    }
                    try await stage.untilAnswers(count + 1, in: chat)
                }
                let lists = isInside ? ["", ""] : ["\n\n• Approve\n• Reject", "\n\n1. Approve\n2. Reject"]
                #expect(
                    stage.answers(in: chat) == [
                        "How many days?\n\nPlease write: days" + lists[0], "Please choose." + lists[1], "approve: 2",
                    ])
            }
        }
    }
}
