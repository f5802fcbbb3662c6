import CBase

/// The client's part on one loop. Touched on that loop only, which is what makes the unchecked conformance sound.
final class HTTPClientLane: @unchecked Sendable {
    let loop: EventLoop
    private let settings: HTTPClientHandle.Settings
    private var pools: [HTTPClient.Trust: HTTPClientPool] = [:]
    private var isClosed = false

    init(loop: EventLoop, settings: HTTPClientHandle.Settings) {
        self.loop = loop
        self.settings = settings
    }

    /// `nil` after ``close()``.
    func pool(for trust: HTTPClient.Trust) -> HTTPClientPool? {
        if isClosed { return nil }
        if let pool = pools[trust] { return pool }
        let pool = HTTPClientPool(loop: loop, settings: settings)
        pools[trust] = pool
        return pool
    }

    var openTransfers: Int { pools.values.reduce(0) { $0 + $1.openTransfers } }

    func close() {
        isClosed = true
        for pool in pools.values { pool.close() }
        pools = [:]
    }
}

/// The transfers and kept connections of one level of trust on one loop, in one libcurl multi handle: a connection that
/// is used again passes no guard, so levels of trust must not share connections.
///
/// Used on its loop only. libcurl holds unretained pointers to it: sound, because its lane keeps it until ``close()``,
/// which frees libcurl's side.
final class HTTPClientPool {
    private static let keptHandles = 256

    let loop: EventLoop
    private let settings: HTTPClientHandle.Settings
    private var multi: UnsafeMutableRawPointer?
    private var running: [HTTPClientHandle] = []
    private var free: [HTTPClientHandle] = []
    private var sockets: [Int32: WatchedSocket] = [:]
    private var timer: LoopTimer?
    /// When libcurl wants to be called, and when the timer fires; the latter may be earlier.
    private var wantsCallAt = Int64.max
    private var timerFiresAt = Int64.max
    private var wantsCallNow = false
    private var deadlines: LoopTimer?
    private var looksAt = Int64.max
    private var isInside = false

