import Base

/// Plays a script's steps as a run: changes the run's record and makes the events that its mode has, in its order.
/// Documentation: `en/api-reference/guides/streaming.mdx`, the contract's `/chat-messages` and `/workflows/run`.
struct DifyPlayer {
    let run: DifyRun
    let steps: [SimulatedDify.Step]
    let clock: WallClock
    let pingInterval: Duration
    private let events: DifyEvents

    init(run: DifyRun, steps: [SimulatedDify.Step], clock: WallClock, pingInterval: Duration) {
        self.run = run
        self.steps = steps
        self.clock = clock
        self.pingInterval = pingInterval
        events = DifyEvents(run: run)
    }

    /// Begins and plays the steps up to the first that takes time.
    /// - Returns: what the client gets at once, and where to go on; `nil` when the run has ended.
    func begin() -> (outputs: [DifyRun.Output], next: Int?) {
        var out = JSONText()
        events.started(&out)
        var outputs: [DifyRun.Output] = []
        let next = play(from: 0, &out, &outputs)
        outputs.append(.bytes(out.bytes))
        return (outputs, next)
    }

    /// Plays the rest, taking the time it takes, whether or not anybody listens.
    func goOn(from index: Int) async {
        var next: Int? = index
        while let index = next {
            if await pause(steps[index]) == false {
                var out = JSONText()
                finish(.stopped, error: nil, &out)
                run.send(.bytes(out.bytes))
                break
            }
            var out = JSONText()
            var outputs: [DifyRun.Output] = []
            next = play(from: index + 1, &out, &outputs)
            outputs.append(.bytes(out.bytes))
            for output in outputs { run.send(output) }
        }
        run.endFollowing()
    }

    /// - Returns: whether the run was left to go on.
    private func pause(_ step: SimulatedDify.Step) async -> Bool {
        guard var rest = step.duration else { return true }
        let pings = if case .silence = step { false } else { true }
        while rest > .zero {
            let part = pings ? min(rest, pingInterval) : rest
            do { try await Task.sleep(for: part) } catch { return false }
            rest -= part
            if pings, rest > .zero { run.send(.bytes(Array("event: ping\n\n".utf8))) }
        }
        return !Task.isCancelled
    }

    private func play(from first: Int, _ out: inout JSONText, _ outputs: inout [DifyRun.Output]) -> Int? {
        for index in first..<steps.count {
            let step = steps[index]
            if step.duration != nil { return index }
            if case .cut = step {
                outputs.append(.bytes(out.bytes))
                outputs.append(.cut)
                out = JSONText()
            } else if !perform(step, &out) {
                return nil
            }
        }
        finish(.succeeded, error: nil, &out)
        return nil
    }

    /// - Returns: whether the run goes on after the step.
    private func perform(_ step: SimulatedDify.Step, _ out: inout JSONText) -> Bool {
        switch step {
        case .text(let text):
            run.change { $0.answer += text }
            events.text(text, &out)
        case .output(let text): run.change { $0.answer += text }
        case .replace(let text):
            run.change { $0.answer = text }
            events.replaced(text, &out)
        case .thought(let thought): events.thought(thought, position: 1, &out)
        case .file(let url, let type):
            let file = DifyFile(url: url, type: type)
            run.change { $0.files.append(file) }
            events.file(file, &out)
        case .namedOutput(let name, let value): run.change { $0.outputs[name] = value }
        case .outputFile(let name, let url, let type):
            let file = DifyFile(url: url, type: type)
            run.change { state in
                state.files.append(file)
                state.outputs[name] = file.json
            }
        case .partial: run.change { $0.exceptions += 1 }
        case .askHuman(let form, let then):
            pause(for: form, then, &out)
            return false
        case .ping: out.raw("event: ping\n\n")
        case .raw(let text): out.raw(Array(text.utf8))
        case .failRun(let message):
            finish(.failed, error: message, &out)
            return false
        case .error(let status, let code, let message):
            end(.failed, error: message)
            events.error(status: status, code: code, message: message, &out)
            return false
        case .refuse, .reset, .cut, .wait, .silence: break
        }
        return true
    }

    // MARK: Human input

    private func pause(
        for form: SimulatedDify.HumanForm, _ then: @escaping SimulatedDify.AfterForm, _ out: inout JSONText
    ) {
        let now = clock.now.rawValue
        let asked = DifyForm(form: form, then: then, expiresAt: (now + form.patience.milliseconds) / 1000)
        run.change { state in
            state.status = .paused
            state.form = asked
        }
        events.asked(asked, &out)
        events.paused(asked, at: now, &out)
    }

    /// Goes on after a form was submitted, or its time ran out: what the first steps give at once, and the rest's place.
    func resume(_ form: DifyForm, _ submission: SimulatedDify.Submission?) -> (outputs: [DifyRun.Output], next: Int?) {
        var out = JSONText()
        if let submission { events.filled(form, submission, &out) } else { events.timedOut(form, &out) }
        var outputs: [DifyRun.Output] = []
        let next = play(from: 0, &out, &outputs)
        outputs.append(.bytes(out.bytes))
        return (outputs, next)
    }

    private func finish(_ status: DifyRun.Status, error: String?, _ out: inout JSONText) {
        let ended = end(status, error: error)
        events.finished(ended, &out)
    }

    @discardableResult private func end(_ status: DifyRun.Status, error: String?) -> DifyEvents.Ended {
        let now = clock.now.rawValue
        run.change { state in
            state.status = status == .succeeded && state.exceptions > 0 ? .partialSucceeded : status
            state.error = error
            state.finishedAt = now
            state.steps = run.app.mode.hasWorkflow ? 3 : 0
        }
        return run.ended
    }
}
