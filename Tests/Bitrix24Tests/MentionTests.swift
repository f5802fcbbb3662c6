import Base
import Testing

@testable import Bitrix24

@Suite("Mentions and sessions")
struct MentionTests {
    @Test(
        "a bot's mention is taken out of the message, with what parted the two",
        arguments: [
            ("[USER=17]Bot[/USER], hello", "hello"), ("[USER=17]Bot[/USER] , hello", "hello"),
            ("[USER=17]Bot[/USER] hello", "hello"), ("[USER=17 REPLACE]Bot[/USER]: hello", "hello"),
            ("hello [USER=17]Bot[/USER]", "hello"), ("hello [USER=17]Bot[/USER], how are you?", "hello, how are you?"),
            ("ask [USER=17]Bot[/USER] about [USER=2]Emma[/USER]", "ask about [USER=2]Emma[/USER]"),
            ("[USER=17]Bot[/USER]", ""), ("[user=17]Bot[/user], hello", "hello"),
            ("[USER=17]Bot[/USER] /help me", "/help me"),
        ])
    func takenOut(text: String, expected: String) {
        #expect(Mention.takenOut(of: text, bot: 17) == expected)
    }

    @Test(
        "other mentions, and what only looks like one, are none",
        arguments: ["hello", "[USER=2]Emma[/USER], hello", "[USER=170]Bob[/USER]", "[USER=17]", "[USER=17", "[/USER]"])
    func others(text: String) {
        #expect(Mention.takenOut(of: text, bot: 17) == nil)
    }

    @Test("a long text of openings is read in a moment")
    func long() {
        #expect(Mention.takenOut(of: String(repeating: "[USER=17", count: 20_000), bot: 17) == nil)
        #expect(Mention.takenOut(of: String(repeating: "[USER=171]", count: 5_000) + "[/USER]", bot: 17) == nil)
    }

    @Test(
        "a session's history is read as Bitrix24 writes it: maps by id, names in small letters, sender 0 for its notes")
    func history() {
        let lines = SessionLine.all(in: [
            "message": [
                "85851": ["id": "85851", "senderid": "103", "text": "Open the card", "params": ["fileId": [5437]]],
                "85833": ["id": "85833", "senderid": "0", "text": "[b]A new lead has been created[/b]", "params": []],
                "85840": ["id": "85840", "senderid": "587", "text": "Help", "params": []],
                "85841": ["id": "85841", "senderid": "700", "text": "", "params": ["fileId": ["5438"]]],
                "85842": ["senderid": "700", "text": "no id"], "85843": nil,
            ],
            "users": [
                "103": ["id": "103", "connector": false, "network": false, "extranet": false, "bot": false],
                "587": ["id": "587", "connector": true, "bot": false],
            ],
            "files": ["5437": ["name": "2311.png"], "5438": ["name": "b.pdf"]],
        ])
        #expect(
            lines == [
                SessionLine(messageID: 85840, authorID: "587", text: "Help", isCustomer: true),
                SessionLine(messageID: 85841, authorID: "700", text: "b.pdf", isCustomer: nil),
                SessionLine(messageID: 85851, authorID: "103", text: "Open the card 2311.png", isCustomer: false),
            ])
        for empty in [[], [:], nil, ["message": []], ["message": false, "users": []]] as [JSON] {
            #expect(SessionLine.all(in: empty) == [])
        }
    }
}
