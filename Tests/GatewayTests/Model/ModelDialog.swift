import Base
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// What a person does in one dialog, and what must come of it.
final class ModelDialog: Sendable {
    /// What the portal knows of one message.
    private struct Message {
        let id: Int
        var versions = 0
        /// It was answered 200 at least once.
        var isAccepted = false
        /// The oldest text that may be asked: later ones were taken before it was.
        var oldest = 0
        /// Its deletion was taken before it was asked.
        var isDeleted = false
        /// Whether its deletion was taken is not known.
        var mayBeDeleted = false
    }

    let name: String
    private let number: Int
    private let world: ModelWorld
    private let state: Mutex<(chance: Chance, messages: [Message])>

    init(_ number: Int, in world: ModelWorld, seed: UInt64) {
        self.number = number
        self.world = world
        name = "chat\(number)"
        state = Mutex((Chance(seed: seed &+ UInt64(number) &* 1_000_003), []))
    }

    private func draw(_ range: Range<Int>) -> Int { state.withLock { Int.random(in: range, using: &$0.chance) } }

    private func text(_ message: Int, version: Int) -> String { "message \(message), version \(version)" }

    /// So many messages, with duplicates, edits and deletions of them between.
    func run(messages count: Int) async throws {
        for index in 0..<count {
            state.withLock { $0.messages.append(Message(id: number * 1_000 + index)) }
            // An edit or a deletion may overtake its message.
            if draw(0..<12) == 0 { try await edit(index) }
            if draw(0..<25) == 0 { try await delete(index) }
            await deliver(index)
            for _ in 0..<draw(0..<3) {
                let other = draw(max(0, index - 3)..<index + 1)
                switch draw(0..<4) {
                case 0: try await edit(other)
                case 1 where draw(0..<2) == 0: try await delete(other)
                default:
                    // What was answered 503 is not posted again.
                    if state.withLock({ $0.messages[other].isAccepted }) { await deliver(other) }
                }
            }
            try await Task.sleep(for: .milliseconds(draw(0..<20)))
        }
    }

    private func deliver(_ index: Int) async {
        let id = state.withLock { $0.messages[index].id }
        guard (try? await world.post("ONIMBOTV2MESSAGEADD", id, text(id, version: 0), in: name)) != nil else { return }
        state.withLock { $0.messages[index].isAccepted = true }
    }

    private func edit(_ index: Int) async throws {
        let (id, version) = state.withLock { state in
            state.messages[index].versions += 1
            return (state.messages[index].id, state.messages[index].versions)
        }
        let edits = "edit:\(world.records.bot.id):\(id):%"
        let isTaken = try await surviving {
            let before = try await world.count(edits)
            guard (try? await world.post("ONIMBOTV2MESSAGEUPDATE", id, text(id, version: version), in: name)) != nil
            else { return false }
            return try await world.count(edits) > before
        }
        if isTaken { state.withLock { $0.messages[index].oldest = version } }
    }

    private func delete(_ index: Int) async throws {
        let id = state.withLock { $0.messages[index].id }
        guard (try? await world.post("ONIMBOTV2MESSAGEDELETE", id, "", in: name)) != nil else {
            state.withLock { $0.messages[index].mayBeDeleted = true }
            return
        }
        // Done without having been asked: then it was the deletion that ended it.
        let isDone = try await surviving {
            try await world.count("message:\(world.records.bot.id):\(id)", "done") > 0
        }
        if isDone, world.platform.asks(of: id).isEmpty {
            state.withLock { $0.messages[index].isDeleted = true }
        }
    }

    /// Looks into the store; a kill meanwhile makes the look worthless, and another is taken.
    private func surviving(_ look: () async throws -> Bool) async throws -> Bool {
        var seen: Bool?
        try await eventually {
            seen = try? await look()
            return seen != nil
        }
        return seen ?? false
    }

    // MARK: What must have come of it

    func check(_ run: String) {
        let messages = state.withLock { $0.messages }
        let numbers = Set(messages.map(\.id))
        let asks = world.platform.asks.filter { numbers.contains($0.message) }
        #expect(asks.map(\.message) == asks.map(\.message).sorted(), "asked out of order, \(run)")
        var expected: [String?] = []
        for message in messages {
            let asked = asks.filter { $0.message == message.id }
            #expect(asked.count <= 1, "\(message) was asked \(asked.count) times, \(run)")
            if message.isDeleted { #expect(asked.isEmpty, "\(message) was deleted and asked, \(run)") }
            if let ask = asked.first {
                let allowed = (message.oldest...max(message.oldest, message.versions)).map {
                    text(message.id, version: $0)
                }
                #expect(allowed.contains(ask.text), "\(message) was asked as \(ask.text), \(run)")
                expected.append(ask.fate == .failed ? nil : ModelPlatform.answer(to: ask.text))
            } else if world.finds {
                let isExcused = !message.isAccepted || message.isDeleted || message.mayBeDeleted
                #expect(isExcused, "\(message) was never asked, \(run)")
            }
        }
        check(world.portal.shown(in: name), messages, expected, run)
    }

    private func check(_ shown: [String], _ messages: [Message], _ expected: [String?], _ run: String) {
        let answers = shown.filter { $0.hasPrefix(ModelPlatform.answer(to: "")) }
        let all = expected.compactMap { $0 }
        if world.finds {
            // An apology stands where its answer would.
            let seen: [String?] = shown.map { answers.contains($0) ? $0 : nil }
            #expect(seen == expected, "\(run)")
        } else {
            // An answer that a kill cut off became an apology, and so did a question that a kill kept from being asked.
            #expect(answers == all.filter(Set(answers).contains), "\(run)")
            let certain = messages.filter { $0.isAccepted && !$0.isDeleted && !$0.mayBeDeleted }.count
            let most = messages.filter { !$0.isDeleted }.count
            #expect((certain...most).contains(shown.count), "\(shown.count) of \(certain) to \(most), \(run)")
        }
    }
}
