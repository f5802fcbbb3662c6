/// What was typed.
enum Command: Equatable {
    case serve(sandbox: Bool)
    case doctor
    case adminReset
    /// To standard output.
    case export(secrets: Bool)
    /// From a file; `-`: standard input.
    case `import`(path: String)
    case help
    case version

    /// - Parameter environment: where what is no flag may be switched on.
    /// - Returns: the command and the settings given as flags, under their variables' names.
    /// - Throws: ``ConfigurationError`` that names the word that is not understood.
    static func parse(
        _ arguments: [String], _ environment: [String: String]
    ) throws -> (Command, settings: [String: String]) {
        var words: [String] = []
        var settings: [String: String] = [:]
        var (sandbox, secrets) = (false, false)
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": return (.help, [:])
            case "--version": return (.version, [:])
            case "--sandbox": sandbox = true
            case "--secrets": secrets = true
            default:
                guard argument.hasPrefix("--") else {
                    words.append(argument)
                    continue
                }
                let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
                guard
                    let setting = Configuration.settings.first(where: {
                        Configuration.flag(for: $0.variable) == parts[0]
                    })
                else { throw ConfigurationError("\(parts[0]) is not a flag of bitbot; see bitbot --help") }
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw ConfigurationError("\(parts[0]) needs a value")
                }
                settings[setting.variable] = value
            }
        }
        switch try command(words, sandbox: sandbox, secrets: secrets) {
        case .serve(sandbox: false): return (.serve(sandbox: try isOn("BITBOT_SANDBOX", environment)), settings)
        case .export(secrets: false): return (.export(secrets: try isOn("BITBOT_SECRETS", environment)), settings)
        case let command: return (command, settings)
        }
    }

    private static func isOn(_ name: String, _ environment: [String: String]) throws -> Bool {
        switch environment[name] ?? "" {
        case "1": true
        case "0", "": false
        case let value: throw ConfigurationError("\(name) must be 1 or 0, not \"\(value)\"")
        }
    }

    private static func command(_ words: [String], sandbox: Bool, secrets: Bool) throws -> Command {
        if words.first == "import", words.count == 2, !sandbox, !secrets { return .import(path: words[1]) }
        switch words {
        case ["export"] where !sandbox: return .export(secrets: secrets)
        case ["import"] where !sandbox && !secrets: return .import(path: "-")
        case ["serve"] where !secrets: return .serve(sandbox: sandbox)
        case ["doctor"] where !sandbox && !secrets: return .doctor
        case ["admin", "reset"] where !sandbox && !secrets: return .adminReset
        case []: return .help
        default: throw ConfigurationError("bitbot does not know \"\(words.joined(separator: " "))\"; see bitbot --help")
        }
    }

    static var helpText: String {
        let settings = Configuration.settings.map { setting in
            "  \(Configuration.flag(for: setting.variable).padding(to: 22)) \(setting.about)"
        }
        return """
            BitBot connects Bitrix24's Open Channels with bots built in Dify and the like.

            usage: bitbot COMMAND [FLAGS]

              serve            the server; --sandbox (BITBOT_SANDBOX=1) adds a simulated portal and bot to try things out
              doctor           checks the running server, one line each; exit 1 if anything fails
              admin reset      prints a new one-time sign-in link
              export           prints the configuration as JSON; --secrets (BITBOT_SECRETS=1) adds keys and tokens
              import FILE      takes such a document; without FILE from standard input
              --help, --version

            flags, each also an environment variable (--data-dir is BITBOT_DATA_DIR):

            \(settings.joined(separator: "\n"))
            """
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
