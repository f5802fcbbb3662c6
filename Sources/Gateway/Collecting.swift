import Base
import Bitrix24
import Storage

/// Several quick messages of one person, asked as one question (setting `collect_ms`).
///
/// What is collected is read from the store each time, so a restart makes no difference; from the moment of asking the
/// messages are joined to the first of them there.
extension Conversation {
    /// So many messages at most make one question.
    static let mostCollected = 50

    /// Takes up what the person has written since.
    /// - Returns: until when more is waited for; `nil`: ask now.
    func collect(_ item: inout PendingEvent, _ setting: Setting) async throws -> Timestamp? {
        guard case .waiting = item.progress, item.event.isCollectable else { return nil }
        item.joined = []
        let longest = setting.settings.collect
        guard longest > .zero else { return nil }
        let records = try await store.database.read { [item] in
            try $0.waitingEvents(
                of: item.dialog, from: item.id, messageID: item.order, limit: Self.mostCollected + 1)
        }
        let waiting = records.lazy.compactMap { try? PendingEvent($0, bot: setting.bot, vault: self.store.vault) }
        // Asked or deleted meanwhile: asking will notice.
        guard let first = waiting.first, first.id == item.id else { return nil }
        item.event = first.event
        item.edits = first.edits
        var last = first.receivedAt
        for next in waiting.dropFirst() {
            guard next.event.isSamePerson(as: item.event) else { break }
            let isClosing = !next.event.isCollectable
            if next.event.kind == .message, !next.event.text.hasPrefix("/") { item.joined.append(next) }
            if isClosing || item.joined.count + 1 >= Self.mostCollected { return nil }
            last = max(last, next.receivedAt)
        }
        let moment = last + longest
        return moment > clock.now ? moment : nil
    }

    /// What was asked together with an event whose outcome is looked for.
    func readJoined(_ item: inout PendingEvent, _ bot: BotRecord) async throws {
        let id = item.id
        let records = try await store.database.read { try $0.events(joinedTo: id) }
        item.joined = try records.map { try PendingEvent($0, bot: bot, vault: store.vault) }
    }
}

extension PendingEvent {
    /// Waits for more of the same person, nothing else.
    var isCollecting: Bool {
        guard case .waiting = self.progress else { return false }
        return self.failingSince == nil && self.attempts == 0 && self.event.isCollectable
    }

    /// What is asked: the newest of what was collected, with the text of all.
    var whole: (event: BotEvent, auth: EventAuth) {
        guard let newest = self.joined.last else { return (self.event, self.auth ?? EventAuth(memberID: "")) }
        var whole = newest.event
        whole.text = texts.joined(separator: "\n")
        return (whole, newest.auth ?? EventAuth(memberID: ""))
    }

    /// What was collected, each by itself.
    var texts: [String] {
        [Variables.message(of: self.event)] + self.joined.map { Variables.message(of: $0.event) }
    }
}

extension BotEvent {
    /// Commands and files go at once, and so does what may yet turn out to be a command.
    var isCollectable: Bool { kind == .message && files.isEmpty && !text.hasPrefix("/") }

    func isSamePerson(as other: BotEvent) -> Bool {
        guard let person = user.id ?? authorID else { return false }
        return person == other.user.id ?? other.authorID
    }
}
