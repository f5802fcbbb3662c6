import Base

/// What a session remembers. A value: an answer is worked out on a copy that is stored at its end, so of two requests
/// at the same time the later one wins, as with Typebot.
struct TypebotState: Sendable {
    let flow: SimulatedTypebot.Flow
    /// `nil` in a preview.
    var resultID: String?
    /// The block that waits; `nil` before the first one.
    var blockID: String?
    /// Texts, or lists of texts, by name; an unset one is missing.
    var variables: Members<JSON> = [:]
    /// Where the flow goes on when its way ends: the questions that commands interrupted.
    var queue: [String] = []
    /// Answers counted for the progress bar, where it is on.
    var progress: Int?

    struct Place: Equatable {
        var group: Int
        var block: Int
    }

    init(flow: SimulatedTypebot.Flow, resultID: String?) {
        self.flow = flow
        self.resultID = resultID
        progress = flow.showsProgress ? 0 : nil
    }

    /// The place that `group` or `group/block` names.
    func place(_ name: String?) -> Place? {
        guard let parts = name?.split(separator: "/", maxSplits: 1), let first = parts.first,
            let group = flow.groups.firstIndex(where: { $0.id == first })
        else { return nil }
        guard parts.count > 1 else { return Place(group: group, block: 0) }
        guard let block = flow.groups[group].blocks.firstIndex(where: { $0.id == parts[1] }) else { return nil }
        return Place(group: group, block: block)
    }

    func position(ofBlock id: String) -> Place? {
        for (group, found) in flow.groups.enumerated() {
            if let block = found.blocks.firstIndex(where: { $0.id == id }) { return Place(group: group, block: block) }
        }
        return nil
    }

    func block(_ place: Place) -> SimulatedTypebot.Block? {
        guard flow.groups.indices.contains(place.group) else { return nil }
        let blocks = flow.groups[place.group].blocks
        return blocks.indices.contains(place.block) ? blocks[place.block] : nil
    }

    /// The block that waits.
    var current: SimulatedTypebot.Block? { blockID.flatMap(position(ofBlock:)).flatMap(block) }

    // MARK: Variables

    /// Sets a declared variable; what is not declared is dropped. An empty text unsets it.
    mutating func set(_ name: String, _ value: JSON) {
        guard flow.variables.contains(name) else { return }
        switch value {
        case .array(let items): variables[name] = .array(items.map { $0.isNull ? .null : .string(sanitized($0)) })
        default:
            let text = sanitized(value)
            variables[name] = text.isEmpty ? nil : .string(text)
        }
    }

    /// A value as text, with lone backslashes doubled.
    private func sanitized(_ value: JSON) -> String {
        let text =
            switch value {
            case .null: ""
            case .string(let text): text
            default: value.text
            }
        guard text.contains("\\") else { return text }
        var result = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            result.append(character)
            guard character == "\\" else { continue }
            if let next = rest.first, "\\ntbrf\"'u".contains(next) {
                result.append(next)
                rest.removeFirst()
            } else {
                result.append("\\")
            }
        }
        return result
    }

    /// The text with its `{{name}}`s filled in; an unset one becomes nothing.
    func filled(_ text: String) -> String {
        guard text.contains("{{") else { return text }
        var result = ""
        var rest = Substring(text)
        while let start = rest.range(of: "{{"), let end = rest[start.upperBound...].range(of: "}}") {
            result += rest[..<start.lowerBound]
            result += value(String(rest[start.upperBound..<end.lowerBound]))
            rest = rest[end.upperBound...]
        }
        return result + rest
    }

    /// A variable's value as text.
    func value(_ name: String) -> String {
        switch variables[name] {
        case nil: ""
        case .string(let text)?: text
        case let list?: list.text
        }
    }

    /// All texts inside with their variables filled in.
    func filled(_ value: JSON) -> JSON {
        switch value {
        case .string(let text): .string(filled(text))
        case .array(let items): .array(items.map(filled))
        case .object(let members): .object(members.mapValues(filled))
        default: value
        }
    }

    // MARK: Conditions

    /// Documentation: `packages/conditions` names the operators.
    func holds(_ condition: JSON) -> Bool {
        let comparisons = condition["comparisons"]?.array ?? []
        if comparisons.isEmpty { return false }
        return condition["logicalOperator"] == "OR"
            ? comparisons.contains(where: compare) : comparisons.allSatisfy(compare)
    }

    private func compare(_ comparison: JSON) -> Bool {
        guard let name = SimulatedTypebot.Input.variable(comparison["variableId"]) else { return false }
        let text = value(name)
        let other = filled(comparison["value"]?.string ?? "")
        let (low, lowOther) = (text.lowercased(), other.lowercased())
        switch comparison["comparisonOperator"]?.string {
        case "Equal to":
            return variables[name]?.array.map { $0.allSatisfy { $0.string == other } } ?? (text == other)
        case "Not equal": return text != other
        case "Contains":
            return variables[name]?.array?.contains(.string(other)) ?? (!other.isEmpty && low.contains(lowOther))
        case "Does not contain": return other.isEmpty || !low.contains(lowOther)
        case "Is set": return !text.isEmpty
        case "Is empty": return text.isEmpty
        case "Starts with": return !other.isEmpty && low.hasPrefix(lowOther)
        case "Ends with": return !other.isEmpty && low.hasSuffix(lowOther)
        case "Greater than": return number(text) > number(other)
        case "Less than": return number(text) < number(other)
        case "Greater or equal to": return number(text) >= number(other)
        case "Less or equal to": return number(text) <= number(other)
        default: return false
        }
    }

    /// A number, or the length of what is none.
    private func number(_ text: String) -> Double { Double(text) ?? Double(text.utf16.count) }
}
