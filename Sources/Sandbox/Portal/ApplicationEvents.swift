import Base

/// Events and posts about applications themselves.
extension PortalState {
    func installation(_ clientID: String) throws -> Installation {
        guard let found = installations[clientID] else { throw SimulatedPortalError.unknownApplication(clientID) }
        return found
    }

    /// Tells the authorization server how an application stands.
    func registerTokens(of clientID: String) {
        guard let found = installations[clientID] else { return }
        authorization.register(
            TokenBook.Registration(
                key: TokenBook.Key(clientID: clientID, memberID: settings.memberID),
                secret: found.application.clientSecret, domain: domain, clientEndpoint: clientEndpoint,
                scope: found.application.scope, version: found.application.version, isFinished: found.isFinished))
    }

    /// The addresses that an application has bound to an event.
    func handlers(of event: String, _ clientID: String) -> [String] {
        bindings.filter { $0.clientID == clientID && $0.event == event && !$0.isOffline }.map(\.handler)
    }

    /// Documentation: `api-reference/common/events/on-app-install.md`.
    func installEvent(_ clientID: String, url: String) throws -> OutgoingEvent {
        let found = try installation(clientID)
        let data: JSON = [
            "VERSION": .text(found.application.version), "ACTIVE": "Y", "INSTALLED": .yesNo(found.isFinished),
            "LANGUAGE_ID": .string(settings.language),
        ]
        return event("ONAPPINSTALL", data, auth: authWithTokens(found), url: url)
    }

    /// Documentation: `api-reference/common/events/on-app-update.md`.
    func updateEvent(_ clientID: String, from version: Int, url: String) throws -> OutgoingEvent {
        let found = try installation(clientID)
        let data: JSON = [
            "VERSION": .text(found.application.version), "PREVIOUS_VERSION": .text(version),
            "LANGUAGE_ID": .string(settings.language),
        ]
        return event("ONAPPUPDATE", data, auth: authWithTokens(found), url: url)
    }

    /// Without any token but the application's. Documentation: `api-reference/common/events/on-app-uninstall.md`.
    func uninstallEvent(_ clientID: String, clean: Bool, url: String) throws -> OutgoingEvent {
        let found = try installation(clientID)
        let data: JSON = ["LANGUAGE_ID": .string(settings.language), "CLEAN": clean ? 1 : 0]
        let auth: JSON = [
            "domain": .string(domain), "server_endpoint": .string(authorization.serverEndpoint),
            "client_endpoint": .string(clientEndpoint), "member_id": .string(settings.memberID),
            "application_token": .string(found.applicationToken),
        ]
        return event("ONAPPUNINSTALL", data, auth: auth, url: url)
    }

    /// Documentation: `api-reference/events/test-handler.md`.
    mutating func sendTestEvent(_ clientID: String, query: Members<JSON>) throws {
        let auth = authWithTokens(try installation(clientID))
        let data: JSON = ["QUERY": .object(query), "LANGUAGE_ID": .string(settings.language)]
        for binding in bindings where binding.clientID == clientID && binding.event == "ONAPPTEST" {
            var sent = event("ONAPPTEST", data, auth: auth, url: binding.handler)
            sent.handlerID = binding.id
            deliveryQueue.made.append(sent)
        }
    }

    private func event(_ name: String, _ data: JSON, auth: JSON, url: String) -> OutgoingEvent {
        OutgoingEvent(
            name: name, url: url, handlerID: nil, data: data, auth: auth, date: WallClock.system.now, chatID: nil,
            messageID: nil, isSecondGeneration: false)
    }

    private func authWithTokens(_ found: Installation) -> JSON {
        let now = WallClock.system.now
        let pair = authorization.issue(
            clientID: found.application.clientID, memberID: settings.memberID, userID: found.installedBy, now: now)
        return [
            "domain": .string(domain), "scope": .string(found.application.scope.joined(separator: " ")),
            "access_token": .string(pair.access), "refresh_token": .string(pair.refresh),
            "expires_in": .integer((pair.expires - now).milliseconds / 1000),
            "server_endpoint": .string(authorization.serverEndpoint), "status": "L",
            "client_endpoint": .string(clientEndpoint), "member_id": .string(settings.memberID),
            "application_token": .string(found.applicationToken),
        ]
    }

    /// Documentation: `settings/oauth/simple-way.md`.
    func pageRequest(
        of clientID: String, as user: Int, at url: String?, placement: String
    ) throws -> SimulatedPortal.PageRequest {
        let found = try installation(clientID)
        guard users[user] != nil else { throw SimulatedPortalError.unknownUser(user) }
        guard let page = url ?? found.application.pageURL else { throw SimulatedPortalError.noInterface(clientID) }
        let now = WallClock.system.now
        let pair = authorization.issue(clientID: clientID, memberID: settings.memberID, userID: user, now: now)
        let query =
            "DOMAIN=\(Form.percentEncode(domain))&PROTOCOL=0&LANG=\(settings.language)"
            + "&APP_SID=\(randomHexadecimal(digits: 32))"
        var fields = [
            ("AUTH_ID", pair.access), ("AUTH_EXPIRES", String((pair.expires - now).milliseconds / 1000)),
            ("REFRESH_ID", pair.refresh), ("SERVER_ENDPOINT", authorization.serverEndpoint),
            ("APPLICATION_TOKEN", found.applicationToken),
            ("APPLICATION_SCOPE", found.application.scope.joined(separator: ",")),
            ("member_id", settings.memberID), ("status", "L"), ("PLACEMENT", placement),
        ]
        if placement != "DEFAULT" { fields.append(("PLACEMENT_OPTIONS", "{}")) }
        return SimulatedPortal.PageRequest(url: page + (page.contains("?") ? "&" : "?") + query, fields: fields)
    }
}
