import Base
import Synchronization

/// Knows an app's input form, read anew when it is older than a minute. Those who ask at the same time share one look.
final class DifyFormCache: Sendable {
    private let connection: DifyConnection

    private struct State {
        var form: DifyInputForm?
        var readAt: Timestamp?
        var reading: Task<DifyInputForm?, Never>?
    }
    private let state = Mutex(State())

    init(_ connection: DifyConnection) { self.connection = connection }

    /// What the app gets for its variables; all of them but the tokens when its form cannot be read.
    func inputs(for question: Question) async -> JSON {
        guard let form = await form() else { return .object(question.variables.mapValues(JSON.string)) }
        return form.inputs(for: question)
    }

    private enum Found {
        case known(DifyInputForm?)
        case reading(Task<DifyInputForm?, Never>)
    }

    private func form() async -> DifyInputForm? {
        let now = connection.clock.now
        let found = state.withLock { state -> Found in
            let lifetime = state.form == nil ? connection.timing.missingForm : connection.timing.form
            if let readAt = state.readAt, readAt <= now, now < readAt + lifetime { return .known(state.form) }
            if let reading = state.reading { return .reading(reading) }
            let reading = Task { await read() }
            state.reading = reading
            return .reading(reading)
        }
        switch found {
        case .known(let form): return form
        case .reading(let task): return await task.value
        }
    }

    private func read() async -> DifyInputForm? {
        let form = try? await connection.read("/parameters", as: DifyInputForm.self)?.value
        state.withLock {
            $0 = State(form: form, readAt: connection.clock.now)
        }
        return form
    }
}
