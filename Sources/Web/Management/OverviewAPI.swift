import Base
import Gateway
import Storage

/// `/api/v1/overview`: how everything is at a glance.
struct OverviewAPI: Sendable {
    let store: Store
    let sessions: any SessionStore
    let gateway: Gateway

    var operations: [Operation] {
        [
            Operation(
                id: "read_overview", method: .get, path: "/api/v1/overview",
                summary: "Shows what works, what waits and how much there is; asks nobody outside", status: 200,
                gives: .one("overview", fields),
                handler: { _ in
                    .json(
                        json(
                            try await Overview(
                                store: store, sessions: sessions, portals: gateway.portals,
                                platforms: gateway.platforms)))
                })
        ]
    }

    private var fields: [Field] {
        let light: [Field] = [
            .required("kind", .oneOf(Overview.Light.Kind.allCases.map(\.rawValue)), "What it is about."),
            .optional("id", .id, "Its id; `null` for what there is one of."),
            .required("name", .text, "What people call it."),
            .required("state", .oneOf(Overview.Light.State.allCases.map(\.rawValue)), "How it is."),
            .optional("reason", .text, "What is wrong."), .optional("remedy", .text, "How to mend it."),
        ]
        let queue: [Field] = [
            .required("events_waiting", .integer, "Events to answer."),
            .required("sends_waiting", .integer, "Messages to deliver."),
            .required("failed", .integer, "What failed and waits for you."),
            .optional("oldest_waiting_at", .time, "When the oldest of what waits came."),
        ]
        let counts = ["portals", "bots", "connectors", "dialogs"].map {
            Field.required($0, .integer, "How many there are.")
        }
        return [
            .shown("lights", .list(of: light), "Each thing that can be well or not."),
            .shown("queue", .structure(queue), "What waits."),
            .shown("counts", .structure(counts), "How much there is."),
        ]
    }

    private func json(_ overview: Overview) -> JSON {
        let census = overview.census
        return [
            "lights": .array(
                overview.lights.map { light in
                    [
                        "kind": .string(light.kind.rawValue), "id": JSON(light.id), "name": .string(light.name),
                        "state": .string(light.state.rawValue), "reason": JSON(light.reason),
                        "remedy": JSON(light.remedy),
                    ]
                }),
            "queue": [
                "events_waiting": .integer(Int64(census.eventsWaiting)),
                "sends_waiting": .integer(Int64(census.sendsWaiting)), "failed": .integer(Int64(census.failed)),
                "oldest_waiting_at": JSON(census.oldestWaitingAt),
            ],
            "counts": [
                "portals": .integer(Int64(census.portals)), "bots": .integer(Int64(census.bots)),
                "connectors": .integer(Int64(census.connectors)), "dialogs": .integer(Int64(census.dialogs)),
            ],
        ]
    }
}
