import Base

/// `event.*`. They work for applications only.
let bindingMethods: [RESTMethod] = [
    RESTMethod(name: "event.bind", page: "api-reference/events/event-bind.md", scopes: []) { state, call in
        let clientID = try call.application()
        let parameters = call.parameters
        guard let event = parameters.filled("event")?.uppercased() else { throw RESTError.missing("event") }
        guard let handler = parameters.filled("handler") else { throw RESTError.missing("handler") }
        guard knownEvents.contains(event) else {
            throw RESTError(400, "ERROR_EVENT_NOT_FOUND", "Event not found")
        }
        let isOffline = parameters.text("event_type") == "offline"
        let isAdmin = state.users[call.caller.userID]?.isAdmin ?? false
        let authType = parameters.number("auth_type")
        if !isAdmin {
            if isOffline {
                throw RESTError(
                    403, "ACCESS_DENIED", "Access denied! Offline events binding requires administrator access rights")
            }
            if let authType, authType != call.caller.userID {
                throw RESTError(
                    403, "ACCESS_DENIED",
                    "Access denied! Event binding with AUTH_TYPE requires administrator access rights")
            }
        }
        guard isHandlerAddress(handler) else {
            throw RESTError(400, "ERROR_CORE", "Unable to set event handler: Wrong handler URL")
        }
        let binding = PortalState.EventBinding(
            id: state.next(.binding), clientID: clientID, event: event, handler: handler,
            authType: authType ?? (isAdmin ? 0 : call.caller.userID), isOffline: isOffline)
        guard !state.bindings.contains(where: { $0.isSame(as: binding) }) else {
            throw RESTError(400, "ERROR_CORE", "Unable to set event handler: Handler already binded")
        }
        state.bindings.append(binding)
        return RESTResult(true)
    },
    RESTMethod(name: "event.unbind", page: "api-reference/events/event-unbind.md", scopes: []) { state, call in
        let clientID = try call.application()
        guard let event = call.parameters.filled("event")?.uppercased() else { throw RESTError.missing("event") }
        guard let handler = call.parameters.filled("handler") else { throw RESTError.missing("handler") }
        let isOffline = call.parameters.text("event_type") == "offline"
        let isAdmin = state.users[call.caller.userID]?.isAdmin ?? false
        let asked = call.parameters.has("auth_type") ? call.parameters.number("auth_type") ?? 0 : nil
        if !isAdmin, isOffline || (asked ?? call.caller.userID) != call.caller.userID {
            throw RESTError(
                403, "ACCESS_DENIED",
                "Access denied! Event unbinding with AUTH_TYPE requires administrator access rights")
        }
        let before = state.bindings.count
        let user = call.caller.userID
        state.bindings.removeAll { binding in
            binding.clientID == clientID && binding.event == event && binding.handler == handler
                && binding.isOffline == isOffline && (asked.map { $0 == binding.authType } ?? true)
                && (isAdmin || binding.authType == user)
        }
        return RESTResult(["count": JSON(before - state.bindings.count)])
    },
    RESTMethod(name: "event.get", page: "api-reference/events/event-get.md", scopes: []) { state, call in
        let clientID = try call.application()
        let isAdmin = state.users[call.caller.userID]?.isAdmin ?? false
        let shown = state.bindings.filter {
            $0.clientID == clientID && (isAdmin || $0.authType == call.caller.userID)
        }
        return RESTResult(
            .array(
                shown.map { binding in
                    [
                        "event": .string(binding.event), "handler": .string(binding.handler),
                        "auth_type": .text(binding.authType), "offline": binding.isOffline ? 1 : 0,
                    ]
                }))
    },
    RESTMethod(name: "event.test", page: "api-reference/events/test-handler.md", scopes: []) { state, call in
        let clientID = try call.application()
        try state.sendTestEvent(clientID, query: call.parameters.members)
        return RESTResult(1)
    },
    RESTMethod(name: "events", page: "api-reference/events/events.md", scopes: []) { _, call in
        _ = try call.application()
        let names = call.parameters.uppercased.text("SCOPE") == "imbot" ? botEventNames : knownEvents.sorted()
        return RESTResult(.array(names.map { .string($0) }))
    },
]

private let botEventNames = [
    "ONIMBOTDELETE", "ONIMBOTJOINCHAT", "ONIMBOTMESSAGEADD", "ONIMBOTMESSAGEDELETE", "ONIMBOTMESSAGEUPDATE",
    "ONIMBOTV2COMMANDADD", "ONIMBOTV2CONTEXTGET", "ONIMBOTV2DELETE", "ONIMBOTV2JOINCHAT", "ONIMBOTV2MESSAGEADD",
    "ONIMBOTV2MESSAGEDELETE", "ONIMBOTV2MESSAGEUPDATE", "ONIMBOTV2REACTIONCHANGE", "ONIMCOMMANDADD",
]

/// Documentation: `api-reference/events/events.md`; the part of it that this portal knows.
private let knownEvents = Set(
    botEventNames + [
        "ONAPPUNINSTALL", "ONAPPINSTALL", "ONAPPUPDATE", "ONAPPPAYMENT", "ONAPPTEST", "ONAPPMETHODCONFIRM",
        "ONOFFLINEEVENT", "ONUSERADD", "ONCRMLEADADD", "ONCRMLEADUPDATE", "ONCRMDEALADD", "ONCRMDEALUPDATE",
        "ONSESSIONSTART", "ONSESSIONFINISH", "ONOPENLINEMESSAGEADD",
    ])

/// Whether events can be posted there.
func isHandlerAddress(_ text: String) -> Bool {
    for scheme in ["http://", "https://"] where text.lowercased().hasPrefix(scheme) {
        let host = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return !host.isEmpty && !text.contains(" ")
    }
    return false
}

extension PortalState.EventBinding {
    fileprivate func isSame(as other: Self) -> Bool {
        clientID == other.clientID && event == other.event && handler == other.handler
            && authType == other.authType && isOffline == other.isOffline
    }
}

extension RESTCall {
    /// The calling application.
    /// - Throws: a call by webhook is refused.
    fileprivate func application() throws -> String {
        guard let clientID = caller.clientID else { throw RESTError.applicationRequired }
        return clientID
    }
}
