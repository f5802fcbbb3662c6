import Base
import Bitrix24
import Storage

/// Who has a dialog of an open channel: the bot, an operator, or nobody. It decides from what is stored and what arrives,
/// and nothing else.
///
/// A session is known by its number, the sixth field of the chat's `CHAT_ENTITY_DATA_1`. Events that tell of sessions
/// reach only the application that owns the connector, so the number is the only sign that every bot gets.
/// Documentation: `api-reference/imopenlines/openlines/sessions/imopenlines-dialog-get.md`, `…/sessions/index.md`.
struct OperatorDesk: Sendable, Equatable {
    /// Kept in the `dialogs` row itself.
    var state = DialogRecord.State.bot
    var notes = Notes()

    /// All but the state, as the store keeps it.
    struct Notes: Sendable, Equatable {
        /// The session that an operator has, or had last.
        var session: Int64?
        /// The last message before an operator had it.
        var lastHeard: Int64?
        /// When an operator got it.
        var since: Timestamp?
        /// It was handed over because the bot failed.
        var becauseOfFailure: Bool?
        /// It came back, the bot failed again, and the queue has it.
        var leftToQueue: Bool?
        /// An operator has spoken since.
        var operatorSpoke: Bool?
        /// The first message since whose chat has another owner than the bot.
        var ownerChangedBy: Int64?
        /// When the bot got it back, and by which message if it was one.
        var wokeAt: Timestamp?
        var wokeBy: Int64?
        /// Since it has the dialog, the bot was seen as the chat's owner.
        var owned: Owned?
        /// Failures and empty answers of the bot in a row.
        var failures: Int?
        /// The operator's part that the bot is still to be told of.
        var untold: OperatorPart?
    }

    /// What an operator and a customer said to each other: the messages of a session after `after`.
    struct OperatorPart: Sendable, Equatable {
        var session: Int64
        var after: Int64?
    }

    /// The first message of a session whose chat the bot owned.
    struct Owned: Sendable, Equatable {
        var session: Int64
        var message: Int64
    }

    enum Verdict: Sendable, Equatable { case answer, silence }

    /// A joining so soon after a hand-over may be the first one, come late.
    static let lateJoining = Duration.seconds(10)
    /// A bot that gets the dialog back and fails again within this time leaves it to the queue, for as long at least.
    static let loop = Duration.seconds(60)

    // MARK: What arrives

    /// A customer's message, or a command.
    mutating func hears(_ signs: Signs, now: Timestamp) -> Verdict {
        switch state {
        case .bot:
            if isTaken(signs) {
                take(signs, now: now)
                return .silence
            }
        case .closed: wake(by: signs.message, now: now)
        case .operator:
            guard isNewSession(signs) || isHandedBack(signs) else {
                note(signs)
                return .silence
            }
            wake(by: signs.message, now: now)
        }
        noteOwned(signs)
        return .answer
    }

    /// A message of an operator, whether or not the dialog was handed over.
    mutating func hearsOperator(_ signs: Signs, now: Timestamp) {
        switch state {
        case .operator:
            if isNewSession(signs) { notes.session = signs.session }
            note(signs)
        case .bot, .closed:
            // One that comes late says nothing of who has the dialog now.
            if let message = signs.message, let wokeBy = notes.wokeBy, message < wokeBy { return }
            take(signs, now: now)
        }
        notes.operatorSpoke = true
    }

    /// The bot joined the chat: an operator or the line gave the dialog to it.
    mutating func joins(_ signs: Signs, now: Timestamp) {
        guard state != .bot else { return }
        let isAnother = signs.session != nil && notes.session != nil && signs.session != notes.session
        let pause = notes.leftToQueue == true ? Self.loop : Self.lateJoining
        guard isAnother || notes.since.map({ now - $0 >= pause }) ?? true else { return }
        wake(by: nil, now: now)
    }

    /// The administrator gives the dialog back to the bot.
    mutating func resumes(now: Timestamp) {
        guard state != .bot else { return }
        wake(by: nil, now: now)
    }

    // MARK: What the bot does

    /// The bot hands the dialog over.
    mutating func handsOver(_ signs: Signs, becauseOfFailure: Bool = false, now: Timestamp) {
        give(signs, lastHeard: signs.message, now: now)
        notes.becauseOfFailure = becauseOfFailure ? true : nil
    }

    /// The bot ends the session.
    mutating func finishes(_ signs: Signs, now: Timestamp) {
        state = .closed
        notes = Notes(session: signs.session, since: now, owned: notes.owned)
    }

    /// The bot answered.
    mutating func answers() {
        notes.failures = nil
        notes.becauseOfFailure = nil
    }

    enum Consequence: Sendable, Equatable {
        case none
        case handOver
        /// Without a word: it was handed over for a failure already, and came back.
        case leaveToQueue
        /// It is to be handed over, but nobody is there.
        case sayHours
    }

