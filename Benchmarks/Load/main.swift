import Base
import Foundation
import Sandbox

// Measures BitBot from event to delivered reply: the simulated portal and Dify run in this process, BitBot in its own.
//
//   load BITBOT [messages] [dialogs] [in flight]

let arguments = Array(CommandLine.arguments.dropFirst())
guard let binary = arguments.first else {
    print("usage: load PATH-OF-BITBOT [messages=20000] [dialogs=200] [in-flight=200]")
    exit(2)
}
let plan = LoadPlan(
    messages: arguments.count > 1 ? Int(arguments[1]) ?? 20_000 : 20_000,
    dialogs: arguments.count > 2 ? Int(arguments[2]) ?? 200 : 200,
    inFlight: arguments.count > 3 ? Int(arguments[3]) ?? 200 : 200)
let run = try await LoadRun.start(bitbot: binary)
await run.measure(LoadPlan(messages: 2_000, dialogs: plan.dialogs, inFlight: plan.inFlight), title: "warming up")
await run.measure(plan, title: "as fast as it goes")
await run.measure(
    LoadPlan(messages: plan.messages / 2, dialogs: plan.dialogs, inFlight: plan.inFlight, rate: 2_000),
    title: "2,000 a second")
await run.measureLatency(messages: 200)
run.stop()
