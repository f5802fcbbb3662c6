import Base

/// Notes of the desk as the store keeps them. They are read twice for each message of an open channel, which costs less this
/// way than by `Codable`.
extension OperatorDesk.Notes {
    /// What cannot be read counts as not there.
    init(_ json: JSON) {
        session = json["session"]?.integer
        lastHeard = json["lastHeard"]?.integer
        since = json["since"]?.integer.map(Timestamp.init(rawValue:))
        becauseOfFailure = json["becauseOfFailure"]?.bool
        leftToQueue = json["leftToQueue"]?.bool
        operatorSpoke = json["operatorSpoke"]?.bool
        ownerChangedBy = json["ownerChangedBy"]?.integer
        wokeAt = json["wokeAt"]?.integer.map(Timestamp.init(rawValue:))
        wokeBy = json["wokeBy"]?.integer
        failures = json["failures"]?.integer.flatMap { Int(exactly: $0) }
        if let part = json["untold"], let session = part["session"]?.integer {
            untold = .init(session: session, after: part["after"]?.integer)
        }
        if let first = json["owned"], let session = first["session"]?.integer, let message = first["message"]?.integer {
            owned = .init(session: session, message: message)
        }
    }

    var json: JSON {
        var json: JSON = [:]
        json["session"] = session.map(JSON.integer)
        json["lastHeard"] = lastHeard.map(JSON.integer)
        json["since"] = since.map { .integer($0.rawValue) }
        json["becauseOfFailure"] = becauseOfFailure.map(JSON.bool)
        json["leftToQueue"] = leftToQueue.map(JSON.bool)
        json["operatorSpoke"] = operatorSpoke.map(JSON.bool)
        json["ownerChangedBy"] = ownerChangedBy.map(JSON.integer)
        json["wokeAt"] = wokeAt.map { .integer($0.rawValue) }
        json["wokeBy"] = wokeBy.map(JSON.integer)
        json["failures"] = failures.map { .integer(Int64($0)) }
        if let untold {
            json["untold"] = ["session": .integer(untold.session)]
            json["untold"]?["after"] = untold.after.map(JSON.integer)
        }
        if let owned { json["owned"] = ["session": .integer(owned.session), "message": .integer(owned.message)] }
        return json
    }
}
