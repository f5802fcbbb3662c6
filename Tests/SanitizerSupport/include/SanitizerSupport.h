// Nothing to call: what is linked in tells the thread sanitizer of Swift's `Mutex`.
