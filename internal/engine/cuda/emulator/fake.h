// What the fake libcudnn needs of the fake libcuda.
#pragma once
#include <functional>

// Queues work on a CUstream; it gives a CUresult.
int fake_enqueue(void *stream, std::function<int()> work);

// Counts events: true at event number n of those named by VARIABLE=name:n, at all for n = *.
bool fake_event(const char *variable, const char *name);
