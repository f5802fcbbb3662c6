import Base
import Bitrix24
import BotPlatforms
import Storage

/// What a bot says when it joins a dialog. It waits in the dialog's line before all messages, so that no two sessions start.
extension Conversation {
    /// A greeting that fails is given up soon: what the person says waits behind it.
    static let greetingPatience = Duration.seconds(10)
    /// A message that was asked so shortly before the bot's joining was heard of came with it.
    private static let together = Duration.seconds(60)

    /// Whether there is something to greet with, and nothing has been said yet.
    func mayGreet(_ item: PendingEvent, _ setting: Setting) async throws -> Bool {
        guard setting.platform is any Greets, setting.settings.greets(in: item.event) else { return false }
        let now = clock.now
        return try await store.database.read { [item] connection in
            let session = try connection.session(of: item.dialog, connector: setting.connector.id, now: now)
            return try session == nil
                && !connection.hasAsked(in: item.dialog, since: item.receivedAt - Self.together)
        }
    }

    /// Nothing is said, and nobody is told.
    func leave(_ item: PendingEvent) async throws -> Verdict<PendingEvent> {
        let now = clock.now
        _ = try await store.database.write { try $0.finish(item.id, now: now) }
        return .finished
    }
}

extension BotSettings {
    /// In an open channel the first message comes with the joining.
    func greets(in event: BotEvent) -> Bool { greet ?? !event.isOpenChannel }
}

extension BotPlatform {
    /// Asks what the question's kind asks for.
    func answer(to question: Question) -> ReplyParts {
        if question.kind == .joined, let greeter = self as? any Greets { return greeter.greeting(for: question) }
        return reply(to: question)
    }
}
