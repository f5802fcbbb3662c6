import Base

/// `imopenlines.config.list.get`. Of a line's settings there are those that a bot has to do with.
let openLineListMethod = RESTMethod(
    name: "imopenlines.config.list.get", page: "api-reference/imopenlines/openlines/imopenlines-config-list-get.md",
    scopes: ["imopenlines"]
) { state, call in
    let selection = try LineSelection(call.parameters.uppercased)
    return RESTResult(.array(selection.lines(of: state).map { selection.object($0, of: state) }))
}

/// Which lines are wanted, and what of them.
private struct LineSelection {
    private var fields: [String]
    private var filter: Members<JSON>
    private var descending = false
    private var limit = 50
    private var offset = 0
    private var queue: Bool
    private var configQueue: Bool

    init(_ parameters: RESTParameters) throws(RESTError) {
        let wanted = parameters.group("PARAMS")
        let options = parameters.group("OPTIONS")
        try Self.check("PARAMS", wanted, ["select", "filter", "order", "limit", "offset"])
        try Self.check("OPTIONS", options, ["QUEUE", "CONFIG_QUEUE", "CHECK_PERMISSION"])
        if wanted.has("select"), wanted["select"]?.listed == nil {
            throw Self.invalid("A wrong format for the PARAMS field 'select' is passed")
        }
        fields = wanted.list("select").compactMap(\.string)
        filter = wanted.group("filter").members
        for (_, direction) in wanted.group("order").members {
            guard let word = direction.string?.uppercased(), ["ASC", "DESC"].contains(word) else {
                throw Self.invalid("A wrong sorting direction is passed in the PARAMS field 'order'")
            }
            descending = word == "DESC"
        }
        for name in ["limit", "offset"] where wanted.has(name) {
            guard let number = wanted.number(name), number >= 0 else {
                throw Self.invalid("A non-negative integer is expected in the PARAMS field '\(name)'")
            }
            if name == "limit" { limit = min(number, 200) } else { offset = number }
        }
        queue = options.flag("QUEUE") ?? false
        configQueue = options.flag("CONFIG_QUEUE") ?? false
    }

    func lines(of state: PortalState) -> [PortalState.Line] {
        let found = state.lines.values.sorted { ($0.id < $1.id) != descending }.filter { line in
            let settings = Self.settings(line)
            return filter.allSatisfy { name, value in
                settings[name].map { $0.string == (value.string ?? value.wholeNumber.map(String.init)) } ?? true
            }
        }
        return Array(found.dropFirst(offset).prefix(limit))
    }

    func object(_ line: PortalState.Line, of state: PortalState) -> JSON {
        let settings = Self.settings(line)
        var object = fields.isEmpty ? settings : settings.filter { fields.contains($0.key) }
        if queue {
            object["QUEUE"] = .array(line.operators.map { JSON($0) })
            let people = line.operators.map { id -> (String, JSON) in
                let name = state.users[id].map { "\($0.firstName) \($0.lastName)" } ?? ""
                let fields: JSON = [
                    "USER_NAME": .string(name), "USER_WORK_POSITION": "Operator", "USER_AVATAR": "",
                    "USER_AVATAR_ID": JSON(id),
                ]
                return (String(id), fields)
            }
            object["QUEUE_USERS_FIELDS"] = .object(Members(people))
        }
        if configQueue {
            object["CONFIG_QUEUE"] = .array(line.operators.map { ["ENTITY_ID": .text($0), "ENTITY_TYPE": "user"] })
        }
        return .object(object)
    }

    private static func settings(_ line: PortalState.Line) -> Members<JSON> {
        [
            "ID": .text(line.id), "LINE_NAME": .string(line.name), "ACTIVE": .yesNo(line.isActive),
            "WELCOME_BOT_ENABLE": .yesNo(line.botID != nil), "WELCOME_BOT_JOIN": "always",
            "WELCOME_BOT_ID": .text(line.botID ?? 0), "WELCOME_BOT_TIME": "600",
            "WELCOME_BOT_LEFT": .string(line.leave.rawValue), "TEMPORARY": "N",
        ]
    }

    private static func check(_ group: String, _ given: RESTParameters, _ known: [String]) throws(RESTError) {
        let unknown = given.members.keys.filter { !known.contains($0) }.sorted()
        guard unknown.isEmpty else {
            throw invalid("Unsupported \(group) fields are passed: \(unknown.joined(separator: ", "))")
        }
    }

    private static func invalid(_ description: String) -> RESTError { RESTError(400, "INVALID_FORMAT", description) }
}
