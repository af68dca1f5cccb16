// Package ptx runs PTX on the CPU and counts what running it takes, for tests: the
// instructions that warps issue, the memory that they touch, and how long a warp waits
// for its own results. It knows what NVRTC makes of the project's kernels, and refuses
// the rest. PTX isn't a device's code: cost.go says what an instruction of it counts as.
package ptx

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kernel is an entry of a module.
type Kernel struct {
	Name   string
	Shared int // bytes of a block
	function
}

type function struct {
	name    string
	code    []instruction
	regs    int
	local   int         // bytes of a thread
	params  []int       // registers
	result  int         // the register that a call gives back
	special map[int]int // registers of %tid.x …, by number in specials
}

// An instruction of PTX. Where it isn't a memory access or a branch, value computes it.
type instruction struct {
	kind         kind
	guard        int // register, or −1
	negated      bool
	leader       bool // something jumps here
	to           int  // register, or −1
	from         []operand
	value        func(a, b, c uint64) uint64
	bytes        int // of a memory access
	offset       uint64
	target       int // of a branch
	calls        *function
	parts        []int // registers of a vector
	issue, delay int
}

type kind int

const (
	compute kind = iota
	loadGlobal
	storeGlobal
	loadShared
	storeShared
	loadLocal
	storeLocal
	branch
	barrier
	call
	leave
)

type operand struct {
	reg   int // or −1
	value uint64
}

var specials = []string{"%tid.x", "%tid.y", "%tid.z", "%ntid.x", "%ntid.y", "%ntid.z", "%ctaid.x", "%ctaid.y", "%ctaid.z", "%nctaid.x", "%nctaid.y", "%nctaid.z"}

// functions are a module's, by name; one may be called before it is read.
type functions map[string]*function

func (f functions) named(name string) *function {
	if f[name] == nil {
		f[name] = &function{}
	}
	return f[name]
}

// parser reads a function's body.
type parser struct {
	*function
	functions functions
	names     map[string]int    // of registers
	symbols   map[string]uint64 // of arrays
	labels    map[string]int
	jumps     map[int]string
	wide      map[int]bool // registers that hold a product of 64 bits
	shared    int
}

// Parse reads a module and gives its kernels by name.
func Parse(module string) (map[string]*Kernel, error) {
	kernels, functions := map[string]*Kernel{}, functions{}
	lines := strings.Split(module, "\n")
	for i := 0; i < len(lines); i++ {
		kernel := strings.HasPrefix(lines[i], ".visible .entry ")
		if !kernel && !strings.HasPrefix(lines[i], ".func ") {
			continue
		}
		head := i
		for lines[i] != "{" && lines[i] != ";" {
			i++
		}
		if lines[i] == ";" {
			continue // a declaration
		}
		end := i + slices.Index(lines[i:], "}")
		p := &parser{function: &function{result: -1, special: map[int]int{}}, functions: functions, names: map[string]int{}, symbols: map[string]uint64{}, labels: map[string]int{}, jumps: map[int]string{}, wide: map[int]bool{}}
		p.head(strings.Join(lines[head:i], " "))
		if err := p.body(lines[i+1 : end]); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		if kernel {
			kernels[p.name] = &Kernel{Name: p.name, Shared: p.shared, function: *p.function}
		} else {
			*functions.named(p.name) = *p.function
		}
		i = end
	}
	return kernels, nil
}

// head reads a name, what it takes and what it gives back.
func (p *parser) head(text string) {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t,()", r) })
	for i, w := range words {
		switch {
		case w == ".param":
			p.param(words[i+1:])
		case p.name == "" && !strings.HasPrefix(w, ".") && !strings.HasPrefix(w, "func_retval"):
			p.name = w
		}
	}
}

// param reads the type and the name of a parameter, or of a result.
func (p *parser) param(words []string) {
	name := words[1]
	if words[0] == ".align" {
		name = words[3]
	}
	if strings.HasPrefix(name, "func_retval") {
		p.result = p.register(name)
		return
	}
	p.params = append(p.params, p.register(name))
}

func (p *parser) register(name string) int {
	if r, ok := p.names[name]; ok {
		return r
	}
	r := p.regs
	p.regs++
	p.names[name] = r
	if s := slices.Index(specials, name); s >= 0 {
		p.special[s] = r
	}
	return r
}

