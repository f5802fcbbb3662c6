import Base

extension SimulatedDify {
    /// The demonstration bot: answers in the question's language, counts the conversation's turns, and shows what a bot
    /// can do when it is asked for `markdown`, `slow` or `error`.
    /// - Parameter pace: between two pieces of an answer; zero says it all at once.
    public static func demonstration(pace: Duration = .milliseconds(25)) -> Script {
        { ask in
            let words = Words(ask)
            let question = ask.query.lowercased()
            if has(question, "error", "ошибк") { return [.wait(pace * 8), .failRun(words.failure)] }
            if has(question, "slow", "медлен") {
                return [.wait(pace * 60)] + pieces(words.patience, pace) + [.wait(pace * 120)]
                    + pieces(words.patienceEnd, pace)
            }
            if has(question, "markdown", "маркдаун", "разметк") { return pieces(words.markdown, pace) }
            let firstWord = question.prefix(while: \.isLetter)
            if ["hello", "hi", "hey", "привет", "здравствуй", "здравствуйте"].contains(firstWord) {
                return pieces(words.greeting, pace)
            }
            return pieces(words.echo, pace)
        }
    }

    private static func has(_ question: String, _ words: String...) -> Bool { words.contains { question.contains($0) } }

    /// The text in pieces of some words, as a model writes.
    private static func pieces(_ text: String, _ pace: Duration) -> [Step] {
        guard pace > .zero else { return [.text(text)] }
        var steps: [Step] = []
        var piece = ""
        for character in text {
            piece.append(character)
            if character.isWhitespace, piece.count > 8 {
                steps += [.wait(pace), .text(piece)]
                piece = ""
            }
        }
        return piece.isEmpty ? steps : steps + [.wait(pace), .text(piece)]
    }

    /// What the demonstration bot says.
    private struct Words {
        let ask: Ask
        let isRussian: Bool

        init(_ ask: Ask) {
            self.ask = ask
            isRussian = ask.query.unicodeScalars.contains { (0x400...0x4FF).contains($0.value) }
        }

        private var name: String {
            let name = ask.inputs["FIRST_NAME"]?.string ?? ""
            return name.isEmpty ? "" : ", \(name)"
        }

        var greeting: String {
            isRussian
                ? """
                Здравствуйте\(name)! Я **демонстрационный бот**: обычный чат-флоу Dify, только вместо модели у него сценарий.

                Напишите что угодно или попробуйте слова `разметка`, `медленно`, `ошибка`.
                """
                : """
                Hello\(name)! I am the **demonstration bot**: a Dify Chatflow like any other, with a script in place of a model.

                Write anything you like, or try the words `markdown`, `slow` and `error`.
                """
        }

        var echo: String {
            let quoted = ask.query.split(separator: "\n", omittingEmptySubsequences: false).prefix(6)
                .map { "> \($0)" }.joined(separator: "\n")
            return isRussian
                ? "Вы написали:\n\n\(quoted)\n\nЭто **\(ask.turn)-е сообщение** нашего разговора."
                : "You wrote:\n\n\(quoted)\n\nThis is **turn \(ask.turn)** of this conversation."
        }

        var markdown: String {
            isRussian
                ? """
                ## Заказ № 1042
                Всё **готово**, осталось *подтвердить*:

                - проверьте ~~старый~~ новый адрес
                - выберите время
                - нажмите [«Подтвердить»](https://example.com/order/1042)

                | Товар | Штук | Цена |
                |---|---|---|
                | Чай | 2 | 640 ₽ |
                | Чашка | 1 | 890 ₽ |

                > Доставка завтра с 10 до 14.
                """
                : """
                ## Order No. 1042
                Everything is **ready**, please *confirm*:

                - check the ~~old~~ new address
                - choose a time
                - press [Confirm](https://example.com/order/1042)

                | Item | Count | Price |
                |---|---|---|
                | Tea | 2 | €12.80 |
                | Cup | 1 | €9.90 |

                > Delivery is tomorrow between 10 and 14.
                """
        }

        var patience: String { isRussian ? "Дайте подумать… " : "Let me think about that… " }
        var patienceEnd: String {
            isRussian
                ? "Готово. Такой ответ занял несколько секунд, и он всё равно дошёл."
                : "Done. This answer took some seconds, and it still arrived."
        }
        var failure: String { "The demonstration was asked to fail." }
    }
}
