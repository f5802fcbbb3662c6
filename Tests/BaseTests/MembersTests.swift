import Testing

@testable import Base

@Suite("Members of an object")
struct MembersTests {
    @Test(
        "few or many, each is found, replaced and taken out by its name, as in a dictionary",
        arguments: [1, 5, 32, 33, 500])
    func asDictionary(count: Int) {
        var generator = SystemRandomNumberGenerator()
        var members = Members<Int>()
        var expected: [String: Int] = [:]
        for step in 0..<(count * 8) {
            let name = "name \(Int.random(in: 0..<count, using: &generator))"
            let value = Bool.random(using: &generator) ? step : nil
            members[name] = value
            expected[name] = value
            #expect(members[name] == value)
        }
        #expect(members.count == expected.count)
        #expect(Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) }) == expected)
        for (name, value) in expected { #expect(members[name] == value) }
        for name in expected.keys { members[name] = nil }
        #expect(members.isEmpty)
        members["again"] = 1
        #expect(members["again"] == 1)
    }

    @Test("they keep the order in which they came, and are the same in any order")
    func order() {
        let names = (0..<100).map { "\($0)" }
        let members = Members(names.map { ($0, $0) })
        #expect(members.map(\.key) == names)
        #expect(members == Members(names.reversed().map { ($0, $0) }))
        #expect(members != Members(names.dropLast().map { ($0, $0) }))
        #expect(Members([("a", 1), ("b", 2), ("a", 3)]) == ["a": 3, "b": 2])
    }
}
