import Bitrix24
import BotPlatforms
import Foundation
import Testing

@testable import Gateway

@Suite struct DeliveryTests {
    private static let plain = OutgoingMessage(
        generation: .second, botID: 7, dialogID: "chat1", text: "[b]Да[/b] \"/\\\n\u{1}\u{85}😀", uuid: "a-b")

    private static func plain(_ change: (inout OutgoingMessage) -> Void) -> OutgoingMessage {
        var message = plain
        change(&message)
        return message
    }

    @Test(
        "a message comes out of the store as it went in",
        arguments: [
            plain,
            plain { $0.text = "" },
            plain { $0.generation = .first },
            plain { $0.command = OutgoingMessage.Command(id: "3", messageID: 4) },
            plain { $0.keyboard = Keyboard([Keyboard.Button(text: "Yes", says: "yes")]) },
            plain { $0.attachment = LinkedFile(url: "https://example.com/a.pdf", name: "a.pdf") },
            plain { $0.shown = OutgoingMessage.Shown(uuid: "c-d", id: 5) },
        ])
    func message(_ message: OutgoingMessage) throws {
        let delivery = Delivery.message(message)
        #expect(try Delivery(payload: delivery.payload()) == delivery)
    }

    @Test(
        "what was seen of an answer comes out of the store as it went in",
        arguments: [
            AskTrace(), AskTrace(conversationID: "a", messageID: "b", taskID: "c", runID: "d"),
            AskTrace(runID: "\"я\""),
        ])
    func trace(_ trace: AskTrace) throws {
        #expect(try JSONDecoder().decode(AskTrace.self, from: Data(trace.json.utf8)) == trace)
    }
}
