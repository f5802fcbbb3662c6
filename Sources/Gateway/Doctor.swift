import Base
import Bitrix24
import Storage

/// Looks whether a portal works with us as it should, and says how to mend what does not.
public struct Doctor: Sendable {
    private static let acceptedSkew = Duration.seconds(60)

    private let store: Store
    private let portals: Portals
    private let addresses: Addresses
    private let testEvents: TestEvents
    /// Longer than that a test event does not take.
    private let patience: Duration
    private let clock: WallClock

    public init(
        store: Store, portals: Portals, addresses: Addresses, testEvents: TestEvents,
        patience: Duration = .seconds(15), clock: WallClock = .system
    ) {
        self.store = store
        self.portals = portals
        self.addresses = addresses
        self.testEvents = testEvents
        self.patience = patience
        self.clock = clock
    }

    /// - Throws: `StoreError`.
    public func examine(_ record: PortalRecord) async throws -> [Finding] {
        var findings: [Finding] = []
        for installation in try await store.installations(of: record.id) where installation.status != .uninstalled {
            findings += try await examine(installation, on: record)
        }
        if findings.isEmpty {
            findings.append(
                Finding(
                    "Installation", trouble: "there is none on \(record.domain)", remedy: InstallationRecord.missing))
        }
        return findings + [limit(of: record)]
    }

    /// Whose tokens and bots an installation's calls are made with.
    private struct Patient: Sendable {
        var installation: InstallationRecord
        var app: AppRecord?
        var bots: [BotRecord]
        var portal: Portal
        var account: Account
    }

    private func examine(_ installation: InstallationRecord, on record: PortalRecord) async throws -> [Finding] {
        let remedy = installation.remedy
        guard [.active, .denied].contains(installation.status) else {
            return [Finding("Installation", trouble: installation.notice ?? "is not active", remedy: remedy)]
        }
        guard let account = try await portals.account(installation) else {
            return [Finding("Installation", trouble: "its application has no keys", remedy: AppRecord.remedy)]
        }
        var app: AppRecord?
        if let id = installation.appID { app = try await store.app(id) }
        let patient = Patient(
            installation: installation, app: app, bots: try await store.bots(of: installation.id),
            portal: portals.portal(record), account: account)
        // Looks for itself, whatever was found before.
        account.reload()
        let token = await finding("Token", remedy: remedy) {
            _ = try await patient.portal.call(PortalCall("profile"), as: account)
            return nil
        }
        let bots = patient.bots.filter { $0.status != .deleted }
        // Nothing else can be asked without it.
        guard token.trouble == nil else { return [token] + bots.compactMap(Finding.init(troubleWith:)) }
        async let scope = scopes(patient)
        async let time = time(patient)
        async let events = events(patient)
        var findings = [token] + (await scope) + [await time] + (await events)
        for bot in bots { findings.append(try await examine(bot, patient)) }
        return findings
    }

    // MARK: The installation

    private func scopes(_ patient: Patient) async -> [Finding] {
        var needed = ["imbot": "bots"]
        if patient.bots.contains(where: { $0.type == "openline" }) {
            needed["imopenlines"] = "handing a customer over to an operator"
        }
        do {
            let given = try await patient.portal.scopes(as: patient.account)
            return needed.sorted { $0.key < $1.key }.map { name, purpose in
                if given.contains(name) { return Finding("Scope \(name)") }
                return Finding(
                    "Scope \(name)", trouble: "is missing: it is needed for \(purpose)",
                    remedy: "Add it to the rights of the application or webhook in Bitrix24, and install it again")
            }
        } catch {
            return [Finding("Scopes", trouble: "cannot be read: \(error)")]
        }
    }

    private func time(_ patient: Patient) async -> Finding {
        await finding("Clock", remedy: "Let this server's clock be set by NTP") {
            guard let time = try await patient.portal.time(as: patient.account) else { return nil }
            let skew = abs((time - clock.now).milliseconds)
            return skew <= Self.acceptedSkew.milliseconds
                ? nil : "this server and the portal are \(skew / 1000) seconds apart"
        }
    }

    /// A webhook has no events of its own; its bots' are fetched.
    private func events(_ patient: Patient) async -> [Finding] {
        guard let app = patient.app else { return [] }
        let url = addresses.events(app)
        let remedy =
            "Bitrix24 must reach \(url) from the internet: see BITBOT_PUBLIC_URL, the firewall and the certificate"
        let finding = await finding("Events", remedy: remedy) {
            let arrived = try await testEvents.arrives(within: patience) { mark in
                try await patient.portal.sendTestEvent(mark, to: url, as: patient.account)
            }
            return arrived ? nil : "a test event did not arrive within \(patience.components.seconds) seconds"
        }
        return [finding]
    }

    // MARK: Bots

    private func examine(_ bot: BotRecord, _ patient: Patient) async throws -> Finding {
        if let trouble = Finding(troubleWith: bot) { return trouble }
        let generation = BotGeneration(rawValue: bot.api) ?? .second
        let commands = try await store.commands(of: bot.id)
        let remedy = "Repair the portal: what is missing is registered again"
        return await finding("Bot \(bot.name)", remedy: remedy) {
            guard let botID = bot.botID,
                let known = try await patient.portal.knownBot(botID, generation: generation, as: patient.account)
            else { return "is not there in Bitrix24 any more" }
            if let delivery = known.delivery, delivery != bot.delivery {
                return "gets its events by \(delivery) instead of \(bot.delivery)"
            }
            guard generation == .second, !commands.isEmpty else { return bot.statusReason }
            let there = try await patient.portal.commands(of: botID, as: patient.account)
            let missing = commands.filter { there[$0.command] == nil }.map { "/\($0.command)" }
            return missing.isEmpty
                ? bot.statusReason : "lacks commands in Bitrix24: \(missing.joined(separator: ", "))"
        }
    }

    // MARK: The portal's limit

    private func limit(of record: PortalRecord) -> Finding { Finding(limitOf: portals.portal(record)) }

    /// - Parameter look: what is wrong, or `nil`.
    private func finding(_ name: String, remedy: String, _ look: () async throws -> String?) async -> Finding {
        do {
            guard let trouble = try await look() else { return Finding(name) }
            return Finding(name, trouble: trouble, remedy: remedy)
        } catch let error as PortalError where error.isOnTheWay {
            return Finding(
                name, trouble: "Bitrix24 cannot be reached: \(error)",
                remedy: "See that the portal opens in a browser, and that this server gets there: firewall, proxy")
        } catch {
            return Finding(name, trouble: "Bitrix24 says: \(error)", remedy: remedy)
        }
    }
}

extension PortalError {
    /// Bitrix24 itself has said nothing.
    fileprivate var isOnTheWay: Bool {
        switch kind {
        case .unreachable, .notBitrix24: true
        case .refused, .noCredential: false
        }
    }
}
