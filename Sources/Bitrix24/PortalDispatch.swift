import Base

/// How waiting calls are sent and what becomes of them.
extension Portal {
    /// Waits for the outcome of a call that cannot go at once, or must go again.
    func wait(for waiting: WaitingCall, again: Bool = false) async throws -> JSON {
        var waiting = waiting
        if waiting.command == nil, !waiting.mustGoAlone { waiting.command = waiting.call.batchCommand }
        let ready = waiting
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { state in
                    state.continuations[ready.id] = continuation
                    if again { state.queue.addAgain(ready) } else { state.queue.add(ready) }
                }
                metrics.waiting.add(1)
                // The handler may have run before there was anything to cancel.
                if Task.isCancelled { cancel(ready.id) }
                sendWaiting()
            }
        } onCancel: {
            cancel(ready.id)
        }
    }

    /// Takes a call out of the queue, or, if it is under way, stops waiting for its outcome.
    private func cancel(_ id: UInt64) {
        let (continuation, wasWaiting) = state.withLock { state in
            let continuation = state.continuations.removeValue(forKey: id)
            return (continuation, continuation != nil && state.queue.remove(id))
        }
        if wasWaiting { metrics.waiting.add(-1) }
        guard let continuation else { return }
        continuation.resume(throwing: CancellationError())
        sendWaiting()
    }

    /// Sends what may go now, and sees to it that somebody looks again when more may go.
    func sendWaiting() {
        let now = time.now()
        let (groups, wakeAt) = state.withLock { $0.takeGroups(now: now) }
        for group in groups {
            metrics.waiting.add(-Double(group.count))
            Task.detached(executorPreference: caller.http.loop) { [self] in finish(await perform(group)) }
        }
        if let wakeAt {
            Task.detached { [self] in
                await time.sleep(wakeAt)
                state.withLock { if $0.wakeAt == wakeAt { $0.wakeAt = nil } }
                sendWaiting()
            }
        }
    }

    /// Hands the outcomes to those who wait for them.
    private func finish(_ outcomes: [Outcome]) {
        var ended: [(CheckedContinuation<JSON, any Error>, Result<JSON, PortalError>)] = []
        var returned = 0
        state.withLock { state in
            for outcome in outcomes {
                switch outcome.next {
                case .again(let waiting) where state.continuations[waiting.id] != nil:
                    state.queue.addAgain(waiting)
                    returned += 1
                case .again(let waiting):
                    // Cancelled while it was under way.
                    state.queue.release(waiting.call.lane)
                case .done(let result):
                    guard let continuation = state.continuations.removeValue(forKey: outcome.id) else { continue }
                    ended.append((continuation, result))
                }
            }
        }
        if returned > 0 { metrics.waiting.add(Double(returned)) }
        for (continuation, result) in ended { continuation.resume(with: result.mapError { $0 }) }
        sendWaiting()
    }
}

// MARK: One request

extension Portal {
    /// What becomes of one call of a request.
    struct Outcome {
        enum Next {
            case done(Result<JSON, PortalError>)
            case again(WaitingCall)
        }
        var id: UInt64
        var next: Next
    }

    /// Sends calls of one account in one request, learns from the answer and decides about each. Afterwards the lanes of
    /// those that are done are free again, and so is the request's place: ``sendWaiting()`` is due.
    func perform(_ group: [WaitingCall]) async -> [Outcome] {
        let start = time.now()
        var outcomes: [Outcome] = []
        do {
            outcomes = try await exchange(group, start: start)
        } catch {
            let failure = error as? PortalError ?? .cutOff
            outcomes = group.map { Outcome(id: $0.id, next: .done(.failure(failure))) }
        }
        state.withLock { state in
            state.inFlight -= 1
            for (waiting, outcome) in zip(group, outcomes) {
                if case .done = outcome.next { state.queue.release(waiting.call.lane) }
            }
        }
        for (waiting, outcome) in zip(group, outcomes) {
            if case .done(let result) = outcome.next { metrics.count(waiting.call.method, result) }
        }
        await group.first?.account.noteAccess(outcomes, of: group)
        return outcomes
    }

    private func exchange(_ group: [WaitingCall], start: Duration) async throws -> [Outcome] {
        let account = group[0].account
        guard let credential = try await account.credential(excluding: group[0].tried) else {
            throw PortalError.noCredential("no user's tokens are left for this installation")
        }
        let endpoint = account.endpoint
        let proof = account.proof(credential)
        let answers: [RESTAnswer]
        let whole: RESTCaller.Exchange
        if group.count == 1 {
            let call = group[0].call
            whole = await caller.call(call.method, call.parameters, at: endpoint, with: proof)
            answers = [whole.answer]
        } else {
            metrics.batches.increment()
            let commands = group.map { $0.command ?? $0.call.method }
            let batch = await caller.batch(commands, at: endpoint, with: proof)
            whole = batch.whole
            answers = batch.each ?? Array(repeating: whole.answer, count: group.count)
        }
        learn(from: answers, of: group, start: start)
        if let location = whole.location {
            let method = group.count == 1 ? group[0].call.method : "batch"
            if let moved = PortalAddress.moved(to: location, from: endpoint, method: method)
                .flatMap({ account.root($0, proof) })
            {
                log.info("portal moved", ["to": .text(moved)])
                await account.moved(to: moved)
                return group.map(goesAgainAfterMove)
            }
        }
        return await judge(answers, of: group, with: credential, isWhole: group.count > 1 && whole.answer.isFailure)
    }

    private func goesAgainAfterMove(_ waiting: WaitingCall) -> Outcome {
        var waiting = waiting
        waiting.moves += 1
        if waiting.moves > 2 {
            var error = PortalError.notBitrix24(status: 302)
            error.message = "the portal sends its callers from one address to the next"
            return Outcome(id: waiting.id, next: .done(.failure(error)))
        }
        return Outcome(id: waiting.id, next: .again(waiting))
    }

    private func learn(from answers: [RESTAnswer], of group: [WaitingCall], start: Duration) {
        let now = time.now()
        let share = (now - start) / .seconds(1) / Double(group.count)
        var limited = false
        var succeeded = false
        var retryAfter: Duration?
        state.withLock { state in
            for (answer, waiting) in zip(answers, group) {
                switch answer.result {
                case .success:
                    succeeded = true
                    state.durations.learn(waiting.call.method, seconds: answer.time.duration ?? share)
                case .failure(let error) where error.meaning == .tooMany:
                    limited = true
                    retryAfter = error.retryAfter ?? retryAfter
                case .failure: break
                }
            }
            if limited {
                state.bucket?.fill(now: now)
                state.slowDown.refused(start: start, now: now, retryAfter: retryAfter)
            } else if succeeded {
                state.slowDown.succeeded(start: start)
            }
        }
        for (answer, waiting) in zip(answers, group) { waiting.account.note(answer.time, of: waiting.call.method) }
        if limited {
            metrics.limited.increment()
            log.warning("portal limits calls", ["calls": .integer(Int64(group.count))])
        }
    }
}

extension RESTAnswer {
    var isFailure: Bool { if case .failure = result { true } else { false } }
}

extension PortalError {
    var meaning: CodeTable.Meaning? {
        if case .refused(let code, let status) = kind { CodeTable.meaning(of: code, status: status) } else { nil }
    }

    static func methodPaused(_ method: String, _ pause: Duration) -> PortalError {
        PortalError(
            .refused(code: "OPERATION_TIME_LIMIT", status: 429),
            message: "OPERATION_TIME_LIMIT: \(method) has used up its running time on this portal", isPassing: true,
            retryAfter: pause)
    }
}
