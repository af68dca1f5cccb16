// Package search runs a multi-objective evolution of convolutional autoencoders
// on a data set and keeps it in a run directory.
//
//	cfg, _ := search.Preset("quick")
//	study, err := search.Create("digits", cfg, set, search.Options{Engine: eng})
//	front, err := study.Run(ctx)
//
// Create begins a run and Resume continues one after any end of the process;
// Study.Run does what is left: generations of candidates, then the finetuning of
// the front. Open reads a run, finished or not.
//
// Promises:
//   - the same configuration, seed and data give the same front.json, byte for
//     byte, on one engine and device: whatever Options.Jobs is, and whether the
//     run was interrupted or not. A candidate's seed is a hash of the run's seed,
//     its generation and its place in it;
//   - fitness comes from validation images, which are training images set apart;
//     this package never opens test data unless asked to evaluate on it;
//   - a candidate that can't be built or trained is recorded with the cause and
//     has no score; no network is trained twice;
//   - what is done is on the disk before an observer hears of it.
//
// Costs: the training of population·generations networks; the rest (breeding,
// selection, baselines) takes seconds in all.
package search
