import Base
import Sandbox
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The sandbox's page, played through in a browser")
    struct SandboxPlayed {
        @Test("a colleague plays Typebot, files and a workflow with the keyboard alone")
        func employee() async throws {
            try await Player.with("employee") { player in
                try await player.tab(to: "#employee-choice")
                try await player.browser.press("ArrowDown")
                try await player.sees("I am the tea house")
                #expect(try await player.has(".bubble strong"))

                try await player.tab(to: ".pill", saying: "Coffee")
                try await player.browser.press("Enter")
                try await player.sees("It will look like this")
                try await player.browser.until("\(player.picture)?.naturalWidth > 0")
                try await player.sees("On which day will you come?")
                try await player.browser.type("25/12/2026")
                try await player.browser.press("Enter")
                try await player.sees("Coffee on 25/12/2026: noted.")

                try await player.choose("files")
                try await player.tab(to: ".chip", saying: "What are your prices?")
                try await player.browser.press("Enter")
                try await player.sees("price list")
                try await player.seesTable()
                try await player.send("notes.txt", "Some notes")
                try await player.sees("notes.txt")
                try await player.sees("Files received: 1")

                try await player.choose("workflow")
                try await player.browser.evaluate("document.querySelector('#employee textarea').focus()")
                try await player.browser.type("Count these few words")
                try await player.browser.press("Enter")
                try await player.sees("words: 4")
                try await player.sees("characters: 21")
                try await player.sees("longest: Count")
            }
        }

        @Test("a customer plays Typebot, files and a workflow on the Russian page, choosing by numbers")
        func customer() async throws {
            try await Player.with("customer") { player in
                try await player.browser.evaluate("document.querySelector('[data-language=ru]').click()")
                try await player.browser.until("document.documentElement.lang === 'ru'")
                #expect(try await player.text(".sub") == "Клиент · открытая линия")

                try await player.choose("typebot")
                try await player.click(".chip", saying: "Здравствуйте!")
                try await player.sees("1. Tea")
                try await player.sees("3. Nothing")
                #expect(try await player.has(".pill") == false)
                try await player.click(".chip", saying: "1")
                try await player.browser.until("\(player.picture)?.naturalWidth > 0")
                try await player.sees("On which day will you come?")
                try await player.click(".chip", saying: "25/12/2026")
                try await player.sees("Tea on 25/12/2026: noted.")

                try await player.choose("files")
                try await player.click(".chip", saying: "Какие у вас цены?")
                try await player.sees("прайс-лист")
                try await player.seesTable()
                #expect(try await player.text(".file small") == "29 Б")

                try await player.choose("workflow")
                try await player.click(".chip", saying: "Сосчитай слова в этом предложении")
                try await player.sees("words: 5")
            }
        }

        @Test(
            "an operator takes a customer's dialog, the bot is silent, and speaks again when the dialog is given back or ends"
        )
        func takeover() async throws {
            try await Player.with("customer") { customer in
                let colleague = Player(browser: customer.browser, side: "employee")
                try await colleague.choose("operator")
                try await customer.write("First question")
                try await customer.sees("turn 1")
                try await colleague.sees("First question")
                try await colleague.click("[data-act=take]")
                try await colleague.browser.until("document.activeElement.id === 'employee-input'")
                try await customer.write("Second question")
                try await colleague.sees("Second question")
                try await colleague.write("It is me, Emma")
                try await customer.sees("It is me, Emma")
                try await colleague.click("[data-act=return]")
                try await customer.write("Third question")
                try await customer.hears(2)

                // The bot passes the customer on.
                try await customer.click(".chip", saying: "Operator")
                try await colleague.click("[data-act=finish]")
                try await customer.write("Fourth question")
                try await customer.hears(3)
                // The bot did not hear the second one, or it would be quoted.
                #expect(try await customer.count(of: "Second question") == 1)
            }
        }
    }
}

/// Somebody before the page, on one side of it.
private struct Player {
    let browser: Chromium
    /// `customer` or `employee`.
    let side: String

