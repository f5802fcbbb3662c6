import Base
import Synchronization

/// A Bitrix24 portal's REST interface: sends calls within the portal's limit, together in `batch` where several wait, with
/// tokens that renew themselves.
///
/// One value for each portal address, shared by all applications on it, since the limit is theirs together.
/// Documentation: `limits.md`, `settings/how-to-call-rest-api/batch.md`.
public final class Portal: Sendable {
    /// The leaky bucket: `burst` calls at once, `perSecond` flow out. `nil` in ``init``: no limit.
    public struct Limit: Sendable, Hashable {
        public var burst: Int
        public var perSecond: Double
        public init(burst: Int = 50, perSecond: Double = 2) {
            self.burst = burst
            self.perSecond = perSecond
        }
    }

    let caller: RESTCaller
    let time: PortalTime
    let log: Log
    let metrics: PortalMetrics
    let state: Mutex<PortalState>

    /// - Parameter startsHalfFull: as after a restart, when what was sent before is not known.
    public convenience init(
        http: HTTPClient, trust: HTTPClient.Trust, limit: Limit?, startsHalfFull: Bool = true, log: Log,
        metrics: Metrics
    ) {
        self.init(
            http: http, trust: trust, limit: limit, startsHalfFull: startsHalfFull, log: log, metrics: metrics,
            time: .system)
    }

    init(
        http: HTTPClient, trust: HTTPClient.Trust, limit: Limit?, startsHalfFull: Bool, log: Log, metrics: Metrics,
        time: PortalTime
    ) {
        caller = RESTCaller(http: http, trust: trust)
        self.time = time
        self.log = log
        self.metrics = PortalMetrics(metrics)
        let bucket = limit.map { LeakyBucket($0, startsHalfFull: startsHalfFull, now: time.now()) }
        state = Mutex(PortalState(bucket: bucket))
    }

    /// Calls a method and returns its `result`.
    ///
    /// Waits for the portal's limit; calls that wait go together as one `batch`, at most one of each `lane` in it, and the
    /// next of a lane goes when the former's outcome is known. An expired token is renewed once and the call repeated;
    /// a call refused with `QUERY_LIMIT_EXCEEDED` was not done: it goes again, slower. A portal that moved (302) is
    /// called at its new address, which ``Account/endpoint`` then has. A method that has used up its running time
    /// (`OPERATION_TIME_LIMIT`) fails at once until the portal counts anew, and so does every call of an installation that
    /// Bitrix24 lets in no more, but for one from time to time.
    /// - Throws: ``PortalError``, or `CancellationError`.
    public func call(_ call: PortalCall, as account: Account) async throws -> JSON {
        try Task.checkCancellation()
        let call = account.isWebhook ? try await account.completed(call) : call
        try account.checkAccess(for: call.method)
        if let pause = account.pauseLeft(of: call.method) { throw PortalError.methodPaused(call.method, pause) }
        let (waiting, goesNow) = state.withLock { state in
            state.admit(call, of: account, now: time.now())
        }
        if !goesNow { return try await wait(for: waiting) }
        let outcome = await perform([waiting])[0]
        switch outcome.next {
        case .done(let result):
            sendWaiting()
            if case .failure = result, Task.isCancelled { throw CancellationError() }
            return try result.get()
        case .again(let waiting): return try await wait(for: waiting, again: true)
        }
    }

    /// Takes a new limit (the administrator changed it).
    public func setLimit(_ limit: Limit?) {
        let now = time.now()
        state.withLock { state in
            guard let limit else {
                state.bucket = nil
                return
            }
            if state.bucket == nil { state.bucket = LeakyBucket(limit, startsHalfFull: true, now: now) }
            state.bucket?.change(to: limit, now: now)
        }
        sendWaiting()
    }

    /// Whether a call that does not matter much may be made: nothing waits, and the limit is not near.
    public var hasRoom: Bool {
        let now = time.now()
        return state.withLock { state in
            state.queue.count == 0 && state.slowDown.level == 0 && (state.bucket?.share(now: now) ?? 0) < 0.75
        }
    }
}

