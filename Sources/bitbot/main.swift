import Foundation

// Whoever reads what is printed may stop doing so.
signal(SIGPIPE, SIG_IGN)
do {
    let environment = ProcessInfo.processInfo.environment
    let (command, flags) = try Command.parse(Array(CommandLine.arguments.dropFirst()), environment)
    let values = environment.merging(flags) { $1 }
    switch command {
    case .help: say(Command.helpText)
    case .version: say("bitbot \(version)")
    case .serve(let sandbox): try await serve(try Configuration(values, sandbox: sandbox))
    case .doctor: exit(await ControlSocket.doctor(try Configuration(values, sandbox: false)))
    case .export(let secrets):
        exit(await ControlSocket.export(try Configuration(values, sandbox: false), secrets: secrets))
    case .import(let path):
        exit(await ControlSocket.import(try Configuration(values, sandbox: false), from: path))
    case .adminReset: exit(await ControlSocket.adminReset(try Configuration(values, sandbox: false)))
    }
} catch {
    complain("\(error)")
    exit(1)
}
