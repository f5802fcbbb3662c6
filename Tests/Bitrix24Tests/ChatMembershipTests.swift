import Testing

@testable import Bitrix24

@Suite("What in the CRM a chat belongs to")
struct ChatMembershipTests {
    @Test("the first thing that is set counts; nothing is made of what cannot be read")
    func owner() {
        #expect(
            CRMOwner(entityData: "LEAD|1209|COMPANY|0|CONTACT|0|DEAL|0") == CRMOwner(type: "lead", id: 1209))
        #expect(
            CRMOwner(entityData: "LEAD|0|COMPANY|0|CONTACT|7|DEAL|12") == CRMOwner(type: "contact", id: 7))
        for nothing in ["", "LEAD", "|", "LEAD|0|COMPANY|0|CONTACT|0|DEAL|0", "LEAD|x|DEAL|-3", "LEAD|0|DEAL"] {
            #expect(CRMOwner(entityData: nothing) == nil)
        }
    }
}
