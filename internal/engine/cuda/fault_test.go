//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/train"
)

// TestFaultOnce: a kernel faults in the middle of a step, once. Every program
// ends as if nothing had been.
func TestFaultOnce(t *testing.T) {
	j := newJob(t, openFake(t))
	want := j.must(t)
	t.Setenv("MONCAE_FAKE_KERNEL", "adam:4")
	var wg sync.WaitGroup
	results, errs := make([]result, 3), make([]error, 3)
	for i := range results {
		wg.Go(func() { results[i], errs[i] = j.run() })
	}
	wg.Wait()
	for i := range results {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		same(t, "after a fault", results[i], want)
	}
}

// TestFaultAlways: one program's kernel faults whenever it runs. That program
// fails; the one beside it doesn't.
func TestFaultAlways(t *testing.T) {
	good := newJob(t, openFake(t))
	want := good.must(t)
	bad := good
	bad.optimizer = arch.Adagrad
	p, err := good.compile()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("MONCAE_FAKE_KERNEL", "adagrad:*")
	_, err = bad.run()
	if err == nil || !strings.Contains(err.Error(), "twice at the same place") || !strings.Contains(err.Error(), "IllegalAddress") {
		t.Errorf("the faulty program's error is %v", err)
	}
	got, err := good.train(p)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "beside a faulty program", got, want)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	same(t, "after a faulty program", good.must(t), want)
}

// TestFaultBeside: networks that always fault, one after another, beside some that don't,
// which must not be blamed for a context that another has lost.
func TestFaultBeside(t *testing.T) {
	innocent := newJob(t, openFake(t))
	innocent.optimizer = arch.SGD
	want := innocent.must(t)
	guilty := innocent
	guilty.optimizer = arch.Adam
	t.Setenv("MONCAE_FAKE_KERNEL", "adam:*")
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			for range 4 {
				if _, err := guilty.run(); !errors.Is(err, engine.ErrFault) {
					t.Errorf("a network that always faults: %v, want %v", err, engine.ErrFault)
				}
			}
		})
		group.Go(func() {
			for range 4 {
				got, err := innocent.run()
				if err != nil {
					t.Errorf("beside others that fault: %v", err)
					return
				}
				same(t, "beside others that fault", got, want)
			}
		})
	}
	group.Wait()
}

// TestLaunchRefused: a kernel that the device refuses is an error with its name.
func TestLaunchRefused(t *testing.T) {
	j := newJob(t, openFake(t))
	t.Setenv("MONCAE_FAKE_LAUNCH", "sgd")
	bad := j
	bad.optimizer = arch.SGD
	if _, err := bad.run(); err == nil || !strings.Contains(err.Error(), "kernel sgd") {
		t.Errorf("the error is %v; it should name the kernel", err)
	}
	j.must(t)
}

// TestLibraryRefuses: where cuDNN doesn't run what it has offered, a network
// trains on our own kernels.
func TestLibraryRefuses(t *testing.T) {
	j := newJob(t, openFake(t))
	t.Setenv("MONCAE_FAKE_CUDNN_FAIL", "cudnnBackendExecute:3000")
	got := j.must(t)
	if got.losses[0] < 0.5 || got.losses[0] > 2 {
		t.Errorf("losses %v", got.losses)
	}
}

// TestLibraryDoesNotStart: a cuDNN that opens and can't compute here, as with a
// driver that is too old for it, is left at once, and said; no network fails.
func TestLibraryDoesNotStart(t *testing.T) {
	want := func(t *testing.T) result {
		t.Helper()
		t.Setenv("MONCAE_FAKE_CUDNN_FAIL", "cudnnCreate:1001")
		e := openFake(t)
		if v := e.Info().Version; !strings.HasSuffix(v, "own convolutions (cuDNN 9.1.0 doesn't run here)") {
			t.Errorf("the engine's version is %q", v)
		}
		return newJob(t, e).must(t)
	}(t)
	for _, fails := range []string{
		"cudnnBackendCreateDescriptor:5000", "cudnnBackendSetAttribute:3006", "cudnnBackendFinalize/4:1002", "cudnnBackendFinalize/5:3009", "cudnnBackendGetAttribute/2:3005",
		"cudnnBackendExecute:3007", "cudnnBackendExecute:1001",
	} {
		t.Run(fails, func(t *testing.T) {
			t.Setenv("MONCAE_FAKE_CUDNN_FAIL", fails)
			e := openFake(t)
			if v := e.Info().Version; !strings.Contains(v, "doesn't run here") {
				t.Errorf("the engine's version is %q", v)
			}
			if r := Probe(); r.CuDNN != "" || !strings.Contains(r.CuDNNError, "opens but does not run") {
				t.Errorf("Probe says %+v", r)
			}
			same(t, "without cuDNN", newJob(t, e).must(t), want)
		})
	}
}

