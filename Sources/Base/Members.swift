/// Values by name, in the order in which the names came, unless some of many are removed. Made for what has a handful of
/// members and is read once or twice, as most of what is sent here: up to 32 are found by comparing names, which costs no more
/// than hashing one; of more, a dictionary knows the places.
///
/// Two are equal if they have the same members, in whatever order.
public struct Members<Value> {
    public typealias Member = (key: String, value: Value)

    private var members: [Member] = []
    /// Empty while there are few.
    private var places: [String: Int] = [:]

    private static var few: Int { 32 }

    public init() {}

    /// Of two members of one name the later counts.
    public init(_ members: some Sequence<(String, Value)>) {
        self.members.reserveCapacity(members.underestimatedCount)
        for (name, value) in members { self[name] = value }
    }

    public init(_ members: [String: Value]) { self.init(members.lazy.map { ($0.key, $0.value) }) }

    public mutating func reserveCapacity(_ count: Int) { members.reserveCapacity(count) }

    /// Setting `nil` removes the member.
    public subscript(_ name: String) -> Value? {
        get { place(of: name).map { members[$0].value } }
        set {
            switch (place(of: name), newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): remove(at: place)
            case (nil, let value?): append(name, value)
            case (nil, nil): break
            }
        }
    }

    public func mapValues<Other>(_ transform: (Value) throws -> Other) rethrows -> Members<Other> {
        var mapped = Members<Other>()
        mapped.members = try members.map { ($0.key, try transform($0.value)) }
        mapped.places = places
        return mapped
    }

    public func compactMapValues<Other>(_ transform: (Value) throws -> Other?) rethrows -> Members<Other> {
        Members<Other>(try members.compactMap { member in try transform(member.value).map { (member.key, $0) } })
    }

    public func filter(_ isKept: (Member) throws -> Bool) rethrows -> Members {
        Members(try members.filter(isKept).lazy.map { ($0.key, $0.value) })
    }

    /// Members of the other take the place of those of the same name.
    public mutating func merge(_ other: Members) {
        for member in other.members { self[member.key] = member.value }
    }

    /// As ``merge(_:)``.
    public func merging(_ other: Members) -> Members {
        var merged = self
        merged.merge(other)
        return merged
    }

    private func place(of name: String) -> Int? {
        guard places.isEmpty else { return places[name] }
        return members.firstIndex { $0.key.utf8.count == name.utf8.count && $0.key == name }
    }

    private mutating func append(_ name: String, _ value: Value) {
        members.append((name, value))
        if !places.isEmpty {
            places[name] = members.count - 1
        } else if members.count > Self.few {
            for (place, member) in members.enumerated() { places[member.key] = place }
        }
    }

    private mutating func remove(at place: Int) {
        if places.isEmpty {
            members.remove(at: place)
            return
        }
        // The last one takes its place: others need not be found anew.
        places[members[place].key] = nil
        let last = members.removeLast()
        guard place < members.count else { return }
        members[place] = last
        places[last.key] = place
    }
}

extension Members: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { members.count }
    public subscript(position: Int) -> Member { members[position] }
    public var keys: [String] { members.map(\.key) }
    public var values: [Value] { members.map(\.value) }
}

extension Members: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral members: (String, Value)...) { self.init(members) }
}

extension Members: Sendable where Value: Sendable {}

extension Members: Equatable where Value: Equatable {
    public static func == (some: Members, other: Members) -> Bool {
        some.count == other.count && some.members.allSatisfy { other[$0.key] == $0.value }
    }
}

extension Members: Codable where Value: Codable {
    public init(from decoder: any Decoder) throws { self.init(try [String: Value](from: decoder)) }

    public func encode(to encoder: any Encoder) throws {
        try Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) }).encode(to: encoder)
    }
}
