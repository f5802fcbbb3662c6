import Foundation

// Measures BitBot: the simulated parties run in this process, BitBot and nginx in their own.
//
//   load BITBOT [--results FILE] [--only WORDS] [--messages NUMBER] [--in-flight NUMBER]
//
// `--only` takes the scenario of this name; `slow` is the slow bots.

let started = ContinuousClock.now
var arguments = Array(CommandLine.arguments.dropFirst())
guard !arguments.isEmpty, arguments.count % 2 == 1 else {
    print("usage: load BITBOT [--results FILE] [--only WORDS] [--messages NUMBER] [--in-flight NUMBER]")
    exit(2)
}
let program = arguments.removeFirst()
let options = Dictionary(
    uniqueKeysWithValues: stride(from: 0, to: arguments.count, by: 2).map { (arguments[$0], arguments[$0 + 1]) })
let only = options["--only"]
let inFlight = options["--in-flight"].flatMap { Int($0) } ?? 200
let memoryAfter = options["--messages"].flatMap { Int($0) } ?? 200_000

let parties = try await Parties()
let bench = MessageBench(
    program: program, parties: parties, inFlight: inFlight, floodTime: .seconds(6), paceTime: .seconds(3))
var report = Report(settings: "\(inFlight) messages in flight at the maximum.")
var hasFailed = false

/// One line of a table; without it the others still tell something.
@MainActor
func attempt(_ name: String, _ measure: @MainActor () async throws -> Void) async {
    FileHandle.standardError.write(Data("\(name) …\n".utf8))
    do {
        try await measure()
    } catch {
        hasFailed = true
        FileHandle.standardError.write(Data("\(name) could not be measured: \(error)\n".utf8))
    }
}

for (index, scenario) in Scenario.all.enumerated() where only.map({ $0 == scenario.name }) ?? true {
    await attempt(scenario.name) {
        report.messages.append(try await bench.measure(scenario, memoryAfter: index == 0 ? memoryAfter : 0))
    }
}
if only == nil || only == "slow" {
    let slowBots = SlowBots(program: program, parties: parties)
    await attempt("bots that answer after 2 s") {
        report.slow.append(try await slowBots.measure(pause: .seconds(2), dialogs: 1_000))
    }
    await attempt("bots that answer after 10 s") {
        report.slow.append(try await slowBots.measure(pause: .seconds(10), dialogs: 5_000))
    }
    await attempt("bots that answer after 10 s over TLS") {
        report.slow.append(try await slowBots.measure(pause: .seconds(10), dialogs: 2_000, overTLS: true))
    }
    await attempt("bots that answer after 30 s") {
        report.slow.append(try await slowBots.measure(pause: .seconds(30), dialogs: 10_000, beside: true))
    }
}
print(report.text)
FileHandle.standardError.write(Data("\((ContinuousClock.now - started) / .seconds(60)) minutes\n".utf8))
if let file = options["--results"] { try report.text.write(toFile: file, atomically: true, encoding: .utf8) }
exit(hasFailed ? 1 : 0)
