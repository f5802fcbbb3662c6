import Base
import Sandbox
import Synchronization

/// Customers who write to one of a stage's bots.
final class Traffic: Sendable {
    struct Flood: Sendable {
        var messages = 0
        var seconds = 0.0
        /// Of BitBot's process, in seconds.
        var cpu = 0.0

        var perSecond: Double { Double(messages) / seconds }
        var microsecondsPerMessage: Double { cpu / Double(messages) * 1_000_000 }
    }

    private let stage: Stage
    private let chats: [Stage.Chat]
    private let written = Atomic(0)
    private let begun = Mutex<[Int: ContinuousClock.Instant]>([:])
    private let times = Mutex<[Double]>([])

    init(_ stage: Stage, bot: Int = 0) {
        self.stage = stage
        // Neighbours are dialogs of different portals.
        let all = stage.chats[bot]
        let each = max(1, all.count / stage.portals.count)
        chats = all.indices.map { all[$0 % stage.portals.count * each + $0 / stage.portals.count] }
    }

    /// Keeps so many messages under way until the time is up or all are written, then waits for the last answer.
    func flood(for duration: Duration, messages: Int = .max, inFlight: Int) async throws -> Flood {
        var flood = Flood()
        let answeredBefore = stage.answered
        let cpuBefore = stage.bitbot.cpu
        let started = ContinuousClock.now
        while true {
            let answered = stage.answered - answeredBefore
            let isWriting = flood.messages < messages && ContinuousClock.now - started < duration
            if !isWriting && answered >= flood.messages { break }
            if ContinuousClock.now - started > duration + .seconds(90) {
                throw LoadError(message: "\(flood.messages - answered) of \(flood.messages) messages are not answered")
            }
            while isWriting, flood.messages < messages, flood.messages - answered < inFlight {
                try write()
                flood.messages += 1
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        flood.seconds = (ContinuousClock.now - started) / .seconds(1)
        flood.cpu = stage.bitbot.cpu - cpuBefore
        return flood
    }

    /// Writes at a steady rate, whether or not answers come.
    /// - Returns: the times from a customer's message to its delivered reply.
    func pace(_ rate: Double, for duration: Duration) async throws -> Latencies {
        times.withLock { $0 = [] }
        let watching = stage.portals.map { portal in
            let changes = portal.changes()
            return Task { for await change in changes { self.note(change) } }
        }
        defer { for watcher in watching { watcher.cancel() } }
        let started = ContinuousClock.now
        var count = 0
        while ContinuousClock.now - started < duration {
            let due = Int(rate * ((ContinuousClock.now - started) / .seconds(1)))
            while count < due {
                let now = ContinuousClock.now
                let number = try write()
                begun.withLock { $0[number] = now }
                count += 1
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        let end = ContinuousClock.now + .seconds(60)
        while times.withLock({ $0.count }) < count {
            if ContinuousClock.now > end { throw LoadError(message: "replies of the steady traffic are missing") }
            try await Task.sleep(for: .milliseconds(5))
        }
        return Latencies(times.withLock { $0 })
    }

    /// The next dialog's customer writes.
    /// - Returns: the message's number.
    @discardableResult
    func write() throws -> Int {
        let number = written.wrappingAdd(1, ordering: .relaxed).newValue
        let chat = chats[number % chats.count]
        try chat.portal.customerWrites("Hello number \(number)", in: chat.id)
        return number
    }

    private func note(_ change: SimulatedPortal.Change) {
        guard case .messageAdded(let message) = change, message.text.hasPrefix(SimulatedBot.echo) else { return }
        let now = ContinuousClock.now
        let digits = message.text.reversed().drop { !$0.isNumber }.prefix { $0.isNumber }
        guard let number = Int(String(digits.reversed())),
            let start = begun.withLock({ $0.removeValue(forKey: number) })
        else { return }
        times.withLock { $0.append((now - start) / .milliseconds(1)) }
    }
}