    init(loop: EventLoop, settings: HTTPClientHandle.Settings) {
        self.loop = loop
        self.settings = settings
        multi = curl_multi_init()
        let me = Unmanaged.passUnretained(self).toOpaque()
        bitbot_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.keptConnections)
        bitbot_curl_multi_set_socket(multi) { _, descriptor, what, context, _ in
            if let context {
                Unmanaged<HTTPClientPool>.fromOpaque(context).takeUnretainedValue().interest(what, in: descriptor)
            }
            return 0
        }
        bitbot_curl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, me)
        bitbot_curl_multi_set_timer(multi) { _, milliseconds, context in
            if let context {
                Unmanaged<HTTPClientPool>.fromOpaque(context).takeUnretainedValue().callMe(after: milliseconds)
            }
            return 0
        }
        bitbot_curl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, me)
    }

    var openTransfers: Int { running.count }

    // MARK: Transfers

    func start(_ transfer: HTTPClientTransfer) {
        guard let multi, let handle = free.popLast() ?? HTTPClientHandle(pool: self, settings: settings) else {
            return transfer.finish(HTTPClientError.cannotConnect(host: transfer.origin.host))
        }
        handle.prepare(for: transfer)
        handle.index = running.count
        running.append(handle)
        enter { curl_multi_add_handle(multi, handle.easy) }
    }

    func cancel(_ transfer: HTTPClientTransfer) {
        guard let handle = transfer.handle else { return }
        enter { remove(handle) }
        transfer.finish(CancellationError())
    }

    /// Goes on with a paused transfer.
    func resume(_ handle: HTTPClientHandle) {
        enter {
            let code = curl_easy_pause(handle.easy, CURLPAUSE_CONT)
            if code != CURLE_OK { finish(handle, code) }
        }
    }

    /// Ends every transfer and closes every connection.
    func close() {
        for handle in running {
            guard let transfer = handle.transfer else { continue }
            remove(handle)
            transfer.finish(CancellationError())
        }
        free = []
        if let multi { curl_multi_cleanup(multi) }
        multi = nil
        for socket in sockets.values { socket.close() }
        sockets = [:]
        timer?.close()
        timer = nil
        deadlines?.close()
        deadlines = nil
    }

    private func finish(_ handle: HTTPClientHandle, _ code: CURLcode) {
        guard let transfer = handle.transfer else { return }
        let detail = code == CURLE_OK ? nil : handle.failureMessage
        remove(handle)
        transfer.finish(code: code, detail: detail)
    }

    private func remove(_ handle: HTTPClientHandle) {
        curl_multi_remove_handle(multi, handle.easy)
        running.swapAt(handle.index, running.count - 1)
        running[handle.index].index = handle.index
        running.removeLast()
        if handle.release(), free.count < HTTPClientPool.keptHandles { free.append(handle) }
    }

    // MARK: Running libcurl

    /// Calls into libcurl, does what it wants done at once, and ends the transfers that became complete.
    private func enter(_ work: () -> Void) {
        // One call within another leaves the rest to the outer one.
        if isInside { return work() }
        isInside = true
        defer { isInside = false }
        work()
        endCompleteTransfers()
        var rounds = 0
        while wantsCallNow, let multi {
            wantsCallNow = false
            rounds += 1
            if rounds > 16 {
                setTimer(monotonicNanoseconds())
                break
            }
            var count: Int32 = 0
            curl_multi_socket_action(multi, CURL_SOCKET_BAD, 0, &count)
            endCompleteTransfers()
        }
    }

    private func endCompleteTransfers() {
        var remaining: Int32 = 0
        while let multi, let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let context = bitbot_curl_get_private(easy)
            else { continue }
            let code = message.pointee.data.result
            finish(Unmanaged<HTTPClientHandle>.fromOpaque(context).takeUnretainedValue(), code)
        }
    }

    // MARK: Deadlines

    /// Two looks at the deadlines are at least so far apart: each is a look at all transfers.
    private static let lookPause: Int64 = 20_000_000

    /// Looks at the deadlines when `moment` has come. The timer is left running when a transfer ends: it is cheaper to let
    /// it fire once for nothing than to set it anew for each transfer.
    func watchDeadlines(_ moment: Int64) {
        guard moment < looksAt else { return }
        looksAt = moment
        if deadlines == nil { deadlines = LoopTimer(on: loop) { [unowned self] in look() } }
        deadlines?.start(after: .nanoseconds(max(0, moment - monotonicNanoseconds())))
    }

    private func look() {
        let now = monotonicNanoseconds()
        let late = running.filter { $0.looksAt <= now && $0.isTooLate(at: now) }
        for handle in late {
            guard let transfer = handle.transfer else { continue }
            enter { remove(handle) }
            transfer.timedOut()
        }
        looksAt = .max
        if let next = running.lazy.map(\.looksAt).min() { watchDeadlines(max(next, now + Self.lookPause)) }
    }

    // MARK: Timer

    private func callMe(after milliseconds: Int) {
        wantsCallNow = milliseconds == 0
        if milliseconds <= 0 {
            wantsCallAt = .max
            // Outside of `enter` nobody else would look.
            if wantsCallNow, !isInside { setTimer(monotonicNanoseconds()) }
            return
        }
        setTimer(monotonicNanoseconds() + Int64(milliseconds) * 1_000_000)
    }

    private func setTimer(_ moment: Int64) {
        wantsCallAt = moment
        guard moment < timerFiresAt else { return }
        if timer == nil { timer = LoopTimer(on: loop) { [unowned self] in timerFired() } }
        timerFiresAt = moment
        timer?.start(after: .nanoseconds(max(0, moment - monotonicNanoseconds())))
    }

    private func timerFired() {
        timerFiresAt = .max
        if wantsCallAt == .max { return }
        if wantsCallAt > monotonicNanoseconds() { return setTimer(wantsCallAt) }
        wantsCallAt = .max
        enter { wantsCallNow = true }
    }

    // MARK: Sockets

    private final class WatchedSocket {
        let socket: LoopSocket
        /// Whether libcurl tells when it closes it. The watch of such a socket is left in place while its connection
        /// is idle, which spares most requests two system calls.
        let isConnection: Bool
        var wanted: LoopSocket.Readiness = []

        init(_ socket: LoopSocket, isConnection: Bool) {
            self.socket = socket
            self.isConnection = isConnection
        }

        func close() { socket.close() }
    }

    func didOpen(_ descriptor: Int32) { watch(descriptor, isConnection: true) }

    func willClose(_ descriptor: Int32) { sockets.removeValue(forKey: descriptor)?.close() }

    @discardableResult
    private func watch(_ descriptor: Int32, isConnection: Bool) -> WatchedSocket {
        willClose(descriptor)
        let socket = LoopSocket(on: loop, descriptor: descriptor) { [unowned self] readiness in
            isReady(descriptor, readiness)
        }
        let watched = WatchedSocket(socket, isConnection: isConnection)
        sockets[descriptor] = watched
        return watched
    }

    private func interest(_ what: Int32, in descriptor: Int32) {
        if what == CURL_POLL_REMOVE {
            guard let socket = sockets[descriptor] else { return }
            socket.wanted = []
            if !socket.isConnection { willClose(descriptor) }
            return
        }
        let socket = sockets[descriptor] ?? watch(descriptor, isConnection: false)
        socket.wanted = []
        if what & CURL_POLL_IN != 0 { socket.wanted.insert(.read) }
        if what & CURL_POLL_OUT != 0 { socket.wanted.insert(.write) }
        if !socket.wanted.isEmpty { socket.socket.watch(socket.wanted) }
    }

    private func isReady(_ descriptor: Int32, _ readiness: LoopSocket.Readiness) {
        guard let multi, let socket = sockets[descriptor] else { return }
        let events = readiness.intersection(socket.wanted)
        // Nobody reads an idle connection that was closed, or a paused one: no use in being told again and again.
        if events.isEmpty { return socket.socket.watch(socket.wanted) }
        var flags: Int32 = 0
        if events.contains(.read) { flags |= CURL_CSELECT_IN }
        if events.contains(.write) { flags |= CURL_CSELECT_OUT }
        enter {
            var count: Int32 = 0
            curl_multi_socket_action(multi, descriptor, flags, &count)
        }
    }
}