    /// The bot failed, or had nothing to say.
    /// - Parameters:
    ///   - receivedAt: when the question came.
    ///   - always: each failure hands over.
    ///   - limit: so many in a row hand over; 0: they do not.
    mutating func fails(
        _ signs: Signs, receivedAt: Timestamp, always: Bool, limit: Int, officeIsOpen: Bool, now: Timestamp
    ) -> Consequence {
        let failures = (notes.failures ?? 0) + 1
        notes.failures = min(failures, 1_000)
        guard always || (limit > 0 && failures >= limit) else { return .none }
        guard officeIsOpen else { return .sayHours }
        let cameBack = notes.wokeAt.map { receivedAt - $0 < Self.loop } ?? false
        let isLoop = notes.becauseOfFailure == true && cameBack
        handsOver(signs, becauseOfFailure: true, now: now)
        notes.leftToQueue = isLoop ? true : nil
        return isLoop ? .leaveToQueue : .handOver
    }

    /// The hand-over or the end of the session could not be carried out: the bot has the dialog still, unless an operator
    /// has taken it.
    mutating func couldNotLetGo() {
        guard state != .bot, notes.operatorSpoke != true else { return }
        state = .bot
        notes.untold = nil
    }

    /// The bot got the dialog back after `moment`: what was to be done with the session then is out of date.
    func hasMovedOn(since moment: Timestamp) -> Bool {
        state == .bot && notes.wokeAt.map { $0 > moment } ?? false
    }

    /// An operator got the dialog after `moment`.
    func hasBeenTaken(since moment: Timestamp) -> Bool {
        state == .operator && notes.since.map { $0 > moment } ?? false
    }

    // MARK: Inside

    private mutating func give(_ signs: Signs, lastHeard: Int64?, now: Timestamp) {
        state = .operator
        notes = Notes(
            session: signs.session, lastHeard: lastHeard, since: now, owned: notes.owned, untold: notes.untold)
    }

    /// An operator took it unasked.
    private mutating func take(_ signs: Signs, now: Timestamp) {
        give(signs, lastHeard: signs.message.map { $0 - 1 }, now: now)
        note(signs)
    }

    private mutating func wake(by message: Int64?, now: Timestamp) {
        let wasWithOperator = state == .operator
        state = .bot
        notes.wokeAt = now
        notes.wokeBy = message
        notes.failures = nil
        notes.operatorSpoke = nil
        notes.ownerChangedBy = nil
        notes.owned = nil
        notes.leftToQueue = nil
        guard wasWithOperator, let session = notes.session else { return }
        notes.untold = OperatorPart(session: session, after: notes.lastHeard)
    }

    /// A message of a session that ended earlier may come late.
    private func isNewSession(_ signs: Signs) -> Bool {
        guard let session = signs.session, let known = notes.session, session != known else { return false }
        guard let message = signs.message, let lastHeard = notes.lastHeard else { return true }
        return message > lastHeard
    }

    /// A chat's owner is who has the dialog. That somebody else is owner says something only after the bot was, in the same
    /// session: the owner may be there still from the one before, and not every portal may tell the truth.
    private func isTaken(_ signs: Signs) -> Bool {
        guard signs.owner == .another, let owned = notes.owned, let message = signs.message else { return false }
        return signs.session == owned.session && message > owned.message
    }

    /// Once a session.
    private mutating func noteOwned(_ signs: Signs) {
        guard signs.owner == .bot, let session = signs.session, session != notes.owned?.session,
            let message = signs.message, message >= max(notes.owned?.message ?? 0, notes.wokeBy ?? 0)
        else { return }
        notes.owned = Owned(session: session, message: message)
    }

    /// That the bot is owner says something only after it was not.
    private func isHandedBack(_ signs: Signs) -> Bool {
        guard signs.owner == .bot, let change = notes.ownerChangedBy, let message = signs.message else {
            return false
        }
        return message > change
    }

    private mutating func note(_ signs: Signs) {
        if notes.session == nil { notes.session = signs.session }
        if let owner = signs.owner, owner != .bot, notes.ownerChangedBy == nil {
            notes.ownerChangedBy = signs.message
        }
    }
}

extension OperatorDesk {
    /// What an event tells of who has the dialog.
    struct Signs: Sendable, Equatable {
        var session: Int64?
        var message: Int64?
        /// `nil` where the event does not say.
        var owner: Owner?
    }

    /// Who owns an open channel's chat.
    enum Owner: Sendable, Equatable {
        case bot
        /// An operator, or another bot.
        case another
        /// Or the customer: no sign that it was taken.
        case nobody
    }
}

