import Base
import Bitrix24
import Gateway
import Storage

/// `/api/v1/portals/{id}/channels`: a portal's open channels, and which bot speaks with customers there.
struct ChannelsAPI: Sendable {
    let store: Store
    let portals: Portals

    var operations: [Operation] {
        [
            Operation(
                id: "list_channels", method: .get, path: "/api/v1/portals/{id}/channels",
                summary: "Lists the open channels of a portal, as Bitrix24 has them", status: 200,
                gives: .one("channels", fields),
                handler: { request in
                    guard let portal = try await store.portal(request.id(of: "portal")), request.sees(portal.id) else {
                        throw APIError.notFound("portal")
                    }
                    return .json(try await channels(of: portal))
                }
            ).allowed(to: .portalAdmin)
        ]
    }

    private static let scope = "imopenlines"

    private var fields: [Field] {
        let channel: [Field] = [
            .required("id", .id, "Bitrix24's id of the channel."), .required("name", .text, "Its name."),
            .required("active", .flag, "Whether it is switched on."),
            .optional("bot_id", .integer, "Bitrix24's id of the bot that speaks first there."),
            .required("settings_url", .text, "Its settings in Bitrix24."),
        ]
        return [
            .shown("items", .list(of: channel), "The channels, by id."),
            .shownIfAny(
                "missing_scope", .oneOf([Self.scope]), "The right without which Bitrix24 does not tell its channels."),
        ]
    }

    private func channels(of portal: PortalRecord) async throws -> JSON {
        let active = try await store.installations(of: portal.id).filter { $0.status == .active }
        guard !active.isEmpty else { throw APIError.conflict("Nothing is installed on this portal that could ask it") }
        for installation in active where installation.hasScope(Self.scope) {
            guard let account = try await portals.account(installation) else { continue }
            do {
                let channels = try await portals.portal(portal).openChannels(as: account)
                return ["items": .array(channels.map { json($0, portal) }), "missing_scope": .null]
            } catch let error as PortalError where error.code == "insufficient_scope" {
                continue
            } catch let error as PortalError {
                throw APIError(refusal: error)
            }
        }
        return ["items": [], "missing_scope": .string(Self.scope)]
    }

    private func json(_ channel: OpenChannel, _ portal: PortalRecord) -> JSON {
        [
            "id": .string("\(channel.id)"), "name": .string(channel.name), "active": .bool(channel.isActive),
            "bot_id": channel.welcomeBot.map(JSON.integer) ?? .null,
            "settings_url": .string(Self.settings(of: channel, at: portal.domain)),
        ]
    }

    /// Where Bitrix24's own contact centre opens a channel's settings. No page of the REST documentation names it; it is
    /// the page `contact_center/lines_edit` of Bitrix24's module `intranet`, which shows the component
    /// `imopenlines.lines.edit`. Should it move, people still find the channel in the contact centre.
    private static func settings(of channel: OpenChannel, at domain: String) -> String {
        "https://\(domain)/contact_center/lines_edit/?ID=\(channel.id)&SIDE=Y"
    }
}

extension InstallationRecord {
    /// What it was given; where that is not known, Bitrix24 tells.
    fileprivate func hasScope(_ name: String) -> Bool {
        let words = scope.split { $0 == "," || $0 == " " }
        return words.isEmpty || words.contains { $0 == name }
    }
}
