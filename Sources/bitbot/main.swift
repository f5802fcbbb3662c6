print("bitbot")
