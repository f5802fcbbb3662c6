#include "CBase.h"
