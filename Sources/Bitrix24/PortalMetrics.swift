import Base

/// What a portal's calls show to the operator.
struct PortalMetrics: Sendable {
    let calls: Counter
    let batches: Counter
    let waiting: Gauge
    let limited: Counter

    init(_ metrics: Metrics) {
        calls = metrics.counter("bitbot_portal_calls_total", help: "REST calls of portals, by method and outcome.")
        batches = metrics.counter("bitbot_portal_batches_total", help: "REST requests that held several calls.")
        waiting = metrics.gauge("bitbot_portal_waiting", help: "REST calls that wait for their turn.")
        limited = metrics.counter(
            "bitbot_portal_limited_total", help: "REST requests that a portal refused as too many.")
    }

    func count(_ method: String, _ result: Result<JSON, PortalError>) {
        let outcome =
            switch result {
            case .success: "ok"
            case .failure(let error):
                switch error.kind {
                case .refused: error.isPassing ? "passing" : "refused"
                case .unreachable: "unreachable"
                case .notBitrix24: "not_bitrix24"
                case .noCredential: "no_credential"
                }
            }
        calls.increment(["method": Self.known.contains(method) ? method : "other", "outcome": outcome])
    }

    /// The methods that this library calls by itself; others share one label, so that their number is bounded.
    private static let known: Set<String> = [
        "imbot.v2.Chat.Message.send", "imbot.v2.Command.answer", "imbot.v2.Chat.InputAction.notify",
        "imbot.v2.Chat.Message.getContext", "imbot.v2.Bot.register", "imbot.v2.Bot.update", "imbot.v2.Bot.unregister",
        "imbot.v2.Command.register", "imbot.v2.Command.update", "imbot.v2.Command.unregister",
        "imbot.message.add", "imbot.command.answer", "imbot.chat.sendTyping", "imbot.register", "imbot.update",
        "imbot.unregister", "imbot.bot.list", "imbot.command.register", "imbot.command.update",
        "imbot.command.unregister", "im.dialog.messages.get", "event.bind", "event.get", "app.info", "profile",
    ]
}
