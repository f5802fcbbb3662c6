import Base
import Storage
import Synchronization

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
/// Work is given here after its commit. What is held in memory is bounded, in all and for each portal: past a bound work
/// stays in the store and is loaded again, oldest first, when there is room; so a hanging bot platform holds up neither
/// intake nor the other portals. While older work of a portal is only in the store, newer work of it stays there too: it
/// must not overtake.
public actor WorkQueue<Work: DialogWork> {
    /// Work that is done. Who does it holds it alone: it may take long.
    private final class Running: Sendable {
        let row: Int64
        let dialog: ID<DialogRecord>
        let portal: ID<PortalRecord>
        private let work: Mutex<Work?>

        init(_ work: Work) {
            row = work.row
            dialog = work.dialog
            portal = work.portal
            self.work = Mutex(work)
        }

        func take() -> Work? {
            work.withLock { work in
                defer { work = nil }
                return work
            }
        }
    }

    private struct Line {
        /// In order; the first is next.
        var waiting: [Work] = []
        var running = false
        var alarm: Timestamp?
    }

    /// Which portals' work is meant.
    public typealias Wanted = @Sendable (ID<PortalRecord>) -> Bool

    /// Reads at most `limit` rows of open work above row `after`, by row; gives what of it is wanted and can be worked on,
    /// and the last row read (`nil`: there is no more).
    public typealias Load =
        @Sendable (_ after: Int64, _ limit: Int, _ wanted: @escaping Wanted) async throws -> (
            work: [Work], last: Int64?
        )

    private enum Arrival {
        case new(Work)
        case replacement(Work)

        var work: Work {
            switch self {
            case .new(let work), .replacement(let work): work
            }
        }
    }

    private let limit: Int
    private let perPortal: Int
    private let loops: EventLoopGroup
    private let clock: WallClock
    private let log: Log
    private let load: Load
    private let work: @Sendable (consuming Work) async -> Verdict<Work>

    private var lines: [ID<DialogRecord>: Line] = [:]
    private var held: Set<Int64> = []
    private var heldPerPortal: [ID<PortalRecord>: Int] = [:]
    private var running = 0
    /// What was not taken because there was no room: any portal's work (so it is before the start), or some portals'.
    private var left = Left(all: true)
    /// What a load under way looks for; what arrives of it waits in `arrived`.
    private var loading: Left?
    private var arrived: [Arrival] = []
    /// What ended while a load was under way: the load may have seen it still open.
    private var endedWhileLoading: Set<Int64> = []
    /// After a load that failed.
    private var resting = false
    private var started = false
    private var draining = false
    private var abandoned = false
    private var drained: [CheckedContinuation<Void, Never>] = []
    /// Who waits until a row is let go.
    private var waitingForEnd: [Int64: [CheckedContinuation<Void, Never>]] = [:]

    /// Work that is in the store only.
    private struct Left {
        var all = false
        var portals: Set<ID<PortalRecord>> = []

        func contains(_ portal: ID<PortalRecord>) -> Bool { all || portals.contains(portal) }
    }

    public init(
        limit: Int = 20_000, perPortal: Int = 5_000, loops: EventLoopGroup, clock: WallClock, log: Log,
        load: @escaping Load,
        work: @escaping @Sendable (consuming Work) async -> Verdict<Work>
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

    /// Takes up what the store holds from before. What is given before this stays in the store until now.
    public func start() async {
        started = true
        await refill()
    }

    /// Takes work that has just been stored.
    public func add(_ items: [Work]) {
        for item in items { arrive(.new(item)) }
    }

    /// Takes work that replaces what waits under the same row (a command that came after its message).
    public func replace(_ item: Work) { arrive(.replacement(item)) }

    /// Lets work that waits in a dialog begin now.
    public func hasten(_ dialog: ID<DialogRecord>, where isMeant: @Sendable (Work) -> Bool) {
        guard var line = lines.removeValue(forKey: dialog) else { return }
        let now = clock.now
        for index in line.waiting.indices where line.waiting[index].notBefore > now && isMeant(line.waiting[index]) {
            line.waiting[index].notBefore = now
        }
        lines[dialog] = line
        startIfReady(dialog)
    }

    /// Tries what waits for a portal at once: what it waited for has come.
    public func hasten(_ portal: ID<PortalRecord>) {
        for (dialog, line) in lines {
            guard let next = line.waiting.first, next.portal == portal, next.notBefore > clock.now else { continue }
            lines[dialog]?.waiting[0].notBefore = clock.now
            startIfReady(dialog)
        }
    }

    /// Starts nothing more and returns when what runs has ended.
    public func drain() async {
        draining = true
        guard running > 0, !abandoned else { return }
        await withCheckedContinuation { drained.append($0) }
    }

    /// Lets ``drain()`` return although work still runs.
    public func abandon() {
        abandoned = true
        for continuation in drained { continuation.resume() }
        drained = []
    }

    /// Returns when no work is held under a row any more. Work whose end is stored is held for an instant yet, and what is
    /// given meanwhile under its row is taken for the same and dropped.
    public func end(of row: Int64) async {
        guard held.contains(row) else { return }
        await withCheckedContinuation { waitingForEnd[row, default: []].append($0) }
    }

    /// Whether a dialog has no work, in memory or in the store.
    public func isIdle(_ dialog: ID<DialogRecord>, of portal: ID<PortalRecord>) -> Bool {
        lines[dialog] == nil && !left.contains(portal) && loading?.contains(portal) != true
    }

    // MARK: Taking

    private func arrive(_ arrival: Arrival) {
        if let loading, loading.contains(arrival.work.portal) {
            if arrived.count < limit {
                endedWhileLoading.remove(arrival.work.row)
                arrived.append(arrival)
            } else {
                left.all = true
            }
        } else {
            take(arrival)
        }
    }

    private func take(_ arrival: Arrival) {
        if case .replacement(let item) = arrival, held.contains(item.row) { return exchange(item) }
        take(arrival.work)
    }

    /// Takes what there is room for.
    private func take(_ item: Work) {
        guard !held.contains(item.row), !left.contains(item.portal) else { return }
        if held.count >= limit {
            left.all = true
        } else if heldPerPortal[item.portal, default: 0] >= perPortal {
            left.portals.insert(item.portal)
        } else {
            insert(item)
        }
    }

    /// Puts work in the place of what waits under its row; what runs already is not stopped.
    private func exchange(_ item: Work) {
        guard var line = lines[item.dialog], let position = line.waiting.firstIndex(where: { $0.row == item.row })
        else { return }
        line.waiting.remove(at: position)
        lines[item.dialog] = line
        lineUp(item)
    }

    private func insert(_ item: Work) {
        held.insert(item.row)
        heldPerPortal[item.portal, default: 0] += 1
        lineUp(item)
    }

    private func lineUp(_ item: Work) {
        let order = (item.order, item.row)
        var line = lines.removeValue(forKey: item.dialog) ?? Line()
        let position = line.waiting.lastIndex { ($0.order, $0.row) < order }.map { $0 + 1 } ?? 0
        line.waiting.insert(item, at: position)
        lines[item.dialog] = line
        startIfReady(item.dialog)
    }

    // MARK: Working

    private func startIfReady(_ dialog: ID<DialogRecord>) {
        guard !draining, let line = lines[dialog], !line.running, let next = line.waiting.first else { return }
        guard next.notBefore <= clock.now else { return setAlarm(dialog, at: next.notBefore) }
        if line.waiting.count == 1 { lines[dialog]?.waiting = [] } else { lines[dialog]?.waiting.removeFirst() }
        lines[dialog]?.running = true
        running += 1
        let begun = Running(next)
        // On a loop, beside the connections that it uses: only a speed-up, it saves the hops between threads.
        Task(executorPreference: loops.next()) { [work] in
            guard let next = begun.take() else { return }
            await self.ended(begun, await work(consume next))
        }
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

    private func ended(_ done: Running, _ verdict: Verdict<Work>) {
        running -= 1
        lines[done.dialog]?.running = false
        switch verdict {
        case .again(let item): lineUp(item)
        case .finished: letGo(done)
        }
        if let line = lines[done.dialog], line.waiting.isEmpty, !line.running { lines[done.dialog] = nil }
        startIfReady(done.dialog)
        refillIfRoom()
        if draining, running == 0 {
            for continuation in drained { continuation.resume() }
            drained = []
        }
    }

    private func letGo(_ item: Running) {
        held.remove(item.row)
        let others = heldPerPortal[item.portal, default: 1] - 1
        heldPerPortal[item.portal] = others == 0 ? nil : others
        if let loading, loading.contains(item.portal) { endedWhileLoading.insert(item.row) }
        for continuation in waitingForEnd.removeValue(forKey: item.row) ?? [] { continuation.resume() }
    }

    // MARK: Loading what was left in the store

    /// What is taken may begin at once, so what belongs before it comes first.
    private func take(_ arrivals: [Arrival]) {
        let inOrder = arrivals.sorted { ($0.work.order, $0.work.row) < ($1.work.order, $1.work.row) }
        for arrival in inOrder where !endedWhileLoading.contains(arrival.work.row) { take(arrival) }
    }

    /// What arrived meanwhile under rows that the load has passed: what it reads next must not overtake that.
    private func takeArrived(upTo row: Int64) -> [Arrival] {
        defer { arrived.removeAll { $0.work.row <= row } }
        return arrived.filter { $0.work.row <= row }
    }

    private var isRoomForWhatWasLeft: Bool {
        if left.all { return held.count <= limit / 2 }
        return left.portals.contains { heldPerPortal[$0, default: 0] <= perPortal / 2 }
    }

    private func refillIfRoom() {
        guard started, loading == nil, !resting, !draining, isRoomForWhatWasLeft else { return }
        Task { await refill() }
    }

    /// Loads until there is nothing more in the store or no more room.
    private func refill() async {
        guard loading == nil, !resting, !draining, isRoomForWhatWasLeft else { return }
        let sought = left
        loading = sought
        left = Left()
        do {
            var after: Int64 = 0
            repeat {
                let full = left.portals
                let found = try await load(after, 1_000) { sought.contains($0) && !full.contains($0) }
                take(found.work.map(Arrival.new) + takeArrived(upTo: found.last ?? after))
                guard let last = found.last else { break }
                after = last
            } while !left.all && (sought.all || left.portals != sought.portals)
            take(takeArrived(upTo: .max))
        } catch {
            log.error("stored work cannot be read", ["error": "\(error)"])
            left = Left(all: true)
            resting = true
            Task {
                try? await Task.sleep(for: .seconds(1))
                resting = false
                refillIfRoom()
            }
        }
        loading = nil
        arrived = []
        endedWhileLoading = []
        refillIfRoom()
    }
}
