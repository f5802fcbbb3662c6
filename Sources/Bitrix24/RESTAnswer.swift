import Base

/// What `time` says about a call.
///
/// Documentation: `limits.md`.
struct CallTime: Sendable {
    /// Seconds.
    var duration: Double?
    /// Running time that the method has used for this application within ten minutes, in seconds.
    var operating: Double?
    /// When the oldest minute of it drops out.
    var operatingResetAt: Timestamp?

    init(_ time: JSON?) {
        duration = time?["duration"]?.looseNumber
        operating = time?["operating"]?.looseNumber
        operatingResetAt = time?["operating_reset_at"]?.looseNumber.flatMap {
            Int64(exactly: ($0 * 1000).rounded()).map(Timestamp.init(rawValue:))
        }
    }
}

/// The answer to one REST call, whether it went alone or in a batch.
struct RESTAnswer: Sendable {
    var result: Result<JSON, PortalError>
    var time: CallTime

    /// Reads the answer to a call that went alone.
    init(_ answer: HTTPClient.Answer) {
        guard let tree = try? JSON(parsing: answer.body), case .object = tree else {
            self.init(.failure(.notBitrix24(status: answer.status, retryAfter: answer.retryAfter)))
            return
        }
        let time = CallTime(tree["time"])
        if let code = tree["error"]?.looseText {
            let description = tree["error_description"]?.looseText
            let error = PortalError.refused(
                code, status: answer.status, description: description, retryAfter: answer.retryAfter)
            self.init(.failure(error), time: time)
        } else if let value = tree["result"], answer.status < 300 {
            self.init(.success(value), time: time)
        } else {
            self.init(.failure(.notBitrix24(status: answer.status, retryAfter: answer.retryAfter)), time: time)
        }
    }

    init(_ error: PortalError) { self.init(.failure(error)) }

    private init(_ result: Result<JSON, PortalError>, time: CallTime = CallTime(nil)) {
        self.result = result
        self.time = time
    }

    /// Reads the answer of one command out of a batch's result.
    init(command key: String, in batch: JSON) {
        let time = CallTime(batch["result_time"]?[key])
        if let refusal = batch["result_error"]?[key] {
            let code = refusal["error"]?.looseText ?? refusal.looseText ?? "UNKNOWN_ERROR"
            // A command has no status of its own. Nothing was cut off on its way, so a code that is not known is final.
            self.init(
                .failure(.refused(code, status: 400, description: refusal["error_description"]?.looseText)), time: time)
        } else if let value = batch["result"]?[key] {
            self.init(.success(value), time: time)
        } else if batch["result_time"]?[key] != nil {
            self.init(.success(.null), time: time)
        } else {
            var error = PortalError.notBitrix24(status: 200)
            error.message = "the batch's answer says nothing about this call"
            error.isPassing = true
            self.init(.failure(error), time: time)
        }
    }
}

extension HTTPClient.Answer {
    /// Only seconds; Bitrix24 sends no dates there.
    var retryAfter: Duration? {
        headers["Retry-After"].flatMap { Int($0) }.flatMap { $0 >= 0 ? .seconds(min($0, 86_400)) : nil }
    }
}
