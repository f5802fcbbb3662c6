import Base
import Bitrix24
import BotPlatforms
import Storage

/// Reactions to what the bot said, as ratings of its answers. Only the second generation tells of reactions.
extension Rating {
    /// What clearly praises or blames; other reactions say something about the matter, not about the answer.
    /// Documentation: `…/imbot.v2/messages/chat-message-reaction-add.md`.
    init?(reaction: String) {
        switch reaction {
        case "like", "redHeart", "fire", "kiss", "clappingHands", "smilingFaceWithHeartEyes", "smilingFaceWithHearts",
            "okHand", "loveYouGesture", "foldedHands", "hundredPoints":
            self = .like
        case "dislike", "angry", "facepalm", "poo": self = .dislike
        default: return nil
        }
    }
}

extension Conversation {
    private static let untilStored = Duration.seconds(3)

    /// Tells the platform of a rating. To tell it twice does no harm, so nothing is stored before.
    func rate(_ item: inout PendingEvent, _ setting: Setting) async throws -> Verdict<PendingEvent> {
        guard let judge = setting.platform as? any TakesRatings, let reaction = item.event.reaction,
            let rating = Rating(reaction: reaction.name), let messageID = item.event.messageID
        else { return try await leave(item) }
        let dialog = item.dialog
        guard let answer = try await store.database.read({ try $0.answer(sentAs: messageID, in: dialog) }) else {
            // That it was sent may not be stored yet.
            guard clock.now - item.receivedAt < Self.untilStored else { return try await leave(item) }
            item.notBefore = clock.now + .seconds(1)
            return .again(item)
        }
        do {
            let user = "\(setting.portal.memberID):\(item.event.dialogID)"
            try await judge.take(reaction.isSet ? rating : nil, of: answer, by: user)
        } catch {
            let failure = error as? PlatformError ?? PlatformError(.passing, "\(error)")
            return try await handle(
                failure: failure.kind == .final
                    ? failure : PlatformError(.passing, failure.message, retryAfter: failure.retryAfter),
                of: &item, setting)
        }
        return try await leave(item)
    }
}
