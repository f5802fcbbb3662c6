/// A call that has not got its answer yet, with what it went through.
struct WaitingCall: Sendable {
    let id: UInt64
    let call: PortalCall
    let account: Account
    /// Its form in a batch; `nil` if it cannot go in one.
    var command: String?
    var mustGoAlone = false
    /// Times that it was refused before it began.
    var refusals = 0
    /// Credentials that were renewed for it.
    var renewed: Set<String> = []
    var moves = 0
    /// Credentials that are no good for it.
    var tried: Set<String> = []
}

/// The calls that wait for a portal: first come, first served among the calls of an account; accounts take turns; the
/// next call of a lane is ready when the former is done.
struct CallQueue: Sendable {
    private var waiting: [UInt64: WaitingCall] = [:]
    private var ready: [ObjectIdentifier: IDQueue] = [:]
    /// The accounts that have ready calls, the next to be served first.
    private var turns: [ObjectIdentifier] = []
    /// The lanes that are occupied, with the calls behind the one that occupies them.
    private var lanes: [String: IDQueue] = [:]

    var count: Int { waiting.count }
    /// Some call could go, were there room. (May be true for calls that were cancelled.)
    var hasReady: Bool { !turns.isEmpty }

    /// Calls that could go now, were there room, and lanes with a call under way, which may soon have another. (May count
    /// some that were cancelled.)
    var liveCount: Int { max(ready.values.reduce(0) { $0 + $1.count }, lanes.count) }
    /// The method of the call that goes next.
    var firstMethod: String? {
        turns.first.flatMap { ready[$0]?.first }.flatMap { waiting[$0] }?.call.method
    }

    func isOccupied(_ lane: String?) -> Bool { lane.map { lanes[$0] != nil } ?? false }

    /// For a call that goes without waiting.
    mutating func occupy(_ lane: String?) {
        if let lane { lanes[lane] = IDQueue() }
    }

    mutating func add(_ call: WaitingCall) {
        waiting[call.id] = call
        if let lane = call.call.lane {
            if lanes[lane] != nil {
                lanes[lane]?.append(call.id)
                return
            }
            lanes[lane] = IDQueue()
        }
        makeReady(call) { $0.append(call.id) }
    }

    /// A call that goes again, before all that came after it; it still occupies its lane.
    mutating func addAgain(_ call: WaitingCall) {
        waiting[call.id] = call
        makeReady(call) { $0.insert(call.id) }
    }

    /// The call that occupied the lane is done; the next one is ready.
    mutating func release(_ lane: String?) {
        guard let lane else { return }
        while let next = lanes[lane]?.popFirst() {
            if let call = waiting[next] { return makeReady(call) { $0.append(next) } }
        }
        lanes[lane] = nil
    }

    /// Takes a call out that nobody waits for any more; `false` if it is not waiting.
    mutating func remove(_ id: UInt64) -> Bool {
        guard let call = waiting.removeValue(forKey: id) else { return false }
        // It either holds its lane or stands behind in it, where the gap is stepped over.
        if let lane = call.call.lane, lanes[lane]?.contains(id) == false { release(lane) }
        return true
    }

    /// The next calls that can go together: all of one account, each of another lane, as many as `fits` takes.
    /// - Parameter fits: asked once for each further call of a batch, with the first one already taken.
    mutating func take(
        atMost limit: Int, first: (WaitingCall) -> Void, fits: (WaitingCall) -> Bool
    ) -> [WaitingCall] {
        while let account = turns.first {
            var group: [WaitingCall] = []
            while let id = ready[account]?.first {
                guard let call = waiting[id] else {
                    ready[account]?.removeFirst()
                    continue
                }
                if group.isEmpty {
                    first(call)
                } else if call.command == nil || !fits(call) {
                    break
                }
                ready[account]?.removeFirst()
                waiting[id] = nil
                group.append(call)
                if call.command == nil || group.count >= limit { break }
            }
            turns.removeFirst()
            if ready[account]?.isEmpty == false { turns.append(account) } else { ready[account] = nil }
            if !group.isEmpty { return group }
        }
        return []
    }

    private mutating func makeReady(_ call: WaitingCall, _ place: (inout IDQueue) -> Void) {
        let account = ObjectIdentifier(call.account)
        if ready[account] == nil { turns.append(account) }
        place(&ready[account, default: IDQueue()])
    }
}

/// Numbers in a row, taken from the front.
struct IDQueue: Sendable {
    private var ids: [UInt64] = []
    private var head = 0

    var isEmpty: Bool { head == ids.count }
    var count: Int { ids.count - head }
    var first: UInt64? { isEmpty ? nil : ids[head] }

    mutating func append(_ id: UInt64) { ids.append(id) }

    /// Before the first greater one.
    mutating func insert(_ id: UInt64) {
        ids.insert(id, at: ids[head...].firstIndex { $0 > id } ?? ids.endIndex)
    }

    mutating func removeFirst() {
        head += 1
        if head == ids.count || head > 1_000 {
            ids.removeFirst(head)
            head = 0
        }
    }

    mutating func popFirst() -> UInt64? {
        guard let first else { return nil }
        removeFirst()
        return first
    }

    func contains(_ id: UInt64) -> Bool { ids[head...].contains(id) }
}
