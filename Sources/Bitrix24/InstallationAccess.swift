import Base

/// Whether Bitrix24 lets an installation in, as its account has seen it.
struct InstallationAccess: Sendable {
    private static let shortestPause = Duration.seconds(10)
    private static let longestPause = Duration.seconds(300)
    /// How long a call that tries again may take.
    private static let trial = Duration.seconds(15)

    /// Why it is not let in.
    private(set) var refusal: PortalError?
    /// The refusal concerns the methods of bots alone.
    private var botsAlone = false
    private var pause = Duration.zero
    private var tryAgainAt = Timestamp(rawValue: 0)
    private var isTrying = false
    private var wasGranted = false

    private func concerns(_ method: String) -> Bool { !botsAlone || method.hasPrefix("imbot.") }

    /// What a call fails with at once; `nil` lets it through. While it is not let in, one call goes from time to time to see.
    mutating func obstacle(to method: String, now: Timestamp) -> PortalError? {
        guard var refusal, concerns(method) else { return nil }
        if now >= tryAgainAt {
            isTrying = true
            tryAgainAt = now + Self.trial
            return nil
        }
        refusal.retryAfter = tryAgainAt - now
        return refusal
    }

    /// - Returns: whether it is news.
    mutating func refused(_ error: PortalError, _ method: String, now: Timestamp) -> Bool {
        let isNews = refusal?.code != error.code
        // Calls that were under way together count once.
        if isNews || isTrying {
            pause = isNews ? Self.shortestPause : min(pause * 2, Self.longestPause)
            tryAgainAt = now + pause
            isTrying = false
        }
        refusal = error
        botsAlone = error.concernsBotsAlone
        wasGranted = false
        return isNews
    }

    /// - Returns: whether it is news.
    mutating func granted(_ method: String) -> Bool {
        guard !wasGranted, refusal == nil || concerns(method) else { return false }
        refusal = nil
        wasGranted = true
        return true
    }

    /// The next call goes.
    mutating func forget() { self = InstallationAccess() }
}

extension Account {
    /// - Throws: ``PortalError`` while Bitrix24 lets the installation in no more.
    func checkAccess(for method: String) throws {
        if let error = withAccess({ $0.obstacle(to: method, now: clock.now) }) { throw error }
    }

    /// Tells the keeper when Bitrix24 lets the installation in no more, and when it does again.
    func noteAccess(_ outcomes: [Portal.Outcome], of group: [WaitingCall]) async {
        for (outcome, waiting) in zip(outcomes, group) {
            guard case .done(let result) = outcome.next else { continue }
            let method = waiting.call.method
            switch result {
            case .success:
                if withAccess({ $0.granted(method) }) { await keeper.accessGranted() }
            case .failure(let error) where error.concernsInstallation && error.code != nil:
                if withAccess({ $0.refused(error, method, now: clock.now) }) { await keeper.accessRefused(error) }
            case .failure: break
            }
        }
    }
}

extension PortalError {
    /// The code, which concerns the installation, is about the rights that bots need.
    fileprivate var concernsBotsAlone: Bool {
        ["INSUFFICIENT_SCOPE", "INVALID_CREDENTIALS"].contains(code?.uppercased() ?? "")
    }

    var concerningInstallation: PortalError {
        var error = self
        error.concernsInstallation = true
        return error
    }
}
