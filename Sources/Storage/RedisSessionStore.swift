import Base
import Synchronization

/// Keeps the ids in Redis too, as plain strings with the session's remaining time to live.
///
/// The store stays the truth about what BitBot itself did. Another tool's change is told from our own unfinished work by
/// the column `mirrored`: only where Redis was known to have the store's id does a removed or different one win.
///
/// A Redis that lost its memory (restarted without persistence, or flushed) is not taken for a tool that removed every
/// session: one key of our own, `bitbot:store:{store}`, is missing too then. All ids are written again.
///
/// Calls for one key have to follow one another, as those of a dialog do.
public final class RedisSessionStore: SessionStore {
    private struct State {
        /// What is wrong with Redis; stays until everything is repaired.
        var trouble: String?
        /// Redis is not asked: it did not answer, and someone is waiting for it to come back.
        var away = false
        var watching = false
        var comingBack = false
        /// Given to Redis, not yet noted in the store.
        var marks: [ID<DialogRecord>: SessionMark] = [:]
        /// Removed from Redis, not yet noted in the store.
        var removed: Set<SessionKey> = []
        var notingSoon = false
        /// Keys that a repair is writing; nobody else touches them meanwhile.
        var repairing: Set<SessionKey> = []
        /// Those of them whose session was changed meanwhile.
        var changed: Set<SessionKey> = []
        /// Grows with each step of a repair.
        var repairs = 0
    }

    private let redis: Redis
    private let store: Store
    private let clock: WallClock
    private let log: Log
    private let up: Gauge
    private let state = Mutex(State())

    /// How many sessions a repair writes at a time.
    private static let step: Int64 = 100

    public init(redis: Redis, store: Store, clock: WallClock, log: Log, metrics: Metrics) {
        self.redis = redis
        self.store = store
        self.clock = clock
        self.log = log
        up = metrics.gauge("bitbot_redis_up", help: "Whether Redis keeps the ids of sessions (1) or is away (0).")
    }

    public var trouble: String? { state.withLock { $0.trouble } }

    public func current(_ stored: SessionRecord?, key: SessionKey) async -> SessionRecord? {
        // A repair of this very session between the question and the judgement spoils it: then ask again.
        for _ in 0..<3 {
            let repairs = state.withLock { $0.away || $0.repairing.contains(key) ? nil : $0.repairs }
            guard let repairs else { return stored }
            do {
                let value = try await redis.get(key.name)
                if value == stored?.idElsewhere { return stored }
                let verdict = try await judge(value, stored, key)
                guard state.withLock({ $0.repairs == repairs }) else { continue }
                return try await carryOut(verdict, key)
            } catch {
                noteTrouble(error)
                return stored
            }
        }
        return stored
    }

    public func committed(_ session: SessionRecord?, key: SessionKey) async {
        let mine = state.withLock { state in
            if state.repairing.contains(key) {
                state.changed.insert(key)
                return false
            }
            return !state.away
        }
        guard mine else { return }
        do {
            if let session, session.idElsewhere != nil, session.expiresAt > clock.now {
                try await write(session, key)
            } else {
                try await remove(key)
            }
        } catch {
            noteTrouble(error)
        }
    }

    public func repair() async { _ = await comeBack() }

    // MARK: What a difference means

    private enum Verdict {
        case holds(SessionRecord)
        case ended
        /// Redis still has the id of a session that ended.
        case leftOver
        case replaced(SessionRecord)
    }

    /// Called when Redis (`value`) and the store (`stored`) differ.
    private func judge(_ value: String?, _ stored: SessionRecord?, _ key: SessionKey) async throws -> Verdict {
        let now = clock.now
        guard let stored else {
            guard let value else { return .ended }
            return try await judge(value, withoutSessionOf: key, now: now)
        }
        guard try await known(stored.dialogID)?.isMirrored(at: now) == true else { return .holds(stored) }
        if let value {
            return .replaced(
                SessionRecord(
                    dialogID: stored.dialogID, connectorID: stored.connectorID, platformID: value,
                    expiresAt: stored.expiresAt))
        }
        guard try await redis.get(memoryKey) == nil else { return .ended }
        noteTrouble(MemoryLost())
        return .holds(stored)
    }

    private func judge(
        _ value: String, withoutSessionOf key: SessionKey, now: Timestamp
    ) async throws -> Verdict {
        let dialog = try await store.database.read { try $0.dialog(key) }
        guard let dialog, let connector = dialog.connector else { return .ended }
        if let known = try await known(dialog.id), known.connectorID == nil || known.platformID == value {
            return .leftOver
        }
        return .replaced(
            SessionRecord(
                dialogID: dialog.id, connectorID: connector, platformID: value, expiresAt: now + .seconds(86400)))
    }

    private func carryOut(_ verdict: Verdict, _ key: SessionKey) async throws -> SessionRecord? {
        switch verdict {
        case .holds(let session):
            if session.idElsewhere == nil { try await remove(key) } else { try await write(session, key) }
            return session
        case .replaced(let session):
            return session
        case .ended:
            return nil
        case .leftOver:
            try await remove(key)
            return nil
        }
    }

    /// What the store knows, with what is about to be noted there.
    private func known(_ dialog: ID<DialogRecord>) async throws -> MirroredSession? {
        let mark = state.withLock { $0.marks[dialog] }
        guard var known = try await store.database.read({ try $0.mirroredSession(of: dialog) }) else { return nil }
        if let mark, mark.platformID == known.platformID { known.mirrored = mark.expiresAt.rawValue }
        return known
    }

    // MARK: Writing

