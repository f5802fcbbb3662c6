/// One thread that runs a libevent loop. Sockets and timers of a loop are touched on its thread only.
public final class EventLoop: Sendable {
    /// Runs `work` on the loop's thread, soon, in the order of submission.
    public func submit(_ work: @escaping @Sendable () -> Void) { fatalError("skeleton") }
}

/// The loops of a process (`BITBOT_THREADS` of them).
public final class EventLoopGroup: Sendable {
    public let loops: [EventLoop]

    /// Starts `count` threads.
    public init(count: Int) { fatalError("skeleton") }

    /// A loop for the next connection or transfer, in turn.
    public func next() -> EventLoop { fatalError("skeleton") }

    /// Stops the threads; call when nothing uses the loops any more.
    public func stop() { fatalError("skeleton") }
}
