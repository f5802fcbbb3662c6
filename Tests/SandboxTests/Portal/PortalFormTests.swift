import Base
import Testing

@testable import Sandbox

/// The small forms that the simulated portal reads and writes.
@Suite struct PortalFormTests {
    @Test(
        "dates are written as Bitrix24 writes them",
        arguments: [
            (0, "1970-01-01T00:00:00+00:00"), (951_782_400, "2000-02-29T00:00:00+00:00"),
            (1_728_626_400, "2024-10-11T06:00:00+00:00"), (4_102_444_799, "2099-12-31T23:59:59+00:00"),
        ])
    func dates(seconds: Int64, text: String) {
        #expect(Timestamp(rawValue: seconds * 1000 + 999).bitrixDate == text)
    }

    @Test("a batch's commands keep their order, whatever surrounds them")
    func order() {
        let body = #" {"auth":"a\"}","x":[{"cmd":{}},1] , "cmd" : { "z\u00e4" : "a?b={\"" , "a":"c", "m":"d" } }"#
        #expect(BatchOrder.keys(inJSON: Array(body.utf8)) == ["zä", "a", "m"])
        for broken in ["", "{", "[]", #"{"cmd":[1]}"#, #"{"cmd":"#, #"{"a":"b\"#] {
            #expect(BatchOrder.keys(inJSON: Array(broken.utf8)) ?? [] == [])
        }
        #expect(BatchOrder.keys(inForm: "auth=1&cmd[b]=x%3Fa&cmd%5Ba%5D=y&cmd[b]=z") == ["b", "a"])
    }

    @Test("results are put into later commands, nested and beside other text")
    func references() throws {
        let results: [(key: String, value: JSON)] = [("u", ["ID": "7", "LIST": [5, 6], "MAP": ["a": "b"]])]
        let command = try BatchCommand(
            "user.get?A=$result[u][ID]&B=x$result[u][LIST][1]y&C=$result[u][MAP]&D=$result[none][ID]", results: results)
        #expect(command.method == "user.get")
        #expect(command.parameters.members == ["A": "7", "B": "x6y", "C": ["a": "b"], "D": ""])
    }

    @Test(
        "addresses name a method, with or without a webhook",
        arguments: [
            ("/rest/Profile", "profile", ""), ("/rest/profile.json", "profile", ""),
            ("/rest/1/abc/imbot.v2.Bot.get/", "imbot.v2.bot.get", "abc"),
        ])
    func targets(path: String, method: String, code: String) throws {
        let target = try #require(RESTTarget(path: path))
        #expect(target.method == method)
        #expect(target.webhook?.code ?? "" == code)
    }

    @Test(
        "other addresses name nothing", arguments: ["/", "/rest", "/rest/", "/rest/x/abc/profile", "/rest/1/profile"])
    func noTargets(path: String) {
        #expect(RESTTarget(path: path) == nil)
    }
}
