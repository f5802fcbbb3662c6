import Base
import Storage

/// Stored work of one dialog: an event to answer, or a message to deliver.
public protocol DialogWork: Sendable {
    /// Its row in the store.
    var row: Int64 { get }
    var dialog: ID<DialogRecord> { get }
    var portal: ID<PortalRecord> { get }
    /// Waiting work of a dialog is done in this order, then by row.
    var order: Int64 { get }
    var notBefore: Timestamp { get set }
}

/// How a piece of work ended.
public enum Verdict<Work: DialogWork>: Sendable {
    case finished
    /// To be done again, when it says.
    case again(Work)
}

/// Does stored work: one piece of a dialog after another, dialogs beside each other.
///
/// Work is given here after its commit. What is held in memory is bounded: past the bound work stays in the store and is
/// loaded again, oldest first, when there is room; so a hanging bot platform never holds up intake.
public actor WorkQueue<Work: DialogWork> {
    private struct Line {
        /// In order; the first is next.
        var waiting: [Work] = []
        var running = false
        var alarm: Timestamp?
    }

    /// Reads at most `limit` rows of open work above row `after`, by row; gives what of it can be worked on, and the last
    /// row read (`nil`: there is no more).
    public typealias Load = @Sendable (_ after: Int64, _ limit: Int) async throws -> (work: [Work], last: Int64?)

    private let limit: Int
    private let perPortal: Int
    private let loops: EventLoopGroup
    private let clock: WallClock
    private let log: Log
    private let load: Load
    private let work: @Sendable (Work) async -> Verdict<Work>

    private var lines: [ID<DialogRecord>: Line] = [:]
    private var held: Set<Int64> = []
    private var runningPerPortal: [ID<PortalRecord>: Int] = [:]
    /// Dialogs that could start but for their portal's bound.
    private var heldBack: [ID<PortalRecord>: [ID<DialogRecord>]] = [:]
    /// Some work is in the store only; before ``start()`` all of it is, what arrives then too.
    private var overflowed = true
    private var loading = false
    /// What was stored while a load was under way: older work of its dialog may not have been read yet.
    private var addedWhileLoading: [Work] = []
    /// What ended while a load was under way: the load may have seen it still open.
    private var endedWhileLoading: Set<Int64> = []
    private var draining = false
    private var drained: [CheckedContinuation<Void, Never>] = []

    public init(
        limit: Int = 20_000, perPortal: Int = 10_000, loops: EventLoopGroup, clock: WallClock, log: Log,
        load: @escaping Load,
        work: @escaping @Sendable (Work) async -> Verdict<Work>
    ) {
        self.limit = limit
        self.perPortal = perPortal
        self.loops = loops
        self.clock = clock
        self.log = log
        self.load = load
        self.work = work
    }

    /// Pieces of work in memory.
    public var count: Int { held.count }

    /// Takes up what the store holds from before.
    public func start() async {
        overflowed = true
        await refill()
    }

    /// Takes work that has just been stored.
    public func add(_ items: [Work]) {
        for item in items where !overflowed {
            guard held.count + addedWhileLoading.count < limit else {
                overflowed = true
                break
            }
            if loading { addedWhileLoading.append(item) } else { insert(item) }
        }
    }

    /// Takes work that replaces what waits under the same row (a command that came after its message).
    public func replace(_ item: Work) {
        guard held.contains(item.row), var line = lines[item.dialog] else { return add([item]) }
        guard let position = line.waiting.firstIndex(where: { $0.row == item.row }) else { return }
        line.waiting.remove(at: position)
        lines[item.dialog] = line
        held.remove(item.row)
        insert(item)
    }

    /// Starts nothing more and returns when what runs has ended.
    public func drain() async {
        draining = true
        guard runningPerPortal.values.contains(where: { $0 > 0 }) else { return }
        await withCheckedContinuation { drained.append($0) }
    }

    /// Lets ``drain()`` return although work still runs.
    public func abandon() {
        for continuation in drained { continuation.resume() }
        drained = []
    }

    private func insert(_ item: Work) {
        guard held.insert(item.row).inserted else { return }
        var line = lines[item.dialog] ?? Line()
        let position = line.waiting.lastIndex { ($0.order, $0.row) < (item.order, item.row) }.map { $0 + 1 } ?? 0
        line.waiting.insert(item, at: position)
        lines[item.dialog] = line
        startIfReady(item.dialog)
    }

    private func startIfReady(_ dialog: ID<DialogRecord>) {
        guard !draining, var line = lines[dialog], !line.running, let next = line.waiting.first else { return }
        guard next.notBefore <= clock.now else { return setAlarm(dialog, at: next.notBefore) }
        let running = runningPerPortal[next.portal, default: 0]
        guard running < perPortal else {
            heldBack[next.portal, default: []].append(dialog)
            return
        }
        runningPerPortal[next.portal] = running + 1
        line.waiting.removeFirst()
        line.running = true
        lines[dialog] = line
        // On a loop, beside the connections that it uses: only a speed-up, it saves the hops between threads.
        Task(executorPreference: loops.next()) { [work] in await self.ended(next, await work(next)) }
    }

    private func setAlarm(_ dialog: ID<DialogRecord>, at moment: Timestamp) {
        if let alarm = lines[dialog]?.alarm, alarm <= moment { return }
        lines[dialog]?.alarm = moment
        let pause = moment - clock.now
        Task {
            try? await Task.sleep(for: pause)
            self.ring(dialog, moment)
        }
    }

    private func ring(_ dialog: ID<DialogRecord>, _ moment: Timestamp) {
        guard lines[dialog]?.alarm == moment else { return }
        lines[dialog]?.alarm = nil
        startIfReady(dialog)
    }

    private func ended(_ item: Work, _ verdict: Verdict<Work>) {
        let running = runningPerPortal[item.portal, default: 1] - 1
        runningPerPortal[item.portal] = running == 0 ? nil : running
        lines[item.dialog]?.running = false
        held.remove(item.row)
        if case .again(let item) = verdict {
            insert(item)
        } else if loading {
            endedWhileLoading.insert(item.row)
        }
        if let line = lines[item.dialog], line.waiting.isEmpty, !line.running { lines[item.dialog] = nil }
        startIfReady(item.dialog)
        startHeldBack(item.portal)
        if overflowed, !loading, held.count < limit / 2 { Task { await refill() } }
        if draining, runningPerPortal.isEmpty {
            for continuation in drained { continuation.resume() }
            drained = []
        }
    }

    private func startHeldBack(_ portal: ID<PortalRecord>) {
        guard var dialogs = heldBack.removeValue(forKey: portal) else { return }
        while runningPerPortal[portal, default: 0] < perPortal, !dialogs.isEmpty {
            startIfReady(dialogs.removeFirst())
        }
        if !dialogs.isEmpty { heldBack[portal] = dialogs + heldBack[portal, default: []] }
    }

    /// Loads until there is nothing more in the store or no more room; then takes what has arrived meanwhile.
    private func refill() async {
        guard !loading, !draining else { return }
        loading = true
        await loadAll()
        loading = false
        endedWhileLoading = []
        let added = addedWhileLoading
        addedWhileLoading = []
        for item in added { replace(item) }
        if overflowed, held.count < limit / 2 { Task { await refill() } }
    }

    private func loadAll() async {
        do {
            var after: Int64 = 0
            while held.count < limit {
                // Cleared before reading: work that is stored meanwhile is either read now or handed over.
                overflowed = false
                let found = try await load(after, 1_000)
                guard let last = found.last else { return }
                for item in found.work where !endedWhileLoading.contains(item.row) { insert(item) }
                after = last
                overflowed = true
            }
        } catch {
            overflowed = true
            log.error("stored work cannot be read and is looked for again", ["error": "\(error)"])
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
