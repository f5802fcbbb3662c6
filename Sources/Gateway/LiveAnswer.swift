import Base
import Bitrix24
import BotPlatforms
import Storage
import Synchronization

/// Shows an answer while it grows (setting `live`): a first message early, then the same message with more text.
///
/// The UUID of that message follows from the event. The reply that is stored in the end names it, so the outbox gives the
/// same message its final text, or takes it back where nothing is said; also after a kill, since Bitrix24 answers a known
/// UUID with the id of its message. What fails here does not matter.
final class LiveAnswer: Sendable {
    /// So often at most it is changed, and so long after asking it begins: a quick answer is said once.
    private static let pace = Duration.seconds(1)

    private let newest: Newest
    private let showing: Task<OutgoingMessage.Shown?, Never>

    /// - Parameter isNext: whether all that was said before is in the chat.
    fileprivate init(_ message: GrowingMessage, isNext: @escaping @Sendable () async -> Bool) {
        let newest = Newest()
        self.newest = newest
        showing = Task {
            var message = message
            while (try? await Task.sleep(for: Self.pace)) != nil, !message.hasFailed {
                guard message.portal.hasRoom, await isNext(), let reply = newest.unshown() else { continue }
                // Not to be cancelled: a call that is under way could arrive after the final text.
                message = await Task { [message] in await message.grown(to: reply) }.value
            }
            return message.shown
        }
    }

    func take(_ part: ReplyPart) { newest.take(part) }

    /// Returns when nothing is under way any more.
    func end(in item: inout PendingEvent) async {
        showing.cancel()
        item.shown = await showing.value
    }
}

/// What is there of the answer. It is collected here once more: a copy with each part would cost more than the answer.
private final class Newest: Sendable {
    private let state = Mutex((reply: Reply(), isShown: true))

    func take(_ part: ReplyPart) {
        state.withLock { state in
            state.reply.take(part)
            state.isShown = false
        }
    }

    /// `nil` if nothing has come since.
    func unshown() -> Reply? {
        state.withLock { state in
            defer { state.isShown = true }
            return state.isShown ? nil : state.reply
        }
    }
}

/// The message that shows what is there.
private struct GrowingMessage: Sendable {
    var message: OutgoingMessage
    let separate: Bool
    let portal: Portal
    let account: Account
    var shown: OutgoingMessage.Shown?
    var hasFailed = false

    func grown(to reply: Reply) async -> GrowingMessage {
        guard let text = await Self.text(of: reply, separate: separate), text != message.text else { return self }
        var grown = self
        grown.message.text = text
        do {
            if let id = shown?.id {
                try await portal.update(id, to: grown.message, as: account)
            } else {
                // Had it arrived before, it would still have the text of then.
                if shown != nil { grown.message.text = "" }
                grown.shown = OutgoingMessage.Shown(uuid: message.uuid)
                var first = message
                first.text = text
                grown.shown?.id = try await portal.send(first, as: account)
            }
        } catch {
            grown.hasFailed = true
        }
        return grown
    }

    /// The first message's, if the reply begins with one.
    private static func text(of reply: Reply, separate: Bool) async -> String? {
        guard let first = ReplyBlocks(reply, separate: separate).blocks.first, first.delay == .zero,
            case .text(let markdown) = first.content
        else { return nil }
        let text = BBCode.split(await BBCode.render(markdown: Directives.settled(markdown))).first
        return text?.isEmpty == false ? text : nil
    }
}

extension Conversation {
    /// `nil` where nobody is let in who could show it.
    func liveAnswer(to item: PendingEvent, _ setting: Setting) async -> LiveAnswer? {
        guard let account = try? await portals.account(setting.installation) else { return nil }
        let shown = item.shownSoFar(by: setting.bot)
        var message = OutgoingMessage("", to: item.event, bot: setting.bot)
        message.uuid = shown?.uuid ?? item.liveUUID(setting.bot)
        let growing = GrowingMessage(
            message: message, separate: setting.settings.separate, portal: portals.portal(setting.portal),
            account: account, shown: shown)
        return LiveAnswer(growing) { [outbox, dialog = item.dialog, portal = item.portal] in
            await outbox.isIdle(dialog, of: portal)
        }
    }
}

extension PendingEvent {
    /// Never in open channels, whose customers may sit in a messenger that changes no messages. The first generation and
    /// answers to commands carry no UUID.
    func isShownLive(by bot: BotRecord) -> Bool {
        self.event.kind == .message && !self.event.isOpenChannel && bot.api != "v1" && !self.isRetried
            && BotSettings(bot.settings).live
    }

    /// What a process that was killed has shown is not known.
    func shownSoFar(by bot: BotRecord) -> OutgoingMessage.Shown? {
        if let shown = self.shown { return shown }
        return self.wasAskedBefore && isShownLive(by: bot) ? OutgoingMessage.Shown(uuid: liveUUID(bot)) : nil
    }

    /// The same after a kill, and not to be guessed.
    func liveUUID(_ bot: BotRecord) -> String {
        var digits = Array(Vault.fingerprint("live \(bot.addressKey) \(row) \(self.receivedAt.rawValue)").prefix(32))
        // As a random UUID has them.
        digits[12] = "4"
        digits[16] = "8"
        let parts = [digits[..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20...]]
        return parts.map { String($0) }.joined(separator: "-")
    }

    /// The first message takes the place of what was shown of it; where nothing is said that is taken back.
    func completing(_ deliveries: [ScheduledDelivery], of bot: BotRecord) -> [ScheduledDelivery] {
        guard let shown = shownSoFar(by: bot) else { return deliveries }
        var deliveries = deliveries
        for index in deliveries.indices {
            guard case .message(var message) = deliveries[index].delivery else { continue }
            message.shown = shown
            deliveries[index].delivery = .message(message)
            return deliveries
        }
        var message = OutgoingMessage("…", to: self.event, bot: bot)
        message.shown = shown
        return [ScheduledDelivery(.withdrawal(message))] + deliveries
    }
}
