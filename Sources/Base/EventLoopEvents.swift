import CBase
import Glibc

/// A one-shot timer of a loop.
///
/// Made and used on the loop's thread only, which is what makes the unchecked conformance sound. It stays alive, and may
/// fire, until ``close()``; forgetting to close it leaks it but is never unsafe.
final class LoopTimer: @unchecked Sendable {
    private let loop: EventLoop
    private var event: OpaquePointer?
    private var work: (() -> Void)?

    init(on loop: EventLoop, _ work: @escaping () -> Void) {
        self.loop = loop
        self.work = work
        // Retained for libevent; `close` gives it back.
        event = event_new(
            loop.base, -1, 0,
            { _, _, context in
                let timer = Unmanaged<LoopTimer>.fromOpaque(context!).takeUnretainedValue()
                timer.work?()
            }, Unmanaged.passRetained(self).toOpaque())
    }

    /// Fires once after `delay`; a call before that moves the moment.
    func start(after delay: Duration) {
        guard let event else { return }
        let (seconds, attoseconds) = max(delay, .zero).components
        var interval = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        event_add(event, &interval)
    }

    /// Does not fire until it is started again.
    func stop() {
        if let event { event_del(event) }
    }

    /// Ends the timer and lets its closure go.
    func close() {
        guard let event else { return }
        self.event = nil
        work = nil
        event_free(event)
        Unmanaged.passUnretained(self).release()
    }
}

/// Tells when a descriptor can be read or written, for as long as it is watched.
///
/// Made and used on the loop's thread only, which is what makes the unchecked conformance sound. It stays alive until
/// ``close()``, which must come before the descriptor is closed.
final class LoopSocket: @unchecked Sendable {
    struct Readiness: OptionSet {
        let rawValue: Int16
        static let read = Readiness(rawValue: Int16(EV_READ))
        static let write = Readiness(rawValue: Int16(EV_WRITE))
        /// The peer has ended its side, whatever is still to be read.
        static let closed = Readiness(rawValue: Int16(EV_CLOSED))
    }

    private let loop: EventLoop
    private let descriptor: Int32
    private var event: OpaquePointer?
    private var work: ((Readiness) -> Void)?
    private var watched: Readiness = []

    init(on loop: EventLoop, descriptor: Int32, _ work: @escaping (Readiness) -> Void) {
        self.loop = loop
        self.descriptor = descriptor
        self.work = work
        // Retained for libevent; `close` gives it back.
        event = event_new(
            loop.base, descriptor, 0, LoopSocket.callback, Unmanaged.passRetained(self).toOpaque())
    }

    private static let callback: event_callback_fn = { _, what, context in
        let socket = Unmanaged<LoopSocket>.fromOpaque(context!).takeUnretainedValue()
        socket.work?(Readiness(rawValue: what))
    }

    /// Calls the closure each time, and as long as, one of `readiness` holds; nothing when it is empty.
    func watch(_ readiness: Readiness) {
        guard let event, readiness != watched else { return }
        event_del(event)
        watched = readiness
        if readiness.isEmpty { return }
        event_assign(
            event, loop.base, descriptor, readiness.rawValue | Int16(EV_PERSIST), LoopSocket.callback,
            Unmanaged.passUnretained(self).toOpaque())
        event_add(event, nil)
    }

    /// Ends the watch and lets its closure go.
    func close() {
        guard let event else { return }
        self.event = nil
        work = nil
        event_free(event)
        Unmanaged.passUnretained(self).release()
    }
}
