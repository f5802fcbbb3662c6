import Base

/// Sends REST requests of a portal and reads their answers; knows nothing of limits or renewals.
///
/// Documentation: `settings/how-to-call-rest-api/general-principles.md`, `settings/how-to-call-rest-api/batch.md`.
struct RESTCaller: Sendable {
    let http: HTTPClient
    let trust: HTTPClient.Trust

    /// What came back, and where the portal has moved to if that was the answer.
    struct Exchange: Sendable {
        var answer: RESTAnswer
        var location: String?
    }

    /// By what Bitrix24 knows who calls.
    enum Proof: Sendable {
        case token(Secret)
        /// The user and code of an inbound webhook, as its address has them: `1/code`.
        case webhook(Secret)

        /// What must not be shown.
        var secret: Secret {
            switch self {
            case .token(let token): token
            case .webhook(let path): Secret(String(path.reveal().drop { $0 != "/" }.dropFirst()))
            }
        }
    }

    /// Calls one method.
    /// - Parameter endpoint: the REST root, with a closing slash.
    func call(_ method: String, _ parameters: JSON, at endpoint: String, with proof: Proof) async -> Exchange {
        var body = parameters
        if case .object = body {} else { body = [:] }
        var url = endpoint
        switch proof {
        case .token(let token): body["auth"] = .string(token.reveal())
        case .webhook(let path): url += path.reveal() + "/"
        }
        var request = HTTPClient.Request(.post, url + method, body: body.bytes, trust: trust)
        request.headers = ["Content-Type": "application/json", "Accept": "application/json"]
        // Bitrix24 ends a request after 60 seconds; a little longer, and the outcome is known.
        request.timeouts.firstByte = .seconds(65)
        request.timeouts.total = .seconds(70)
        do {
            let answer = try await http.send(request)
            var exchange = Exchange(answer: RESTAnswer(answer))
            if [301, 302, 307, 308].contains(answer.status) { exchange.location = answer.headers["Location"] }
            exchange.answer.hide(proof.secret)
            return exchange
        } catch let error as HTTPClientError {
            return Exchange(answer: RESTAnswer(.unreachable(error)))
        } catch {
            // The client ends transfers by cancellation only; how far this one came is not known.
            return Exchange(answer: RESTAnswer(.cutOff))
        }
    }

    /// Calls several methods in one request.
    /// - Returns: the answers in the order of the commands, or the whole request's one.
    func batch(
        _ commands: [String], at endpoint: String, with proof: Proof
    ) async -> (each: [RESTAnswer]?, whole: Exchange) {
        var named: Members<JSON> = [:]
        for (index, command) in commands.enumerated() { named["c\(index)"] = .string(command) }
        var whole = await call("batch", ["halt": 0, "cmd": .object(named)], at: endpoint, with: proof)
        guard case .success(let result) = whole.answer.result else { return (nil, whole) }
        guard case .object = result, result["result"] != nil || result["result_error"] != nil else {
            whole.answer = RESTAnswer(.notBitrix24(status: 200))
            return (nil, whole)
        }
        let answers = commands.indices.map { index in
            var answer = RESTAnswer(command: "c\(index)", in: result)
            answer.hide(proof.secret)
            return answer
        }
        return (answers, whole)
    }
}

extension PortalError {
    /// The transfer was ended from our side.
    static let cutOff = PortalError(
        .unreachable(.connectionLost(host: "", reason: "ended by us")),
        message: "the request was ended before its answer",
        isPassing: true, mayHaveHappened: true)
}

extension RESTAnswer {
    /// Takes the token out of an error's text, should the portal have repeated it.
    mutating func hide(_ token: Secret) {
        guard case .failure(var error) = result, !token.isEmpty, error.message.contains(token.reveal()) else { return }
        error.message = error.message.split(separator: token.reveal(), omittingEmptySubsequences: false)
            .joined(separator: token.masked)
        result = .failure(error)
    }
}
