//go:build faults

package fault

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// order is what shall happen at one point.
type order struct {
	point  string
	pass   int64 // which pass, from 1
	act    func()
	passed atomic.Int64
}

var (
	orders = read(os.Getenv("LIENTHONG_FAULT"))
	plants = strings.FieldsFunc(os.Getenv("LIENTHONG_PLANT"), func(r rune) bool { return r == ',' })
)

// At does what LIENTHONG_FAULT orders for this pass of the point.
func At(point string) {
	for _, o := range orders {
		if o.point == point && o.passed.Add(1) == o.pass {
			o.act()
		}
	}
}

// Planted reports whether LIENTHONG_PLANT names the defect.
func Planted(name string) bool { return slices.Contains(plants, name) }

func read(text string) []*order {
	var all []*order
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		o, err := parse(one)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		all = append(all, o)
	}
	return all
}

func parse(text string) (*order, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return nil, fmt.Errorf("LIENTHONG_FAULT %q is not point:n:kill or point:n:hang", text)
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || n < 1 {
		return nil, fmt.Errorf("LIENTHONG_FAULT %q: the pass is a number from 1", text)
	}
	o := &order{point: parts[0], pass: n}
	switch parts[2] {
	case "kill":
		o.act = kill
	case "hang":
		o.act = func() { select {} }
	default:
		return nil, fmt.Errorf("LIENTHONG_FAULT %q: the act is kill or hang", text)
	}
	return o, nil
}

// kill ends the process as a power switch would: nothing deferred runs, nothing is flushed. It does not return.
func kill() {
	_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {}
}
