import Base

/// Short ways to write blocks.
extension SimulatedTypebot.Block {
    public typealias Input = SimulatedTypebot.Input

    // MARK: Bubbles

    /// A plain text; each line is a paragraph.
    public static func text(_ text: String) -> Self {
        Self(.text(text.split(separator: "\n", omittingEmptySubsequences: false).map { .paragraph(String($0)) }))
    }
    public static func richText(_ elements: [JSON]) -> Self { Self(.text(elements)) }
    public static func image(_ url: String?, link: String? = nil) -> Self {
        bubble("image", url, ["clickLink": link.map { ["url": .string($0)] }])
    }
    /// - Parameter type: `url`, `youtube`, `vimeo`, `tiktok` or `gumlet`.
    public static func video(_ url: String?, type: String = "url", id: String? = nil) -> Self {
        bubble("video", url, ["type": .string(type), "id": id.map(JSON.string)])
    }
    public static func audio(_ url: String?) -> Self { bubble("audio", url) }
    /// - Parameter event: where set, the flow stops until a text comes, which goes into the variable of this name.
    public static func embed(_ url: String?, waitsInto event: String? = nil) -> Self {
        bubble(
            "embed", url,
            [
                "waitForEvent": event.map {
                    ["isEnabled": true, "name": "ready", "saveDataInVariableId": .string(variableID($0))]
                }
            ])
    }
    public static func customEmbed(_ url: String?) -> Self {
        bubble("custom-embed", url, ["initFunction": ["args": [:], "content": "return 1"]])
    }

    private static func bubble(_ type: String, _ url: String?, _ more: Members<JSON?> = [:]) -> Self {
        var content = more.compactMapValues { $0 }
        if let url { content["url"] = .string(url) }
        return Self(.bubble(type, content: .object(content)))
    }

    // MARK: Inputs

    /// - Parameter variable: the name of the variable that keeps the answer.
    public static func input(
        _ kind: Input.Kind, into variable: String? = nil, options: Members<JSON> = [:], items: [JSON] = []
    ) -> Self {
        var options = options
        if let variable { options["variableId"] = .string(variableID(variable)) }
        return Self(.input(Input(kind, options: options, items: items)))
    }

    /// Buttons with these labels, whose ids are `item-1` and so on.
    public static func buttons(_ labels: [String], into variable: String? = nil, multiple: Bool = false) -> Self {
        let items: [JSON] = labels.enumerated().map {
            ["id": .string("item-\($0.offset + 1)"), "content": .string($0.element)]
        }
        return input(.choice, into: variable, options: multiple ? ["isMultipleChoice": true] : [:], items: items)
    }

    /// Buttons that each lead to a group of their own.
    public static func buttons(_ ways: KeyValuePairs<String, String>, into variable: String? = nil) -> Self {
        let items: [JSON] = ways.enumerated().map { index, way in
            [
                "id": .string("item-\(index + 1)"), "content": .string(way.key), "outgoingEdgeId": .string(way.value),
            ]
        }
        return input(.choice, into: variable, items: items)
    }

    // MARK: Logic

    public static func condition(_ branches: [SimulatedTypebot.Branch]) -> Self { Self(.condition(branches)) }
    public static func set(_ variable: String, _ value: JSON) -> Self { Self(.setVariable(variable, value)) }
    public static func jump(_ group: String) -> Self { Self(.jump(group)) }
    public static func log(_ status: String, _ description: String) -> Self {
        Self(.log(["status": .string(status), "description": .string(description)]))
    }

    /// A condition on one variable, for buttons that are not always there (`displayCondition`).
    public static func comparison(_ variable: String, _ operator: String, _ value: String) -> JSON {
        [
            "logicalOperator": "AND",
            "comparisons": [
                [
                    "id": "comparison", "variableId": .string(variableID(variable)),
                    "comparisonOperator": .string(`operator`), "value": .string(value),
                ]
            ],
        ]
    }

    // MARK: Client-side actions

    /// An action of any type, one that no version has among them.
    /// - Parameter saves: what becomes of the reply; the action must say `expectsDedicatedReply` to get one.
    public static func action(_ action: JSON, saves: Saved = .nothing) -> Self { Self(.action(action, saves: saves)) }

    /// - Parameter pauses: whether the flow stands until `continueChat` is called.
    public static func wait(_ seconds: Double, pauses: Bool = false) -> Self {
        var action: JSON = ["type": "wait", "wait": ["secondsToWaitFor": .number(seconds)]]
        if pauses { action["expectsDedicatedReply"] = true }
        return .action(action)
    }

    public static func redirect(_ url: String, isNewTab: Bool = false) -> Self {
        .action(["type": "redirect", "redirect": ["url": .string(url), "isNewTab": .bool(isNewTab)]])
    }

    public static func script(_ code: String) -> Self {
        .action(["type": "scriptToExecute", "scriptToExecute": ["content": .string(code), "args": []]])
    }

    /// The client works out the value and replies with it.
    public static func setOnClient(_ variable: String, _ code: String) -> Self {
        .action(
            [
                "type": "setVariable", "expectsDedicatedReply": true,
                "setVariable": ["scriptToExecute": ["content": .string(code), "args": []]],
            ], saves: .reply(variable))
    }

    /// The client sends the request and replies with `{"statusCode", "data"}` as text.
    public static func requestOnClient(
        _ url: String, method: String = "GET", body: JSON? = nil, saves: [String: String] = [:]
    ) -> Self {
        var request: JSON = ["url": .string(url), "method": .string(method)]
        request["body"] = body
        return .action(
            ["type": "httpRequestToExecute", "expectsDedicatedReply": true, "httpRequestToExecute": request],
            saves: .response(saves))
    }

    public static func listenForWebhook(saves: [String: String] = [:]) -> Self {
        .action(["type": "listenForWebhook", "expectsDedicatedReply": true], saves: .webhook(saves))
    }
}

/// Rich text in Typebot's shape.
extension JSON {
    public static func paragraph(_ text: String) -> JSON { .paragraph([.leaf(text)]) }
    public static func paragraph(_ children: [JSON]) -> JSON { ["type": "p", "children": .array(children)] }
    /// - Parameter marks: `bold`, `italic`, `underline`, `strikethrough`.
    public static func leaf(_ text: String, _ marks: String...) -> JSON {
        var leaf: JSON = ["text": .string(text)]
        for mark in marks { leaf[mark] = true }
        return leaf
    }
    public static func link(_ text: String, _ url: String) -> JSON {
        ["type": "a", "url": .string(url), "children": [.leaf(text)]]
    }
    /// - Parameter items: each with the lists inside it.
    public static func list(numbered: Bool = false, _ items: [[JSON]]) -> JSON {
        ["type": numbered ? "ol" : "ul", "children": .array(items.map { ["type": "li", "children": .array($0)] })]
    }
    /// The line of a list's item.
    public static func line(_ children: JSON...) -> JSON { ["type": "lic", "children": .array(children)] }
}
