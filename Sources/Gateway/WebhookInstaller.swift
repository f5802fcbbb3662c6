import Base
import Bitrix24
import Storage

/// Takes inbound webhooks: an administrator pastes the address that Bitrix24 shows, and it is tried before it is stored.
///
/// Documentation: `settings/how-to-call-rest-api/authorization.md`, `api-reference/common/system/scope.md`,
/// `api-reference/common/users/profile.md`.
public struct WebhookInstaller: Sendable {
    public enum Refusal: Error, Sendable, Equatable {
        /// What is wrong with the address.
        case invalid(String)
        /// Bitrix24 does not take it, or cannot be asked for good.
        case refused(String)
        /// Bitrix24 could not be asked now.
        case unreachable(String)
    }

    /// What a bot can do with a permission, beside `imbot` that it cannot do without.
    private static let useful = [
        ("im", "looking whether a message has arrived before it is sent again"),
        ("imopenlines", "handing over to operators"), ("disk", "files that people send"),
    ]

    private let store: Store
    private let portals: Portals
    private let registrar: Registrar
    /// Origins of the built-in sandbox's portals.
    private let sandboxOrigins: Set<String>
    private let clock: WallClock
    private let log: Log

    public init(
        store: Store, portals: Portals, registrar: Registrar, sandboxOrigins: Set<String> = [],
        clock: WallClock = .system, log: Log
    ) {
        self.store = store
        self.portals = portals
        self.registrar = registrar
        self.sandboxOrigins = sandboxOrigins
        self.clock = clock
        self.log = log
    }

    /// Tries an address and stores it. The portal's former webhook, if there is one, is replaced; its bots stay.
    /// - Throws: ``Refusal``, or `StoreError`.
    public func install(_ address: Secret) async throws -> InstallationRecord {
        let webhook = try WebhookAddress(address)
        let record = try await store.portal(domain: webhook.address.domain)
        let isSandbox = sandboxOrigins.contains(webhook.address.origin)
        guard webhook.address.scheme == "https" || isSandbox || record?.allowPrivate == true else {
            throw Refusal.invalid(
                "must begin with https://, unless the portal was added with `allow_private` before")
        }
        let (scope, user, root) = try await tryOut(webhook, at: record)
        guard scope.contains("imbot") else {
            throw Refusal.invalid(
                "has no permission for chat-bots: add the permission imbot to the webhook in Bitrix24")
        }
        let installation = try await store.saveWebhook(
            CheckedWebhook(
                domain: (try? HTTPAddress(root))?.domain ?? webhook.address.domain, sandbox: isSandbox,
                scope: scope.sorted().joined(separator: ","), clientEndpoint: root, path: webhook.path, userID: user.id,
                admin: user.isAdmin,
                notice: Self.notice(of: scope)), now: clock.now)
        try await portals.account(installation)?.reload()
        log.info(
            "a webhook was installed", ["portal": .text(webhook.address.domain), "user": .text(user.id)])
        return installation
    }

    /// What the webhook may do, whose it is, and where its portal is now.
    private func tryOut(
        _ webhook: WebhookAddress, at record: PortalRecord?
    ) async throws -> (scope: Set<String>, user: (id: String, isAdmin: Bool), root: String) {
        let portal = record.map { portals.portal($0) } ?? portals.stranger(trust: .publicOnly)
        let account = Account(webhookAt: webhook.root, keeper: UntriedWebhook(path: webhook.path), clock: clock)
        do {
            let scope = try await portal.scopes(as: account)
            let user = try await portal.profile(as: account)
            return (scope, (user.id ?? webhook.user, user.isAdministrator), account.endpoint)
        } catch let error as PortalError {
            throw error.isPassing ? Refusal.unreachable(error.message) : Refusal.refused(error.message)
        }
    }

    private static func notice(of scope: Set<String>) -> String? {
        let missing = useful.filter { !scope.contains($0.0) }.map { "\($0.0) (\($0.1))" }
        if missing.isEmpty { return nil }
        return "The webhook has no permission for \(missing.joined(separator: ", ")). "
            + "If the bots need that, add it to the webhook in Bitrix24 and paste the address again"
    }

    /// Takes the bots of an installation out of Bitrix24, as far as that answers in time; it is forgotten here all the same.
    public func unregisterBots(of installation: InstallationRecord) async throws {
        let bots = try await store.bots(of: installation.id)
        await withTaskGroup { group in
            group.addTask {
                for bot in bots {
                    do {
                        try await registrar.unregister(bot)
                    } catch {
                        log.warning(
                            "a bot of a deleted installation may still be in Bitrix24",
                            ["bot": .text(bot.name), "error": "\(error)"])
                    }
                }
            }
            group.addTask { try? await Task.sleep(for: .seconds(15)) }
            await group.next()
            group.cancelAll()
        }
    }
}

/// The address of an inbound webhook: `https://portal/rest/1/code/`, perhaps with a method at its end as Bitrix24 shows it.
struct WebhookAddress: Sendable {
    let address: HTTPAddress
    let user: String
    /// User and code: `1/code`.
    let path: Secret
    /// The portal's REST root, without them.
    var root: String { address.origin + "/rest/" }

    /// - Throws: ``WebhookInstaller/Refusal/invalid(_:)``, which never holds the address.
    init(_ pasted: Secret) throws {
        let malformed = WebhookInstaller.Refusal.invalid(
            "must be the address of an inbound webhook, as Bitrix24 shows it: https://portal/rest/1/code/")
        guard pasted.reveal().utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw malformed }
        do {
            address = try HTTPAddress(pasted.reveal())
        } catch {
            throw malformed
        }
        var parts = address.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if parts.last?.isEmpty == true { parts = parts.dropLast() }
        guard !address.hasMore, (3...4).contains(parts.count), parts.removeFirst() == "rest" else { throw malformed }
        let (user, code) = (parts.removeFirst(), parts.removeFirst())
        guard (1...12).contains(user.utf8.count), user.utf8.allSatisfy(\.isDigit),
            (1...100).contains(code.utf8.count), code.utf8.allSatisfy({ $0.isDigit || $0.isLetter })
        else { throw malformed }
        self.user = String(user)
        path = Secret("\(user)/\(code)")
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}

/// The credential of an address that is being tried.
private struct UntriedWebhook: CredentialKeeper {
    let path: Secret

    func credentials() async throws -> [Credential] {
        [
            Credential(
                id: "webhook", userID: "", accessToken: path, refreshToken: nil, expiresAt: Timestamp(rawValue: .max))
        ]
    }
    func save(_ credential: Credential) async throws {}
    func discard(_ credential: Credential, reason: String) async throws {}
    func moved(to clientEndpoint: String) async throws {}
}
