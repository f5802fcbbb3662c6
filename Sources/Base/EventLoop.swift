import CBase
import Dispatch
import Glibc
import Synchronization

/// One thread that runs a libevent loop. Sockets and timers of a loop are touched on its thread only.
///
/// It is a `TaskExecutor` too: a request's task that prefers its connection's loop saves the hops between threads.
/// Nothing may rely on that.
///
/// Unchecked: `base` and `wakeUp` are safe to use from any thread once `evthread_use_pthreads` was called, and are set
/// only in `init`; `pending` is touched on the loop's thread only; the rest is behind `Mutex` or atomic.
public final class EventLoop: TaskExecutor, @unchecked Sendable {
    private enum Item {
        case work(@Sendable () -> Void)
        case job(UnownedJob)
    }

    private struct Queue {
        var items: [Item] = []
        var isStopped = false
    }

    /// The libevent base; events of this module are made on it.
    let base: OpaquePointer
    private let queue = Mutex(Queue())
    private let thread = Atomic<UInt>(0)
    /// Becomes active when the queue turns from empty to not empty, so that many submissions cost one wake-up.
    private var wakeUp: OpaquePointer?
    /// The items being run; kept for its capacity.
    private var pending: [Item] = []

    init() {
        _ = EventLoop.processIsPrepared
        let config = event_config_new()
        // Look at the sockets again after so many callbacks, even if tasks keep each other busy.
        event_config_set_max_dispatch_interval(config, nil, 64, 0)
        guard let base = event_base_new_with_config(config) else {
            preconditionFailure("libevent cannot make an event loop on this system")
        }
        event_config_free(config)
        self.base = base
        // Unretained is sound: the event is freed in `deinit`, and the thread that runs it keeps the loop alive.
        wakeUp = event_new(
            base, -1, Int16(EV_PERSIST),
            { _, _, context in Unmanaged<EventLoop>.fromOpaque(context!).takeUnretainedValue().runQueue() },
            Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        event_free(wakeUp)
        event_base_free(base)
    }

    /// Runs `work` on the loop's thread, soon, in the order of submission. After the loop was stopped, nothing runs.
    public func submit(_ work: @escaping @Sendable () -> Void) { _ = append(.work(work)) }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if append(.job(job)) { return }
        // The loop has ended; a task that still prefers it must not be lost.
        DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Whether the calling thread is the loop's.
    var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Runs `work` now when called on the loop's thread, else submits it.
    func execute(_ work: @escaping @Sendable () -> Void) {
        if isCurrent { work() } else { submit(work) }
    }

    private func append(_ item: Item) -> Bool {
        let (accepted, mustWake) = queue.withLock { queue in
            if queue.isStopped { return (false, false) }
            queue.items.append(item)
            return (true, queue.items.count == 1)
        }
        if mustWake { event_active(wakeUp, Int32(EV_READ), 0) }
        return accepted
    }

    private func runQueue() {
        queue.withLock { swap(&$0.items, &pending) }
        for item in pending {
            switch item {
            case .work(let work): work()
            case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
            }
        }
        pending.removeAll(keepingCapacity: pending.count < 4096)
    }

    /// Starts the loop's thread, which keeps the loop alive until it is asked to stop.
    fileprivate func start() -> pthread_t {
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<EventLoop>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(status == 0, "the system refuses another thread")
        return thread
    }

    private func run() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        base_name_thread("event-loop")
        event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY)
        queue.withLock { $0.isStopped = true }
        runQueue()
        thread.store(0, ordering: .relaxed)
    }

    fileprivate func requestStop() { submit { event_base_loopbreak(self.base) } }

    /// What the process needs before its first loop.
    private static let processIsPrepared: Bool = {
        evthread_use_pthreads()
        signal(SIGPIPE, SIG_IGN)
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            files.rlim_cur = files.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        }
        return true
    }()

    /// Files and connections that the process may have open.
    static var mostOpenFiles: Int {
        var files = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 else { return 1_024 }
        return Int(clamping: files.rlim_cur)
    }
}

/// The loops of a process (`BITBOT_THREADS` of them).
public final class EventLoopGroup: Sendable {
    public let loops: [EventLoop]
    private let threads: Mutex<[pthread_t]>
    private let turn = Atomic<Int>(0)

    /// Starts `count` threads, at least one.
    public init(count: Int) {
        loops = (0..<max(1, count)).map { _ in EventLoop() }
        threads = Mutex(loops.map { $0.start() })
    }

    deinit {
        for thread in endThreads() { pthread_detach(thread) }
    }

    /// A loop for the next connection or transfer, in turn.
    public func next() -> EventLoop {
        if loops.count == 1 { return loops[0] }
        return loops[abs(turn.wrappingAdd(1, ordering: .relaxed).oldValue % loops.count)]
    }

    /// Stops the threads; call when nothing uses the loops any more, and not on one of them.
    public func stop() {
        for thread in endThreads() { pthread_join(thread, nil) }
    }

    /// Asks every thread to end, once, and returns those that somebody has to wait for.
    private func endThreads() -> [pthread_t] {
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        if !running.isEmpty {
            for loop in loops { loop.requestStop() }
        }
        return running
    }
}
