import Base
import Storage

/// Checks passwords, one after another, as each takes 64 MB and some time; slows down whoever is often wrong.
actor PasswordDesk {
    /// That many may be wrong before a pause, which then doubles with each to a minute.
    private static let freeTries = 5
    private static let longestPause = 60
    private static let mostSenders = 10_000

    private struct Tries {
        var wrong = 0
        var until = Timestamp(rawValue: 0)
    }

    private let store: Store
    private let clock: WallClock
    private var tries: [String: Tries] = [:]

    init(store: Store, clock: WallClock) {
        self.store = store
        self.clock = clock
    }

    enum Verdict: Equatable {
        case right
        case wrong
        /// Not even looked at.
        case later(seconds: Int)
    }

    /// - Parameter sender: the address that the password comes from.
    func check(_ password: Secret, from sender: String) async throws -> Verdict {
        let hash = try await store.passwordHash()
        let now = clock.now
        var known = tries[sender] ?? Tries()
        if known.until > now { return .later(seconds: Int((known.until - now).components.seconds) + 1) }
        if let hash, PasswordHash.matches(password, hash) {
            tries[sender] = nil
            return .right
        }
        known.wrong += 1
        if known.wrong >= Self.freeTries {
            known.until = now + .seconds(min(1 << min(known.wrong - Self.freeTries, 10), Self.longestPause))
        }
        if tries.count >= Self.mostSenders { tries.removeAll() }
        tries[sender] = known
        return .wrong
    }

    func choose(_ password: Secret) async throws { try await store.setPasswordHash(PasswordHash.make(password)) }
}
