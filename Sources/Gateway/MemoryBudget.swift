import Synchronization

/// So many bytes at once, shared by all files that are on their way; who needs more waits, first come, first served.
final class MemoryBudget: Sendable {
    /// Bytes that are taken; given back when it goes.
    final class Share: Sendable {
        private let budget: MemoryBudget
        private let bytes: Atomic<Int>

        fileprivate init(_ budget: MemoryBudget, _ bytes: Int) {
            self.budget = budget
            self.bytes = Atomic(bytes)
        }

        /// Gives back what was taken too much.
        func shrink(to count: Int) {
            let before = bytes.exchange(count, ordering: .relaxed)
            budget.giveBack(before - count)
        }

        deinit { budget.giveBack(bytes.load(ordering: .relaxed)) }
    }

    private struct State {
        var free: Int
        var waiting: [(bytes: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }
    private let state: Mutex<State>
    private let total: Int

    init(_ total: Int) {
        self.total = total
        state = Mutex(State(free: total))
    }

    /// Returns when there is room. More than there is in all counts as all.
    func take(_ bytes: Int) async -> Share {
        let bytes = min(max(bytes, 0), total)
        await withCheckedContinuation { continuation in
            let isRoom = state.withLock { state in
                guard state.waiting.isEmpty, state.free >= bytes else {
                    state.waiting.append((bytes, continuation))
                    return false
                }
                state.free -= bytes
                return true
            }
            if isRoom { continuation.resume() }
        }
        return Share(self, bytes)
    }

    private func giveBack(_ bytes: Int) {
        let next = state.withLock { state in
            state.free += bytes
            var next: [CheckedContinuation<Void, Never>] = []
            while let first = state.waiting.first, first.bytes <= state.free {
                state.free -= first.bytes
                next.append(first.continuation)
                state.waiting.removeFirst()
            }
            return next
        }
        for continuation in next { continuation.resume() }
    }
}
