import Base

/// The portal's REST interface: from an HTTP request to a call and back.
/// Documentation: `settings/how-to-call-rest-api/general-principles.md`, `settings/how-to-call-rest-api/authorization.md`.
extension SimulatedPortal {
    func handle(_ request: HTTPRequest) async throws -> HTTPResponse {
        let received = WallClock.system.now
        settings.observe?(
            Posted(
                kind: .rest, target: request.path, contentType: request.headers["Content-Type"] ?? "",
                body: request.body))
        if let host = request.headers["Host"], state.withLock({ $0.formerDomains.contains(host) }) {
            let query = request.query.isEmpty ? "" : "?" + request.query
            return HTTPResponse(status: 302, headers: ["Location": origin + request.path + query])
        }
        if let page = try frame(request) { return page }
        guard let target = RESTTarget(path: request.path) else { return .text("Not found", status: 404) }
        if target.method == "download" { return try await download(request) }
        let fault = state.withLock { $0.takeFault(for: target.method, insideBatch: false) }
        if let fault, let answer = try await suffer(fault, request) { return answer }
        if let limit = settings.limit,
            !state.withLock({ $0.limits.allow(from: request.remoteAddress, limit: limit, now: received) })
        {
            record(target.method, JSON.null, nil, .queryLimit, at: received)
            return .json(RESTError.queryLimit.json, status: 503)
        }
        let response = await answer(target, request, received)
        if case .answerLost? = fault?.kind { return .broken }
        return response
    }

    private func answer(_ target: RESTTarget, _ request: HTTPRequest, _ received: Timestamp) async -> HTTPResponse {
        var parameters: RESTParameters
        do throws(RESTError) {
            parameters = try RESTParameters(request)
        } catch {
            record(target.method, .null, nil, error, at: received)
            return .json(error.json, status: error.status)
        }
        let token = parameters.filled("auth") ?? parameters.filled("access_token")
        parameters.members["auth"] = nil
        parameters.members["access_token"] = nil
        do throws(RESTError) {
            let caller = try self.caller(target, token: token, now: received)
            let result: RESTResult
            if target.method == "batch" {
                result = try await batch(parameters, order: request.batchOrder, caller)
                record("batch", .object(parameters.withoutArguments.members), caller, nil, at: received)
            } else {
                result = try await perform(target.method, parameters, caller, insideBatch: false)
            }
            let operating =
                target.method == "batch" ? nil : RequestLimits.Use(client: caller.account, method: target.method)
            return .json(envelope(result, from: received, operating: operating), status: 200)
        } catch {
            if target.method == "batch" { record("batch", .null, nil, error, at: received) }
            return .json(error.json, status: error.status)
        }
    }

    /// Who calls, by webhook code or access token.
    private func caller(_ target: RESTTarget, token: String?, now: Timestamp) throws(RESTError) -> RESTCaller {
        if let webhook = target.webhook {
            guard let found = state.withLock({ $0.webhooks[webhook.code] }), found.userID == webhook.user else {
                throw .noAuth
            }
            return RESTCaller(
                userID: found.userID, clientID: nil, scope: found.scope, account: "webhook:" + found.code)
        }
        guard let token else { throw .noAuth }
        switch authorization.check(token, memberID: settings.memberID, now: now) {
        case .valid(let grant):
            return RESTCaller(
                userID: grant.userID, clientID: grant.clientID, scope: grant.scope, account: grant.clientID)
        case .expired: throw .expiredToken
        case .unknown: throw .noAuth
        }
    }

    /// Finds, checks and runs one method, and writes it down.
    func perform(
        _ name: String, _ parameters: RESTParameters, _ caller: RESTCaller, insideBatch: Bool
    ) async throws(RESTError) -> RESTResult {
        let start = WallClock.system.now
        do throws(RESTError) {
            let result = try await run(name, parameters, caller, insideBatch: insideBatch, start)
            record(name, .object(parameters.members), caller, nil, insideBatch: insideBatch, at: start)
            return result
        } catch {
            record(name, .object(parameters.members), caller, error, insideBatch: insideBatch, at: start)
            throw error
        }
    }

