import Base
import Sandbox
import TestSupport
import Testing

@Suite("The demonstration flow")
struct TypebotDemonstrationTests {
    @Test("greets, offers buttons, shows an image and asks for a date")
    func whole() async throws {
        try await TypebotBench.with([.text("placeholder")]) { bench in
            bench.typebot.put(SimulatedTypebot.demonstration("bot", origin: bench.typebot.origin))
            let chat = try await bench.start(["prefilledVariables": ["FIRST_NAME": "Ann"]])
            #expect(
                chat.answer.texts.first == "Hello Ann! I am the tea house." && chat.answer.waitingFor == "choice input")
            let menu = try await chat.send(["message": ["type": "command", "command": "menu"]])
            #expect(menu.texts == ["We have tea and coffee."] && menu.waitingFor == "choice input")
            let drink = try await chat.say("Tea")
            #expect(drink.bubbles == ["text", "image", "text"] && drink.actions == ["wait"])
            let image = try #require(drink["messages"]?.array?[1]["content"]?["url"]?.string)
            let picture = try await bench.http.send(HTTPClient.Request(.get, image, trust: .privateAllowed))
            #expect(
                picture.headers["Content-Type"] == "image/png" && picture.body.prefix(4) == [0x89, 0x50, 0x4E, 0x47])
            #expect(drink.waitingFor == "date input")
            #expect(try await chat.say("5 May 2027").texts == ["Tea on 05/05/2027: noted. See you then!"])
        }
    }
}
