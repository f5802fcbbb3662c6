import Base
import Bitrix24
import BotPlatforms
import Storage

/// What a conversation does at the desk between bot and operator. Each is part of a transaction.
extension Conversation {
    enum DeskTurn: Sendable {
        /// The bot is asked, and told of what an operator and the customer said before.
        case ask(OperatorDesk.OperatorPart?)
        /// The event is finished.
        case ended([PendingDelivery])
    }

    /// Before the bot is asked: an operator may have the dialog, or the customer may want one.
    func turn(
        of item: PendingEvent, at former: OperatorDesk?, _ setting: Setting, in connection: Connection, now: Timestamp
    ) throws -> DeskTurn {
        guard item.event.isOpenChannel, let former else { return .ask(nil) }
        var desk = former
        let signs = item.signs
        var deliveries: [ScheduledDelivery] = []
        switch desk.hears(item, now: now) {
        case .answer where wantsOperator(item, setting.settings):
            if setting.settings.officeIsOpen(at: now) {
                desk.handsOver(signs, now: now)
                deliveries = Self.handOver(for: item.event)
            } else {
                deliveries = try sayHours(to: item, setting.bot, in: connection, now: now)
            }
        case .answer:
            try connection.save(desk, of: item.dialog, unless: former)
            return .ask(item.event.kind == .joined ? nil : desk.notes.untold)
        case .silence: break
        }
        try connection.save(desk, of: item.dialog, unless: former)
        try connection.finish(item.id, withJoined: !item.joined.isEmpty, now: now)
        return .ended(try connection.add(deliveries, to: item, now: now))
    }

    private func wantsOperator(_ item: PendingEvent, _ settings: BotSettings) -> Bool {
        let words = settings.operatorWords
        func wants(_ item: PendingEvent) -> Bool { item.event.kind == .message && words.contain(item.event.text) }
        return wants(item) || item.joined.contains(where: wants)
    }

    /// When the bot's answer is stored.
    /// - Returns: what of it goes out; `nil`: nothing of it was said.
    func atDesk(
        _ deliveries: [ScheduledDelivery], _ reply: Reply, to item: PendingEvent, _ setting: Setting,
        in connection: Connection, now: Timestamp
    ) throws -> [ScheduledDelivery]? {
        let event = item.event
        guard event.isOpenChannel, var desk = try connection.operatorDesk(of: item.dialog) else { return deliveries }
        let former = desk
        // A greeting answers nothing.
        let isGreeting = event.kind == .joined
        let isEmpty = deliveries.isEmpty && !reply.actions.contains(.silent) && !isGreeting
        let effect = desk.takesReply(
            wanting: deliveries.compactMap(\.delivery.action), isEmpty: isEmpty, item.signs,
            receivedAt: item.receivedAt, setting.settings.rules(at: now), now: now)
        if item.missedOperatorPart || isGreeting, desk.state != .operator { desk.notes.untold = former.notes.untold }
        try connection.save(desk, of: item.dialog, unless: former)
        let rest = try apply(effect, to: deliveries, item, setting.bot, in: connection, now: now)
        return effect.isSaid || effect.handsOver ? rest : nil
    }

    /// When the bot failed.
    /// - Returns: what is said and done; `nil`: the event is none of the bot's.
    func atDesk(
        apology: [ScheduledDelivery], to item: PendingEvent, _ bot: BotRecord, in connection: Connection, now: Timestamp
    ) throws -> [ScheduledDelivery]? {
        guard item.event.isOpenChannel, var desk = try connection.operatorDesk(of: item.dialog) else { return apology }
        let former = desk
        let signs = item.signs
        // It failed before anybody was asked: who has the dialog has not been looked at yet.
        if case .waiting = item.progress, desk.hears(item, now: now) == .silence {
            try connection.save(desk, of: item.dialog, unless: former)
            return nil
        }
        let effect = desk.takesFailure(
            signs, receivedAt: item.receivedAt, BotSettings(bot.settings).rules(at: now), now: now)
        try connection.save(desk, of: item.dialog, unless: former)
        return try apply(effect, to: apology, item, bot, in: connection, now: now)
    }

