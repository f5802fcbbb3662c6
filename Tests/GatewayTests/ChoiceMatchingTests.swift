import Base
import BotPlatforms
import Storage
import Testing

@testable import Gateway

@Suite("What a person's answer means")
struct ChoiceMatchingTests {
    private static let colours = Choices(
        ["Red", "Dark green", "Тёмно-синий", "10"].enumerated().map {
            Choice(label: $0.element, value: "v\($0.offset + 1)")
        })

    @Test(
        "the label, the number or a close match of it is taken; anything else is left as it is",
        arguments: [
            ("Red", "Red"), (" red! ", "Red"), ("RED", "Red"), ("v2", "Dark green"), ("2", "Dark green"),
            ("2.", "Dark green"), ("2)", "Dark green"), ("№2", "Dark green"), ("#2", "Dark green"),
            ("№ 3", "Тёмно-синий"), ("2️⃣", "Dark green"), ("dark  green", "Dark green"), ("darkgreen", "Dark green"),
            ("Drak green", "Dark green"), ("темно синий", "Тёмно-синий"), ("2. Dark green", "Dark green"),
            ("10", "10"), ("[USER=456]Bot[/USER], Red", "Red"),
            ("5", nil), ("0", nil), ("-1", nil), ("99999999999999999999", nil), ("rod", nil), ("blue", nil),
            ("I would like the red one", nil), ("", nil), ("   ", nil), ("👍", nil), ("1, 2", nil),
        ] as [(String, String?)])
    func one(answer: String, label: String?) {
        #expect(Self.colours.chosen(by: answer).map(\.label) == (label.map { [$0] } ?? []))
    }

    @Test(
        "where several may be chosen a list of numbers or labels is taken, as a whole or not at all",
        arguments: [
            ("1, 3", ["Red", "Тёмно-синий"]), ("1 3", ["Red", "Тёмно-синий"]),
            ("red; dark green", ["Red", "Dark green"]),
            ("2", ["Dark green"]), ("1,1", ["Red"]), ("dark green", ["Dark green"]), ("1, 7", []), ("red and blue", []),
        ])
    func several(answer: String, labels: [String]) {
        let choices = Choices(Self.colours.options, several: true)
        #expect(choices.chosen(by: answer).map(\.label) == labels)
    }

    @Test(
        "where no numbers were shown a number is only a number",
        arguments: [
            ("2", nil), ("2.", nil), ("№2", nil), ("2️⃣", nil), ("12", nil), ("10", "10"), ("10.", "10"),
            ("dark green", "Dark green"), ("Drak green", "Dark green"),
        ] as [(String, String?)])
    func unnumbered(answer: String, label: String?) {
        var choices = Choices(Self.colours.options, takesNumbers: false)
        choices.options[0].value = "12"
        #expect(choices.chosen(by: answer).map(\.label) == (label.map { [$0] } ?? []))
    }

    @Test(
        "where any other answer is as good, only the label means a choice beside buttons, and in a numbered list what is close too",
        arguments: [
            ("Dark green", "Dark green"), (" dark GREEN\n", "Dark green"), ("[USER=456]Bot[/USER], red", "Red"),
            ("10", "10"), ("2", nil), ("№2", nil), ("2. dark green", nil), ("Drak green", nil), ("darkgreen", nil),
            ("red!", nil), ("v2", nil), ("5", nil), ("темно-синий", nil), ("", nil),
        ] as [(String, String?)])
    func optional(answer: String, label: String?) {
        let beside = Choices(Self.colours.options, isOptional: true, takesNumbers: false)
        #expect(beside.chosen(by: answer).map(\.label) == (label.map { [$0] } ?? []))
        let numbered = Choices(Self.colours.options, isOptional: true)
        #expect(numbered.chosen(by: answer) == Choices(Self.colours.options).chosen(by: answer))
    }

    @Test("an offer is read as it was stored, one of a former version as it was meant")
    func stored() throws {
        let now = Timestamp(rawValue: 5)
        let id = ID<ConnectorRecord>(rawValue: 7)
        let choices = Choices(Self.colours.options, isOptional: true, takesNumbers: false)
        let stored = try #require(Offer(choices, connector: id, until: Timestamp(rawValue: 6)).json)
        #expect(Offer.choices(stored, connector: id, now: now) == choices)
        let former =
            #"{"choices":{"options":[{"label":"Red","value":"v1"}],"several":true},"connector":7,"until":6}"#
        let meant = Choices([Choice(label: "Red", value: "v1")], several: true)
        #expect(Offer.choices(former, connector: id, now: now) == meant)
        #expect(meant.chosen(by: "1").map(\.label) == ["Red"])
    }

    @Test("an answer that is as close to two of them means neither; the exact one of two alike is taken")
    func ambiguous() {
        let choices = Choices(["Plan A1", "Plan A2", "yes", "Yes!"].map { Choice(label: $0, value: $0) })
        #expect(choices.chosen(by: "Plan A").isEmpty)
        #expect(choices.chosen(by: "Plan A2").map(\.label) == ["Plan A2"])
        #expect(choices.chosen(by: "YES").isEmpty)
        #expect(choices.chosen(by: "yes").map(\.label) == ["yes"])
    }

    @Test("a rating is meant by its words, not by its place in the list")
    func ratings() {
        let choices = Choices((0...10).map { Choice(label: "\($0)", value: "\($0)") })
        #expect(choices.chosen(by: "7").map(\.label) == ["7"])
        #expect(choices.chosen(by: "0").map(\.label) == ["0"])
    }
}

@Suite("Directives in an answer")
struct DirectivesTests {
    @Test(
        "a directive on a line of its own is taken out and done",
        arguments: [
            ("One moment.\n[[operator]]", "One moment.", [.toOperator]),
            ("  [[ Operator : 17 ]]  \nOne moment.", "One moment.", [.toUser(17)]),
            ("A\r\n[[queue:3]]\r\nB", "A\nB", [.toQueue(3)]), ("Bye\n[[FINISH]]", "Bye", [.finish]),
            ("[[silent]]", "", [.silent]), ("[[operator]]\n[[finish]]", "", [.toOperator, .finish]),
        ] as [(String, String, [BotAction])])
    func taken(markdown: String, text: String, actions: [BotAction]) {
        let found = Directives.taken(from: markdown)
        #expect(found.text == text)
        #expect(found.actions == actions)
    }

    @Test(
        "what is no directive, or stands in a line or a code block, stays",
        arguments: [
            "Write [[operator]] to get a person.", "[[wiki]]", "[[operator:]]", "[[operator:me]]", "[operator]", "[[]]",
            "```\n[[operator]]\n```", "~~~~\n[[finish]]\n~~~\n[[finish]]\n~~~~", "[code]\n[[silent]]\n[/code]",
            "```sh\n[[silent]]",
        ])
    func left(markdown: String) {
        let found = Directives.taken(from: markdown)
        #expect(found.text == markdown)
        #expect(found.actions.isEmpty)
    }

    @Test("after a code block directives count again")
    func afterCode() {
        #expect(Directives.taken(from: "```\n[[finish]]\n```\n[[operator]]").actions == [.toOperator])
        #expect(Directives.taken(from: "[code]x[/code]\n[[operator]]").actions == [.toOperator])
    }
}
