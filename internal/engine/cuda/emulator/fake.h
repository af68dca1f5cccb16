// What the fake libcudnn needs of the fake libcuda.
#pragma once
#include <cstddef>
#include <functional>

// Queues work on a CUstream; it gives a CUresult.
int fake_enqueue(void *stream, std::function<int()> work);

// Counts events: true at event number n of those named by VARIABLE=name:n, at all for n = *.
bool fake_event(const char *variable, const char *name);

// Whether a handle is that of a CUstream that was destroyed.
bool fake_dead(void *stream);

// Whether a CUstream is being captured.
bool fake_capturing(void *stream);

// What a device would say to an access of n bytes at p: 0, or the fault.
int fake_access(const void *p, size_t n, size_t alignment);

// Refuses a call that no thread may make while it captures, and spoils the capture: 0 or a CUresult.
int fake_forbidden();

// How often a context was made anew: what lived in the old one is gone.
long fake_generation();
