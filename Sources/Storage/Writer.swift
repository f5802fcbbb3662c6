import Base
import CBase
import Glibc

/// The one thread that changes the store. It takes all changes that wait and commits them in one transaction, so that
/// they share the wait for the disk.
///
/// Each change runs without a savepoint of its own: that would cost 2 to 3 µs of the some 30 µs that storing an event
/// takes, and in nearly every transaction none fails. When one fails after it has changed something, the transaction is
/// undone and run again with a savepoint around each change.
final class Writer {
    private let connection: Connection
    private let queue: JobQueue<Job>
    private let checkpoints: Checkpoints
    private let log: Log
    private let commits: Counter
    private let changes: Counter
    private let seconds: Histogram
    private let waiting: Gauge

    init(connection: Connection, queue: JobQueue<Job>, log: Log, metrics: Metrics) {
        self.connection = connection
        self.queue = queue
        self.log = log
        checkpoints = Checkpoints(connection)
        commits = metrics.counter("bitbot_store_commits_total", help: "Transactions committed by the store.")
        changes = metrics.counter("bitbot_store_changes_total", help: "Changes that these transactions held.")
        seconds = metrics.histogram(
            "bitbot_store_commit_seconds", help: "Seconds that a transaction took, with its wait for the disk.")
        waiting = metrics.gauge("bitbot_store_waiting", help: "Changes that wait for the store.")
    }

    func runUntilClosed() {
        while let batch = queue.takeAll() {
            waiting.set(Double(batch.count))
            let start = ContinuousClock.now
            commit(batch)
            seconds.observe((ContinuousClock.now - start) / .seconds(1))
            waiting.set(Double(queue.count))
            checkpoints.runIfDue(log: log)
            // Under load a moment's wait lets more changes share the next transaction; a lone one never waits.
            if batch.count >= Self.crowd, queue.count < Self.plenty { usleep(Self.gathering) }
        }
    }

    /// Changes in a transaction that mean load.
    private static let crowd = 4
    /// Waiting changes that are worth a transaction at once.
    private static let plenty = 32
    /// Microseconds.
    private static let gathering: UInt32 = 2_000

    private func commit(_ batch: [Job]) {
        do {
            var outcomes = try together(batch)
            if outcomes == nil { outcomes = try oneByOne(batch) }
            connection.needsTransaction = false
            try connection.run("COMMIT")
            commits.increment()
            changes.increment(by: batch.count)
            for (job, outcome) in zip(batch, outcomes ?? []) {
                switch outcome {
                case .success(let succeed): succeed()
                case .failure(let failure): job.fail(failure)
                }
            }
        } catch {
            connection.needsTransaction = false
            undo()
            log.error("store_commit_failed", ["reason": .text("\(error)"), "changes": .integer(Int64(batch.count))])
            for job in batch { job.fail(error) }
        }
    }

    /// Runs all changes in an open transaction.
    /// - Returns: for each what tells its outcome, or why it failed; `nil` when one failed that had changed something. Then
    ///   nothing is changed and no transaction open.
    private func together(_ batch: [Job]) throws -> [Result<Job.Outcome, any Error>]? {
        try begin()
        var outcomes: [Result<Job.Outcome, any Error>] = []
        outcomes.reserveCapacity(batch.count)
        for job in batch {
            let before = connection.totalChanges
            do {
                outcomes.append(.success(try job.run(connection)))
            } catch {
                outcomes.append(.failure(error))
                guard connection.isInTransaction, connection.totalChanges == before else {
                    undo()
                    return nil
                }
            }
            guard connection.isInTransaction else { return nil }
        }
        return outcomes
    }

    /// The same with a savepoint for each change. A fault that undoes the whole transaction is thrown.
    private func oneByOne(_ batch: [Job]) throws -> [Result<Job.Outcome, any Error>] {
        try begin()
        var outcomes: [Result<Job.Outcome, any Error>] = []
        for job in batch {
            try connection.run("SAVEPOINT change")
            do {
                let succeed = try job.run(connection)
                guard connection.isInTransaction else { throw StoreError.failed("the transaction was undone") }
                outcomes.append(.success(succeed))
            } catch {
                guard connection.isInTransaction else { throw error }
                try connection.run("ROLLBACK TO change")
                outcomes.append(.failure(error))
            }
            try connection.run("RELEASE change")
        }
        return outcomes
    }

    private func begin() throws {
        connection.needsTransaction = false
        try connection.run("BEGIN IMMEDIATE")
        connection.needsTransaction = true
    }

    /// Undoes what is open; a fault may have done so already.
    private func undo() {
        connection.needsTransaction = false
        guard connection.isInTransaction else { return }
        do {
            try connection.run("ROLLBACK")
        } catch {
            log.error("store_rollback_failed", ["reason": .text("\(error)")])
        }
    }
}
