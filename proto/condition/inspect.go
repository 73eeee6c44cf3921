package condition

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
)

// shape is what is known of an expression before it runs.
type shape struct {
	fields    []string // that it reads
	unbounded bool     // its steps depend on what it is asked about
	loops     bool     // it has loops, so it may read a field again and again
}

// inspect refuses what the type checker lets pass and a condition has no use for, and finds what the expression reads.
func inspect(a *ast.AST) (*shape, error) {
	s := new(shape)
	fields := map[string]bool{}
	var walk func(e ast.Expr, loops int) error
	all := func(loops int, parts ...ast.Expr) error {
		for _, part := range parts {
			if err := walk(part, loops); err != nil {
				return err
			}
		}
		return nil
	}
	walk = func(e ast.Expr, loops int) error {
		switch e.Kind() {
		case ast.StructKind:
			return at(a, e, "a condition makes no messages")
		case ast.SelectKind:
			if path, ok := pathOf(e); ok {
				fields[path] = true
				return nil
			}
			return walk(e.AsSelect().Operand(), loops)
		case ast.CallKind:
			call := e.AsCall()
			if call.FunctionName() == "matches" {
				s.unbounded = true
				if err := pattern(a, call); err != nil {
					return err
				}
			}
			if call.IsMemberFunction() {
				if err := walk(call.Target(), loops); err != nil {
					return err
				}
			}
			return all(loops, call.Args()...)
		case ast.ListKind:
			return all(loops, e.AsList().Elements()...)
		case ast.MapKind:
			for _, entry := range e.AsMap().Entries() {
				if err := all(loops, entry.AsMapEntry().Key(), entry.AsMapEntry().Value()); err != nil {
					return err
				}
			}
		case ast.ComprehensionKind:
			s.unbounded, s.loops = true, true
			if loops == maxMatching {
				return at(a, e, "a loop inside a loop; expected one loop at most (all, exists, exists_one, filter, map)")
			}
			c := e.AsComprehension()
			if err := walk(c.IterRange(), loops); err != nil {
				return err
			}
			return all(loops+1, c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result())
		}
		return nil
	}
	if err := walk(a.Expr(), 0); err != nil {
		return nil, err
	}
	s.fields = slices.Sorted(maps.Keys(fields))
	return s, nil
}

// pathOf is the path of a field of request or answer, such as "personal_id" or "answer.person.birth_date". Other names
// are no fields.
func pathOf(e ast.Expr) (string, bool) {
	var steps []string
	for e.Kind() == ast.SelectKind {
		steps = append(steps, e.AsSelect().FieldName())
		e = e.AsSelect().Operand()
	}
	if e.Kind() != ast.IdentKind {
		return "", false
	}
	slices.Reverse(steps)
	switch e.AsIdent() {
	case "request":
		return strings.Join(steps, "."), true
	case "answer":
		return "answer." + strings.Join(steps, "."), true
	}
	return "", false
}

// pattern refuses regular expressions that are made while the condition runs, or are long.
func pattern(a *ast.AST, call ast.CallExpr) error {
	args := call.Args()
	p := args[len(args)-1]
	if p.Kind() != ast.LiteralKind {
		return at(a, p, "a pattern that is not written out; expected a text in quotes")
	}
	if text, ok := p.AsLiteral().Value().(string); ok && len(text) > maxPattern {
		return at(a, p, fmt.Sprintf("a pattern of %d bytes; expected %d at most", len(text), maxPattern))
	}
	return nil
}

// at is a complaint with its place.
func at(a *ast.AST, e ast.Expr, what string) error {
	where := a.SourceInfo().GetStartLocation(e.ID())
	return fmt.Errorf("%d:%d: %s", where.Line(), where.Column()+1, what)
}

// tidy makes one line of each complaint of the compiler.
func tidy(all []*common.Error) error {
	var errs []error
	for i, e := range all {
		if i == 5 {
			errs = append(errs, fmt.Errorf("and %d more", len(all)-i))
			break
		}
		message := strings.Join(strings.Fields(e.Message), " ")
		message = strings.TrimSuffix(message, " (in container '')")
		if len(message) > 300 {
			message = message[:300] + "…"
		}
		errs = append(errs, fmt.Errorf("%d:%d: %s", max(e.Location.Line(), 1), max(e.Location.Column()+1, 1), strings.ToValidUTF8(message, "?")))
	}
	return errors.Join(errs...)
}

// sizes is how large things are taken to be when a cost is estimated.
type sizes struct{}

// EstimateSize implements cost.Estimator.
func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	switch n.Type().Kind() {
	case types.ListKind, types.MapKind:
		return &cost.SizeEstimate{Min: 0, Max: maxItems}
	case types.StringKind, types.BytesKind:
		return &cost.SizeEstimate{Min: 0, Max: maxText}
	}
	return nil
}

// EstimateCallCost implements cost.Estimator: the library knows its own functions.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}
