import Bitrix24
import Storage

/// What is said in the chat when a bot cannot answer, in plain words. Whether an operator takes over is decided at the
/// ``OperatorDesk``.
struct Apology {
    let deliveries: [ScheduledDelivery]

    init(to event: BotEvent, of bot: BotRecord) {
        let settings = BotSettings(bot.settings)
        let text = ChatTexts.failure(in: event.language, own: settings.failureText)
        // Whoever sets an empty text wants nothing to be said.
        let all =
            text.isEmpty ? [] : BBCode.split(text).map { Delivery.message(OutgoingMessage($0, to: event, bot: bot)) }
        deliveries = all.map { ScheduledDelivery($0) }
    }
}
