package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"moncae/internal/fault"
)

// Bridge is a process that has workers started elsewhere, and carries what they and
// the coordinator say (docs/format/worker.md).
type Bridge struct {
	slots   int
	folder  string // of the socket
	process *exec.Cmd
	words   *words
	warned  func(line string)
	over    chan struct{} // closed when it says no more

	mu   sync.Mutex
	in   io.WriteCloser
	ids  int64
	ends map[int64]chan End
}

// BridgeOptions are what a bridge is told at its start, but for the socket's path.
type BridgeOptions struct {
	Address   string             `json:"address"`   // of the cluster; "": the usual one
	Resources map[string]float64 `json:"resources"` // of a worker
	Slots     int                `json:"slots"`     // 0: as many as there is room for
	Folder    string             `json:"folder"`    // that workers work in, where it is there
	Args      []string           `json:"args"`      // of the program
}

// bridgeLine is a line of a bridge; one of the fields is there.
type bridgeLine struct {
	Ready *struct {
		Slots int `json:"slots"`
	} `json:"ready"`
	Failed *struct {
		Error string `json:"error"`
		Code  int    `json:"code"`
	} `json:"failed"`
	Ended *struct {
		ID   int64  `json:"id"`
		How  string `json:"how"`
		Code int    `json:"code"`
	} `json:"ended"`
	Said string `json:"said"` // to people
}

// OpenBridge starts the command as a bridge. warned hears what it and its workers have
// to say to people.
func OpenBridge(ctx context.Context, command []string, o BridgeOptions, warned func(line string)) (_ *Bridge, err error) {
	b := &Bridge{warned: warned, over: make(chan struct{}), ends: map[int64]chan End{}}
	if b.folder, err = os.MkdirTemp("", "moncae-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(b.folder))
		}
	}()
	options, err := json.Marshal(struct {
		Socket string `json:"socket"`
		BridgeOptions
	}{b.socket(), o})
	if err != nil {
		return nil, err
	}
	b.process = exec.Command(command[0], append(command[1:], string(options))...)
	b.process.SysProcAttr = aside()
	out, err := b.start()
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = b.process.Process.Kill() })() // it may have ended
	lines := bufio.NewReader(out)
	first, err := b.line(lines)
	switch {
	case err != nil:
		_ = b.process.Wait() // how is in its last line
		return nil, errors.Join(ctx.Err(), fault.Missingf("%s can't be used (%s): pip install \"moncae[ray]\" for it, or name another Python by MONCAE_PYTHON", command[0], strings.TrimPrefix(b.words.last(), command[0]+": ")))
	case first.Failed != nil:
		_ = b.process.Wait()
		return nil, fault.As(fault.Kind(first.Failed.Code), errors.New(first.Failed.Error))
	case first.Ready == nil:
		_ = b.process.Process.Kill()
		_ = b.process.Wait()
		return nil, fault.Missingf("%s is no bridge to workers", command[0])
	}
	b.slots = first.Ready.Slots
	go b.hear(lines)
	return b, nil
}

func (b *Bridge) socket() string { return filepath.Join(b.folder, "workers") }

func (b *Bridge) start() (out io.Reader, err error) {
	if b.in, err = b.process.StdinPipe(); err != nil {
		return nil, err
	}
	if out, err = b.process.StdoutPipe(); err != nil {
		return nil, err
	}
	said, err := b.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := b.process.Start(); err != nil {
		return nil, fault.Missingf("%w", err)
	}
	b.words = listen(said)
	return out, nil
}

func (b *Bridge) line(lines *bufio.Reader) (l bridgeLine, err error) {
	text, err := lines.ReadBytes('\n')
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(text, &l)
}

// hear takes in what the bridge tells, until it ends.
func (b *Bridge) hear(lines *bufio.Reader) {
	defer close(b.over)
	for {
		l, err := b.line(lines)
		if err != nil {
			return
		}
		switch {
		case l.Ended != nil:
			b.mu.Lock()
			if c := b.ends[l.Ended.ID]; c != nil {
				c <- End{l.Ended.How, l.Ended.Code}
				delete(b.ends, l.Ended.ID)
			}
			b.mu.Unlock()
		case l.Said != "":
			b.warned(l.Said)
		}
	}
}

// Slots is how many workers there are to be.
func (b *Bridge) Slots() int { return b.slots }

// Launch has a worker started. It begins when there is room for it.
func (b *Bridge) Launch(int) (*Process, error) {
	c, err := net.Dial("unix", b.socket())
	if err != nil {
		return nil, fmt.Errorf("the bridge to the workers has gone: %s", b.words.last())
	}
	b.mu.Lock()
	b.ids++
	id, end := b.ids, make(chan End, 1)
	b.ends[id] = end
	b.mu.Unlock()
	p := &Process{In: writing{c.(*net.UnixConn)}, Out: c, Kill: func() { b.tell(map[string]int64{"kill": id}) }}
	p.Wait = sync.OnceValue(func() End {
		defer func() { _ = c.Close() }() // all was read
		select {
		case e := <-end:
			return e
		case <-b.over:
			return End{"the bridge to the workers has gone: " + b.words.last(), -1}
		}
	})
	if _, err := fmt.Fprintf(c, `{"launch":%d}`+"\n", id); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return p, nil
}

// writing is the writing half of a connection.
type writing struct{ *net.UnixConn }

func (w writing) Close() error { return w.CloseWrite() }

// tell sends the bridge a line; where it has gone, nobody is there to be told.
func (b *Bridge) tell(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err) // numbers and words
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, _ = b.in.Write(append(text, '\n'))
}

// Close ends the bridge, and all workers that it started.
func (b *Bridge) Close() error {
	b.mu.Lock()
	err := b.in.Close()
	b.mu.Unlock()
	late := time.AfterFunc(2*grace, func() { _ = b.process.Process.Kill() })
	<-b.over
	_ = b.process.Wait() // its end is no news
	late.Stop()
	return errors.Join(err, os.RemoveAll(b.folder))
}
