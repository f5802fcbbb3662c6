/// Keeps a large value outside of what holds it, so that its holder is handed on and held at small cost. Being changed it is
/// copied only where somebody else holds it, too.
@propertyWrapper
public struct Indirect<Value> {
    @usableFromInline
    final class Place {
        // A place is reached through what holds it only, and that is watched over.
        @exclusivity(unchecked) @usableFromInline var value: Value
        @inlinable init(_ value: Value) { self.value = value }
    }

    @usableFromInline var place: Place

    @inlinable public init(wrappedValue: Value) { place = Place(wrappedValue) }

    // In place, as what is read or changed is mostly one part of a large value.
    @inlinable public var wrappedValue: Value {
        _read { yield place.value }
        _modify {
            if !isKnownUniquelyReferenced(&place) { place = Place(place.value) }
            yield &place.value
        }
    }
}

/// Unchecked: a place that is shared is never changed.
extension Indirect: @unchecked Sendable where Value: Sendable {}

/// Keeps a large value that is seldom there outside of what holds it: without it, a pointer is all it takes.
@propertyWrapper
public struct Rare<Value> {
    @usableFromInline var place: Indirect<Value>?

    @inlinable public init(wrappedValue: Value?) { place = wrappedValue.map { Indirect(wrappedValue: $0) } }

    @inlinable public var wrappedValue: Value? {
        get { place?.wrappedValue }
        set { place = newValue.map { Indirect(wrappedValue: $0) } }
    }
}

extension Rare: Sendable where Value: Sendable {}
