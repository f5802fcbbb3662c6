import Base

/// What the page is told of the simulated portal.
extension SandboxPage {
    /// All that a page needs to begin with.
    func snapshot() -> JSON {
        let (status, offers, places, calls, application) = state.withLock {
            ($0.status, $0.offers, $0.places, $0.calls, $0.application)
        }
        let people = people()
        var messages: Members<JSON> = [:]
        for (side, place) in places {
            messages[side.rawValue] = .array(
                portal.messages(in: place.chat).compactMap { shown($0, side, place, people: people) })
        }
        let shownOffers = offers.map { offer -> JSON in
            [
                "id": .string(offer.id), "name": .string(people[offer.bot]?.name ?? ""),
                "channel": .bool(offer.line != nil),
            ]
        }
        return [
            "bitbot": .string(bitbot), "application": application.map(JSON.string) ?? .null, "status": status.json,
            "offers": .array(shownOffers), "people": shownPeople(),
            "messages": .object(messages), "calls": .array(calls.map { $0.call.json(number: $0.number) }),
        ]
    }

    /// Who is on each side, with whom, and who has an open channel's dialog.
    func shownPeople() -> JSON {
        let people = people()
        let dialogs = portal.dialogs
        let shown = state.withLock({ $0.places }).map { side, place -> (String, JSON) in
            let dialog = dialogs.first { $0.id == place.chat }
            let bot = dialog?.members.lazy.compactMap { people[$0] }.first { $0.kind == .bot }
            return (
                side.rawValue,
                [
                    "name": .string(people[place.user]?.name ?? ""), "bot": bot.map { .string($0.name) } ?? .null,
                    "choice": .string(place.offer ?? Self.operatorChoice),
                    "session": .string(dialog?.turn(of: place.user) ?? "none"),
                ]
            )
        }
        return .object(Members(shown))
    }

    func people() -> [Int: SimulatedPortal.User] {
        Dictionary(portal.users.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }

    /// A message as the person sees it; `nil` for one that a customer does not see.
    func shown(
        _ message: SimulatedPortal.Message, _ side: Side, _ place: Place,
        people: [Int: SimulatedPortal.User]? = nil
    ) -> JSON? {
        if side == .customer, message.isHiddenFromCustomer || message.isSystem { return nil }
        let author = (people ?? self.people())[message.authorID]
        let from =
            message.isSystem || author == nil
            ? "system" : message.authorID == place.user ? "me" : author?.kind == .bot ? "bot" : "other"
        return [
            "id": .integer(Int64(message.id)), "from": .string(from), "name": .string(author?.name ?? ""),
            "text": .string(message.text), "time": .integer(message.date.rawValue),
            "edited": .bool(message.isEdited), "deleted": .bool(message.isDeleted),
            "buttons": .array(rows(of: message.keyboard)), "files": .array(message.files.map(\.shown)),
        ]
    }
}

extension SimulatedPortal.Dialog {
    /// Who answers a customer: `bot`, `operator`, or `none` while no session is open.
    fileprivate func turn(of user: Int) -> String {
        guard case .openChannel = kind, sessionID != nil else { return "none" }
        return operatorID == nil ? "bot" : "operator"
    }
}

extension SimulatedPortal.File {
    fileprivate var shown: JSON {
        [
            "id": .integer(Int64(id)), "name": .string(name), "type": .string(type),
            "size": .integer(Int64(content.count)),
        ]
    }
}

extension SandboxPage.Status {
    fileprivate var json: JSON {
        switch self {
        case .waiting: ["state": "waiting"]
        case .ready: ["state": "ready"]
        case .failed(let reason): ["state": "failed", "reason": .string(reason)]
        }
    }
}

/// The rows of buttons of a keyboard, as it was sent: a list, or an object with a list in `BUTTONS`; each button with a
/// `TEXT`, perhaps a `LINK`; one of the type `NEWLINE` ends a row.
/// Documentation: `api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/message-keyboards.md`.
private func rows(of keyboard: JSON?) -> [JSON] {
    guard let keyboard else { return [] }
    if let text = keyboard.string { return rows(of: try? JSON(parsing: text.utf8)) }
    var rows: [[JSON]] = [[]]
    for button in listed(member("buttons", of: keyboard) ?? keyboard) {
        if member("type", of: button)?.string?.uppercased() == "NEWLINE" {
            rows.append([])
        } else if let text = member("text", of: button)?.string {
            rows[rows.count - 1].append([
                "text": .string(text), "link": member("link", of: button) ?? .null,
            ])
        }
    }
    return rows.filter { !$0.isEmpty }.map(JSON.array)
}

/// The elements of a list, or of the object with numbers for names that PHP makes of one.
private func listed(_ value: JSON) -> [JSON] {
    if let elements = value.array { return elements }
    let numbered = (value.object ?? [:]).compactMap { name, element in Int(name).map { ($0, element) } }
    return numbered.sorted { $0.0 < $1.0 }.map(\.1)
}

private func member(_ name: String, of value: JSON) -> JSON? { value[name.uppercased()] ?? value[name] }