    private func write(_ session: SessionRecord, _ key: SessionKey) async throws {
        let remaining = session.expiresAt - clock.now
        guard remaining > .zero else { return }
        try await redis.set(key.name, session.platformID, expiresIn: remaining)
        noteSoon {
            $0.marks[session.dialogID] = SessionMark(platformID: session.platformID, expiresAt: session.expiresAt)
        }
    }

    private func remove(_ key: SessionKey) async throws {
        try await redis.delete(key.name)
        noteSoon { $0.removed.insert(key) }
    }

    /// Notes what Redis has in the store, for many sessions at once: it need not be on the disk at once, as what is not
    /// noted is written again.
    private func noteSoon(_ change: (inout sending State) -> Void) {
        let first = state.withLock { state in
            change(&state)
            defer { state.notingSoon = true }
            return !state.notingSoon
        }
        guard first else { return }
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(200))
            await self?.note()
        }
    }

    private func note() async {
        let (marks, removed) = state.withLock { state in
            state.notingSoon = false
            return (state.marks, state.removed)
        }
        do {
            try await store.database.write { connection in
                for (dialog, mark) in marks { try connection.mark(dialog, mark) }
                for key in removed {
                    if let dialog = try connection.dialog(key) { try connection.forgetEnded(dialog.id) }
                }
            }
        } catch {
            log.error("sessions_not_noted", ["reason": .text("\(error)")])
        }
        state.withLock { state in
            for (dialog, mark) in marks where state.marks[dialog] == mark { state.marks[dialog] = nil }
            state.removed.subtract(removed)
        }
    }

    // MARK: Away and back

    private struct MemoryLost: Error {}

    private func noteTrouble(_ error: any Error) {
        // The task was cancelled, which says nothing about Redis.
        if error is CancellationError { return }
        let text =
            switch error {
            case RedisError.away(let reason): "Redis is away: \(reason)"
            case RedisError.refused(let reason): "Redis refuses: \(reason)"
            case is MemoryLost: "Redis has lost its memory; the ids of sessions are being written again"
            default: "the ids of sessions cannot be kept in Redis: \(error)"
            }
        let (isNew, startWatching) = state.withLock { state in
            defer {
                state.trouble = text
                state.away = true
                state.watching = true
            }
            return (state.trouble == nil, !state.watching)
        }
        up.set(0)
        if isNew { log.warning("redis_trouble", ["reason": .text(text)]) }
        guard startWatching else { return }
        Task { [weak self] in
            repeat {
                try? await Task.sleep(for: .seconds(1))
            } while await self?.comeBack() == false
        }
    }

    /// Asks Redis again and repairs what it lacks.
    private func comeBack() async -> Bool {
        let alone = state.withLock { state in
            defer { state.comingBack = true }
            return !state.comingBack
        }
        guard alone else { return false }
        defer { state.withLock { $0.comingBack = false } }
        do {
            try await redis.ping()
            // What is committed from now on is written by itself; the repair looks after what came before.
            state.withLock { $0.away = false }
            try await repairAll()
        } catch {
            noteTrouble(error)
            return false
        }
        let (isWell, was) = state.withLock { state in
            // Somebody found it away again meanwhile.
            if state.away { return (false, state.trouble) }
            defer {
                state.trouble = nil
                state.watching = false
            }
            return (true, state.trouble)
        }
        guard isWell else { return false }
        up.set(1)
        if was != nil { log.info("redis_back") }
        return true
    }

    /// Redis has this key as long as it has not lost its memory.
    private var memoryKey: String { "bitbot:store:\(store.name)" }

    private func repairAll() async throws {
        if try await redis.get(memoryKey) == nil {
            var last: Int64? = 0
            while let after = last {
                last = try await store.database.write { try $0.forgetMirrored(after: after, limit: 500) }
            }
            try await redis.set(memoryKey, "1", expiresIn: .seconds(10 * 365 * 86400))
        }
        var after: Int64 = 0
        while true {
            let now = clock.now
            let sessions = try await store.database.read { [after] connection in
                try connection.unmirroredSessions(after: after, limit: Self.step, now: now)
            }
            guard let last = sessions.last else { return }
            try await repair(sessions)
            after = last.id.rawValue
        }
    }

    private func repair(_ sessions: [(id: ID<DialogRecord>, key: SessionKey)]) async throws {
        let keys = Set(sessions.map(\.key))
        state.withLock { state in
            state.repairing.formUnion(keys)
            state.repairs += 1
        }
        defer {
            state.withLock { state in
                state.repairing.subtract(keys)
                state.changed.subtract(keys)
            }
        }
        var left = sessions
        while !left.isEmpty {
            for session in left { try await repair(session.id, session.key) }
            let changed = state.withLock { state in
                let changed = state.changed
                state.changed.subtract(changed)
                // The last look and letting go are one step, so that no change falls between them.
                if changed.isEmpty { state.repairing.subtract(keys) }
                return changed
            }
            left = sessions.filter { changed.contains($0.key) }
        }
    }

    private func repair(_ dialog: ID<DialogRecord>, _ key: SessionKey) async throws {
        guard let known = try await known(dialog) else { return try await remove(key) }
        guard known.connectorID != nil else { return try await remove(key) }
        if known.isMirrored(at: clock.now), try await redis.get(key.name) != known.platformID {
            // Somebody else removed or changed it: that counts at the next message.
            return
        }
        let connector = known.connectorID ?? ID(rawValue: 0)
        try await write(
            SessionRecord(
                dialogID: dialog, connectorID: connector, platformID: known.platformID, expiresAt: known.expiresAt),
            key)
    }
}

extension SessionKey {
    var name: String { "bitbot:\(memberID):\(botID):\(dialogID)" }
}

extension SessionRecord {
    /// What stands in a second home; a platform without ids of its own has nothing there.
    fileprivate var idElsewhere: String? { platformID.isEmpty ? nil : platformID }
}