extension OperatorDesk.Signs {
    init(_ event: BotEvent) {
        self.init(
            session: event.chat.sessionID, message: event.messageID,
            owner: event.chat.authorID.flatMap { Int64($0) }.map { Self.owner($0, of: event) })
    }

    private static func owner(_ id: Int64, of event: BotEvent) -> OperatorDesk.Owner {
        if id == event.botID { return .bot }
        let customers = [event.chat.customerID, event.authorID, event.user.id]
        return id <= 0 || customers.contains(String(id)) ? .nobody : .another
    }
}

extension BotEvent {
    /// Whether an employee of the portal speaks in an open channel: neither an external client nor a bot.
    ///
    /// Where an event does not say who somebody is, they are a customer: a customer who gets no answer is worse than an
    /// operator who gets one. Employees who try out a chat of their own are its customers: the chat is named for them.
    var isFromOperator: Bool {
        guard isOpenChannel, kind == .message, let author = authorID ?? user.id, author != "0" else { return false }
        guard user.isConnector == false, user.isBot != true, user.isNetwork != true, user.isExtranet != true else {
            return false
        }
        return author != chat.customerID
    }
}

extension BotEvent.Chat {
    /// The open channel's session, the sixth field of `CHAT_ENTITY_DATA_1`.
    /// Documentation: `api-reference/imopenlines/openlines/sessions/imopenlines-session-history-get.md`.
    var sessionID: Int64? {
        guard let field = entityData1?.field(5), let id = Int64(field), id > 0 else { return nil }
        return id
    }

    /// The customer's user id, the fourth field of `CHAT_ENTITY_ID`.
    /// Documentation: `api-reference/imopenlines/openlines/sessions/index.md`, `USER_CODE`.
    var customerID: String? { entityID?.field(3) }
}

extension String {
    /// What stands between two of its `|`, counted from 0. By bytes: they are looked at for each message.
    fileprivate func field(_ number: Int) -> String? {
        var text = self
        return text.withUTF8 { bytes in
            var start = 0
            var passed = 0
            for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "|") {
                if passed == number { return String(decoding: bytes[start..<index], as: UTF8.self) }
                passed += 1
                start = index + 1
            }
            return passed == number ? String(decoding: bytes[start...], as: UTF8.self) : nil
        }
    }
}

// MARK: What the bot wants to say and do

extension OperatorDesk {
    /// What becomes of what the bot wants to say and do.
    struct Effect: Sendable, Equatable {
        /// Its words are said.
        var isSaid = true
        /// What it wants to be done with the session is done.
        var isDone = true
        /// Any free operator gets the dialog, besides.
        var handsOver = false
        /// The customer is told the office hours.
        var saysHours = false
    }

    /// The rules of a bot as they are at one moment.
    struct Rules: Sendable {
        /// `failure_handover`.
        var failureHandover: Bool
        /// `operator_after_turns`; 0: never.
        var afterTurns: Int
        var officeIsOpen: Bool
    }

    /// The bot answered.
    /// - Parameters:
    ///   - wanted: what it wants to be done with the session.
    ///   - isEmpty: it had nothing to say and nothing to do, without meaning to.
    mutating func takesReply(
        wanting wanted: [ChannelAction], isEmpty: Bool, _ signs: Signs, receivedAt: Timestamp, _ rules: Rules,
        now: Timestamp
    ) -> Effect {
        // An operator took the dialog while the bot was thinking.
        guard state != .operator else { return Effect(isSaid: false, isDone: false) }
        notes.untold = nil
        if isEmpty {
            return failed(signs, receivedAt: receivedAt, always: false, rules, now: now)
        }
        answers()
        if wanted.contains(where: \.isHandOver) {
            guard rules.officeIsOpen else { return Effect(isDone: false, saysHours: true) }
            handsOver(signs, now: now)
        } else if !wanted.isEmpty {
            finishes(signs, now: now)
        }
        return Effect()
    }

    /// The bot failed, and the customer is to be told.
    mutating func takesFailure(_ signs: Signs, receivedAt: Timestamp, _ rules: Rules, now: Timestamp) -> Effect {
        guard state != .operator else { return Effect(isSaid: false, isDone: false) }
        return failed(signs, receivedAt: receivedAt, always: rules.failureHandover, rules, now: now)
    }

    private mutating func failed(
        _ signs: Signs, receivedAt: Timestamp, always: Bool, _ rules: Rules, now: Timestamp
    ) -> Effect {
        let consequence = fails(
            signs, receivedAt: receivedAt, always: always, limit: rules.afterTurns, officeIsOpen: rules.officeIsOpen,
            now: now)
        return switch consequence {
        case .none: Effect()
        case .handOver: Effect(handsOver: true)
        case .leaveToQueue: Effect(isSaid: false, handsOver: true)
        case .sayHours: Effect(saysHours: true)
        }
    }
}
