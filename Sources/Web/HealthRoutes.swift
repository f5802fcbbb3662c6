import Base
import Storage

/// `/healthz`, `/readyz` and `/metrics`.
struct HealthRoutes: Sendable {
    let store: Store
    let sessions: any SessionStore
    let metrics: Metrics

    func add(to router: inout Router) {
        router.on(.get, "/healthz") { _ in .json(["status": "ok"]) }
        router.on(.get, "/readyz") { _ in await ready() }
        router.on(.get, "/metrics") { _ in .text(metrics.render(), type: "text/plain; version=0.0.4") }
    }

    /// Ready when the store answers. A second home of the sessions that is away does not stop anything, but is said.
    private func ready() async -> HTTPResponse {
        let answers = await store.answers
        return .json(
            ["store": answers ? "ok" : "cannot be reached", "sessions": .string(sessions.trouble ?? "ok")],
            status: answers ? 200 : 503)
    }
}
