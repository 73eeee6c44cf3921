package ledger

import (
	"slices"
	"syscall"
	"time"
)

// meter takes the time and the CPU of a step. This process does nothing else meanwhile.
type meter struct {
	began time.Time
	cpu   time.Duration
}

func start() meter { return meter{time.Now(), cpuTime()} }

// stage is what was done since the start.
func (m meter) stage(name string, records int) Stage {
	took, cpu := time.Since(m.began), cpuTime()-m.cpu
	return Stage{
		Name: name, Records: records, Seconds: took.Seconds(),
		PerSecond: float64(records) / took.Seconds(), CPU: micro(cpu) / float64(records),
	}
}

func cpuTime() time.Duration {
	u := resources()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMB is the most memory that this process had, in millions of bytes.
func peakMB() float64 { return float64(resources().Maxrss) * 1024 / 1e6 }

func resources() (u syscall.Rusage) {
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for no argument that is given here
	return u
}

// quantile returns the smallest of the sorted times that so many of all do not exceed: 0.99, 0.5. Zero for none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	i := int(float64(len(sorted))*q+0.999999) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// sorted is all of the times in order.
func sorted(parts ...[]time.Duration) []time.Duration {
	all := slices.Concat(parts...)
	slices.Sort(all)
	return all
}

func mean(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	return sum / time.Duration(len(times))
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
