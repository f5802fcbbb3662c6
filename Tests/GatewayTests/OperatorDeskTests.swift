import Base
import Bitrix24
import Storage
import Testing

@testable import Gateway

@Suite("Between bot and operator")
struct OperatorDeskTests {
    private static func moment(_ seconds: Int64) -> Timestamp { Timestamp(rawValue: 1_000_000 + seconds * 1000) }
    private static func signs(
        _ session: Int64?, _ message: Int64?, owner: OperatorDesk.Owner? = nil
    ) -> OperatorDesk.Signs {
        .init(session: session, message: message, owner: owner)
    }
    private static func handedOver(at seconds: Int64 = 0) -> OperatorDesk {
        var desk = OperatorDesk()
        desk.handsOver(signs(343, 10), now: moment(seconds))
        return desk
    }
    private static let rules = OperatorDesk.Rules(failureHandover: true, afterTurns: 0, officeIsOpen: true)

    @Test("a bot that nobody has taken a dialog from answers, and nothing is noted")
    func fresh() {
        var desk = OperatorDesk()
        #expect(desk.hears(Self.signs(343, 10), now: Self.moment(0)) == .answer)
        #expect(
            desk.takesReply(
                wanting: [], isEmpty: false, Self.signs(343, 10), receivedAt: Self.moment(0), Self.rules,
                now: Self.moment(1)) == .init())
        #expect(desk == OperatorDesk())
    }

    @Test("after a hand-over the bot is silent whatever is said in that session, also where its number is missing")
    func silent() {
        var desk = Self.handedOver()
        for session in [343, nil] as [Int64?] {
            #expect(desk.hears(Self.signs(session, 11), now: Self.moment(5)) == .silence)
        }
        #expect(desk.state == .operator)
    }

    @Test("another session wakes the bot, and it is to be told what was said since the hand-over")
    func wakes() {
        var desk = Self.handedOver()
        #expect(desk.hears(Self.signs(344, 20), now: Self.moment(5)) == .answer)
        #expect(desk.state == .bot && desk.notes.untold == .init(session: 343, after: 10))
        _ = desk.takesReply(
            wanting: [], isEmpty: false, Self.signs(344, 20), receivedAt: Self.moment(5), Self.rules,
            now: Self.moment(6))
        #expect(desk.notes.untold == nil)
        #expect(desk.hears(Self.signs(344, 21), now: Self.moment(7)) == .answer)
    }

    @Test("a message of an earlier session that comes late does not wake it")
    func late() {
        var desk = Self.handedOver()
        #expect(desk.hears(Self.signs(342, 9), now: Self.moment(5)) == .silence)
    }

    @Test("the session of a hand-over that did not name one is learned from what follows")
    func learnedSession() {
        var desk = OperatorDesk()
        desk.handsOver(Self.signs(nil, 10), now: Self.moment(0))
        #expect(desk.hears(Self.signs(343, 11), now: Self.moment(1)) == .silence)
        #expect(desk.hears(Self.signs(344, 12), now: Self.moment(2)) == .answer)
    }

    @Test("joining anew wakes it; a first joining that comes late does not")
    func joins() {
        var desk = Self.handedOver()
        desk.joins(Self.signs(343, nil), now: Self.moment(3))
        #expect(desk.state == .operator)
        desk.joins(Self.signs(nil, nil), now: Self.moment(11))
        #expect(desk.state == .bot && desk.notes.untold?.session == 343)
        var another = Self.handedOver()
        another.joins(Self.signs(344, nil), now: Self.moment(3))
        #expect(another.state == .bot)
    }

    @Test("a bot that stayed in the chat knows that it is handed back when it is the chat's owner again")
    func ownedAgain() {
        var desk = Self.handedOver()
        #expect(desk.hears(Self.signs(343, 11, owner: .bot), now: Self.moment(1)) == .silence)
        #expect(desk.hears(Self.signs(343, 13, owner: .another), now: Self.moment(2)) == .silence)
        #expect(desk.hears(Self.signs(343, 12, owner: .bot), now: Self.moment(3)) == .silence)
        #expect(desk.hears(Self.signs(343, 14, owner: .bot), now: Self.moment(4)) == .answer)
        #expect(desk.notes.untold == .init(session: 343, after: 10))
    }

    @Test("an operator who takes the dialog unasked is noticed")
    func takenUnasked() {
        var desk = OperatorDesk()
        desk.hearsOperator(Self.signs(343, 15), now: Self.moment(0))
        #expect(desk.hears(Self.signs(343, 16), now: Self.moment(1)) == .silence)
        #expect(desk.hears(Self.signs(344, 20), now: Self.moment(2)) == .answer)
        #expect(desk.notes.untold == .init(session: 343, after: 14))
        desk.hearsOperator(Self.signs(343, 17), now: Self.moment(3))
        #expect(desk.state == .bot, "it was said before the session that the bot has")
    }

    // MARK: Taken without a word

    /// The bot has answered the message 10 of session 343 as the chat's owner.
    private static func owning() -> OperatorDesk {
        var desk = OperatorDesk()
        #expect(desk.hears(signs(343, 10, owner: .bot), now: moment(0)) == .answer)
        return desk
    }

    @Test("an operator who becomes the chat's owner has the dialog before the first word, until the bot is owner again")
    func takenSilently() {
        var desk = Self.owning()
        #expect(desk.hears(Self.signs(343, 12, owner: .another), now: Self.moment(1)) == .silence)
        #expect(desk.state == .operator)
        #expect(desk.hears(Self.signs(343, 13), now: Self.moment(2)) == .silence)
        #expect(desk.hears(Self.signs(343, 14, owner: .bot), now: Self.moment(3)) == .answer)
        #expect(desk.notes.untold == .init(session: 343, after: 11))
        #expect(desk.hears(Self.signs(343, 16, owner: .another), now: Self.moment(4)) == .silence, "taken once more")
    }

    @Test("the next session wakes it whoever is the chat's owner, until it is seen as the owner there")
    func nextSession() {
        var desk = Self.owning()
        #expect(desk.hears(Self.signs(343, 12, owner: .another), now: Self.moment(1)) == .silence)
        #expect(desk.hears(Self.signs(344, 20, owner: .another), now: Self.moment(2)) == .answer)
        #expect(desk.hears(Self.signs(344, 21, owner: .bot), now: Self.moment(3)) == .answer)
        #expect(desk.hears(Self.signs(344, 22, owner: .another), now: Self.moment(4)) == .silence)
    }

    @Test("what was seen in one session says nothing of the next")
    func otherSession() {
        var desk = Self.owning()
        #expect(desk.hears(Self.signs(344, 20, owner: .another), now: Self.moment(1)) == .answer)
        #expect(desk.hears(Self.signs(344, 21, owner: .bot), now: Self.moment(2)) == .answer)
        #expect(desk.hears(Self.signs(343, 11, owner: .bot), now: Self.moment(3)) == .answer, "it comes late")
        #expect(desk.hears(Self.signs(344, 22, owner: .another), now: Self.moment(4)) == .silence)
    }

    @Test(
        "a bot that was never the chat's owner answers, and so does one whose portal tells too little",
        arguments: [
            signs(343, 12, owner: .nobody), signs(343, 12), signs(nil, 12, owner: .another),
            signs(343, nil, owner: .another), signs(343, 9, owner: .another), signs(343, 12, owner: .bot),
        ])
    func notTaken(second: OperatorDesk.Signs) {
        var owning = Self.owning()
        #expect(owning.hears(second, now: Self.moment(1)) == .answer && owning.state == .bot)
        for first in [nil, .nobody, .another] as [OperatorDesk.Owner?] {
            var desk = OperatorDesk()
            #expect(desk.hears(Self.signs(343, 10, owner: first), now: Self.moment(0)) == .answer)
            #expect(desk.hears(Self.signs(343, 12, owner: .another), now: Self.moment(1)) == .answer)
            #expect(desk == OperatorDesk())
        }
        var nameless = OperatorDesk()
        #expect(nameless.hears(Self.signs(nil, 10, owner: .bot), now: Self.moment(0)) == .answer)
        #expect(nameless.hears(Self.signs(343, 12, owner: .another), now: Self.moment(1)) == .answer)
    }

    @Test("a bot that joins or is given the dialog by the administrator has it, though the operator is owner still")
    func ownerStays() {
        for isJoining in [true, false] {
            var desk = Self.owning()
            #expect(desk.hears(Self.signs(343, 12, owner: .another), now: Self.moment(1)) == .silence)
            if isJoining {
                desk.joins(Self.signs(343, nil), now: Self.moment(20))
            } else {
                desk.resumes(now: Self.moment(20))
            }
            #expect(desk.hears(Self.signs(343, 13, owner: .another), now: Self.moment(21)) == .answer)
            #expect(desk.hears(Self.signs(343, 14, owner: .bot), now: Self.moment(22)) == .answer)
            #expect(desk.hears(Self.signs(343, 15, owner: .another), now: Self.moment(23)) == .silence)
        }
    }

    @Test("a hand-over or an end that cannot be carried out does not hide that an operator took the dialog")
    func takenAfterRefusal() {
        var desk = Self.owning()
        desk.handsOver(Self.signs(343, 10, owner: .bot), now: Self.moment(1))
        desk.couldNotLetGo()
        #expect(desk.hears(Self.signs(343, 12, owner: .another), now: Self.moment(2)) == .silence)
        var finished = Self.owning()
        finished.finishes(Self.signs(343, 10, owner: .bot), now: Self.moment(1))
        finished.couldNotLetGo()
        #expect(finished.hears(Self.signs(343, 12, owner: .another), now: Self.moment(2)) == .silence)
    }

    @Test("what is known of a dialog is the same after it was stored")
    func stored() throws {
        var notes = OperatorDesk.Notes()
        #expect(OperatorDesk(.bot, storedNotes: notes.json.text).notes == notes)
        notes.session = 1
        notes.lastHeard = 2
        notes.since = Self.moment(3)
        notes.becauseOfFailure = true
        notes.leftToQueue = true
        notes.operatorSpoke = false
        notes.ownerChangedBy = 4
        notes.wokeAt = Self.moment(5)
        notes.wokeBy = 6
        notes.failures = 7
        notes.untold = .init(session: 8, after: nil)
        notes.owned = .init(session: 9, message: 10)
        #expect(OperatorDesk(.operator, storedNotes: notes.json.text) == OperatorDesk(state: .operator, notes: notes))
        let former = #"{"since":1003000,"session":1,"untold":{"session":8,"after":2},"becauseOfFailure":true}"#
        let read = OperatorDesk(.operator, storedNotes: former).notes
        #expect(read.since == Self.moment(3) && read.session == 1 && read.becauseOfFailure == true)
        #expect(read.untold == .init(session: 8, after: 2))
        for bad in [nil, "", "x", "[]", #"{"session":"a","untold":{},"owned":{"session":1}}"#] as [String?] {
            #expect(OperatorDesk(.bot, storedNotes: bad) == OperatorDesk())
        }
    }

    @Test("what the bot wanted to say while an operator took the dialog is not said")
    func takenMeanwhile() {
        var desk = OperatorDesk()
        desk.hearsOperator(Self.signs(343, 16), now: Self.moment(0))
        let effect = desk.takesReply(
            wanting: [], isEmpty: false, Self.signs(343, 15), receivedAt: Self.moment(0), Self.rules,
            now: Self.moment(1))
        #expect(!effect.isSaid && !effect.isDone)
        #expect(
            desk.takesFailure(
                Self.signs(343, 15), receivedAt: Self.moment(0), Self.rules, now: Self.moment(1)
            ) == .init(isSaid: false, isDone: false))
    }

    @Test("a bot that gets the dialog back and fails again within a minute leaves it to the queue without a word")
    func loop() {
        var desk = OperatorDesk()
        let first = desk.takesFailure(Self.signs(343, 10), receivedAt: Self.moment(0), Self.rules, now: Self.moment(1))
        #expect(first == .init(handsOver: true) && desk.state == .operator)
        desk.joins(Self.signs(343, nil), now: Self.moment(20))
        let second = desk.takesFailure(
            Self.signs(343, 12), receivedAt: Self.moment(30), Self.rules, now: Self.moment(31))
        #expect(second == .init(isSaid: false, handsOver: true) && desk.state == .operator)
        desk.joins(Self.signs(343, nil), now: Self.moment(50))
        #expect(desk.state == .operator, "the queue has it")
        desk.joins(Self.signs(343, nil), now: Self.moment(31 + 60))
        #expect(desk.state == .bot, "a minute later somebody means it")
    }

    @Test("a failure later than a minute, or after an answer, is a new one", arguments: [true, false])
    func noLoop(answersBetween: Bool) {
        var desk = OperatorDesk()
        _ = desk.takesFailure(Self.signs(343, 10), receivedAt: Self.moment(0), Self.rules, now: Self.moment(1))
        desk.joins(Self.signs(343, nil), now: Self.moment(20))
        if answersBetween {
            _ = desk.takesReply(
                wanting: [], isEmpty: false, Self.signs(343, 11), receivedAt: Self.moment(21), Self.rules,
                now: Self.moment(22))
        }
        let later = Self.moment(answersBetween ? 30 : 80)
        #expect(
            desk.takesFailure(Self.signs(343, 12), receivedAt: later, Self.rules, now: later)
                == .init(handsOver: true))
    }

    @Test("so many failures and empty answers in a row hand over, an answer between them begins anew")
    func turns() {
        let rules = OperatorDesk.Rules(failureHandover: false, afterTurns: 2, officeIsOpen: true)
        var desk = OperatorDesk()
        func fail() -> OperatorDesk.Effect {
            desk.takesFailure(Self.signs(343, 10), receivedAt: Self.moment(0), rules, now: Self.moment(1))
        }
        func reply(isEmpty: Bool) -> OperatorDesk.Effect {
            desk.takesReply(
                wanting: [], isEmpty: isEmpty, Self.signs(343, 10), receivedAt: Self.moment(0), rules,
                now: Self.moment(1))
        }
        #expect(fail() == .init())
        #expect(reply(isEmpty: false) == .init())
        #expect(fail() == .init() && desk.state == .bot)
        #expect(reply(isEmpty: true) == .init(handsOver: true) && desk.state == .operator)
    }

    @Test("outside office hours nothing is handed over, the bot stays and says so")
    func closedOffice() {
        let rules = OperatorDesk.Rules(failureHandover: true, afterTurns: 0, officeIsOpen: false)
        var desk = OperatorDesk()
        let action = ChannelAction(.handOver, botID: 1, dialogID: "chat5", chatID: "5")
        let effect = desk.takesReply(
            wanting: [action], isEmpty: false, Self.signs(343, 10), receivedAt: Self.moment(0), rules,
            now: Self.moment(1))
        #expect(effect == .init(isDone: false, saysHours: true) && desk.state == .bot)
        #expect(
            desk.takesFailure(Self.signs(343, 11), receivedAt: Self.moment(2), rules, now: Self.moment(2))
                == .init(saysHours: true))
        #expect(desk.state == .bot)
    }

    @Test("a session that the bot ended is opened by the next message")
    func closed() {
        var desk = OperatorDesk()
        let finish = ChannelAction(.finish, botID: 1, dialogID: "chat5", chatID: "5")
        _ = desk.takesReply(
            wanting: [finish], isEmpty: false, Self.signs(343, 10), receivedAt: Self.moment(0), Self.rules,
            now: Self.moment(1))
        #expect(desk.state == .closed)
        #expect(desk.hears(Self.signs(344, 12), now: Self.moment(2)) == .answer)
        #expect(desk.state == .bot && desk.notes.untold == nil)
    }

    @Test("a hand-over that cannot be carried out leaves the bot in charge, unless an operator has spoken")
    func couldNot() {
        var desk = Self.handedOver()
        desk.couldNotLetGo()
        #expect(desk.state == .bot && desk.hears(Self.signs(343, 11), now: Self.moment(1)) == .answer)
        var taken = Self.handedOver()
        taken.hearsOperator(Self.signs(343, 11), now: Self.moment(1))
        taken.couldNotLetGo()
        #expect(taken.state == .operator)
    }

    @Test("a hand-over that waited until the bot had the next session is out of date")
    func movedOn() {
        var desk = Self.handedOver()
        #expect(!desk.hasMovedOn(since: Self.moment(0)))
        _ = desk.hears(Self.signs(344, 20), now: Self.moment(5))
        #expect(desk.hasMovedOn(since: Self.moment(0)) && !desk.hasMovedOn(since: Self.moment(6)))
    }

    @Test("the administrator gives a dialog back")
    func resumes() {
        var desk = Self.handedOver()
        desk.resumes(now: Self.moment(1))
        #expect(desk.state == .bot && desk.notes.untold?.session == 343)
    }

    // MARK: Who speaks

    private static func event(_ change: (inout BotEvent) -> Void = { _ in }) -> BotEvent {
        var event = BotEvent(
            kind: .message, generation: .second, firstGenerationName: "ONIMBOTMESSAGEADD", botID: 456,
            dialogID: "chat5", messageID: 10)
        event.chat.entityType = "LINES"
        event.chat.entityID = "livechat|22|1761|587"
        event.chat.entityData1 = "Y|LEAD|1205|N|N|321|1773223732|0|0|0"
        event.authorID = "27"
        event.user.isConnector = false
        event.user.isBot = false
        change(&event)
        return event
    }

    @Test("an employee's message in an open channel is an operator's")
    func operatorSpeaks() {
        #expect(Self.event().isFromOperator)
        #expect(Self.event().chat.sessionID == 321 && Self.event().chat.customerID == "587")
    }

    @Test("nobody is an operator for want of a sign, nor who comes from outside, nor who the chat is named for")
    func customerSpeaks() {
        #expect(!Self.event { $0.user.isConnector = true }.isFromOperator)
        #expect(!Self.event { $0.user.isConnector = nil }.isFromOperator)
        #expect(!Self.event { $0.user.isNetwork = true }.isFromOperator)
        #expect(!Self.event { $0.user.isExtranet = true }.isFromOperator)
        #expect(!Self.event { $0.user.isBot = true }.isFromOperator)
        #expect(!Self.event { $0.authorID = nil }.isFromOperator)
        #expect(!Self.event { $0.authorID = "587" }.isFromOperator)
        #expect(!Self.event { $0.chat.entityType = "" }.isFromOperator)
        #expect(!Self.event { $0.kind = .command }.isFromOperator)
    }

    @Test("the chat's owner is the bot, nobody, the customer, or somebody else who has the dialog")
    func owners() {
        func owner(_ id: String?, _ change: (inout BotEvent) -> Void = { _ in }) -> OperatorDesk.Owner? {
            OperatorDesk.Signs(
                Self.event {
                    $0.chat.authorID = id
                    $0.authorID = "587"
                    $0.user.id = "587"
                    change(&$0)
                }
            ).owner
        }
        #expect(owner("456") == .bot && owner("27") == .another)
        #expect(owner("0") == .nobody && owner("-1") == .nobody && owner("587") == .nobody)
        #expect(owner(nil) == nil && owner("") == nil && owner("x") == nil)
        #expect(owner("5") { $0.authorID = "5" } == .nobody, "who writes has not taken the dialog from the bot")
        #expect(owner("5") { $0.user.id = "5" } == .nobody)
        #expect(owner("587") { $0.chat.entityID = nil } == .nobody)
    }

    @Test(
        "what is no session's number is none",
        arguments: [nil, "", "Y|LEAD", "Y|LEAD|1|N|N|0|1|0|0|0", "Y|LEAD|1|N|N||1", "Y|LEAD|1|N|N|x|1"])
    func noSession(data: String?) {
        #expect(Self.event { $0.chat.entityData1 = data }.chat.sessionID == nil)
    }
}
