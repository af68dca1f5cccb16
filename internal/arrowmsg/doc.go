// Package arrowmsg reads the messages of Arrow IPC files and streams, and the schemas
// in Parquet files, that may be damaged or hostile, for arrow-go to decode; and writes
// files and streams whose messages have checksums.
//
// Promises: a message's flatbuffer is walked before arrow-go sees it, and every
// length in it is held against the bytes that are there: nothing is allocated that
// the file can't stand for. What arrow-go would read behind a list's end for, or
// panic at, is an Error here, which names the byte.
//
// What Writer wrote is held against its checksums, whole.
//
// Costs: a header is read twice, by a few hundred nanoseconds a column; a checksum is
// another pass over a message in memory.
package arrowmsg
