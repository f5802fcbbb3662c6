import Base

private let common = "api-reference/common/"

/// Methods that need no scope.
let systemMethods: [RESTMethod] = [
    RESTMethod(name: "app.info", page: common + "system/app-info.md", scopes: []) { state, call in
        guard let clientID = call.caller.clientID, let found = state.installations[clientID] else {
            throw RESTError.applicationRequired
        }
        return RESTResult([
            "ID": JSON(found.number), "CODE": .string(found.application.code),
            "VERSION": JSON(found.application.version), "STATUS": "L", "INSTALLED": .bool(found.isFinished),
            "PAYMENT_EXPIRED": "N", "DAYS": .null, "LANGUAGE_ID": .string(state.settings.language),
            "LICENSE": "en_ent10000", "LICENSE_TYPE": "ent10000", "LICENSE_FAMILY": "ent",
        ])
    },
    RESTMethod(name: "scope", page: common + "system/scope.md", scopes: []) { _, call in
        let full = Set(RESTMethod.all.values.flatMap(\.scopes)).sorted()
        let names = call.parameters.flag("full") == true ? full : call.caller.scope
        return RESTResult(.array(names.map { .string($0) }))
    },
    RESTMethod(name: "methods", page: common + "system/methods.md", scopes: []) { state, call in
        let isFull = call.parameters.flag("full") == true
        let scope = call.parameters.text("scope")
        let shown = state.available.filter { method in
            if let scope { return scope.isEmpty ? method.scopes.isEmpty : method.scopes.contains(scope) }
            return isFull || method.isOpen(to: call.caller)
        }
        return RESTResult(.array(shown.map { .string($0.name.lowercased()) }.sorted { $0.text < $1.text }))
    },
    RESTMethod(name: "method.get", page: common + "system/method-get.md", scopes: []) { state, call in
        let name = call.parameters.text("name") ?? ""
        let found = state.available.first { $0.name.lowercased() == name }
        return RESTResult([
            "isExisting": .bool(found != nil), "isAvailable": .bool(found?.isOpen(to: call.caller) ?? false),
        ])
    },
    RESTMethod(name: "server.time", page: common + "system/server-time.md", scopes: []) { _, call in
        RESTResult(.string(call.now.bitrixDate))
    },
    RESTMethod(name: "profile", page: common + "users/profile.md", scopes: []) { state, call in
        guard let user = state.users[call.caller.userID] else { throw RESTError.noAuth }
        return RESTResult([
            "ID": .text(user.id), "ADMIN": .bool(user.isAdmin), "NAME": .string(user.firstName),
            "LAST_NAME": .string(user.lastName), "PERSONAL_GENDER": "", "TIME_ZONE": "",
        ])
    },
    RESTMethod(name: "user.admin", page: common + "users/user-admin.md", scopes: []) { state, call in
        RESTResult(.bool(state.users[call.caller.userID]?.isAdmin ?? false))
    },
]

private let userScopes = ["user", "user_brief", "user_basic"]

let userMethods: [RESTMethod] = [
    RESTMethod(name: "user.current", page: "api-reference/user/user-current.md", scopes: userScopes) { state, call in
        RESTResult(state.userFields(call.caller.userID))
    },
    RESTMethod(name: "user.get", page: "api-reference/user/user-get.md", scopes: userScopes) { state, call in
        let filter = RESTParameters(call.parameters["FILTER"] ?? call.parameters["filter"]).uppercased
        let ids = filter.id("ID").map { [$0] } ?? filter.list("ID").compactMap(\.wholeNumber)
        let found = state.users.values.filter { user in
            guard user.kind == .employee, ids.isEmpty || ids.contains(user.id) else { return false }
            return filter.filled("NAME").map { $0 == user.firstName } ?? true
        }
        let sorted = found.map(\.id).sorted()
        let start = min(max(0, call.parameters.number("start") ?? 0), sorted.count)
        let page = sorted.dropFirst(start).prefix(50)
        let next = start + 50 < sorted.count ? start + 50 : nil
        return RESTResult(.array(page.map { state.listedFields($0) }), total: sorted.count, next: next)
    },
]

extension RESTMethod {
    /// Whether a caller's scopes suffice.
    func isOpen(to caller: RESTCaller) -> Bool {
        scopes.isEmpty || scopes.contains(where: caller.scope.contains)
    }
}

extension PortalState {
    /// The methods that this portal has.
    var available: [RESTMethod] {
        RESTMethod.all.values.filter { settings.hasSecondGeneration || !$0.isSecondGeneration }
    }

    /// As `user.get` shows them: some dates are empty objects there.
    fileprivate func listedFields(_ id: Int) -> JSON {
        var fields = userFields(id)
        for name in ["SECOND_NAME", "TIME_ZONE", "PERSONAL_WWW", "PERSONAL_MOBILE", "PERSONAL_CITY", "WORK_PHONE"] {
            fields[name] = ""
        }
        for name in ["TIMESTAMP_X", "LAST_ACTIVITY_DATE"] { fields[name] = [:] }
        return fields
    }

    fileprivate func userFields(_ id: Int) -> JSON {
        guard let user = users[id] else { return [:] }
        let now = WallClock.system.now.bitrixDate
        return [
            "ID": .text(id), "ACTIVE": true, "NAME": .string(user.firstName), "LAST_NAME": .string(user.lastName),
            "EMAIL": .string("user\(id)@example.com"), "LAST_LOGIN": .string(now), "DATE_REGISTER": .string(now),
            "IS_ONLINE": "Y", "LAST_ACTIVITY_DATE": .string(now), "PERSONAL_GENDER": "", "PERSONAL_BIRTHDAY": "",
            "WORK_POSITION": "", "UF_EMPLOYMENT_DATE": "", "UF_DEPARTMENT": [1], "USER_TYPE": "employee",
        ]
    }
}
