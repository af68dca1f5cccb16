// Package latent is the file format of compressed images: Arrow tables whose
// column `latent` holds tensors C×H×W, one row an image (docs/format/latents.md).
//
// Writing: Create for one file, CreateShards for a folder of them. Rows are
// handed over as float32 and become float32, float16 or int8; float32 values go
// from the caller's slice to the file without a copy. Nothing under the final
// name is ever incomplete: data goes to a temporary name, is synced, and is
// renamed by Commit.
//
// Reading: Open takes a file or a folder of shards, written by this package or
// by any other Arrow writer with the same columns, and gives rows as float32,
// dequantised. No length in a file is believed before it was held against the
// file's own size, and what this package wrote is held against its checksums; damage is an error of the kind fault.Damaged that names the
// file and the byte offset or the column.
//
// Memory: a writer holds one record batch (at most RecordBytes) in the file's
// element type; a reader holds one record batch of the file, twice.
package latent
