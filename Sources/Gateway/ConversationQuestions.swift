import Base
import Bitrix24
import BotPlatforms
import Storage

/// What the bot is asked.
extension Conversation {
    func question(_ item: PendingEvent, _ setting: Setting, _ state: DialogState) async -> Question {
        let event = item.event
        let session = await sessions.current(state.session, key: key(item, setting))
        let text = Variables.message(of: event)
        var chosen: [Choice] = []
        // A session that ended elsewhere took its offer with it.
        if event.kind == .message, session?.platformID == state.session?.platformID,
            let offered = Offer.choices(state.offer, connector: setting.connector.id, now: clock.now)
        {
            chosen = offered.chosen(by: event.text)
        }
        let account = try? await portals.account(setting.installation)
        let userAccessToken = try? await account?.userAccessToken()
        return Question(
            kind: event.kind == .command ? .command : .message,
            text: chosen.isEmpty ? text : chosen.map(\.label).joined(separator: ", "), chosen: chosen,
            user: "\(setting.portal.memberID):\(event.dialogID)",
            variables: Variables.plain(
                event, auth: item.auth, installationScope: setting.installation.scope,
                clientEndpoint: setting.installation.clientEndpoint),
            tokens: Variables.tokens(event, auth: item.auth, userAccessToken: userAccessToken ?? nil),
            session: session.map { PlatformSession(id: $0.platformID, data: $0.data) },
            // With its moment: a store that begins anew counts from 1 again.
            id: "\(item.row)-\(item.receivedAt.rawValue)")
    }

    func key(_ item: PendingEvent, _ setting: Setting) -> SessionKey {
        SessionKey(memberID: setting.portal.memberID, botID: item.event.botID, dialogID: item.event.dialogID)
    }
}
