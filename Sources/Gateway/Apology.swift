import Bitrix24
import Storage

/// What happens in the chat when a bot cannot answer: the person is told in plain words, and an operator takes over if the
/// bot's settings want that.
struct Apology {
    let deliveries: [ScheduledDelivery]

    init(to event: BotEvent, of bot: BotRecord) {
        let settings = BotSettings(bot.settings)
        let text = ChatTexts.failure(in: event.language, own: settings.failureText)
        // Whoever sets an empty text wants nothing to be said.
        var all =
            text.isEmpty ? [] : BBCode.split(text).map { Delivery.message(OutgoingMessage($0, to: event, bot: bot)) }
        if settings.failureHandover { all += Rendering.actions([.toOperator], for: event).deliveries }
        deliveries = all.map { ScheduledDelivery($0) }
    }
}
