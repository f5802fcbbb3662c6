import Base
import Bitrix24
import BotPlatforms
import Storage

/// What the bot is asked.
extension Conversation {
    func question(_ item: PendingEvent, _ setting: Setting, _ state: DialogState) async -> Question {
        let (event, auth) = item.whole
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
        var variables = Variables.plain(
            event, auth: auth, installationScope: setting.installation.scope,
            clientEndpoint: setting.installation.clientEndpoint)
        if !item.joined.isEmpty {
            variables["MESSAGE_BATCH"] = JSON.array(item.texts.map(JSON.string)).text
            variables["MESSAGE_BATCH_SIZE"] = "\(item.texts.count)"
        }
        return Question(
            kind: Question.Kind(rawValue: event.kind.rawValue) ?? .message,
            text: chosen.isEmpty ? text : chosen.map(\.label).joined(separator: ", "), chosen: chosen,
            files: files(of: event, setting, account),
            user: "\(setting.portal.memberID):\(event.dialogID)", variables: variables,
            tokens: Variables.tokens(event, auth: auth, userAccessToken: userAccessToken ?? nil),
            session: session.map { PlatformSession(id: $0.platformID, data: $0.data) },
            // With its moment: a store that begins anew counts from 1 again.
            id: "\(item.row)-\(item.receivedAt.rawValue)")
    }

    func key(_ item: PendingEvent, _ setting: Setting) -> SessionKey {
        SessionKey(memberID: setting.portal.memberID, botID: item.event.botID, dialogID: item.event.dialogID)
    }
}
