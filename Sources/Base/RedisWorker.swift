import Glibc

/// The loop of the one thread that talks to a Redis server.
struct RedisWorker {
    private static let batch = 256
    private static let firstPause: Duration = .milliseconds(100)
    private static let longestPause: Duration = .seconds(3)
    /// After this long without a command the worker asks whether the server is still there.
    private static let idle: Duration = .seconds(5)

    let address: Redis.Address
    let desk: RedisDesk

    func run() {
        ignoreBrokenPipes()
        var pause = Self.firstPause
        while !desk.isDone {
            do {
                let connection = try RedisConnection(address)
                desk.becameReachable()
                while try serve(connection) { pause = Self.firstPause }
            } catch {
                desk.becameAway(error)
                _ = desk.wait(for: pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// Exchanges what waits until there is nothing more to do.
    /// - Returns: whether to go on with this connection.
    private func serve(_ connection: RedisConnection) throws(RedisError) -> Bool {
        guard !desk.isDone else { return false }
        let commands = desk.take(Self.batch)
        if commands.isEmpty {
            if !desk.wait(for: Self.idle) { return try isAlive(connection) }
            return true
        }
        var answered = 0
        do {
            try connection.exchange(commands.map(\.arguments)) { reply in
                desk.settle(commands[answered].id, .success(reply))
                answered += 1
            }
            desk.becameReachable()
            return true
        } catch {
            // A connection that was closed while nothing happened shows it only now. Every command we know may be
            // sent twice without harm, so each gets one more try over a new connection.
            guard case .broken = error, !commands.contains(where: \.isRepeated) else { throw error.asRedisError }
            desk.putBack(commands[answered...].map { .init(id: $0.id, arguments: $0.arguments, isRepeated: true) }[...])
            return false
        }
    }

    private func isAlive(_ connection: RedisConnection) throws(RedisError) -> Bool {
        do {
            try connection.exchange([["PING"]]) { _ in }
            desk.becameReachable()
            return true
        } catch {
            if case .broken = error { return false }
            throw error.asRedisError
        }
    }

    /// hiredis writes with `write`, which raises SIGPIPE on a broken connection; the signal goes to this thread alone.
    private func ignoreBrokenPipes() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
