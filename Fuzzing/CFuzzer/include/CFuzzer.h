// libFuzzer's entrance for programs that have a `main` of their own.
#ifndef BITBOT_CFUZZER_H
#define BITBOT_CFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *bytes, size_t count));

#endif