    private func run(
        _ name: String, _ parameters: RESTParameters, _ caller: RESTCaller, insideBatch: Bool, _ start: Timestamp
    ) async throws(RESTError) -> RESTResult {
        guard let method = RESTMethod.all[name], settings.hasSecondGeneration || !method.isSecondGeneration else {
            throw .methodNotFound
        }
        if insideBatch {
            if !method.isAllowedInBatch { throw .notInBatch }
            if let fault = state.withLock({ $0.takeFault(for: name, insideBatch: true) }), let error = fault.error {
                throw error
            }
        }
        guard method.scopes.isEmpty || method.scopes.contains(where: caller.scope.contains) else {
            throw .insufficientScope
        }
        let use = RequestLimits.Use(client: caller.account, method: name)
        let used = state.withLock { $0.limits.operating(use, now: start).milliseconds }
        if used > settings.operatingLimit.milliseconds { throw .operationTimeLimit }
        var call = RESTCall(parameters: parameters, caller: caller, now: start)
        if method.takesTime, settings.sendDelay.upperBound > .zero {
            if let known = try reserve(method.uuid?(call)) { return known }
            // A caller that goes away does not stop what the portal has begun.
            await Task { try? await Task.sleep(for: randomDuration(in: settings.sendDelay)) }.value
            call.now = WallClock.system.now
            state.withLock { $0.limits.add((call.now - start).milliseconds, to: use, now: start) }
        }
        do {
            return try change { try method.body(&$0, call) }
        } catch let error as RESTError {
            if let uuid = method.uuid?(call) { state.withLock { $0.sends.abandon(uuid) } }
            throw error
        } catch {
            throw .internalServer
        }
    }

    /// The result of an earlier send with this UUID, if there was one; else the UUID is taken.
    private func reserve(_ uuid: String?) throws(RESTError) -> RESTResult? {
        guard let uuid else { return nil }
        let outcome = state.withLock { state in
            let outcome = state.sends[uuid]
            if outcome == nil { state.sends.begin(uuid) }
            return outcome
        }
        switch outcome {
        case .sent(let id): return RESTResult(["id": JSON(id), "uuidMap": []])
        case .underWay: throw RESTError(400, "MESSAGE_DUPLICATED_BY_UUID", "Message with this UUID is being sent")
        case nil: return nil
        }
    }

    /// `{"result", "total", "next", "time"}`. Documentation: `limits.md`.
    private func envelope(_ result: RESTResult, from start: Timestamp, operating: RequestLimits.Use?) -> JSON {
        var answer: Members<JSON> = ["result": result.value]
        if let total = result.total { answer["total"] = JSON(total) }
        if let next = result.next { answer["next"] = JSON(next) }
        answer["time"] = time(from: start, operating: operating)
        return .object(answer)
    }

    func time(from start: Timestamp, operating: RequestLimits.Use?) -> JSON {
        let finish = WallClock.system.now
        var time = bitrixTime(from: start, to: finish)
        if let operating {
            let used = state.withLock { $0.limits.operating(operating, now: finish) }
            time["operating_reset_at"] = .integer(used.resetAt.rawValue / 1000)
            time["operating"] = .number(Double(used.milliseconds) / 1000)
        }
        return .object(time)
    }

    /// Writes a call down. Parameters that are secrets are left out.
    private func record(
        _ name: String, _ parameters: @autoclosure () -> JSON, _ caller: RESTCaller?, _ error: RESTError?,
        insideBatch: Bool = false, at time: Timestamp
    ) {
        state.withLock { state in
            guard state.calls.limit > 0 || !state.watchers.isEmpty else { return }
            var shown = parameters()
            for secret in ["botToken", "CLIENT_ID"] { shown[secret] = nil }
            let method = RESTMethod.all[name]?.name ?? name
            let call = state.calls.append { number in
                Call(
                    number: number, method: method, parameters: shown, isInsideBatch: insideBatch, time: time,
                    duration: WallClock.system.now - time, status: error?.status ?? 200, error: error?.code,
                    clientID: caller?.clientID)
            }
            if let call { state.tell(.called(call)) }
        }
    }
}