// TestLibraryLacksAPart: what the environment lacks for some network isn't that
// network's fault.
func TestLibraryLacksAPart(t *testing.T) {
	j := newJob(t, openFake(t))
	for _, status := range []string{"1001", "3005", "3009"} {
		t.Setenv("MONCAE_FAKE_CUDNN_FAIL", "cudnnBackendExecute:"+status)
		j.must(t)
	}
}

// TestDeviceLost: where no new context works after a fault, the process ends,
// and no network is to blame: neither the one that met the fault nor others.
func TestDeviceLost(t *testing.T) {
	if !apart(t) {
		return
	}
	j := newJob(t, openFake(t))
	beside, err := j.compile()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("MONCAE_FAKE_STICKY", "1")
	t.Setenv("MONCAE_FAKE_KERNEL", "adam:4")
	_, met := j.run()
	_, other := j.train(beside)
	_, later := j.run()
	for what, err := range map[string]error{"the one that met it": met, "another": other, "a later one": later} {
		if !errors.Is(err, engine.ErrLost) || errors.Is(err, engine.ErrFault) || fault.Of(err) != fault.Of(errors.New("any")) {
			t.Errorf("%s: %v, want %v alone", what, err, engine.ErrLost)
		}
	}
}

// TestCompilerLog: where the driver refuses our code, the error has its reason.
func TestCompilerLog(t *testing.T) {
	if !apart(t, "MONCAE_FAKE_JIT=ptxas fatal : Unsupported .version 8.1;\n current version is 8.0") {
		return
	}
	_, err := Open()
	if err == nil || !strings.Contains(err.Error(), ": ptxas fatal : Unsupported .version 8.1; current version is 8.0") {
		t.Errorf("%v, want the compiler's own words", err)
	}
}

// TestPipeline: a call of the training has more than one chunk, so that one is
// queued while another runs.
func TestPipeline(t *testing.T) {
	if train.Chunk < 2*chunk {
		t.Errorf("a call trains %d steps, a chunk has %d", train.Chunk, chunk)
	}
}

// TestMemory: a network that the device could never hold is refused at once.
func TestMemory(t *testing.T) {
	t.Setenv("MONCAE_FAKE_MEMORY", "8000000")
	j := newJob(t, openFake(t))
	small := j.must(t)
	big := j
	big.net = testNet(t, 512)
	if _, err := big.run(); !errors.Is(err, engine.ErrMemory) {
		t.Errorf("a network beyond the memory: %v, want %v", err, engine.ErrMemory)
	}
	same(t, "after a refusal", j.must(t), small)
}

// waitFor is how long a test's programs wait for memory; a wait that must not end by itself
// gets an hour, for a machine may stand still for minutes.
func waitFor(t *testing.T, d time.Duration) {
	t.Helper()
	was := patience
	t.Cleanup(func() { patience = was })
	patience = d
}

