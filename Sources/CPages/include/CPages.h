// The files of the pages that BitBot serves.
#ifndef BITBOT_CPAGES_H
#define BITBOT_CPAGES_H

#include <base_embedded.h>

/// The last row has no name.
const struct embedded_file *page_files(void);

#endif
