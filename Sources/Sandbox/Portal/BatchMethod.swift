import Base

extension SimulatedPortal {
    /// Runs up to 50 commands one after another. Documentation: `settings/how-to-call-rest-api/batch.md`.
    /// - Parameter order: the keys of `cmd` as they were written.
    func batch(
        _ parameters: RESTParameters, order: [String]?, _ caller: RESTCaller
    ) async throws(RESTError) -> RESTResult {
        let halts = parameters.flag("halt") ?? false
        var results = BatchResults()
        for (index, command) in commands(parameters["cmd"], order: order).enumerated() {
            if index >= 50 {
                results.errors.append((command.key, RESTError.batchTooLong.json))
                continue
            }
            let start = WallClock.system.now
            do throws(RESTError) {
                let request = try BatchCommand(command.text, results: results.values)
                if request.method == "batch" { throw .notInBatch }
                let result = try await perform(request.method, request.parameters, caller, insideBatch: true)
                results.values.append((command.key, result.value))
                if let total = result.total { results.totals.append((command.key, JSON(total))) }
                if let next = result.next { results.nexts.append((command.key, JSON(next))) }
                let use = RequestLimits.Use(client: caller.account, method: request.method)
                results.times.append((command.key, time(from: start, operating: use)))
            } catch {
                results.errors.append((command.key, error.json))
                if halts { break }
            }
        }
        return RESTResult(results.json)
    }

    private func commands(_ value: JSON?, order: [String]?) -> [(key: String, text: String)] {
        switch value {
        case .array(let texts): return texts.enumerated().map { (String($0.offset), $0.element.string ?? "") }
        case .object(let members):
            let keys = order ?? members.keys.sorted()
            return keys.compactMap { key in members[key].map { (key, $0.string ?? "") } }
        default: return []
        }
    }
}

/// What a batch answers. PHP writes empty maps as `[]`, and maps with the keys 0, 1, … as lists.
private struct BatchResults {
    var values: [(key: String, value: JSON)] = []
    var errors: [(key: String, value: JSON)] = []
    var totals: [(key: String, value: JSON)] = []
    var nexts: [(key: String, value: JSON)] = []
    var times: [(key: String, value: JSON)] = []

    var json: JSON {
        [
            "result": .phpMap(values), "result_error": .phpMap(errors), "result_total": .phpMap(totals),
            "result_next": .phpMap(nexts), "result_time": .phpMap(times),
        ]
    }
}

/// One command of a batch: `method?parameter=value`, with references to earlier results put in.
struct BatchCommand {
    var method: String
    var parameters: RESTParameters

    init(_ text: String, results: [(key: String, value: JSON)]) throws(RESTError) {
        let parts = text.split(separator: "?", maxSplits: 1)
        method = parts.first.map { $0.lowercased() } ?? ""
        guard parts.count == 2 else {
            parameters = RESTParameters()
            return
        }
        do {
            let tree = try Form.decode(Array(parts[1].utf8))
            parameters = RESTParameters(text.contains("$result") ? Self.resolve(tree, results) : tree)
            parameters.members["auth"] = nil
        } catch {
            throw RESTError(400, "INVALID_REQUEST", "The command cannot be read")
        }
    }

    /// Puts results in place of `$result[key][field]`, as text wherever it is written.
    private static func resolve(_ value: JSON, _ results: [(key: String, value: JSON)]) -> JSON {
        switch value {
        case .string(let text): resolve(text, results)
        case .object(let members): .object(members.mapValues { resolve($0, results) })
        case .array(let values): .array(values.map { resolve($0, results) })
        default: value
        }
    }

    private static func resolve(_ text: String, _ results: [(key: String, value: JSON)]) -> JSON {
        guard let start = text.firstRange(ofText: "$result[") else { return .string(text) }
        var rest = text[text.index(before: start.upperBound)...]
        var path: [String] = []
        while rest.first == "[", let end = rest.firstIndex(of: "]") {
            path.append(String(rest[rest.index(after: rest.startIndex)..<end]))
            rest = rest[rest.index(after: end)...]
        }
        var found = path.first.flatMap { key in results.first { $0.key == key }?.value }
        for step in path.dropFirst() {
            if let values = found?.array {
                found = Int(step).flatMap { values.indices.contains($0) ? values[$0] : nil }
            } else {
                found = found?[step]
            }
        }
        let isWhole = start.lowerBound == text.startIndex && rest.isEmpty
        if isWhole, let found, found.array != nil || found.object != nil { return found }
        let inserted: String =
            switch found {
            case .string(let value): value
            case nil, .null: ""
            case .bool(let value): value ? "1" : ""
            case .some(let value): value.text
            }
        let tail = resolve(String(rest), results)
        return .string(text[..<start.lowerBound] + inserted + (tail.string ?? ""))
    }
}

extension String {
    /// The first place of a text, without Foundation.
    fileprivate func firstRange(ofText needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
