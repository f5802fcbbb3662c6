import Base
import TestSupport
import Testing

@testable import Gateway

@Suite("What is pressed on a message's keyboard or in its menu")
struct PressTests {
    private let first = 1_800_000_000

    /// The parameters of the commands that were asked, once the events were taken.
    private func asked(_ body: (Stage) async throws -> Void) async throws -> [String?] {
        let platform = FakePlatform()
        try await Stage.with(platform: platform) { stage in
            try await body(stage)
            await stage.gateway.start()
            try await eventually { try await stage.count("events WHERE state <> 'done'") == 0 }
        }
        return platform.questions.map { $0.variables["COMMAND_PARAMS"] }
    }

    @Test("other buttons, other people and later presses are each answered")
    func told() async throws {
        let asked = try await asked { stage in
            try await stage.press("p0")
            try await stage.press("p1")
            try await stage.press("p0", by: 2)
            try await stage.press("p0", at: first + 60)
            try await stage.press("p2", context: "menu")
            try await stage.press("p3", context: "menu")
        }
        #expect(asked == ["p0", "p1", "p0", "p0", "p2", "p3"])
    }

    @Test("a press that is delivered again is not answered again, also when the copy was sent a moment later")
    func again() async throws {
        let asked = try await asked { stage in
            for seconds in [first, first, first + 1, first - 1] { try await stage.press("p0", at: seconds) }
            for _ in 1...2 { try await stage.press("p1", at: nil) }
        }
        #expect(asked == ["p0", "p1"])
    }

    @Test("a press is the person's, whoever wrote the message with the keyboard")
    func botsMessage() async throws {
        #expect(try await asked { try await $0.press("p0", author: 456) } == ["p0"])
    }

    @Test("a typed command is its message's, whatever was pressed on that")
    func typed() async throws {
        let asked = try await asked { stage in
            try await stage.press("p0")
            for _ in 1...2 {
                try await stage.press("typed", context: "textarea")
                try await stage.write("/menu typed", id: 70)
            }
        }
        #expect(asked == ["p0", "typed"])
    }
}
