import Base

/// What BitBot says in a chat by itself, in the dialog's language as Bitrix24 names it (`en`, `ru`, `ua`, `la`…).
struct ChatTexts: Sendable {
    /// Over buttons that would stand alone.
    var choose: String
    /// How to answer with several of the choices; digits and a comma follow.
    var several: String
    /// The bot failed: plain words, nothing of the inside.
    var failure = "The bot cannot answer right now. Please try again later."
    /// Outside of the office hours.
    var away = "Our operators are away right now. They will answer during office hours."

    static func `in`(_ language: String?) -> ChatTexts {
        switch language?.lowercased() {
        case "ru", "be", "by", "kz", "kk": russian
        case "ua", "uk":
            ChatTexts(
                choose: "Оберіть варіант:", several: "Можна вибрати кілька, наприклад",
                failure: "Бот зараз не може відповісти. Будь ласка, спробуйте пізніше.",
                away: "Зараз операторів немає на місці. Вони дадуть відповідь у робочий час.")
        case "de":
            ChatTexts(
                choose: "Bitte wählen Sie:", several: "Mehrere sind möglich, zum Beispiel",
                failure: "Der Bot kann gerade nicht antworten. Bitte versuchen Sie es später noch einmal.",
                away: "Zurzeit ist niemand am Platz. Sie erhalten eine Antwort zu den Geschäftszeiten.")
        case "la", "es":
            ChatTexts(
                choose: "Elija una opción:", several: "Puede elegir varias, por ejemplo",
                failure: "El bot no puede responder en este momento. Inténtelo de nuevo más tarde.",
                away: "Ahora no hay operadores disponibles. Le responderán en el horario de atención.")
        case "br", "pt":
            ChatTexts(
                choose: "Escolha uma opção:", several: "Pode escolher várias, por exemplo",
                failure: "O bot não pode responder agora. Tente novamente mais tarde.",
                away: "Não há operadores disponíveis agora. Eles responderão no horário de atendimento.")
        case "fr":
            ChatTexts(
                choose: "Veuillez choisir :", several: "Plusieurs choix possibles, par exemple",
                failure: "Le bot ne peut pas répondre pour le moment. Veuillez réessayer plus tard.",
                away: "Nos opérateurs sont absents pour le moment. Ils répondront aux heures d'ouverture.")
        case "it":
            ChatTexts(
                choose: "Scelga un'opzione:", several: "Può sceglierne più di una, per esempio",
                failure: "Il bot non può rispondere in questo momento. Riprovi più tardi.",
                away: "I nostri operatori non sono disponibili ora. Risponderanno in orario d'ufficio.")
        case "pl":
            ChatTexts(
                choose: "Proszę wybrać:", several: "Można wybrać kilka, na przykład",
                failure: "Bot nie może teraz odpowiedzieć. Proszę spróbować później.",
                away: "Nasi konsultanci są teraz niedostępni. Odpowiedzą w godzinach pracy.")
        case "tr":
            ChatTexts(
                choose: "Lütfen seçin:", several: "Birden fazla seçebilirsiniz, örneğin",
                failure: "Bot şu anda yanıt veremiyor. Lütfen daha sonra tekrar deneyin.",
                away: "Operatörlerimiz şu anda yerinde değil. Mesai saatlerinde yanıt verecekler.")
        default: ChatTexts(choose: "Please choose:", several: "You can choose several, for example")
        }
    }

    private static let russian = ChatTexts(
        choose: "Выберите вариант:", several: "Можно выбрать несколько, например",
        failure: "Бот сейчас не может ответить. Пожалуйста, попробуйте позже.",
        away: "Сейчас операторов нет на месте. Они ответят в рабочее время.")

    /// What a person is told when the bot fails: the bot's own words in the person's language, else in English, else ours.
    /// - Parameter own: by language.
    static func failure(in language: String?, own: Members<String>) -> String {
        let language = language?.lowercased() ?? "en"
        let names = [language, otherNames[language] ?? language, "en"]
        return names.lazy.compactMap { own[$0] }.first ?? `in`(language).failure
    }

    /// Bitrix24 names some languages by a country.
    private static let otherNames = ["ua": "uk", "uk": "ua", "la": "es", "es": "la", "br": "pt", "pt": "br"]
}
