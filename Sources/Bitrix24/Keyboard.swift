import Base

/// Buttons under a message; one that is pressed is said by the person who pressed it, as a message of theirs.
///
/// Documentation: `…/imbot.v2/messages/message-keyboards.md`, `api-reference/chats/messages/keyboards.md`.
public struct Keyboard: Sendable, Codable, Hashable {
    public struct Button: Sendable, Codable, Hashable {
        /// What people read.
        public var text: String
        /// What is said when it is pressed.
        public var says: String
        public init(text: String, says: String) {
            self.text = text
            self.says = says
        }
    }
    public var buttons: [Button]
    public init(_ buttons: [Button]) { self.buttons = buttons }

    /// More of them nobody would look through.
    public static let mostButtons = 40
    /// Of a keyboard's JSON, in bytes.
    private static let largest = 30_000

    /// Whether Bitrix24 takes it, and people can use it.
    public var isUsable: Bool {
        guard !buttons.isEmpty, buttons.count <= Self.mostButtons else { return false }
        // PHP may write each character that is not ASCII in six bytes, or twelve.
        let escaped = json(botID: .max).text.unicodeScalars.reduce(0) { sum, scalar in
            sum + (scalar.isASCII ? 1 : scalar.value > 0xFFFF ? 12 : 6)
        }
        return escaped <= Self.largest
    }

    /// Short ones stand side by side.
    func json(botID: Int64) -> JSON {
        let display: JSON = buttons.allSatisfy { $0.text.count <= 20 } ? "LINE" : "BLOCK"
        let buttons = buttons.map { button -> JSON in
            [
                "TEXT": .string(button.text), "ACTION": "SEND", "ACTION_VALUE": .string(button.says),
                "DISPLAY": display,
            ]
        }
        return ["BOT_ID": .integer(botID), "BUTTONS": .array(buttons)]
    }
}