    /// Opens the sandbox's page; afterwards nothing may have gone wrong in it.
    static func with(_ side: String, _ body: (Player) async throws -> Void) async throws {
        try await EndToEnd.SandboxServed.withSandbox { bitbot, _ in
            let browser = try Chromium()
            defer { browser.stop() }
            try await browser.open("http://localhost:\(bitbot.port)/")
            try await browser.until("document.getElementById('status')?.dataset.state === 'ready'")
            do {
                try await body(Player(browser: browser, side: side))
            } catch {
                print("The page showed:\n\(try await browser.evaluate("document.body.innerText") ?? "")")
                print("It said: \(browser.problems)")
                throw error
            }
            #expect(browser.problems == [])
        }
    }

    /// The last picture of the chat.
    var picture: String { "[...document.querySelectorAll('#\(side) .messages img')].at(-1)" }

    private func quoted(_ text: String) -> String { JSON.string(text).text }

    /// Goes on with the Tab key, as somebody without a mouse does.
    func tab(to selector: String, saying words: String = "") async throws {
        for _ in 0..<60 {
            try await browser.press("Tab")
            let isThere = try await browser.evaluate(
                "document.activeElement.matches(\(quoted("#\(side) " + selector))) "
                    + "&& document.activeElement.textContent.includes(\(quoted(words)))")
            if isThere == "true" { return }
        }
        throw HarnessError("Tab does not lead to \(selector) \(words)")
    }

    func choose(_ choice: String) async throws {
        try await browser.evaluate(
            """
            (() => {
              const select = document.querySelector('#\(side) select');
              select.value = \(quoted(choice));
              select.dispatchEvent(new Event('change', { bubbles: true }));
            })()
            """)
        // What the former chat showed is gone.
        try await browser.until("!document.querySelector('#\(side) .mine')")
    }

    /// Clicks what is there, once it can be clicked; it then has the focus, as after a real click.
    func click(_ selector: String, saying words: String = "") async throws {
        let found =
            "[...document.querySelectorAll(\(quoted("#\(side) " + selector)))]"
            + ".find((node) => node.textContent.includes(\(quoted(words))) && !node.disabled && !node.hidden)"
        try await browser.until("Boolean(\(found))")
        try await browser.evaluate("[\(found)].forEach((node) => (node.focus(), node.click()))")
    }

    func write(_ text: String) async throws {
        try await browser.until("!document.querySelector('#\(side) textarea').disabled")
        try await browser.evaluate("document.querySelector('#\(side) textarea').focus()")
        try await browser.type(text)
        try await browser.press("Enter")
    }

    /// Chooses a file of this person's, as the dialog of the browser would.
    func send(_ name: String, _ content: String) async throws {
        try await browser.evaluate(
            """
            (() => {
              const chosen = new DataTransfer();
              chosen.items.add(new File([\(quoted(content))], \(quoted(name))));
              const input = document.querySelector('#\(side) input[type=file]');
              input.files = chosen.files;
              input.dispatchEvent(new Event('change'));
            })()
            """)
    }

    /// Waits until words are among the messages.
    func sees(_ words: String) async throws {
        try await browser.until("document.querySelector('#\(side) .messages').innerText.includes(\(quoted(words)))")
    }

    /// Waits until the chatflow has answered so many times.
    func hears(_ answers: Int) async throws {
        try await eventually(timeout: .seconds(60)) { try await count(of: "You wrote:") == answers }
    }

    /// Waits for the price list, and opens it.
    func seesTable() async throws {
        let link = "document.querySelector('#\(side) .file[download=\"prices.csv\"]')"
        try await browser.until("Boolean(\(link))")
        try await browser.evaluate("fetch(\(link).href).then((it) => it.text()).then((it) => (window.kept = it))")
        try await browser.until("window.kept?.startsWith('Item,Price')")
        try await browser.evaluate("delete window.kept")
    }

    func has(_ selector: String) async throws -> Bool {
        try await browser.evaluate("Boolean(document.querySelector(\(quoted("#\(side) " + selector))))") == "true"
    }

    func text(_ selector: String) async throws -> String? {
        try await browser.evaluate("document.querySelector(\(quoted("#\(side) " + selector))).textContent")
    }

    func count(of words: String) async throws -> Int {
        let count = try await browser.evaluate(
            "document.querySelector('#\(side) .messages').innerText.split(\(quoted(words))).length - 1")
        return Int(count ?? "") ?? -1
    }
}
