// Nothing to call: a program that is started with it before its own libraries sees another internet.