func (p *parser) body(lines []string) error {
	statement := ""
	for _, line := range lines {
		line, _, _ = strings.Cut(line, "//")
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line == "{" || line == "}" || strings.HasPrefix(line, ".pragma"):
			continue
		case strings.HasSuffix(line, ":"):
			p.labels[strings.TrimSuffix(line, ":")] = len(p.code)
			continue
		}
		statement += " " + line
		if !strings.HasSuffix(line, ";") {
			continue
		}
		if err := p.statement(strings.TrimSuffix(strings.TrimSpace(statement), ";")); err != nil {
			return fmt.Errorf("%q: %w", strings.TrimSpace(statement), err)
		}
		statement = ""
	}
	for at, label := range p.jumps {
		to, ok := p.labels[label]
		if !ok {
			return fmt.Errorf("no label %s", label)
		}
		p.code[at].target = to
	}
	for _, at := range p.labels {
		if at < len(p.code) {
			p.code[at].leader = true
		}
	}
	return nil
}

func (p *parser) statement(s string) error {
	if strings.HasPrefix(s, ".") {
		return p.declaration(strings.Fields(s))
	}
	in := instruction{guard: -1, to: -1}
	if strings.HasPrefix(s, "@") {
		guard, rest, _ := strings.Cut(s[1:], " ")
		in.negated = strings.HasPrefix(guard, "!")
		in.guard = p.register(strings.TrimPrefix(guard, "!"))
		s = strings.TrimSpace(rest)
	}
	op, rest, _ := strings.Cut(strings.ReplaceAll(s, "\t", " "), " ")
	err := p.instruction(&in, op, operands(rest))
	p.code = append(p.code, in)
	return err
}

// declaration reads .reg, .param, .shared and .local in a body; only arrays need memory.
func (p *parser) declaration(words []string) error {
	name, size, array := strings.Cut(strings.TrimSuffix(words[len(words)-1], "]"), "[")
	if !array {
		return nil
	}
	bytes, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	space := &p.shared
	if words[0] == ".local" {
		space = &p.local
	}
	*space = (*space + 15) / 16 * 16
	p.symbols[name] = uint64(*space)
	*space += bytes
	return nil
}

// operands splits at commas outside of brackets.
func operands(s string) (all []string) {
	depth, from := 0, 0
	for i, c := range s + "," {
		switch {
		case strings.ContainsRune("({[", c):
			depth++
		case strings.ContainsRune(")}]", c):
			depth--
		case c == ',' && depth == 0:
			if part := strings.TrimSpace(s[from:i]); part != "" {
				all = append(all, part)
			}
			from = i + 1
		}
	}
	return all
}

func (p *parser) instruction(in *instruction, op string, args []string) error {
	parts := strings.Split(op, ".")
	in.issue, in.delay = cost(op)
	switch {
	case parts[0] == "bra":
		in.kind = branch
		p.jumps[len(p.code)] = args[0]
	case parts[0] == "bar":
		in.kind = barrier
	case parts[0] == "ret":
		in.kind = leave
	case parts[0] == "call":
		return p.call(in, args)
	case (parts[0] == "ld" || parts[0] == "st") && parts[1] != "param":
		return p.access(in, parts, args)
	case parts[0] == "ld" || parts[0] == "st":
		return p.copy(in, args)
	case parts[0] == "mov" && strings.HasPrefix(args[0], "{"):
		in.parts = p.vector(args[0])
		return p.reads(in, args[1:])
	default:
		value, err := valueOf(parts)
		if err != nil {
			return err
		}
		in.value = value
		in.to = p.register(args[0])
		if parts[0] == "mov" {
			return p.move(in, args)
		}
		err = p.reads(in, args[1:])
		p.join(in, op)
		return err
	}
	return nil
}

// join makes one instruction of a product of 64 bits and the sum that it goes into.
func (p *parser) join(in *instruction, op string) {
	if op == "add.s64" && slices.ContainsFunc(in.from, func(o operand) bool { return o.reg >= 0 && p.wide[o.reg] }) {
		in.issue, in.delay = 0, 0
	}
	p.wide[in.to] = strings.HasPrefix(op, "mul.wide")
}

