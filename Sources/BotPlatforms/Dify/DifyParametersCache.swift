import Base
import Synchronization

/// Knows what an app tells of itself, read anew when it is older than a minute. Those who ask at the same time share one
/// look.
final class DifyParametersCache: Sendable {
    typealias Known = Result<DifyParameters, any Error>

    private let connection: DifyConnection

    private struct State {
        var known: Known?
        var readAt: Timestamp?
        var reading: Task<Known, Never>?
    }
    private let state = Mutex(State())

    init(_ connection: DifyConnection) { self.connection = connection }

    private enum Found {
        case known(Known)
        case reading(Task<Known, Never>)
    }

    func known() async -> Known {
        let now = connection.clock.now
        let found = state.withLock { state -> Found in
            if let known = state.known, let readAt = state.readAt, readAt <= now {
                let isRead = if case .success = known { true } else { false }
                let lifetime = isRead ? connection.timing.form : connection.timing.missingForm
                if now < readAt + lifetime { return .known(known) }
            }
            if let reading = state.reading { return .reading(reading) }
            let reading = Task { await read() }
            state.reading = reading
            return .reading(reading)
        }
        switch found {
        case .known(let known): return known
        case .reading(let task): return await task.value
        }
    }

    private func read() async -> Known {
        let known: Known
        do {
            guard
                let parameters = try await connection.read(
                    "/parameters", atMost: 4 * 1024 * 1024, as: DifyParameters.self)?.value
            else {
                throw PlatformError(.final, "This is not Dify's API; its address usually ends with /v1.")
            }
            known = .success(parameters)
        } catch {
            known = .failure(error)
        }
        state.withLock { $0 = State(known: known, readAt: connection.clock.now) }
        return known
    }
}
