import Base
import Sandbox
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Order")
    struct Order {
        @Test("200 messages over 20 dialogs are answered in order within each dialog, dialogs beside each other")
        func order() async throws {
            let chance = Chance(seed: 7)
            var plan = Stage.Plan()
            plan.portal.sendDelay = .zero...(.milliseconds(20))
            plan.script = { [.wait(chance.milliseconds(0...80)), .text("You said \($0.query).")] }
            try await Stage.with(plan) { stage in
                let chats = try (0..<20).map { try stage.customer("C\($0)") }
                for turn in 0..<10 {
                    for chat in chats { try stage.portal.customerWrites("number \(turn)", in: chat) }
                }
                for chat in chats {
                    try await stage.untilAnswers(10, in: chat)
                    #expect(stage.answers(in: chat) == (0..<10).map { "You said number \($0)." })
                }
                #expect(stage.dify.counts.runs == 200)
                #expect(stage.dify.counts.conversationsCreated == 20)
            }
        }

        @Test("a dialog whose bot hangs does not hold up another")
        func parallel() async throws {
            let gate = Gate()
            var plan = Stage.Plan()
            plan.script = { ask in
                guard ask.query == "slow" else { return [.text("You said \(ask.query).")] }
                gate.begun()
                return [.wait(.seconds(60))]
            }
            try await Stage.with(plan) { stage in
                let (slow, quick) = (try stage.customer("Slow"), try stage.customer("Quick"))
                try stage.portal.customerWrites("slow", in: slow)
                try await eventually { gate.hasBegun }
                try stage.portal.customerWrites("after slow", in: slow)
                for turn in 1...3 { try stage.portal.customerWrites("quick \(turn)", in: quick) }
                try await stage.untilAnswers(3, in: quick)
                #expect(stage.answers(in: slow).isEmpty)
                // The second question of the slow dialog waits for the first one's answer.
                #expect(stage.dify.runs(user: stage.user(of: slow), query: "after slow") == 0)
            }
        }

        @Test("events that come late and out of order, several times each, are answered once each")
        func disorder() async throws {
            let chance = Chance(seed: 11)
            var plan = Stage.Plan()
            plan.script = { [.wait(chance.milliseconds(0...40)), .text("You said \($0.query).")] }
            try await Stage.with(plan) { stage in
                var delivery = SimulatedPortal.DeliveryPlan()
                delivery.disorder = .milliseconds(400)
                delivery.copies = 2
                stage.portal.deliver(by: delivery)
                let chats = try (0..<10).map { try stage.customer("C\($0)") }
                for turn in 0..<10 {
                    for chat in chats { try stage.portal.customerWrites("number \(turn)", in: chat) }
                }
                try await stage.untilNothingWaits()
                for chat in chats {
                    try await stage.untilAnswers(10, in: chat)
                    #expect(stage.answers(in: chat).sorted() == (0..<10).map { "You said number \($0)." })
                }
                #expect(stage.dify.counts.runs == 100)
                #expect(stage.dify.counts.conversationsCreated == 10)
            }
        }

        @Test("messages that wait while BitBot is away are answered in order after it starts, before newer ones")
        func orderAcrossRestart() async throws {
            let gate = Gate()
            var plan = Stage.Plan()
            plan.script = { ask in
                gate.isOpen
                    ? [.text("You said \(ask.query).")] : [.refuse(status: 503, code: "busy", message: "later")]
            }
            try await Stage.with(plan) { stage in
                let chat = try stage.customer()
                for turn in 0..<40 { try stage.portal.customerWrites("number \(turn)", in: chat) }
                try await eventually { stage.accepted.count == 40 }
                stage.bitbot.kill()
                gate.open()
                try stage.bitbot.launch()
                try await stage.bitbot.untilReady()
                for turn in 40..<50 { try stage.portal.customerWrites("number \(turn)", in: chat) }
                try await stage.untilAnswers(50, in: chat)
                #expect(stage.answers(in: chat) == (0..<50).map { "You said number \($0)." })
            }
        }
    }
}

/// Something that a script waits for or tells.
final class Gate: Sendable {
    private let state = Mutex((isOpen: false, hasBegun: false))
    var isOpen: Bool { state.withLock { $0.isOpen } }
    var hasBegun: Bool { state.withLock { $0.hasBegun } }
    func open() { state.withLock { $0.isOpen = true } }
    func begun() { state.withLock { $0.hasBegun = true } }
}
