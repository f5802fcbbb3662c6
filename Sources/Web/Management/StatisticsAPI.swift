import Base
import Gateway

/// `/api/v1/statistics`: how many messages there were, and how long they took.
struct StatisticsAPI: Sendable {
    let statistics: Statistics

    var operations: [Operation] {
        let periods = Statistics.Period.allCases.map(\.rawValue)
        return [
            Operation(
                id: "read_statistics", method: .get, path: "/api/v1/statistics",
                summary: "Shows messages, failures and times of the last hour, day or week", status: 200,
                gives: .one("statistics", fields),
                filters: [("period", "\(periods.joined(separator: ", ")); hour if left out.")],
                handler: { request in
                    let word = try Query(request).text("period") ?? Statistics.Period.hour.rawValue
                    guard let period = Statistics.Period(rawValue: word) else {
                        throw APIError.invalid(["period": "must be one of: \(periods.joined(separator: ", "))"])
                    }
                    return .json([
                        "step_seconds": .integer(period.step * 60),
                        "points": .array(try await statistics.points(period).map(json)),
                    ])
                })
        ]
    }

    private var fields: [Field] {
        let point: [Field] = [
            .required("at", .time, "When the step began."),
            .required("messages", .integer, "What bots answered."),
            .required("failures", .integer, "What no bot could answer."),
            .optional("p50", .number, "Seconds from arrival to stored reply: half took no longer."),
            .optional("p95", .number, "Of 100 answers 95 took no longer."),
        ]
        return [
            .shown("step_seconds", .integer, "The length of a step."),
            .shown("points", .list(of: point), "The steps, oldest first, without gaps; the last one is not over yet."),
        ]
    }

    private func json(_ point: Statistics.Point) -> JSON {
        [
            "at": JSON(point.at), "messages": .integer(Int64(point.answers)),
            "failures": .integer(Int64(point.failures)), "p50": point.median.map(JSON.number) ?? .null,
            "p95": point.slow.map(JSON.number) ?? .null,
        ]
    }
}
