import Base

/// The log of a workflow's runs.
extension DifyCall {
    /// Newest first; a run is listed from its beginning. Documentation: the contract's `/workflows/logs`.
    func workflowLogs() throws -> HTTPResponse {
        guard app.mode == .workflow else { throw DifyError.notWorkflowApp }
        let query = try query()
        let limit = query["limit"].flatMap { Int($0) } ?? 20
        guard (1...100).contains(limit) else { throw DifyError.invalid("limit must be between 1 and 100") }
        let runs = dify.records.withLock { $0.runs(of: app, user: query["created_by_end_user_session_id"]) }
        return .dify { out in
            out.member("page", 1)
            out.member("limit", limit)
            out.member("total", runs.count)
            out.member("has_more", runs.count > limit)
            out.member("data", array: Array(runs.prefix(limit))) { out, run in
                out.object { run.writeLog(to: &$0) }
            }
        }
    }
}

extension DifyRun {
    fileprivate func writeLog(to out: inout JSONText) {
        let (status, error, finishedAt) = read { ($0.status, $0.error, $0.finishedAt) }
        out.member("id", SimulatedDify.derivedUUID(id, "log"))
        out.member("workflow_run") { out in
            out.member("id", id)
            out.member("version", "2026-11-20 00:00:00")
            out.member("status", status.rawValue)
            out.member("error", error)
            out.member("elapsed_time", finishedAt.map { Double($0 - createdAt) / 1000 } ?? 0)
            out.member("total_tokens", 0)
            out.member("total_steps", finishedAt == nil ? 1 : 3)
            out.member("created_at", createdSeconds)
            out.member("finished_at", finishedAt.map { Int($0 / 1000) })
            out.member("exceptions_count", 0)
            out.member("triggered_from", "app-run")
        }
        out.member("created_from", "service-api")
        out.member("created_by_role", "end_user")
        out.member("created_by_account", nil as String?)
        out.member("created_by_end_user") { out in
            out.member("id", endUserID)
            out.member("type", "service_api")
            out.member("is_anonymous", false)
            out.member("session_id", user)
        }
        out.member("created_at", createdSeconds)
        out.member("details", nil as String?)
    }
}
