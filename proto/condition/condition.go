// Package condition decides the conditions of agreements: CEL expressions over a question, who asks it and when, and,
// at the registry's connector, over its whole answer. Hub and connectors share it, so that both mean the same.
//
//	request.personal_id != '' && caller.province == '42'
//	now.getHours('+07:00') >= 7
//	answer.permanent.province_code == caller.province
//
// Messages are read as they are on the wire, by the descriptors of the contract, and only the fields that the expression
// names: no generated code is needed, and whatever a message holds besides costs nothing.
//
// Invariants:
//   - What is not certain does not hold: every failure is an error, and no error has a value of a message in it.
//   - An expression that compiles is bounded: in its length, in the nesting of its loops, in what it may cost at most.
//   - Names and types are checked when it compiles. No field that the contract lacks is ever taken for one that is empty.
//
// What does not belong here: who writes conditions, and what follows when one does not hold.
package condition

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Bounds on an expression.
const (
	MaxLength   = 2048    // bytes of its text
	maxDepth    = 40      // of nested parts
	maxPattern  = 256     // bytes of a regular expression, which must be a literal
	maxCost     = 200_000 // in the units of CEL: about as many steps
	maxItems    = 1000    // that a list is taken to have when the cost is estimated
	maxText     = 256     // bytes that a text is taken to have
	maxMatching = 1       // loops inside one another
)

// Caller is who asks, as conditions see it.
type Caller struct {
	Agency   string // caller.agency
	System   string // caller.system
	Province string // caller.province: a 2-digit code, or empty for an agency of the whole country
	Officer  string // caller.officer
	Case     string // caller.case
	Purpose  string // caller.purpose
}

// Facts are what a condition is decided on.
type Facts struct {
	Caller  Caller
	Now     time.Time
	Request []byte // serialised
	Answer  []byte // serialised, whole; not used by a condition over the question alone
}

// Condition is a compiled expression. It is safe for concurrent use.
type Condition struct {
	text    string
	program cel.Program
	request *message
	answer  *message // nil: over the question alone
	fields  []string
	loops   bool // see shape
}

// CompileQuestion compiles a condition over `request`, `caller` and `now`.
func CompileQuestion(text string, request protoreflect.MessageDescriptor) (*Condition, error) {
	return compile(text, request, nil)
}

// CompileAnswer compiles a condition that may ask for `answer`, too.
func CompileAnswer(text string, request, answer protoreflect.MessageDescriptor) (*Condition, error) {
	return compile(text, request, answer)
}

// Text is the expression as it was written.
func (c *Condition) Text() string { return c.text }

// Fields are the paths of the request that the expression reads, sorted; those of the answer begin with "answer.".
func (c *Condition) Fields() []string { return c.fields }

// errUncertain says that a condition could not be decided. What stood in its way may hold what was asked about, so it is
// not said.
var errUncertain = errors.New("the condition cannot be decided on this message")

// facts is an activation that is used again and again.
type facts struct {
	Facts
	request, answer view
}

var pool = sync.Pool{New: func() any { return new(facts) }}

// Holds reports whether the condition holds. Whoever gets an error takes it for no.
func (c *Condition) Holds(f Facts) (bool, error) {
	a := pool.Get().(*facts)
	a.Facts = f
	a.request = view{of: c.request, wire: f.Request, keeps: c.loops}
	a.answer = view{of: c.answer, wire: f.Answer, keeps: c.loops}
	out, _, err := c.program.Eval(a)
	*a = facts{}
	pool.Put(a)
	if err != nil {
		return false, errUncertain
	}
	held, ok := out.Value().(bool)
	if !ok {
		return false, errUncertain
	}
	return held, nil
}

// ResolveName implements cel.Activation.
func (a *facts) ResolveName(name string) (any, bool) {
	switch name {
	case "request":
		return &a.request, true
	case "answer":
		return &a.answer, a.answer.of != nil
	case "now":
		return types.Timestamp{Time: a.Now}, true
	case "caller.agency":
		return a.Caller.Agency, true
	case "caller.system":
		return a.Caller.System, true
	case "caller.province":
		return a.Caller.Province, true
	case "caller.officer":
		return a.Caller.Officer, true
	case "caller.case":
		return a.Caller.Case, true
	case "caller.purpose":
		return a.Caller.Purpose, true
	}
	return nil, false
}

// Parent implements cel.Activation.
func (a *facts) Parent() cel.Activation { return nil }

// callerNames are the variables about the caller.
var callerNames = []string{"caller.agency", "caller.system", "caller.province", "caller.officer", "caller.case", "caller.purpose"}

// compile checks everything that can be checked before the first call.
func compile(text string, request, answer protoreflect.MessageDescriptor) (c *Condition, err error) {
	defer func() {
		if recover() != nil { // a defect of the library must not be one of the hub
			c, err = nil, errors.New("the condition cannot be compiled")
		}
	}()
	if len(text) > MaxLength {
		return nil, fmt.Errorf("the condition has %d bytes; expected %d at most", len(text), MaxLength)
	}
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the condition is empty; expected an expression such as: caller.province == '42'")
	}
	c = &Condition{text: text, request: describe(request)}
	messages := []protoreflect.MessageDescriptor{request}
	if answer != nil {
		c.answer = describe(answer)
		messages = append(messages, answer)
	}
	env, err := environment(newProvider(messages...), request, answer)
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, tidy(issues.Errors())
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("the condition is of type %s; expected one that is true or false", ast.OutputType())
	}
	shape, err := inspect(ast.NativeRep())
	if err != nil {
		return nil, err
	}
	estimate, err := env.EstimateCost(ast, sizes{})
	if err != nil {
		return nil, fmt.Errorf("the condition's cost cannot be estimated: %w", err)
	}
	if estimate.Max > maxCost {
		return nil, fmt.Errorf("the condition may cost %d steps; expected %d at most: ask for less of lists and texts", estimate.Max, maxCost)
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if shape.unbounded {
		// A plain expression takes as many steps as it has parts, whatever is asked. One with loops or patterns does not,
		// so its steps are counted.
		options = append(options, cel.CostLimit(maxCost))
	}
	if c.program, err = env.Program(ast, options...); err != nil {
		return nil, fmt.Errorf("the condition cannot be compiled: %w", err)
	}
	c.fields, c.loops = shape.fields, shape.loops
	return c, nil
}

func environment(p *provider, request, answer protoreflect.MessageDescriptor) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.CustomTypeProvider(p),
		cel.CustomTypeAdapter(p),
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserExpressionSizeLimit(MaxLength),
		cel.HomogeneousAggregateLiterals(),
		cel.Variable("now", cel.TimestampType),
		cel.Variable("request", cel.ObjectType(string(request.FullName()))),
	}
	for _, name := range callerNames {
		options = append(options, cel.Variable(name, cel.StringType))
	}
	if answer != nil {
		options = append(options, cel.Variable("answer", cel.ObjectType(string(answer.FullName()))))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("prepare conditions over %s: %w", request.FullName(), err)
	}
	return env, nil
}
