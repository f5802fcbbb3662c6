import Base
import Sandbox

/// What passing a message on costs at the least: nginx passes the same three requests to the same parties, the event,
/// the question and the reply.
struct Floor: Sendable {
    struct Measured: Sendable {
        var microsecondsPerMessage: Double
        var latencies: Latencies
    }

    private let nginx: Nginx
    private let sink: HTTPServer
    private let http: HTTPClient
    private let requests: [HTTPClient.Request]

    /// - Parameters:
    ///   - way: a message's requests, as BitBot got and sent them.
    ///   - portal: takes the reply.
    static func start(
        _ way: SeenRequests.Way, bot: SimulatedBot, portal: SimulatedPortal, parties: Parties
    ) async throws -> Floor {
        guard let event = way.event, let question = way.question, let reply = way.reply else {
            throw LoadError(message: "the requests of a message were not seen")
        }
        let sink = try await HTTPServer.start(
            on: .tcp(host: "127.0.0.1", port: 0), loops: parties.loops, log: parties.log, handler: { _ in .text("") })
        let platform = bot.providerURL.hasSuffix("/v1") ? String(bot.providerURL.dropLast(3)) : bot.providerURL
        let nginx = try await Nginx.start(
            ["event": "http://127.0.0.1:\(sink.port)", "platform": platform, "portal": portal.origin],
            loops: parties.loops, http: parties.http)
        func request(_ place: String, _ path: String, _ type: String, _ body: [UInt8]) -> HTTPClient.Request {
            HTTPClient.Request(
                .post, "\(nginx.origin)/\(place)\(path)", headers: ["Content-Type": type], body: body,
                trust: .privateAllowed)
        }
        var ask = request("platform", question.target, "application/json", question.parameters.bytes)
        if let key = bot.key { ask.headers["Authorization"] = "Bearer \(key.reveal())" }
        return Floor(
            nginx: nginx, sink: sink, http: parties.http,
            requests: [
                request("event", "/", event.contentType, event.body), ask,
                request("portal", reply.target, reply.contentType, reply.body),
            ])
    }

    /// - Parameters:
    ///   - inFlight: messages under way at once while the processor's time is measured.
    ///   - rate: messages a second while latencies are measured.
    func measure(messages: Int, inFlight: Int, rate: Double, for duration: Duration) async throws -> Measured {
        try await pass(200, inFlight: inFlight)
        let before = nginx.process.cpu
        try await pass(messages, inFlight: inFlight)
        let cpu = nginx.process.cpu - before
        return Measured(
            microsecondsPerMessage: cpu / Double(messages) * 1_000_000,
            latencies: try await pace(rate, for: duration))
    }

    func stop() async {
        nginx.process.stop()
        await sink.shutdown(grace: .zero)
    }

    private func pass(_ messages: Int, inFlight: Int) async throws {
        try await withThrowingTaskGroup { group in
            for _ in 0..<inFlight {
                group.addTask { for _ in 0..<messages / inFlight { try await passOne() } }
            }
            try await group.waitForAll()
        }
    }

    private func pace(_ rate: Double, for duration: Duration) async throws -> Latencies {
        let times = try await withThrowingTaskGroup(of: Double.self) { group in
            let started = ContinuousClock.now
            var count = 0
            while ContinuousClock.now - started < duration {
                let due = Int(rate * ((ContinuousClock.now - started) / .seconds(1)))
                while count < due {
                    count += 1
                    group.addTask {
                        let start = ContinuousClock.now
                        try await passOne()
                        return (ContinuousClock.now - start) / .milliseconds(1)
                    }
                }
                try await Task.sleep(for: .milliseconds(1))
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return Latencies(times)
    }

    private func passOne() async throws {
        for request in requests {
            let answer = try await http.send(request)
            guard answer.status == 200 else {
                throw LoadError(
                    message: "\(request.url): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
            }
        }
    }
}
