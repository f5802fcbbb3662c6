// The server speaks English already.
export default [];
