import Base

/// Inputs and bubbles as an answer shows them.
/// Documentation: the contract's `messages` and `input`; `formatInputForChatResponse.ts`.
struct TypebotInputs {
    let state: TypebotState

    func input(_ input: SimulatedTypebot.Input, block: SimulatedTypebot.Block) -> JSON {
        var shown: JSON = ["id": .string(block.id), "type": .string(input.kind.rawValue)]
        if let next = block.next { shown["outgoingEdgeId"] = .string(next) }
        if !input.options.isEmpty { shown["options"] = state.filled(.object(input.options)) }
        if input.kind.hasItems { shown["items"] = .array(items(input, blockID: block.id)) }
        if input.kind == .payment { shown["runtimeOptions"] = payment(input) }
        let hasSuggestion = !input.kind.hasItems
        if hasSuggestion, let name = input.variable, let value = state.variables[name]?.string {
            shown["prefilledValue"] = .string(value)
        }
        return shown
    }

    private func payment(_ input: SimulatedTypebot.Input) -> JSON {
        let amount = state.filled(input.options["amount"]?.string ?? "0")
        let currency = input.options["currency"]?.string ?? "USD"
        return [
            "paymentIntentSecret": "pi_simulated_secret", "amountLabel": .string("\(currency) \(amount)"),
            "publicKey": "pk_simulated",
        ]
    }

    /// The items with their variables filled in, without those whose condition hides them.
    func items(_ input: SimulatedTypebot.Input, blockID: String) -> [JSON] {
        if let listed = listed(input, blockID: blockID) { return listed }
        return input.items.filter { item in
            let rule = item["displayCondition"] ?? item["options"]?["displayCondition"]
            guard rule?["isEnabled"]?.bool == true, let condition = rule?["condition"] else { return true }
            return state.holds(condition)
        }.map(state.filled)
    }

    /// Items made from the list in a variable; they have no ways on of their own.
    private func listed(_ input: SimulatedTypebot.Input, blockID: String) -> [JSON]? {
        if let name = SimulatedTypebot.Input.variable(input.options["dynamicVariableId"]), let values = list(name) {
            var seen: Set<String> = []
            return values.filter { !$0.isEmpty && seen.insert($0).inserted }.enumerated().map { index, value in
                ["id": .string("choice\(index)"), "blockId": .string(blockID), "content": .string(value)]
            }
        }
        guard let dynamic = input.options["dynamicItems"], dynamic["isEnabled"]?.bool == true,
            let pictures = SimulatedTypebot.Input.variable(dynamic["pictureSrcsVariableId"]).flatMap(list)
        else { return nil }
        let titles = SimulatedTypebot.Input.variable(dynamic["titlesVariableId"]).flatMap(list) ?? []
        return pictures.enumerated().map { index, picture in
            var item: JSON = [
                "id": .string("choice\(index)"), "blockId": .string(blockID), "pictureSrc": .string(picture),
            ]
            if titles.indices.contains(index) { item["title"] = .string(titles[index]) }
            return item
        }
    }

    private func list(_ name: String) -> [String]? {
        switch state.variables[name] {
        case .array(let items)?: items.map { $0.string ?? "" }
        case .string(let text)?: [text]
        default: nil
        }
    }

    // MARK: Progress

    /// What part of the questions is behind, in percent, with the question that waits counted as answered.
    func progress(at blockID: String) -> Double? {
        guard let answered = state.progress, let place = state.position(ofBlock: blockID) else { return nil }
        var seen: [TypebotState.Place] = []
        var inputs = 0
        count(from: place, &seen, &inputs)
        return Double(answered + 1) / Double(inputs + answered + 1) * 100
    }

    private func count(from place: TypebotState.Place, _ seen: inout [TypebotState.Place], _ inputs: inout Int) {
        guard let block = state.block(place), !seen.contains(place) else { return }
        seen.append(place)
        var ways = [block.next]
        switch block.kind {
        case .input(let input):
            inputs += 1
            ways += input.items.map { $0["outgoingEdgeId"]?.string }
        case .condition(let branches): ways += branches.map(\.next)
        case .jump(let target): ways.append(target)
        default: break
        }
        for way in ways { if let next = state.place(way) { count(from: next, &seen, &inputs) } }
        count(from: .init(group: place.group, block: place.block + 1), &seen, &inputs)
    }
}
