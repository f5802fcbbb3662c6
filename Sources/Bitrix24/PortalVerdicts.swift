import Base

/// Decides what an answer means for its call: done, or to be sent again.
extension Portal {
    /// - Parameter isWhole: the same answer refused a whole batch.
    func judge(
        _ answers: [RESTAnswer], of group: [WaitingCall], with credential: Credential, isWhole: Bool
    ) async -> [Outcome] {
        var renewed: Result<Credential?, PortalError>?
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
            let next = await next(for: waiting, after: error, with: credential, renewed: renewed, isWhole: isWhole)
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

    private func next(
        for waiting: WaitingCall, after error: PortalError, with credential: Credential,
        renewed: Result<Credential?, PortalError>?, isWhole: Bool
    ) async -> Outcome.Next {
        var waiting = waiting
        switch error.meaning {
        case .expired:
            // A token that was just renewed has "expired": something else is wrong.
            guard waiting.renewed.insert(credential.id).inserted else { return .done(.failure(error.passing)) }
            if case .failure(let failure)? = renewed { return .done(.failure(failure)) }
            return .again(waiting)
        case .tooMany:
            waiting.refusals += 1
            return waiting.refusals < 10 ? .again(waiting) : .done(.failure(error))
        case .credential:
            if error.code?.uppercased() != "INVALID_CREDENTIALS" { waiting.account.demote(credential) }
            waiting.tried.insert(credential.id)
            // Alone, since its neighbours may go with another credential.
            waiting.goAlone()
            let other = try? await waiting.account.credential(excluding: waiting.tried)
            return other == nil ? .done(.failure(waiting.account.refusal(error))) : .again(waiting)
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
}

extension WaitingCall {
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