/// The clock by which a portal paces itself, so that a test can set it.
struct PortalTime: Sendable {
    /// Never goes back.
    var now: @Sendable () -> Duration
    var sleep: @Sendable (_ until: Duration) async -> Void

    static let system = {
        let start = ContinuousClock.now
        return PortalTime(
            now: { ContinuousClock.now - start },
            sleep: { try? await Task.sleep(until: start + $0, clock: .continuous) })
    }()
}

/// What a portal's calls share.
struct PortalState {
    /// Requests at once.
    static let concurrency = 8

    var bucket: LeakyBucket?
    var slowDown = SlowDown()
    var durations = CallDurations()
    var queue = CallQueue()
    var continuations: [UInt64: CheckedContinuation<JSON, any Error>] = [:]
    var inFlight = 0
    /// When the waiting calls are looked at next, without anything else happening.
    var wakeAt: Duration?
    private var lastID: UInt64 = 0

    init(bucket: LeakyBucket?) { self.bucket = bucket }

    /// Numbers a call and lets it go at once if nothing is in its way.
    mutating func admit(_ call: PortalCall, of account: Account, now: Duration) -> (WaitingCall, goesNow: Bool) {
        lastID += 1
        let waiting = WaitingCall(id: lastID, call: call, account: account)
        guard !queue.hasReady, !queue.isOccupied(call.lane), whenRequestFits(now: now) == .now else {
            return (waiting, false)
        }
        queue.occupy(call.lane)
        startRequest(now: now)
        return (waiting, true)
    }

    enum Fit: Equatable {
        case now
        case at(Duration)
        /// When one under way is done.
        case later
    }

    func whenRequestFits(now: Duration) -> Fit {
        if inFlight >= (slowDown.level > 0 ? 1 : Self.concurrency) { return .later }
        if now < slowDown.until { return .at(slowDown.until) }
        return bucket?.wait(now: now).map { .at(now + $0) } ?? .now
    }

    mutating func startRequest(now: Duration) {
        inFlight += 1
        bucket?.add(now: now)
    }

    /// Takes the calls that can go now, one group for each request.
    mutating func takeGroups(now: Duration) -> (groups: [[WaitingCall]], wakeAt: Duration?) {
        var groups: [[WaitingCall]] = []
        while queue.hasReady {
            switch whenRequestFits(now: now) {
            case .later: return (groups, nil)
            case .at(let moment):
                if let known = wakeAt, known <= moment { return (groups, nil) }
                wakeAt = moment
                return (groups, moment)
            case .now:
                let group = takeGroup()
                if group.isEmpty { return (groups, nil) }
                startRequest(now: now)
                groups.append(group)
            }
        }
        return (groups, nil)
    }

    /// As many calls as one request should hold: at most 50, what is known to end within 20 of the 60 seconds, and no
    /// more than let all that is ready end soonest. N calls of d seconds in n requests, of which r a second may go, end
    /// after n/r + N·d/n: with n = √(N·d·r) that is soonest.
    private mutating func takeGroup() -> [WaitingCall] {
        var seconds = 20.0
        if let rate = bucket?.limit.perSecond, let method = queue.firstMethod {
            let each = durations.expected(method)
            let all = Double(queue.liveCount) * each
            seconds = min(seconds, max(all / max(all * rate, 1).squareRoot(), each, 1))
        }
        var bytes = 512 * 1024
        let durations = durations
        func spend(_ call: WaitingCall) {
            seconds -= durations.expected(call.call.method)
            bytes -= call.command?.utf8.count ?? 0
        }
        return queue.take(
            atMost: 50, first: spend,
            fits: { call in
                guard durations.expected(call.call.method) <= seconds, (call.command?.utf8.count ?? 0) <= bytes else {
                    return false
                }
                spend(call)
                return true
            })
    }
}