// TestMemoryWait: a network waits for the memory that another one holds.
func TestMemoryWait(t *testing.T) {
	waitFor(t, time.Hour)
	e := openFake(t)
	j := newJob(t, e)
	holder, err := j.compile()
	if err != nil {
		t.Fatal(err)
	}
	memory := e.(*single).device.memory
	memory.mu.Lock()
	memory.capacity = memory.reserved + 1
	memory.mu.Unlock()

	t.Run("in vain", func(t *testing.T) {
		waitFor(t, 20*time.Millisecond)
		if _, err := j.compile(); !errors.Is(err, engine.ErrMemory) {
			t.Errorf("compiling beside an idle program: %v, want %v", err, engine.ErrMemory)
		}
	})
	done := make(chan error)
	go func() {
		_, err := j.run()
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("compiled without memory: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestMemoryTaken: the device refuses an allocation that the budget had room
// for, as where another process uses it for good. One network is lost; after it, others
// go on.
func TestMemoryTaken(t *testing.T) {
	waitFor(t, 20*time.Millisecond)
	j := newJob(t, openFake(t))
	want := j.must(t)
	t.Setenv("MONCAE_FAKE_MEMORY", "1000")
	big := j
	big.net = testNet(t, 64)
	if _, err := big.run(); !errors.Is(err, engine.ErrMemory) {
		t.Errorf("compiling on a device that is full: %v, want %v", err, engine.ErrMemory)
	}
	t.Setenv("MONCAE_FAKE_MEMORY", "1000000000")
	same(t, "after a refusal", j.must(t), want)
}

// TestMemoryOfAnotherProcess: a network waits for memory that another process has for a
// while, and gets what it would have got.
func TestMemoryOfAnotherProcess(t *testing.T) {
	waitFor(t, time.Hour)
	big := newJob(t, openFake(t))
	big.net = testNet(t, 64)
	want := big.must(t)
	j := newJob(t, openFake(t)) // which has no memory of an earlier network
	j.net = big.net
	t.Setenv("MONCAE_FAKE_MEMORY", "1000")
	done := make(chan error)
	var got result
	go func() {
		var err error
		got, err = j.run()
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("it ran without memory: %v", err)
	case <-time.After(2 * moment):
	}
	t.Setenv("MONCAE_FAKE_MEMORY", "1000000000")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	same(t, "after a wait", got, want)
}

// TestMemoryRefusedBeside: where the device refuses memory that should have been free, a
// network waits for the end of one that trains, and gets what it would have got.
func TestMemoryRefusedBeside(t *testing.T) {
	waitFor(t, time.Hour)
	j := newJob(t, openFake(t))
	want := j.must(t)
	holder, err := j.compile()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("MONCAE_FAKE_MEMORY", "1000")
	done := make(chan error, 1)
	var got result
	go func() {
		var err error
		got, err = j.run()
		done <- err
	}()
	memory := j.engine.(*single).device.memory
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		select {
		case err := <-done:
			t.Fatalf("it ran without memory: %v", err)
		default:
		}
		memory.mu.Lock()
		waiting = memory.waiting
		memory.mu.Unlock()
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	same(t, "after a wait", got, want)
}

// TestMissing: what is missing, or too old, is said, with the kind Missing.
func TestMissing(t *testing.T) {
	for _, c := range []struct {
		name string
		env  []string
		want []string
	}{
		{"no driver", []string{"LD_LIBRARY_PATH="}, []string{"no NVIDIA driver", "libcuda.so.1"}},
		{"no device", []string{"MONCAE_FAKE_DEVICES=0"}, []string{"no device"}},
		{"old driver", []string{"MONCAE_FAKE_DRIVER=11080"}, []string{"supports CUDA 11.8", "12.1 or newer", "530"}},
		{"driver fails", []string{"MONCAE_FAKE_INIT=100"}, []string{"starting the CUDA driver", "NoDevice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !apart(t, c.env...) {
				return
			}
			_, err := Open()
			if err == nil || fault.Of(err) != fault.Missing {
				t.Fatalf("Open: %v, want an error of the kind Missing", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Open: %q doesn't say %q", err, want)
				}
			}
		})
	}
}

// TestNoLibrary: without a cuDNN that fits, the engine works, and Probe tells
// the package that has one.
func TestNoLibrary(t *testing.T) {
	for _, c := range []struct {
		name, env, want string
	}{
		{"missing", "MONCAE_CUDNN=/nowhere/libcudnn.so.9", "pip install nvidia-cudnn-cu12"},
		{"version 8", "MONCAE_FAKE_CUDNN=8902", "version 9 is needed"},
		{"no cublasLt", "MONCAE_FAKE_CUDART=12080", "libcublasLt.so.12, which it needs, does not (pip install nvidia-cublas-cu12)"},
		{"no cublasLt of CUDA 13", "MONCAE_FAKE_CUDART=13000", "libcublasLt.so.13, which it needs, does not (pip install nvidia-cublas)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !apart(t, c.env) {
				return
			}
			e := openFake(t)
			if v := e.Info().Version; !strings.Contains(v, "no cuDNN") {
				t.Errorf("the engine's version is %q", v)
			}
			if r := Probe(); !strings.Contains(r.CuDNNError, c.want) || r.CuDNN != "" {
				t.Errorf("Probe says %+v, want %q", r, c.want)
			}
			newJob(t, e).must(t)
		})
	}
}