// move tells what a mov counts: between registers nothing, since assemblers rename them.
func (p *parser) move(in *instruction, args []string) error {
	if strings.HasPrefix(args[1], "{") {
		for i, r := range p.vector(args[1]) {
			in.from = append(in.from, operand{reg: r})
			in.parts = append(in.parts, i)
		}
		return nil
	}
	if strings.HasPrefix(args[1], "%") && !slices.Contains(specials, args[1]) {
		in.issue, in.delay = 0, 0
	}
	return p.reads(in, args[1:])
}

func (p *parser) vector(s string) (regs []int) {
	for _, name := range operands(strings.Trim(s, "{} ")) {
		regs = append(regs, p.register(name))
	}
	return regs
}

func (p *parser) reads(in *instruction, args []string) error {
	for _, a := range args {
		o, err := p.operand(a)
		if err != nil {
			return err
		}
		in.from = append(in.from, o)
	}
	return nil
}

func (p *parser) operand(s string) (operand, error) {
	if at, ok := p.symbols[s]; ok {
		return operand{-1, at}, nil
	}
	switch {
	case strings.HasPrefix(s, "%"):
		return operand{reg: p.register(s)}, nil
	case strings.HasPrefix(s, "0f"), strings.HasPrefix(s, "0d"):
		v, err := strconv.ParseUint(s[2:], 16, 64)
		return operand{-1, v}, err
	}
	v, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		u, err := strconv.ParseUint(s, 0, 64)
		return operand{-1, u}, err
	}
	return operand{-1, uint64(v)}, nil
}

// copy is what moves parameters: as to registers, and as free.
func (p *parser) copy(in *instruction, args []string) error {
	in.value = func(a, _, _ uint64) uint64 { return a }
	in.issue, in.delay = 0, 0
	name := func(s string) string {
		s, _, _ = strings.Cut(strings.Trim(s, "[]"), "+")
		return s
	}
	in.to = p.register(name(args[0]))
	in.from = []operand{{reg: p.register(name(args[1]))}}
	return nil
}

func (p *parser) call(in *instruction, args []string) error {
	in.kind = call
	if len(args) != 3 {
		return fmt.Errorf("a call with %d operands", len(args))
	}
	in.to = p.register(strings.Trim(args[0], "() "))
	in.calls = p.functions.named(args[1])
	for _, name := range operands(strings.Trim(args[2], "() ")) {
		in.from = append(in.from, operand{reg: p.register(name)})
	}
	return nil
}

func (p *parser) access(in *instruction, parts, args []string) error {
	kinds := map[string][2]kind{"global": {loadGlobal, storeGlobal}, "shared": {loadShared, storeShared}, "local": {loadLocal, storeLocal}}
	of, ok := kinds[parts[1]]
	if !ok {
		return fmt.Errorf("memory of kind %s", parts[1])
	}
	kind := parts[len(parts)-1]
	bits, err := strconv.Atoi(kind[1:])
	if err != nil {
		return err
	}
	in.bytes = bits / 8
	in.kind = of[0]
	at, value := 1, 0
	if parts[0] == "st" {
		in.kind, at, value = of[1], 0, 1
	}
	base, offset, _ := strings.Cut(strings.Trim(args[at], "[]"), "+")
	if offset != "" {
		n, err := strconv.ParseInt(offset, 0, 64)
		if err != nil {
			return err
		}
		in.offset = uint64(n)
	}
	address, err := p.operand(base)
	if err != nil {
		return err
	}
	in.from = []operand{address}
	in.parts = p.vectorOf(in, args[value], parts)
	if in.parts == nil && parts[0] == "st" {
		return p.reads(in, args[1:])
	}
	return nil
}

// vectorOf are the registers that are loaded; of a store, those of a vector.
func (p *parser) vectorOf(in *instruction, value string, parts []string) []int {
	switch {
	case strings.HasPrefix(value, "{"):
		return p.vector(value)
	case parts[0] == "ld":
		return []int{p.register(value)}
	}
	return nil
}

func f32(v uint64) float32 { return math.Float32frombits(uint32(v)) }
func b32(v float32) uint64 { return uint64(math.Float32bits(v)) }
