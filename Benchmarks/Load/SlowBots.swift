import Base

/// Bots that take their time: what a waiting dialog costs, and whether a fast dialog notices.
struct SlowBots: Sendable {
    struct Row: Sendable {
        var pause: Duration
        var dialogs: Int
        var overTLS: Bool
        var fill: Fill
        /// Of a fast bot's dialogs: alone, and while the others wait.
        var alone: Latencies
        var beside: Latencies?
    }

    struct Fill: Sendable {
        var seconds = 0.0
        /// Questions that waited for their answer at once, and what BitBot's memory had grown by then.
        var mostInFlight = 0
        var grown = 0
        var bytesPerDialog: Double { Double(grown) / Double(mostInFlight) }
    }

    let program: String
    let parties: Parties

    /// Messages a second to the fast bot.
    private static let fastRate = 50.0
    private static let portals = 10

    /// - Parameters:
    ///   - beside: measures the fast bot once more when all have asked; the pause must be long enough.
    ///   - overTLS: the slow bots are asked by way of nginx, which speaks TLS.
    func measure(pause: Duration, dialogs: Int, beside: Bool = false, overTLS: Bool = false) async throws -> Row {
        let fast = try await SimulatedBot.dify(loops: parties.loops, log: parties.log)
        // A simulated server takes 10,000 connections.
        var slow = [
            try await SimulatedBot.dify(after: pause, loops: parties.loops, log: parties.log),
            try await SimulatedBot.dify(after: pause, loops: parties.loops, log: parties.log),
        ]
        let nginx = overTLS ? try await secure(&slow) : nil
        defer { nginx?.process.stop() }
        let each = dialogs / Self.portals / slow.count
        let stage = try await Stage.start(
            program, bots: [(fast, 20)] + slow.map { ($0, each) }, portals: Self.portals,
            certificates: nginx?.certificate, parties: parties)
        defer { stage.bitbot.stop() }
        let fastTraffic = Traffic(stage)
        _ = try await fastTraffic.flood(for: .seconds(20), messages: 2_000, inFlight: 100)
        let alone = try await fastTraffic.pace(Self.fastRate, for: .seconds(4))
        let fill = try await fill(stage, slow, dialogs: dialogs)
        let latencies = beside ? try await fastTraffic.pace(Self.fastRate, for: .seconds(4)) : nil
        await stage.stop()
        return Row(
            pause: pause, dialogs: dialogs, overTLS: overTLS, fill: fill, alone: alone, beside: latencies)
    }

    /// Puts nginx before the bots.
    private func secure(_ bots: inout [SimulatedBot]) async throws -> Nginx {
        // They are at `/v1` of their origins.
        let origins = bots.enumerated().map { ("bot\($0)", String($1.providerURL.dropLast("/v1".count))) }
        let nginx = try await Nginx.start(
            Dictionary(uniqueKeysWithValues: origins), loops: parties.loops, http: parties.http)
        for index in bots.indices { bots[index].providerURL = "\(nginx.secureOrigin)/bot\(index)/v1" }
        return nginx
    }

    /// Lets every dialog ask, as fast as BitBot passes the questions on.
    private func fill(_ stage: Stage, _ bots: [SimulatedBot], dialogs: Int) async throws -> Fill {
        let traffic = bots.indices.map { Traffic(stage, bot: $0 + 1) }
        let memory = stage.bitbot.memory
        let answeredBefore = stage.answered
        let started = ContinuousClock.now
        var fill = Fill()
        var written = 0
        var asked = 0
        while asked < dialogs {
            guard ContinuousClock.now - started < .seconds(120) else {
                throw LoadError(message: "\(dialogs - asked) of \(dialogs) slow questions were not asked")
            }
            while written < dialogs, written - asked < 200 {
                try traffic[written % traffic.count].write()
                written += 1
            }
            try await Task.sleep(for: .milliseconds(2))
            asked = bots.reduce(0) { $0 + $1.asked() }
            let inFlight = asked - (stage.answered - answeredBefore)
            if inFlight > fill.mostInFlight {
                fill.mostInFlight = inFlight
                fill.grown = stage.bitbot.memory - memory
            }
        }
        fill.seconds = (ContinuousClock.now - started) / .seconds(1)
        return fill
    }
}