/// What a REST address names: `/rest/METHOD` or `/rest/USER/CODE/METHOD`, each with an optional `.json`.
struct RESTTarget: Sendable {
    /// In lower case.
    var method: String
    var webhook: (user: Int, code: String)?

    init?(path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard parts.popFirst() == "rest" else { return nil }
        if parts.last?.isEmpty == true { parts = parts.dropLast() }
        guard let last = parts.last else { return nil }
        switch parts.count {
        case 1: webhook = nil
        case 3:
            guard let first = parts.first, let user = Int(first) else { return nil }
            webhook = (user, String(parts[parts.startIndex + 1]))
        default: return nil
        }
        method = last.lowercased()
        if method.hasSuffix(".json") { method.removeLast(5) }
    }
}

extension RESTParameters {
    /// The parameters of a request: those of the query, and over them those of the body, which may be JSON, a form or
    /// multipart. Documentation: `settings/how-to-call-rest-api/data-encoding.md`.
    init(_ request: HTTPRequest) throws(RESTError) {
        members = [:]
        do {
            if !request.query.isEmpty {
                members = try Form.decode(Array(request.query.utf8), limits: .rest).object ?? [:]
            }
            guard !request.body.isEmpty else { return }
            let type = request.headers["Content-Type"] ?? ""
            let body: JSON
            if type.hasPrefix("application/json") {
                body = try JSON(parsing: request.body)
            } else if type.hasPrefix("multipart/form-data") {
                body = try Self.tree(of: Multipart.decode(request.body, contentType: type))
            } else {
                body = try Form.decode(request.body, limits: .rest)
            }
            members.merge(body.object ?? [:])
        } catch {
            throw RESTError(400, "INVALID_REQUEST", "The request cannot be read")
        }
    }

    /// A batch's parameters with the methods of its commands only; arguments may hold secrets.
    fileprivate var withoutArguments: RESTParameters {
        var shown = self
        let name = { (command: JSON) in JSON.string(String((command.string ?? "").prefix { $0 != "?" })) }
        switch members["cmd"] {
        case .array(let commands): shown.members["cmd"] = .array(commands.map(name))
        case .object(let commands): shown.members["cmd"] = .object(commands.mapValues(name))
        default: break
        }
        return shown
    }

    /// The tree that bracketed names of multipart fields stand for.
    private static func tree(of parts: [Multipart.Part]) throws -> JSON {
        let pairs = parts.map { part in
            let value = String(decoding: part.body, as: UTF8.self)
            return Form.percentEncode(part.name) + "=" + Form.percentEncode(value)
        }
        return try Form.decode(Array(pairs.joined(separator: "&").utf8), limits: .rest)
    }
}

extension Form.Limits {
    /// Fifty commands and large keyboards fit.
    fileprivate static let rest = {
        var limits = Form.Limits()
        limits.keys = 20_000
        return limits
    }()
}

extension HTTPRequest {
    /// The order of a batch's commands, as far as it can be seen.
    fileprivate var batchOrder: [String]? {
        if headers["Content-Type"]?.hasPrefix("application/json") == true { return BatchOrder.keys(inJSON: body) }
        let keys = BatchOrder.keys(inForm: query + "&" + String(decoding: body, as: UTF8.self))
        return keys.isEmpty ? nil : keys
    }
}

extension HTTPResponse {
    static func json(_ value: JSON, status: Int) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "application/json; charset=utf-8"], body: .bytes(value.bytes))
    }

    /// A connection that breaks instead of an answer.
    static var broken: HTTPResponse {
        HTTPResponse(status: 200, body: .stream { _ in throw BrokenConnection() })
    }

    private struct BrokenConnection: Error {}
}

func randomDuration(in range: ClosedRange<Duration>) -> Duration {
    .milliseconds(Int64.random(in: range.lowerBound.milliseconds...range.upperBound.milliseconds))
}
