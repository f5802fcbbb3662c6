import Base
import Foundation
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Pictures that customers send")
    struct Pictures {
        private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3]

        @Test("reach a model that sees, and the conversation goes on", arguments: ["v1", "v2"])
        func vision(api: String) async throws {
            let loops = EventLoopGroup(count: 1)
            let model = try await SimulatedOpenAI.start(loops: loops, log: .silent) { ask in
                [.text("I see \(ask.messages.last?.images.count ?? 0) of \(ask.messages.count).")]
            }
            var plan = Stage.Plan()
            plan.api = api
            try await Stage.with(plan) { stage in
                let provider = try await stage.bitbot.create(
                    "providers", ["name": "Model", "type": "openai", "url": .string(model.origin)])
                let connector = try await stage.bitbot.create(
                    "connectors",
                    [
                        "provider_id": provider["id"] ?? .null, "name": "Model", "key": "sk-0123456789",
                        "options": ["model": "gpt-4o-mini", "vision": true, "system_prompt": "Serve {{FIRST_NAME}}"],
                    ])
                let change = try await stage.bitbot.send(
                    .patch, "/api/v1/bots/\(stage.bot)", ["connector_id": connector["id"] ?? .null])
                #expect(change.status == 200)
                let chat = try stage.customer("Ann")
                try stage.portal.customerWrites("", files: [("photo.png", Self.png)], in: chat)
                try await stage.untilAnswers(1, in: chat)
                try stage.portal.customerWrites("And?", in: chat)
                try await stage.untilAnswers(2, in: chat)
                #expect(stage.answers(in: chat) == ["I see 1 of 2.", "I see 0 of 4."])
                let asked = try #require(model.asked.first)
                #expect(asked.messages.first?.text == "Serve Ann")
                #expect(asked.messages.last?.text == "File sent: photo.png")
                let link = "data:image/png;base64,\(Data(Self.png).base64EncodedString())"
                #expect(asked.messages.last?.images == [link])
            }
            await model.shutdown()
            loops.stop()
        }
    }
}
