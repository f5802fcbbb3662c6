import Base

/// What a flow asks for. Kept in the session, without what only its page would show.
/// Documentation: the contract's `input`, `packages/blocks/inputs/src`.
struct TypebotInput: Sendable, Equatable {
    enum Kind: String, Sendable {
        case text = "text input"
        case number = "number input"
        case email = "email input"
        case url = "url input"
        case date = "date input"
        case time = "time input"
        case phone = "phone number input"
        case choice = "choice input"
        case pictureChoice = "picture choice input"
        case payment = "payment input"
        case rating = "rating input"
        case file = "file input"
        case cards = "cards"
    }
    /// `nil`: one that came after this was written; any text may answer it.
    let kind: Kind?
    /// Of its block.
    let id: String
    private let type: String
    private let json: JSON

    init?(_ json: JSON) {
        guard let type = json["type"]?.string else { return nil }
        kind = Kind(rawValue: type)
        self.type = type
        id = json["id"]?.string.flatMap { $0.utf8.count <= TypebotAnswer.longestID ? $0 : nil } ?? ""
        self.json = json
    }

    private var options: JSON { json["options"] ?? .null }
    private var items: [JSON] { Array((json["items"]?.array ?? []).prefix(Self.mostItems)) }
    private static let mostItems = 200

    // MARK: What an answer must look like

    var takesSeveral: Bool { options["isMultipleChoice"]?.bool == true }
    var isRequired: Bool { options["isRequired"]?.bool ?? true }
    var takesSeveralFiles: Bool { options["isMultipleAllowed"]?.bool == true }
    var takesAttachments: Bool { kind == .text && options["attachments"]?["isEnabled"]?.bool == true }
    var takesAudio: Bool { kind == .text && options["audioClip"]?["isEnabled"]?.bool == true }
    var longestFile: Int? { options["sizeLimit"]?.double.flatMap(TypebotUploads.bytes) }
    /// What a person says who sends no file.
    var skip: String { options["labels"]?["skip"]?.saying ?? "Skip" }

    /// Buttons and the like: a message that was said before they were seen is no answer to them (`startBotFlow.ts`).
    var showsItself: Bool {
        switch kind {
        case .choice, .pictureChoice, .cards, .payment: true
        default: false
        }
    }

    /// The option that the question names, though it was said before the options were seen: a person went on in a session
    /// that was gone. Typebot lists no options once they were shown.
    func option(namedBy question: Question) -> Choice? {
        let said = (question.chosen.map(\.label) + [question.text]).map { $0.lowercased().trimmed }
        return choices?.options.first { said.contains($0.label.lowercased().trimmed) }
    }

    /// Whether one item's label is another's value, id or label too, so that Typebot may take it for that one; not where the
    /// ids are no better, as a variable's numbered pictures.
    var needsIDs: Bool {
        if let known = json["needsIDs"]?.bool { return known }
        guard kind == .choice || kind == .pictureChoice, !takesSeveral else { return false }
        func same(_ name: String) -> String { name.lowercased().trimmed }
        var owners: [String: Set<Int>] = [:]
        for (index, item) in items.enumerated() {
            for name in ["id", "value", "content", "title", "pictureSrc"].compactMap({ item[$0]?.string }) {
                owners[same(name), default: []].insert(index)
            }
        }
        func isAnothers(_ name: String, _ index: Int) -> Bool { owners[same(name)].map { $0 != [index] } ?? false }
        let indexed = items.enumerated()
        return indexed.contains { isAnothers(label($1, at: $0), $0) }
            && !indexed.contains { index, item in item["id"]?.string.map { isAnothers($0, index) } ?? false }
    }

    /// As kept in the session.
    var stored: JSON {
        var kept: JSON = ["type": .string(kind?.rawValue ?? String(type.prefix(50))), "id": .string(id)]
        var settings: Members<JSON> = [:]
        for name in ["isMultipleChoice", "isRequired", "isMultipleAllowed"] {
            settings[name] = options[name]?.bool.map(JSON.bool)
        }
        settings["sizeLimit"] = options["sizeLimit"]?.double.map(JSON.number)
        for name in ["attachments", "audioClip"] {
            settings[name] = options[name]?["isEnabled"]?.bool.map { ["isEnabled": .bool($0)] }
        }
        settings["labels"] = options["labels"]?["skip"]?.saying.map { ["skip": .string(String($0.prefix(200)))] }
        if !settings.isEmpty { kept["options"] = .object(settings) }
        if needsIDs { kept["needsIDs"] = true }
        return kept
    }

    // MARK: What people see

    /// Comes after the bubbles.
    /// - Parameter payment: what leads to where a payment can be made.
    func parts(payment: String?) -> [ReplyPart] {
        let before: [ReplyPart] =
            switch kind {
            case .pictureChoice: items.enumerated().flatMap { pictureParts($1, at: $0) }
            case .cards: items.flatMap(cardParts)
            case .rating: saying(ratingHint)
            case .date: saying(dateHint)
            case .time: saying(options["format"]?.saying)
            case .payment: paymentParts(payment)
            default: []
            }
        return before + (choices.map { [.choices($0)] } ?? [])
    }

