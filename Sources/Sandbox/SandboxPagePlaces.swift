import Base

/// Which chats the person has before them, and what they do there beside writing.
extension SandboxPage {
    /// By which the page knows the operator's view of the customer's dialog.
    static let operatorChoice = "operator"
    /// The simulated portal's employee.
    private static let employee = 2

    /// Offers a bot to choose; the first one is chosen.
    func offer(_ offer: Offer) throws {
        let isFirst = state.withLock { state in
            state.offers.append(offer)
            return state.offers.count == 1
        }
        if isFirst {
            try openPrivateChat(with: offer)
            try openConversation(with: offer)
        }
        tell("state", snapshot())
    }

    /// Goes to another chat: a bot's, or as an operator to the customer's.
    /// - Throws: `HTTPError` for the page.
    func choose(_ id: String, on side: Side) throws {
        let (offer, customer) = state.withLock { state in
            (state.offers.first { $0.id == id }, state.places[.customer])
        }
        if side == .employee, id == Self.operatorChoice, let customer {
            state.withLock { $0.places[side] = Place(chat: customer.chat, user: Self.employee, offer: nil) }
        } else if let offer {
            switch side {
            case .customer: try openConversation(with: offer)
            case .employee: try openPrivateChat(with: offer)
            }
        } else {
            throw HTTPError(404, "There is no such bot.")
        }
        tell("state", snapshot())
    }

    /// A new customer's dialog in the open channel that was chosen last.
    func openConversation() throws {
        let offer = state.withLock { state in
            let chosen = state.places[.customer]?.offer
            return state.offers.first { $0.id == chosen }
        }
        guard let offer else { throw HTTPError(409, "BitBot is not connected yet.") }
        try openConversation(with: offer)
        tell("state", snapshot())
    }

    private func openConversation(with offer: Offer) throws {
        guard let line = offer.line else { throw HTTPError(409, "This bot has no open channel.") }
        let number = state.withLock { state in
            state.customers += 1
            return state.customers
        }
        let dialog = try portal.startDialog(line: line, customer: Self.customerName(number))
        state.withLock { state in
            state.places[.customer] = Place(chat: dialog.id, user: dialog.owner, offer: offer.id)
            // An operator looks on at the customer who is there.
            if let place = state.places[.employee], place.offer == nil { state.places[.employee]?.chat = dialog.id }
        }
    }

    /// A bot that greets does so when its chat is opened for the first time.
    private func openPrivateChat(with offer: Offer) throws {
        let chat = try portal.privateChat(of: Self.employee, with: offer.bot)
        state.withLock { $0.places[.employee] = Place(chat: chat.id, user: Self.employee, offer: offer.id) }
    }

    /// Every customer is another person, so that several dialogs can be told apart in BitBot.
    private static func customerName(_ number: Int) -> String {
        let names = ["Mia Novak", "Leo Winter", "Sofia Marin", "Adam Brooks", "Nora Lind", "Ilya Sokolov"]
        let name = names[(number - 1) % names.count]
        return number > names.count ? "\(name) \((number - 1) / names.count + 1)" : name
    }

    // MARK: Bots of somebody's own

    /// Lets the employee speak with a bot that was registered by webhook: it is somebody's own, and here to be tried.
    func meet(_ bot: Int) {
        let offer = Offer(id: "bot-\(bot)", bot: bot)
        let isNew = state.withLock { state in
            // The sandbox's own bots come first, for what opens first is theirs.
            guard !state.offers.isEmpty, !state.offers.contains(where: { $0.bot == bot }) else { return false }
            state.offers.append(offer)
            return true
        }
        guard isNew, (try? openPrivateChat(with: offer)) != nil else { return }
        tell("state", snapshot())
    }

    /// A bot is gone; who was with it is with the first one again.
    func miss(_ bot: Int) {
        let gone = state.withLock { state -> Offer? in
            defer { state.offers.removeAll { $0.bot == bot } }
            return state.offers.first { $0.bot == bot }
        }
        guard let gone else { return }
        if place(.employee)?.offer == gone.id, let first = state.withLock({ $0.offers.first }) {
            try? openPrivateChat(with: first)
        }
        tell("state", snapshot())
    }

    // MARK: The operator

    /// What an operator does with the customer's dialog.
    enum OperatorAct: String { case take, `return`, finish }

    /// - Throws: `HTTPError` for the page.
    func operate(_ act: OperatorAct) throws {
        guard let place = state.withLock({ $0.places[.customer] }),
            let dialog = portal.dialogs.first(where: { $0.id == place.chat }), dialog.sessionID != nil
        else { throw HTTPError(409, "The customer has not written yet.") }
        switch act {
        case .take: try portal.operatorJoins(Self.employee, chat: place.chat)
        case .return: try portal.operatorReturns(chat: place.chat)
        case .finish: try portal.finishSession(chat: place.chat)
        }
    }

    // MARK: Looking up

    func place(_ side: Side) -> Place? { state.withLock { $0.places[side] } }

    func places(in chat: Int) -> [(Side, Place)] {
        state.withLock { state in state.places.filter { $0.value.chat == chat }.map { ($0.key, $0.value) } }
    }
}
