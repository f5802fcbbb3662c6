/// Keeps strangers from making us call out: four confirmations at once, one a second from each sender. A few wait for their
/// turn, since Bitrix24 does not repeat an installation that was turned away.
actor ConfirmationGate {
    private static let atOnce = 4
    private static let mostWaiting = 50
    private static let mostSenders = 10_000
    /// How long one waits for its sender's next second.
    private static let patience = Duration.seconds(5)

    private var inside = 0
    private var waiting = 0
    private var queue: [CheckedContinuation<Void, Never>] = []
    /// When each sender may come again.
    private var turns: [String: ContinuousClock.Instant] = [:]

    /// Runs a confirmation when it is its turn.
    /// - Parameter sender: `nil` for one that is no stranger's, which waits for a place inside alone.
    /// - Throws: ``Installer/Refusal/busy`` when too many wait, and what `body` throws.
    func confirm<T: Sendable>(_ sender: String?, _ body: @Sendable () async throws -> T) async throws -> T {
        try await enter(sender)
        defer { leave() }
        return try await body()
    }

    private func enter(_ sender: String?) async throws {
        guard let sender else { return await goInside() }
        let now = ContinuousClock.now
        turns = turns.filter { $0.value > now }
        let turn = turns[sender] ?? now
        guard turn - now <= Self.patience, waiting < Self.mostWaiting, turns.count < Self.mostSenders else {
            throw Installer.Refusal.busy
        }
        turns[sender] = turn + .seconds(1)
        waiting += 1
        defer { waiting -= 1 }
        if turn > now { try await Task.sleep(until: turn) }
        await goInside()
    }

    private func goInside() async {
        if inside < Self.atOnce {
            inside += 1
        } else {
            // Whoever leaves gives its place on.
            await withCheckedContinuation { queue.append($0) }
        }
    }

    private func leave() {
        if queue.isEmpty { inside -= 1 } else { queue.removeFirst().resume() }
    }
}
