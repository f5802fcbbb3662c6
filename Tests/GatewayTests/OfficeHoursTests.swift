import Base
import Bitrix24
import Foundation
import Testing

@testable import Gateway

@Suite("Office hours, and words for an operator")
struct OfficeHoursTests {
    private static let hours: JSON = [
        "timezone": "Europe/Moscow",
        "days": ["mon": ["09:00-13:00", "14:00-18:00"], "Fri": ["22:00-02:00"], "sun": ["00:00-24:00"]],
        "text": ["en": "We are back on Monday."],
    ]

    private func at(_ text: String) throws -> Timestamp {
        Timestamp(rawValue: Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970) * 1000)
    }

    @Test(
        "they are read in their time zone, by day, over midnight too",
        arguments: [
            ("2026-11-16T06:00:00Z", true), ("2026-11-16T05:59:59Z", false), ("2026-11-16T10:30:00Z", false),
            ("2026-11-16T14:59:00Z", true), ("2026-11-16T15:00:00Z", false), ("2026-11-17T09:00:00Z", false),
            ("2026-11-20T19:00:00Z", true), ("2026-11-20T22:59:00Z", true), ("2026-11-20T23:00:00Z", false),
            ("2026-11-20T12:00:00Z", false), ("2026-11-21T21:00:00Z", true), ("2026-11-22T20:59:00Z", true),
        ])
    func isOpen(moment: String, expected: Bool) throws {
        #expect(try #require(OfficeHours(Self.hours)).isOpen(at: try at(moment)) == expected)
    }

    @Test(
        "what cannot be read is no office hours",
        arguments: [
            ["timezone": "Nowhere/Else", "days": [:]], ["timezone": "Europe/Moscow"],
            ["timezone": "Europe/Moscow", "days": ["someday": ["09:00-18:00"]]],
            ["timezone": "Europe/Moscow", "days": ["mon": ["9-18"]]],
            ["timezone": "Europe/Moscow", "days": ["mon": ["09:00-25:00"]]],
            ["timezone": "Europe/Moscow", "days": ["mon": "09:00-18:00"]], "always", [], nil,
        ] as [JSON])
    func unreadable(json: JSON) {
        #expect(OfficeHours(json) == nil)
    }

    @Test("their text is in the person's language, else in English, else ours")
    func text() throws {
        var hours = try #require(OfficeHours(Self.hours))
        #expect(hours.text(language: "ru") == "We are back on Monday.")
        hours.text["ru"] = "Мы вернёмся в понедельник."
        #expect(hours.text(language: "ru") == "Мы вернёмся в понедельник.")
        hours.text = [:]
        #expect(hours.text(language: "ru").contains("рабочее время"))
        #expect(hours.text(language: nil).contains("office hours"))
        #expect(hours.text(language: "ua").contains("робочий час"))
    }

    @Test(
        "a customer asks for an operator in a word of their own, in any case and with any punctuation",
        arguments: [
            "operator", "Operator!", "  HUMAN ", "оператор", "Оператор.", "«Человек»?", "talk to a  human",
            "Соедините\r\nс ОПЕРАТОРОМ", "позовите_оператора", "Operator…", "👩 Живой человек 👨", "Operator ☎\u{FE0F}",
        ])
    func words(message: String) {
        #expect(BotSettings([:]).operatorWords.contain(message))
    }

    @Test(
        "a message that only has the word in it does not",
        arguments: ["the operator was rude", "humans", "", "?!", "чёловек", "человек\u{301}", "operator2"])
    func sentences(message: String) {
        #expect(!BotSettings([:]).operatorWords.contain(message))
    }

    @Test("a bot's own words are all there are, and an empty list switches them off")
    func ownWords() {
        let own = BotSettings(["operator_words": ["de": ["Mitarbeiter bitte"], "fr": [], "ru": ["№ Ещё 1"]]])
            .operatorWords
        #expect(own.contain("Mitarbeiter, bitte!") && own.contain("ЕЩЁ: 1") && !own.contain("operator"))
        for none in [[:], ["en": []]] as [JSON] {
            #expect(!BotSettings(["operator_words": none]).operatorWords.contain("operator"))
        }
        #expect(BotSettings(["operator_words": ["operator"]]).operatorWords == .standard, "cannot be read")
    }
}

@Suite("OPERATOR_TRANSCRIPT")
struct OperatorTranscriptTests {
    private static let question: BotEvent = {
        var event = BotEvent(
            kind: .message, generation: .second, firstGenerationName: "", botID: 456, dialogID: "chat5", messageID: 100)
        event.authorID = "587"
        return event
    }()

    private func text(_ lines: [SessionLine], after: Int64? = 10) -> String {
        OperatorTranscript.text(lines, part: .init(session: 321, after: after), question: Self.question)
    }

    @Test("it has what operator and customer said after the hand-over, without bots and without the question itself")
    func lines() {
        let text = text([
            SessionLine(messageID: 9, authorID: "587", text: "Before", isCustomer: true),
            SessionLine(messageID: 11, authorID: "456", text: "I am the bot", isCustomer: nil),
            SessionLine(messageID: 12, authorID: "99", text: "Another bot", isCustomer: false, isBot: true),
            SessionLine(messageID: 13, authorID: "27", text: "Hello,\nhow can I help?", isCustomer: false),
            SessionLine(messageID: 14, authorID: "587", text: "It is broken", isCustomer: nil),
            SessionLine(messageID: 100, authorID: "587", text: "And now?", isCustomer: true),
        ])
        #expect(text == "Operator: Hello, how can I help?\nCustomer: It is broken")
    }

    @Test("the newest 4,000 characters are kept, whole lines of them")
    func bound() {
        let many = (11..<90).map {
            SessionLine(
                messageID: $0, authorID: "27", text: "\($0) " + String(repeating: "x", count: 97), isCustomer: false)
        }
        let text = text(many)
        #expect(text.count <= 4_000 && text.count > 3_800)
        #expect(text.hasPrefix("Operator: ") && text.contains("Operator: 89 x") && !text.contains("Operator: 11 x"))
        let one = self.text([
            SessionLine(messageID: 11, authorID: "27", text: String(repeating: "я", count: 9_000), isCustomer: false)
        ])
        #expect(one.count == 4_000)
    }
}
