import Base

/// Decides what an answer means for its call: done, or to be sent again.
extension Portal {
    /// - Parameter isWhole: the same answer refused a whole batch.
    func judge(
        _ answers: [RESTAnswer], of group: [WaitingCall], with credential: Credential, isWhole: Bool
    ) async -> [Outcome] {
        var renewed: Result<Credential?, PortalError>?
        // A batch itself needs no rights.
        var isClosed: Bool? = isWhole ? true : nil
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(group.count)
        for (answer, waiting) in zip(answers, group) {
            guard case .failure(let error) = answer.result else {
                outcomes.append(Outcome(id: waiting.id, next: .done(answer.result)))
                continue
            }
            if error.meaning == .expired, renewed == nil, !waiting.renewed.contains(credential.id) {
                renewed = await renew(credential, of: waiting.account)
            }
            let next = await next(
                for: waiting, after: error, with: credential, renewed: renewed, isWhole: isWhole, isClosed: &isClosed)
            outcomes.append(Outcome(id: waiting.id, next: next))
        }
        return outcomes
    }

    private func renew(_ credential: Credential, of account: Account) async -> Result<Credential?, PortalError> {
        do {
            return .success(try await account.replacement(for: credential))
        } catch {
            return .failure(error as? PortalError ?? .noCredential("the tokens could not be renewed", isPassing: true))
        }
    }

    /// Whether REST is closed to an installation, as a method that everybody may call shows.
    /// Documentation: `api-reference/common/system/scope.md`.
    private func isClosed(to account: Account, with credential: Credential) async -> Bool {
        let now = time.now()
        state.withLock { $0.bucket?.add(now: now) }
        // Beside the queue: whoever waits for this holds a place in it.
        let look = await caller.call("scope", [:], at: account.endpoint, with: account.proof(credential))
        guard case .failure(let error) = look.answer.result else { return false }
        switch error.meaning {
        case .forbidden, .credential, .closed: return true
        default: return false
        }
    }

    private func next(
        for waiting: WaitingCall, after error: PortalError, with credential: Credential,
        renewed: Result<Credential?, PortalError>?, isWhole: Bool, isClosed: inout Bool?
    ) async -> Outcome.Next {
        var waiting = waiting
        switch error.meaning {
        case .expired:
            // A token that was just renewed has "expired": something else is wrong.
            guard waiting.renewed.insert(credential.id).inserted else { return .done(.failure(error.passing)) }
            if case .failure(let failure)? = renewed {
                // Without new tokens nothing goes.
                let isFinal = failure.code != nil && !failure.isPassing
                return .done(.failure(isFinal ? failure.concerningInstallation : failure))
            }
            return .again(waiting)
        case .tooMany:
            waiting.refusals += 1
            return waiting.refusals < 10 ? .again(waiting) : .done(.failure(error))
        case .credential:
            waiting.account.demote(credential)
            return await asAnother(waiting, after: credential) ?? .done(.failure(error.concerningInstallation))
        case .rights:
            if let again = await asAnother(waiting, after: credential) { return again }
            // Without these methods a bot can do nothing; what others do is done without.
            return .done(.failure(waiting.call.isOfBots ? error.concerningInstallation : error))
        case .forbidden:
            if waiting.maySucceedAsAnother, let again = await asAnother(waiting, after: credential) { return again }
            let closed =
                if let isClosed { isClosed } else { await self.isClosed(to: waiting.account, with: credential) }
            isClosed = closed
            return .done(.failure(closed ? error.concerningInstallation : error))
        case .closed:
            return .done(.failure(error))
        case .methodExhausted:
            let pause = waiting.account.pause(waiting.call.method)
            var error = error
            error.retryAfter = max(pause, error.retryAfter ?? .zero)
            return .done(.failure(error))
        case .notInBatch where waiting.command != nil:
            waiting.goAlone()
            return .again(waiting)
        case .final, .notInBatch, nil:
            // A batch that is refused as a whole may have been spoilt by one of its calls.
            guard isWhole, !error.isPassing, !error.mayHaveHappened, waiting.command != nil else {
                return .done(.failure(error))
            }
            waiting.goAlone()
            return .again(waiting)
        case .passing, .underWay:
            return .done(.failure(error))
        }
    }

    /// The call again with another user's credential, if there is one.
    private func asAnother(_ waiting: WaitingCall, after credential: Credential) async -> Outcome.Next? {
        var waiting = waiting
        waiting.tried.insert(credential.id)
        guard (try? await waiting.account.credential(excluding: waiting.tried)) ?? nil != nil else { return nil }
        // Alone, since its neighbours may go with another credential.
        waiting.goAlone()
        return .again(waiting)
    }
}

extension PortalCall {
    fileprivate var isOfBots: Bool { method.hasPrefix("imbot.") }
}

extension WaitingCall {
    /// What a bot may not do it may not do for anybody; what a user may not do an administrator may. Not all of a large
    /// company's users are tried.
    fileprivate var maySucceedAsAnother: Bool { !call.isOfBots && tried.count < 3 }

    fileprivate mutating func goAlone() {
        command = nil
        mustGoAlone = true
    }
}

extension PortalError {
    fileprivate var passing: PortalError {
        var error = self
        error.isPassing = true
        return error
    }
}