    /// `nil` if people answer in words of their own.
    private var choices: Choices? {
        let options: [Choice] =
            switch kind {
            case .choice, .pictureChoice:
                items.enumerated().compactMap { index, item in
                    item["id"]?.string.map { Choice(label: label(item, at: index), value: $0) }
                }
            case .cards: cardChoices
            case .rating: ratingChoices
            case .file where !isRequired: [Choice(label: skip, value: "skip")]
            default: []
            }
        return options.isEmpty ? nil : Choices(options, several: takesSeveral)
    }

    /// An item without words is called by its number, which Typebot understands too.
    private func label(_ item: JSON, at index: Int) -> String {
        (item["content"] ?? item["title"])?.saying ?? item["value"]?.saying ?? String(index + 1)
    }

    private func saying(_ hint: String?) -> [ReplyPart] {
        hint.map { [.text(TypebotRichText.escaped($0)), .nextMessage] } ?? []
    }

    // MARK: Pictures and cards

    private func pictureParts(_ item: JSON, at index: Int) -> [ReplyPart] {
        described(
            label(item, at: index), item["description"], TypebotLink.file(item["pictureSrc"], fallback: "picture"))
    }

    private func cardParts(_ item: JSON) -> [ReplyPart] {
        described(item["title"]?.saying, item["description"], TypebotLink.file(item["imageUrl"], fallback: "picture"))
    }

    /// The picture, then what is told of it; a mere title, which its button shows too, is not told.
    private func described(_ title: String?, _ description: JSON?, _ picture: ReplyFile?) -> [ReplyPart] {
        let description = description?.saying
        guard picture != nil || description != nil else { return [] }
        let words = [
            title.map { "[b]\(TypebotRichText.escaped($0))[/b]" }, description.map(TypebotRichText.escaped),
        ].compactMap(\.self).joined(separator: "\n")
        return (picture.map { [.file($0)] } ?? []) + (words.isEmpty ? [] : [.text(words)]) + [.nextMessage]
    }

    /// Where several cards have a button of the same name, each is named with its card.
    private var cardChoices: [Choice] {
        let paths = items.flatMap { item -> [(title: String?, choice: Choice)] in
            let title = item["title"]?.saying
            let paths = (item["paths"]?.array ?? []).compactMap { path -> Choice? in
                guard let id = path["id"]?.string, let label = path["text"]?.saying ?? title else { return nil }
                return Choice(label: label, value: id)
            }
            if paths.isEmpty { return title.map { [($0, Choice(label: $0, value: $0))] } ?? [] }
            return paths.map { (title, $0) }
        }
        let counts = Dictionary(grouping: paths) { $0.choice.label }.mapValues(\.count)
        return paths.map { title, choice in
            guard let title, title != choice.label, counts[choice.label] != 1 else { return choice }
            return Choice(label: "\(title): \(choice.label)", value: choice.value)
        }
    }

    // MARK: Ratings, dates, payments

    private var rating: ClosedRange<Int> {
        let length = options["length"]?.double.flatMap(Int.init(exactly:)) ?? 10
        let start = options["startsAt"]?.double.flatMap(Int.init(exactly:)) ?? 0
        let isNumbers = options["buttonType"]?.string != "Icons"
        let first = isNumbers ? start : 1
        return first...max(first, length)
    }

    /// Only where the first button is the number 1: in a numbered list each would have two numbers otherwise.
    private var ratingChoices: [Choice] {
        guard rating.lowerBound == 1, rating.upperBound <= 10 else { return [] }
        return rating.map { Choice(label: String($0), value: String($0)) }
    }

    private var ratingHint: String? {
        let names = [options["labels"]?["left"]?.saying, options["labels"]?["right"]?.saying]
        if names == [nil, nil], !ratingChoices.isEmpty { return nil }
        func end(_ number: Int, _ name: String?) -> String { name.map { "\(number) (\($0))" } ?? String(number) }
        return "\(end(rating.lowerBound, names[0])) – \(end(rating.upperBound, names[1]))"
    }

    /// The form that the author chose; Typebot itself understands many.
    private var dateHint: String? {
        let isRange = options["isRange"]?.bool == true
        let hasTime = options["hasTime"]?.bool == true
        guard options["format"]?.saying != nil || isRange || hasTime else { return nil }
        let form = options["format"]?.saying ?? (hasTime ? "dd/MM/yyyy HH:mm" : "dd/MM/yyyy")
        return isRange ? "\(form) \(options["labels"]?["separator"]?.saying ?? "to") \(form)" : form
    }

    private func paymentParts(_ link: String?) -> [ReplyPart] {
        let lines = [paymentHint.map(TypebotRichText.escaped), link].compactMap(\.self)
        return lines.isEmpty ? [] : [.text(lines.joined(separator: "\n")), .nextMessage]
    }

    /// What is to be paid. The money can be taken by the flow's own page only.
    private var paymentHint: String? {
        let amount =
            json["runtimeOptions"]?["amountLabel"]?.saying
            ?? options["amount"]?.double.map {
                "\(options["amount"]?.string ?? String($0)) \(options["currency"]?.string ?? "")"
            }
        let words = [options["additionalInformation"]?["description"]?.saying, amount].compactMap(\.self)
        return words.isEmpty ? nil : words.joined(separator: ": ")
    }
}

extension StringProtocol {
    /// Without the space around it.
    var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
