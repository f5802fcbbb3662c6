import Base
import BotPlatforms
import Storage

/// `/api/v1/platforms`: the kinds of bot platforms that there are, and what a connector's `options` may hold for each.
struct PlatformsAPI: Sendable {
    private static let option: [Field] = [
        .required("name", .text, "The option's name."),
        .required("kind", .oneOf(["text", "flag", "integer", "number", "one_of"]), "What it takes."),
        .required("about", .text, "What it does, and what holds without it."),
        .optional("minimum", .number, "The smallest number."),
        .optional("maximum", .number, "The largest number."),
        .optional("values", .texts, "What it may be."),
    ]

    private var platforms: Collection<PlatformType> {
        Collection(
            "platforms", "platform",
            fields: [
                .shown("id", .id, "A provider's `type`."),
                .shown("name", .text, "The same."),
                .shown("display_name", .text, "As people know it."),
                .shown("default_url", .text, "Its public address; empty if it has none."),
                .shown("options", .list(of: Self.option), "What a connector's `options` may hold."),
            ],
            json: { type in
                [
                    "id": .string(type.name), "name": .string(type.name), "display_name": .string(type.displayName),
                    "default_url": .string(type.defaultURL), "options": .array(type.options.map(\.json)),
                ]
            })
    }

    var operations: [Operation] {
        [
            platforms.list { _, limit, cursor in try Self.page(limit, after: cursor) },
            platforms.read { request in
                guard let type = PlatformType.named(request.pathParameters["id"] ?? "") else {
                    throw APIError.notFound("platform")
                }
                return type
            },
        ].map { $0.allowed(to: .portalAdmin) }
    }

    /// - Parameter cursor: the last name of the page before.
    private static func page(_ limit: Int, after cursor: String?) throws -> Page<PlatformType> {
        var rest = PlatformType.all[...]
        if let cursor {
            guard let last = rest.firstIndex(where: { $0.name == cursor }) else { throw StoreError.badCursor }
            rest = rest[(last + 1)...]
        }
        let items = Array(rest.prefix(limit))
        return Page(items: items, next: items.count < rest.count ? items.last?.name : nil)
    }
}

extension PlatformType {
    /// What is wrong with a connector's `options` for this kind, or `nil`.
    func fault(inOptions options: JSON) -> String? {
        guard let members = options.object else { return "must be an object" }
        let faults = members.sorted { $0.key < $1.key }.compactMap { name, value -> String? in
            guard let option = self.options.first(where: { $0.name == name }) else {
                let known = self.options.map(\.name).joined(separator: ", ")
                return "has no \(name.prefix(50)) for \(displayName)" + (known.isEmpty ? "" : ", which knows: \(known)")
            }
            return option.fault(in: value).map { "\(name) \($0)" }
        }
        return faults.isEmpty ? nil : faults.joined(separator: "; ")
    }
}

extension PlatformOption {
    fileprivate func fault(in value: JSON) -> String? {
        switch kind {
        case .text:
            guard let text = value.string else { return "must be a text" }
            return text.utf8.count > 50_000 ? "must not be longer than 50,000 bytes" : nil
        case .flag: return value.bool == nil ? "must be true or false" : nil
        case .integer(let range):
            let bounds = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            return value.integer.map(range.contains) == true ? nil : bounds
        case .number(let range):
            let bounds =
                "must be a number from \(JSON.number(range.lowerBound).text) to \(JSON.number(range.upperBound).text)"
            return number(value).map(range.contains) == true ? nil : bounds
        case .oneOf(let words):
            return value.string.map(words.contains) == true ? nil : "must be one of: \(words.joined(separator: ", "))"
        }
    }

    private func number(_ value: JSON) -> Double? {
        switch value {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    fileprivate var json: JSON {
        var json: JSON = [
            "name": .string(name), "about": .string(about), "minimum": .null, "maximum": .null, "values": .null,
        ]
        switch kind {
        case .text: json["kind"] = "text"
        case .flag: json["kind"] = "flag"
        case .integer(let range):
            json["kind"] = "integer"
            json["minimum"] = .integer(range.lowerBound)
            json["maximum"] = .integer(range.upperBound)
        case .number(let range):
            json["kind"] = "number"
            json["minimum"] = .number(range.lowerBound)
            json["maximum"] = .number(range.upperBound)
        case .oneOf(let words):
            json["kind"] = "one_of"
            json["values"] = .array(words.map(JSON.string))
        }
        return json
    }
}
