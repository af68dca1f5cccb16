// Package worker hands tasks to other processes and takes their results back. It
// knows nothing of what a task is: a Server does tasks by the Kinds that it is given,
// a Pool hands them out. What goes over the pipes is in docs/format/worker.md.
//
// Promises:
//   - a process that dies, says nothing for too long, or fails costs the task that it
//     had one retry in another process; after that the task's error is a Lost;
//   - a process that can't begin, or is another moncae, is the caller's error, and so is
//     a task that is refused as bad input: no task is tried again for it;
//   - where a task is tried by two processes at once, the first result counts, and a second
//     one that isn't the same is the caller's error;
//   - a server ends when its input does, whatever it is at; on Linux it also ends when
//     the process that started it dies while the server is stopped;
//   - no length is trusted: memory grows with the bytes that come.
//
// Costs: two lines and a switch of processes a task, some 50 µs; what is given is kept
// in each process.
package worker
