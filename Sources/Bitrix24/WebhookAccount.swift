import Base

/// Calls by an inbound webhook: its code is part of the address, and each bot has a token that Bitrix24 knows it by.
///
/// Documentation: `settings/how-to-call-rest-api/authorization.md`, `api-reference/chat-bots/chat-bots-v2/index.md`,
/// `api-reference/imopenlines/openlines/chat-bots/imopenlines-bot-session-transfer.md`.
extension Account {
    func proof(_ credential: Credential) -> RESTCaller.Proof {
        isWebhook ? .webhook(credential.accessToken) : .token(credential.accessToken)
    }

    /// The REST root in the address that a call was redirected to; `nil` if it is not this webhook's.
    func root(_ moved: String, _ proof: RESTCaller.Proof) -> String? {
        guard case .webhook(let path) = proof else { return moved }
        let end = path.reveal() + "/"
        return moved.hasSuffix("/rest/" + end) ? String(moved.dropLast(end.count)) : nil
    }

    /// The call with its bot's token, which is kept apart from all that is stored.
    /// - Throws: ``PortalError`` when the token could not be read.
    func completed(_ call: PortalCall) async throws -> PortalCall {
        guard isWebhook, let name = call.tokenParameter, call.parameters[name] == nil,
            let bot = call.bot ?? (call.parameters["botId"] ?? call.parameters["BOT_ID"])?.looseInteger,
            let token = try await botToken(of: bot)
        else { return call }
        var call = call
        call.parameters[name] = .string(token.reveal())
        return call
    }

    /// The token of a bot that has just been registered, which the keeper does not know by its number yet.
    func remember(_ token: Secret, of bot: Int64) { keep(token, ofBot: bot) }

    private func botToken(of bot: Int64) async throws -> Secret? {
        if let known = knownToken(ofBot: bot) { return known }
        do {
            guard let token = try await keeper.botToken(of: bot) else { return nil }
            keep(token, ofBot: bot)
            return token
        } catch let error as CancellationError {
            throw error
        } catch {
            throw PortalError.noCredential("the bot's token could not be read", isPassing: true)
        }
    }
}

extension PortalCall {
    /// By what name the method takes the token of the bot that calls; `nil` if it takes none.
    fileprivate var tokenParameter: String? {
        if method.hasPrefix("imbot.v2.") { return method == "imbot.v2.Revision.get" ? nil : "botToken" }
        return method.hasPrefix("imbot.") || method.hasPrefix("imopenlines.bot.session.") ? "CLIENT_ID" : nil
    }
}