// TestLibraryOfWheels: pip puts cublasLt into another package's folder, which for
// CUDA 13 has another name.
func TestLibraryOfWheels(t *testing.T) {
	for cuda, blas := range map[string]string{"12080": "cublas/lib/libcublasLt.so.12", "13000": "cu13/lib/libcublasLt.so.13"} {
		t.Run(cuda, func(t *testing.T) {
			root := filepath.Join(os.TempDir(), "moncae-wheels-"+cuda) // the same in both processes
			library := filepath.Join(root, "nvidia/cudnn/lib/libcudnn.so.9")
			if !apart(t, "MONCAE_FAKE_CUDART="+cuda, "MONCAE_CUDNN="+library) {
				return
			}
			defer func() { _ = os.RemoveAll(root) }() // in the temporary folder
			for _, file := range []string{library, filepath.Join(root, "nvidia", blas)} {
				b, err := os.ReadFile(filepath.Join(strings.Split(os.Getenv("LD_LIBRARY_PATH"), ":")[0], "libcudnn.so.9"))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if r := Probe(); r.CuDNN == "" || r.CuDNNPath != library {
				t.Errorf("Probe says %+v", r)
			}
		})
	}
}

// TestSeveralDevices: results don't depend on the device; programs spread.
func TestSeveralDevices(t *testing.T) {
	t.Setenv("MONCAE_FAKE_DEVICES", "2")
	e := openFake(t)
	many, ok := e.(*engines)
	if !ok || e.Info().Workers != 2 {
		t.Fatalf("two devices gave %T, %+v", e, e.Info())
	}
	j := newJob(t, e)
	var programs []engine.Program
	var results []result
	for range 2 {
		p, err := j.compile()
		if err != nil {
			t.Fatal(err)
		}
		r, err := j.train(p)
		if err != nil {
			t.Fatal(err)
		}
		programs, results = append(programs, p), append(results, r)
	}
	same(t, "on another device", results[1], results[0])
	for i, one := range many.list {
		if one.device.memory.holders != 1 {
			t.Errorf("device %d holds %d programs, want 1", i, one.device.memory.holders)
		}
	}
	for _, p := range programs {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(2); fault.Of(err) != fault.Missing {
		t.Errorf("opening device 2 of 2: %v, want an error of the kind Missing", err)
	}
}

// TestSpread: programs that are compiled at the same time spread over devices.
func TestSpread(t *testing.T) {
	t.Setenv("MONCAE_FAKE_DEVICES", "4")
	e := openFake(t)
	many := e.(*engines)
	var seen [4]int
	for range 8 {
		seen[many.place()]++
	}
	if seen != [4]int{2, 2, 2, 2} {
		t.Errorf("eight programs on four devices spread as %v", seen)
	}
}

// TestFaultAfterState: a program that went on from a State comes through a fault.
func TestFaultAfterState(t *testing.T) {
	j := newJob(t, openFake(t))
	rows, rates := make([]int32, 4*j.net.Batch), []float32{1e-3, 1e-3, 1e-3, 1e-3}
	for i := range rows {
		rows[i] = int32(i * 7 % testRows)
	}
	compile := func() engine.Program {
		p, err := j.compile()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	train := func(p engine.Program) (r result) {
		r.losses = make([]float32, len(rates))
		if err := p.Train(rows, rates, r.losses); err != nil {
			t.Fatal(err)
		}
		var err error
		if r.weights, err = p.Weights(); err != nil {
			t.Fatal(err)
		}
		return r
	}
	whole := compile()
	train(whole)
	stopped, err := whole.State()
	if err != nil {
		t.Fatal(err)
	}
	want, resumed := train(whole), compile()
	if err := resumed.SetState(stopped); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MONCAE_FAKE_KERNEL", "adam:2")
	same(t, "after a fault", train(resumed), want)
	for _, p := range []engine.Program{whole, resumed} {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
