/// What BitBot says in a chat by itself, in the dialog's language as Bitrix24 names it (`en`, `ru`, `ua`, `la`…).
struct ChatTexts: Sendable {
    /// Over buttons that would stand alone.
    var choose: String
    /// How to answer with several of the choices; digits and a comma follow.
    var several: String
    /// The bot failed: plain words, nothing of the inside.
    var failure = "The bot cannot answer right now. Please try again later."

    static func `in`(_ language: String?) -> ChatTexts {
        switch language?.lowercased() {
        case "ru", "be", "by", "kz", "kk": russian
        case "ua", "uk":
            ChatTexts(
                choose: "Оберіть варіант:", several: "Можна вибрати кілька, наприклад", failure: russian.failure)
        case "de": ChatTexts(choose: "Bitte wählen Sie:", several: "Mehrere sind möglich, zum Beispiel")
        case "la", "es": ChatTexts(choose: "Elija una opción:", several: "Puede elegir varias, por ejemplo")
        case "br", "pt": ChatTexts(choose: "Escolha uma opção:", several: "Pode escolher várias, por exemplo")
        case "fr": ChatTexts(choose: "Veuillez choisir :", several: "Plusieurs choix possibles, par exemple")
        case "it": ChatTexts(choose: "Scelga un'opzione:", several: "Può sceglierne più di una, per esempio")
        case "pl": ChatTexts(choose: "Proszę wybrać:", several: "Można wybrać kilka, na przykład")
        case "tr": ChatTexts(choose: "Lütfen seçin:", several: "Birden fazla seçebilirsiniz, örneğin")
        default: ChatTexts(choose: "Please choose:", several: "You can choose several, for example")
        }
    }

    private static let russian = ChatTexts(
        choose: "Выберите вариант:", several: "Можно выбрать несколько, например",
        failure: "Бот сейчас не может ответить. Пожалуйста, попробуйте позже.")

    /// What a person is told when the bot fails: the bot's own words in the person's language, else in English, else ours.
    /// - Parameter own: by language.
    static func failure(in language: String?, own: [String: String]) -> String {
        let language = language?.lowercased() ?? "en"
        let names = [language, otherNames[language] ?? language, "en"]
        return names.lazy.compactMap { own[$0] }.first ?? `in`(language).failure
    }

    /// Bitrix24 names some languages by a country.
    private static let otherNames = ["ua": "uk", "uk": "ua", "la": "es", "es": "la", "br": "pt", "pt": "br"]
}
