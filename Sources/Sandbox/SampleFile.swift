import Base
import Foundation

/// Files that the demonstrations show, served by the simulated platforms.
enum SampleFile {
    /// A cup from above: a small PNG.
    static let picture = "sample.png"
    static let table = "prices.csv"

    static func answer(_ name: String) -> HTTPResponse {
        switch name {
        case picture:
            HTTPResponse(status: 200, headers: ["Content-Type": "image/png"], body: .bytes(Array(pictureBytes)))
        case table: .text("Item,Price\nTea,6.40\nCup,9.90\n", type: "text/csv; charset=utf-8")
        default: .text("Not found", status: 404)
        }
    }

    private static let pictureBytes =
        Data(
            base64Encoded: """
                iVBORw0KGgoAAAANSUhEUgAAADAAAAAgCAMAAABjCgsuAAAABlBMVEX/9NbWbjyiPXH3AAAAQUlEQVR42u3UsQ3AMAwDQf3+S6cw\
                0ucKAw5g1rqO1MzNSm/w/CMpE2WiTBQKBYXigjPA/mp4W30PvjjftH+N3+UBFg4Btg8XJsIAAAAASUVORK5CYII=
                """) ?? Data()
}