    private func apply(
        _ effect: OperatorDesk.Effect, to deliveries: [ScheduledDelivery], _ item: PendingEvent, _ bot: BotRecord,
        in connection: Connection, now: Timestamp
    ) throws -> [ScheduledDelivery] {
        var rest = deliveries.filter { $0.delivery.action == nil ? effect.isSaid : effect.isDone }
        if effect.saysHours { rest += try sayHours(to: item, bot, in: connection, now: now) }
        if effect.handsOver { rest += Self.handOver(for: item.event, after: rest.last?.delay ?? .zero) }
        return rest
    }

    private static func handOver(for event: BotEvent, after delay: Duration = .zero) -> [ScheduledDelivery] {
        guard let number = event.channelChatID else { return [] }
        return [
            ScheduledDelivery(
                .action(ChannelAction(.handOver, botID: event.botID, dialogID: event.dialogID, chatID: number)),
                delay: delay)
        ]
    }

    private func sayHours(
        to item: PendingEvent, _ bot: BotRecord, in connection: Connection, now: Timestamp
    ) throws -> [ScheduledDelivery] {
        let language = item.event.language
        guard let text = BotSettings(bot.settings).officeHours?.text(language: language) else { return [] }
        try connection.addMessage(dialog: item.dialog, event: item.id, author: .bot, text: text, at: now)
        return BBCode.split(text).map { ScheduledDelivery(.message(OutgoingMessage($0, to: item.event, bot: bot))) }
    }
}

extension PendingEvent {
    /// Of the newest message that was collected.
    fileprivate var signs: OperatorDesk.Signs { OperatorDesk.Signs(self.joined.last?.event ?? self.event) }
}

extension Delivery {
    var action: ChannelAction? { if case .action(let action) = self { action } else { nil } }
}

extension BotSettings {
    func officeIsOpen(at moment: Timestamp) -> Bool { officeHours?.isOpen(at: moment) ?? true }

    func rules(at moment: Timestamp) -> OperatorDesk.Rules {
        OperatorDesk.Rules(
            failureHandover: failureHandover, afterTurns: operatorAfterTurns, officeIsOpen: officeIsOpen(at: moment))
    }
}

extension OperatorDesk {
    /// Of messages that were collected the last one tells who has the dialog now.
    fileprivate mutating func hears(_ item: PendingEvent, now: Timestamp) -> Verdict {
        var verdict = hears(Signs(item.event), now: now)
        for next in item.joined { verdict = hears(Signs(next.event), now: now) }
        return verdict
    }

    /// Notes that cannot be read count as none.
    init(_ state: DialogRecord.State, storedNotes: String?) {
        let notes = storedNotes.flatMap { try? JSON(parsing: $0.utf8) }
        self.init(state: state, notes: notes.map(Notes.init) ?? Notes())
    }
}

extension Connection {
    /// `nil` if the dialog is gone.
    func operatorDesk(of dialog: ID<DialogRecord>) throws -> OperatorDesk? {
        try desk(of: dialog).map { OperatorDesk($0.state, storedNotes: $0.notes) }
    }

    func save(_ desk: OperatorDesk, of dialog: ID<DialogRecord>, unless former: OperatorDesk) throws {
        guard desk != former else { return }
        try saveDesk(of: dialog, state: desk.state, notes: desk.notes.json.text)
    }

    /// Changes who has a dialog.
    func changeDesk(of dialog: ID<DialogRecord>, _ change: (inout OperatorDesk) -> Void) throws {
        guard let former = try operatorDesk(of: dialog) else { return }
        var desk = former
        change(&desk)
        try save(desk, of: dialog, unless: former)
    }
}
