import Base

/// What the sandbox's platforms show: small bots of each kind, as data.
extension SimulatedTypebot {
    /// A greeting, buttons, an image and a date.
    /// - Parameter origin: where the simulated Typebot is reached; its picture is there.
    public static func demonstration(_ publicID: String = "demonstration", origin: String) -> Flow {
        Flow(
            publicID, name: "Tea house", variables: ["FIRST_NAME", "Drink", "Day"],
            commands: [Command("menu", next: "menu", resumesAfter: true)],
            groups: [
                Group(
                    "start",
                    [
                        .richText([
                            .paragraph([
                                .leaf("Hello {{FIRST_NAME}}! I am the "), .leaf("tea house", "bold"), .leaf("."),
                            ])
                        ]),
                        .text("What may we prepare for you?"),
                        .buttons(["Tea": "picture", "Coffee": "picture", "Nothing": "goodbye"], into: "Drink"),
                    ]),
                Group(
                    "picture",
                    [
                        .text("{{Drink}}, a good choice. It will look like this:"),
                        .image("\(origin)/files/\(SampleFile.picture)"), .wait(1),
                        .text("On which day will you come?"),
                        .input(.date, into: "Day", options: ["format": "dd/MM/yyyy"]),
                        .text("{{Drink}} on {{Day}}: noted. See you then!"),
                    ]),
                Group("goodbye", [.text("Another time, then.")]),
                Group("menu", [.text("We have tea and coffee.")]),
            ])
    }
}

extension SimulatedDify {
    /// A chatflow that delivers a file when it is asked for prices, counts the files that come with a question, and else
    /// answers as ``demonstration(pace:)``.
    public static func fileDemonstration(origin: String, pace: Duration = .milliseconds(25)) -> Script {
        let usual = demonstration(pace: pace)
        return { ask in
            if ask.fileCount > 0 {
                return [.wait(pace * 8), .text("Files received: **\(ask.fileCount)**. Thank you!")]
            }
            let question = ask.query.lowercased()
            guard question.contains("price") || question.contains("цен") else { return usual(ask) }
            let words = question.contains("цен") ? "Вот наш **прайс-лист**." : "Here is our **price list**."
            return [
                .wait(pace * 8), .text(words),
                .file(url: "\(origin)/files/\(SampleFile.table)", type: "document"),
            ]
        }
    }

    /// A workflow with outputs that its author named.
    public static func workflowDemonstration(pace: Duration = .milliseconds(25)) -> Script {
        { ask in
            let words = ask.query.split(whereSeparator: \.isWhitespace)
            return [
                .wait(pace * 8), .namedOutput("words", .integer(Int64(words.count))),
                .namedOutput("characters", .integer(Int64(ask.query.count))),
                .namedOutput("longest", .string(words.max { $0.count < $1.count }.map(String.init) ?? "")),
            ]
        }
    }
}
