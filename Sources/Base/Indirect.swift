/// Keeps a large value outside of what holds it, so that its holder is handed on and held at small cost. Being set makes a
/// new place for it: for what is set seldom.
@propertyWrapper
public indirect enum Indirect<Value> {
    case value(Value)

    @inlinable public init(wrappedValue: Value) { self = .value(wrappedValue) }

    @inlinable public var wrappedValue: Value {
        get {
            switch self {
            case .value(let value): value
            }
        }
        set { self = .value(newValue) }
    }
}

extension Indirect: Sendable where Value: Sendable {}
