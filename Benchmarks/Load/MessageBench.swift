import Base

/// Measures one line of the table.
struct MessageBench: Sendable {
    struct Row: Sendable {
        var scenario: Scenario
        var idleMemory: Int
        var flood: Traffic.Flood
        var floor: Floor.Measured
        var slow: Latencies
        var half: Latencies
        /// After so many messages in all.
        var memory: (messages: Int, bytes: Int)
        var ratio: Double { flood.microsecondsPerMessage / floor.microsecondsPerMessage }
    }

    let program: String
    let parties: Parties
    let inFlight: Int
    let floodTime: Duration
    let paceTime: Duration

    static let slowRate = 100.0

    /// - Parameter memoryAfter: goes on until so many messages were answered, or for two and a half minutes.
    func measure(_ scenario: Scenario, memoryAfter: Int = 0) async throws -> Row {
        let seen = parties.seen
        let bot = try await SimulatedBot.start(
            scenario.bot, loops: parties.loops, log: parties.log, observe: { seen.note($0) })
        let stage = try await Stage.start(
            program, bots: [(bot, scenario.dialogs)], portals: scenario.portals, usesRedis: scenario.usesRedis,
            parties: parties)
        defer { stage.bitbot.stop() }
        let idle = stage.bitbot.memory
        let traffic = Traffic(stage)
        // Every dialog's second message continues a conversation, as most do.
        var messages = try await traffic.flood(
            for: .seconds(60), messages: 2 * stage.chats[0].count, inFlight: inFlight
        ).messages
        seen.look(at: stage.portals[0])
        messages += try await traffic.flood(
            for: .seconds(60), messages: stage.portals.count + 20, inFlight: inFlight
        ).messages
        seen.look(at: nil)
        let floor = try await Floor.start(seen.way, bot: bot, portal: stage.portals[0], parties: parties)
        let first = try await floor.measure(
            messages: 4_000, inFlight: inFlight, rate: Self.slowRate, for: paceTime)
        let flood = try await traffic.flood(for: floodTime, inFlight: inFlight)
        messages += flood.messages
        await floor.stop()
        let slow = try await traffic.pace(Self.slowRate, for: paceTime)
        let half = try await traffic.pace(flood.perSecond / 2, for: paceTime)
        if memoryAfter > messages {
            messages += try await traffic.flood(
                for: .seconds(150), messages: memoryAfter - messages, inFlight: inFlight
            ).messages
        }
        let memory = stage.bitbot.memory
        await stage.stop()
        return Row(
            scenario: scenario, idleMemory: idle, flood: flood, floor: first, slow: slow, half: half,
            memory: (messages, memory))
    }
}
