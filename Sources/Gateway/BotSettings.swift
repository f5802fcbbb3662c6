import Base

/// A bot's `settings`: how it behaves in the chat. Each may be left out; what cannot be read counts as left out.
///
/// A new one is a property here and a row in ``table``: it is then read, checked when it is written, and documented.
public struct BotSettings: Sendable, Equatable {
    public var typing = false
    public var separate = false
    public var live = false
    public var collect = Duration.zero
    /// By default the bot speaks when it joins a dialog, except in open channels.
    public var greet: Bool?
    /// By language (`en`).
    public var failureText: Members<String> = [:]
    public var failureHandover = false
    /// What a customer says to get an operator.
    public var operatorWords = OperatorWords.standard
    /// So many failures and empty answers in a row; 0: they do not hand over.
    public var operatorAfterTurns = 0
    /// When operators are there: always, if left out.
    public var officeHours: OfficeHours?

    public static let table: [BotSetting] = [
        .flag("typing", "Shows in open channels too that it is typing.") { $0.typing = $1 },
        .flag("separate", "Shows what it says as several messages as several.") { $0.separate = $1 },
        .flag("live", "Shows the answer while it grows; never in open channels.") { $0.live = $1 },
        .integer(
            "collect_ms", 0...60_000,
            "So long after a message more of them are waited for, to be asked as one question; 0: not at all."
        ) { $0.collect = .milliseconds($1) },
        .flag(
            "greet", "Whether it speaks when it joins a dialog; if left out it does, except in open channels."
        ) { $0.greet = $1 },
        .texts(
            "failure_text", "What a person is told when it fails, by language (`en`, `ru`); an empty text: nothing."
        ) { $0.failureText = $1 },
        .flag("failure_handover", "An operator takes the dialog when it fails.") { $0.failureHandover = $1 },
        BotSetting(
            "operator_words",
            "What a customer says to get an operator, by language (`{\"en\": [\"operator\"]}`): all there is, where it is set.",
            schema: [
                "type": "object",
                "additionalProperties": [
                    "type": ["array", "null"], "maxItems": 100, "items": ["type": "string", "maxLength": 200],
                ],
            ], fault: OperatorWords.fault, read: { $1.operatorWords = OperatorWords($0) ?? .standard }),
        .integer(
            "operator_after_turns", 0...100,
            "An operator takes the dialog after so many failures and empty answers in a row; 0: not."
        ) { $0.operatorAfterTurns = Int($1) },
        BotSetting(
            "office_hours",
            "When operators are there, by day (`mon` to `sun`) in ranges like `09:00-18:00`; outside them `text` is said.",
            schema: [
                "type": "object",
                "properties": [
                    "timezone": ["type": "string"],
                    "days": [
                        "type": "object",
                        "additionalProperties": ["type": ["array", "null"], "items": ["type": "string"]],
                    ],
                    "text": ["type": "object", "additionalProperties": ["type": ["string", "null"]]],
                ],
                "required": ["timezone", "days"],
            ], fault: OfficeHours.fault, read: { $1.officeHours = OfficeHours($0) }),
    ]

    public init(_ json: JSON) {
        guard let members = json.object, !members.isEmpty else { return }
        for setting in Self.table {
            if let value = members[setting.name], setting.fault(in: value) == nil { setting.read(value, &self) }
        }
    }
}

/// One of a bot's settings: what it may hold, and where it goes.
public struct BotSetting: Sendable {
    public let name: String
    /// For the person who sets it.
    public let about: String
    /// JSON Schema of its values, without a description.
    public let schema: Members<JSON>
    private let check: @Sendable (JSON) -> String?
    let read: @Sendable (JSON, inout BotSettings) -> Void

    /// One of a kind that is not below.
    init(
        _ name: String, _ about: String, schema: Members<JSON>, fault: @escaping @Sendable (JSON) -> String?,
        read: @escaping @Sendable (JSON, inout BotSettings) -> Void
    ) {
        self.name = name
        self.about = about
        self.schema = schema
        check = fault
        self.read = read
    }

    /// What is wrong with a value, or `nil`.
    public func fault(in value: JSON) -> String? { check(value) }

    static func flag(
        _ name: String, _ about: String, set: @escaping @Sendable (inout BotSettings, Bool) -> Void
    ) -> BotSetting {
        BotSetting(
            name, about, schema: ["type": "boolean"], fault: { $0.bool == nil ? "must be true or false" : nil },
            read: { if let flag = $0.bool { set(&$1, flag) } })
    }

    static func integer(
        _ name: String, _ range: ClosedRange<Int64>, _ about: String,
        set: @escaping @Sendable (inout BotSettings, Int64) -> Void
    ) -> BotSetting {
        BotSetting(
            name, about,
            schema: [
                "type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
            ],
            fault: {
                $0.integer.map(range.contains) == true
                    ? nil : "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            }, read: { if let number = $0.integer { set(&$1, number) } })
    }

    /// Several short texts.
    static func words(
        _ name: String, _ about: String, set: @escaping @Sendable (inout BotSettings, [String]) -> Void
    ) -> BotSetting {
        BotSetting(
            name, about, schema: ["type": "array", "items": ["type": "string"]],
            fault: { value in
                guard let words = value.array, words.count <= 100,
                    words.allSatisfy({ $0.string.map { !$0.isEmpty && $0.utf8.count <= 300 } ?? false })
                else { return "must be a list of at most 100 short texts" }
                return nil
            }, read: { value, settings in if let words = value.array { set(&settings, words.compactMap(\.string)) } })
    }

    /// A text in each of some languages. A language with `null` is taken out.
    static func texts(
        _ name: String, _ about: String, set: @escaping @Sendable (inout BotSettings, Members<String>) -> Void
    ) -> BotSetting {
        BotSetting(
            name, about,
            schema: ["type": "object", "additionalProperties": ["type": ["string", "null"], "maxLength": 4000]],
            fault: { value in
                guard let texts = value.object else { return "must be an object with a text for each language" }
                if let name = texts.keys.first(where: { $0.wholeMatch(of: /[a-z]{2}/) == nil }) {
                    return "must name languages by two small letters, not \(name.prefix(20))"
                }
                let isRight = texts.values.allSatisfy { $0.isNull || $0.string.map { $0.count <= 4000 } == true }
                return isRight ? nil : "must hold texts of at most 4,000 characters"
            },
            read: { value, settings in
                if let texts = value.object { set(&settings, texts.compactMapValues(\.string)) }
            })
    }
}
