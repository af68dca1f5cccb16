package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda"
	"moncae/internal/engine/onednn"
	"moncae/internal/engine/ref"
	"moncae/internal/fault"
	"moncae/internal/ort"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/version"
)

// engineHealth says whether an engine can be used, and what to do if not.
type engineHealth struct {
	engine.Info
	Problem string `json:"problem,omitempty"`
}

func (a *app) newDoctor() *cobra.Command {
	var asJSON, repair bool
	var library string
	cmd := &cobra.Command{
		Use:   "doctor [RUN]",
		Short: "Say which engines, devices and libraries work here, or check a run's files",
		Long: `Say which engines, devices and libraries work here; or check every checksum of a run,
and what its files say.

With --repair a damaged run becomes one that goes on: what can't be vouched for is
left out, and search --resume makes it again. Nothing is deleted: what was wrong is
set aside in the run's folder.`,
		Example: `  moncae doctor
  moncae doctor digits
  moncae doctor digits --repair`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case repair && len(args) == 0:
				return fault.Usagef("--repair takes a run: moncae doctor RUN --repair")
			case repair:
				return a.repairRun(args[0], asJSON)
			case len(args) == 1:
				return a.checkRun(args[0], asJSON)
			}
			return a.doctor(library, asJSON)
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "mend the run: leave out what is damaged, for search --resume to make again")
	addLibrary(cmd.Flags(), &library)
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) checkRun(path string, asJSON bool) error {
	health, err := run.Verify(path)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(health)
	}
	_, err = fmt.Fprintln(a.Out, health)
	return err
}

func (a *app) repairRun(path string, asJSON bool) error {
	rep, err := run.Mend(path, a.FS, func(m rundir.Manifest) error { return a.canGoOn(path, m) })
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(rep)
	}
	if rep.Aside == "" {
		_, err := fmt.Fprintf(a.Out, "run %s: there is nothing to repair\n", rep.Run)
		return err
	}
	lines := [][2]string{{"lost", fmt.Sprintf("%d lines of the journal", rep.Lost)}}
	for _, d := range rep.Dropped {
		lines = append(lines, [2]string{"left out", fault.Text(errors.New(d))})
	}
	for _, id := range rep.Again {
		lines = append(lines, [2]string{"trained again", id})
	}
	lines = append(lines, [2]string{"set aside", strings.Join(append([]string{rundir.JournalFile}, rep.Moved...), ", ") + ", in " + filepath.Join(path, rep.Aside)},
		[2]string{"go on", goOnWith(path)})
	return a.printLines(lines)
}

// canGoOn tells whether the engine that a run began on is here.
func (a *app) canGoOn(path string, m rundir.Manifest) error {
	if m.EngineClass == nil {
		return nil
	}
	var began engine.Class
	if err := json.Unmarshal(m.EngineClass, &began); err != nil {
		return fault.Damagedf("%s: run.json: field engine_class: %w", path, err)
	}
	eng, err := a.openEngine(deviceOf[began.Engine])
	if err != nil {
		return err
	}
	difference := began.Difference(eng.Info().Class(began.Precision))
	if err := eng.Close(); err != nil {
		return err
	}
	if difference != "" {
		return fault.Usagef("%s: what is lost has to be trained again, and this machine would do it in other bits (%s): repair the run where it began; nothing was changed", path, difference)
	}
	return nil
}

func (a *app) doctor(library string, asJSON bool) error {
	health := struct {
		Version string         `json:"version"`
		OS      string         `json:"os"`
		Arch    string         `json:"arch"`
		CPUs    int            `json:"cpus"`
		Engines []engineHealth `json:"engines"`
		CUDA    cuda.Report    `json:"cuda"`
		Runtime ort.Found      `json:"onnxruntime"`
		Problem string         `json:"onnxruntime_problem,omitempty"`
		NoCUDA  string         `json:"onnxruntime_cuda_problem,omitempty"`
	}{Version: version.Number(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), CUDA: cuda.Probe()}
	health.Engines = []engineHealth{
		look("ref", func() (engine.Engine, error) { return ref.New(), nil }),
		look("onednn", onednn.New),
		look("cuda", func() (engine.Engine, error) { return cuda.Open() }),
	}
	var err error
	health.Runtime, err = ort.Find(library, "auto")
	if _, _, unloaded := ort.LoadFor(library, "auto"); unloaded != nil { // found and loaded are two things
		err = unloaded
	}
	if err != nil {
		health.Problem = fault.Text(err)
	} else if err := ort.CheckCUDA(library); err != nil {
		health.NoCUDA = fault.Text(err)
	}
	if asJSON {
		return a.printJSON(health)
	}
	lines := [][2]string{{"moncae", fmt.Sprintf("%s, %s/%s, %d CPUs", health.Version, health.OS, health.Arch, health.CPUs)}}
	for _, e := range health.Engines {
		state := fmt.Sprintf("works: %s, %s", e.Version, e.Device)
		if e.Problem != "" {
			state = "missing: " + e.Problem
		}
		lines = append(lines, [2]string{"engine " + e.Name, state})
	}
	lines = append(lines, cudaLines(health.CUDA)...)
	switch {
	case health.Problem != "":
		lines = append(lines, [2]string{"onnxruntime", "missing: " + health.Problem})
	default:
		lines = append(lines, [2]string{"onnxruntime", fmt.Sprintf("works: %s, %s", health.Runtime.Version, health.Runtime.Path)}, onGPU(health.NoCUDA))
	}
	return a.printLines(lines)
}

// onGPU says whether compress and classify can use the GPU, and what would let them.
func onGPU(problem string) [2]string {
	state := "works"
	if problem != "" {
		state = "missing: " + problem + " (pip install onnxruntime-gpu brings a library with it)"
	}
	return [2]string{"models on GPU", state}
}

func cudaLines(r cuda.Report) [][2]string {
	if !r.Built {
		return nil
	}
	lines := [][2]string{{"CUDA driver", r.Driver}}
	if r.Driver == "" {
		lines[0][1] = "missing: " + r.DriverError + " (NVIDIA's driver 530 or newer has it)"
	}
	for _, d := range r.Devices {
		lines = append(lines, [2]string{"GPU", fmt.Sprintf("%d: %s, compute capability %s, %d MiB, %d multiprocessors", d.Ordinal, d.Name, d.Capability, d.Memory>>20, d.Multiprocessors)})
	}
	state := r.CuDNN + ", " + r.CuDNNPath
	if r.CuDNN == "" {
		state = "missing: " + r.CuDNNError
	}
	if r.CuDNNMixed != "" {
		state += "; " + r.CuDNNMixed
	}
	return append(lines, [2]string{"cuDNN", state})
}

func look(name string, open func() (engine.Engine, error)) engineHealth {
	eng, err := open()
	if err != nil {
		return engineHealth{Info: engine.Info{Name: name}, Problem: fault.Text(err)}
	}
	health := engineHealth{Info: eng.Info()}
	if err := eng.Close(); err != nil {
		health.Problem = fault.Text(err)
	}
	return health
}
