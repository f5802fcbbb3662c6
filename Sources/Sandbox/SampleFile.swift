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
                iVBORw0KGgoAAAANSUhEUgAAAJAAAABgBAMAAAAA+uaSAAAALVBMVEX/8tb6+vzi5OyyVCbOeEb////w6+Hu7/T8/P3YqZLA\
                Zjb/+Orw8fXFflzr1MjhVpu+AAACv0lEQVR42u1YPWsbQRA1KtyfwCjFFfKB7UbdCkMEqXRpUsUQCRk14oIFTmf/AxcC90YB\
                JaVCwIXBjYuUErhT586/xvsxt7q5XXOz8hTG8evOvnuaeW92dne2tt7x1jDOEon98UtpEouXUG0nCCMmno2Zavrjg9UiiuLV\
                uX5obhxPK7JYbhiT5llEBcSbMTk8wBTKk7k8hmk/PDGHxzCNQhM7izxoBCZXQ34VsQyrAfm79tPLnsSlfQwKSQa0C99NeoAB\
                /KEeEtI6IMuzZgoIadsG1EOwIY3oNeTEU4iJXkt5QCWenKlOza0GAX3QH/dnj0LczE70wwWE1CRm1loL9K8rNNq/1zItiblB\
                Ue+oD0/nAtD5qZ6PoLyJntmAji2PZJrakGi+1UxmKqB+VxTQPslDWpJEAs+UZb8EwnVuHM030z+UZceihCkYF1OIQCKV2VWZ\
                6GOeG0UkkGjiCUiHNKCKlBmJ5G//cIn+gm91QiUZiVRm2rI/6ZeicZAbRSQrkc6snaZpF+cGIhG1nkBmqQLObaD+O2iMKola\
                IJHyrKOJ5tg30xWGlabtmioaziEzlFvnzvaUIYWoKJEjUo5bgvuS6Juf6HOPGFKme4gk+u4nOiw0zAqihTFNrw9HbK22NC6+\
                r8otQUSO/YZIVaR85Ws1kXz5QfgKUnwytR0nexUimXqUb0M+eInIZKGTJC1JSCISzwCWbZJUqP0/EM39PAFiI/sdBNiPClL4\
                +j+pIDMKEWWJ4EXrImDRFtuIC3IbwY3Nu7PRGhtuta775FaLm79Xa1rzL21Hnq2WuB2VNkiPRMQNsrxlY4Rs2WyHCLZjDdtB\
                i+3ox3cYZTsesx3Y2a4QfJcatmsW28WP7yrKdjlmu67zDRDYRhp8Qxa2sQ/fIIptNMY3rOMbH7INNPlGrHxDX74xNN9gnHFU\
                /47Xiif+uU7llvqZKwAAAABJRU5ErkJggg==
                """) ?? Data()
}
