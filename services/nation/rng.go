package nation

import "math/bits"

// rng is splitmix64: small, fast, and the same everywhere. Each chunk of the nation has its own.
type rng struct{ state uint64 }

// newRNG is the generator of one stream of a seed.
func newRNG(seed int64, stream uint64) rng {
	r := rng{mix(uint64(seed)) ^ mix(stream+0x9e3779b97f4a7c15)}
	r.next()
	return r
}

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	return mix(r.state)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// intn draws from [0, n), n > 0.
func (r *rng) intn(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// between draws from [lo, hi]; lo if hi is smaller.
func (r *rng) between(lo, hi int32) int32 {
	if hi <= lo {
		return lo
	}
	return lo + int32(r.intn(int(hi-lo)+1))
}

// day draws a number of days from [lo, hi]; lo if hi is smaller.
func (r *rng) day(lo, hi int32) day { return day(r.between(lo, hi)) }

// chance is true with probability p.
func (r *rng) chance(p float64) bool { return r.unit() < p }

// unit draws from [0, 1).
func (r *rng) unit() float64 { return float64(r.next()>>11) / (1 << 53) }

// scatter permutes [0, 1000·1000): a keyed Feistel network of two halves below 1,000.
func scatter(key uint64, serial uint32) uint32 {
	left, right := serial/1000%1000, serial%1000
	for round := range uint64(3) {
		f := uint32(mix(key+round<<32+uint64(right)) % 1000)
		left, right = right, (left+f)%1000
	}
	return left*1000 + right
}

// day counts days since 1900-01-01, which is day 0. Days and dates convert by the usual civil-calendar formula.
type day int32

const year day = 365 // about: for ages and spans, not for calendars

const epochOffset = 693901 // days from 0000-03-01 to 1900-01-01

// dayOf is the day of a full date.
func dayOf(d Date) day {
	y, m := int32(d.Year()), int32(d.Month())
	if m <= 2 {
		y--
		m += 12
	}
	return day(365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + int32(d.Day()) - 1 - epochOffset)
}

// date is the full date of a day.
func (d day) date() Date {
	z := int32(d) + epochOffset
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	m, y := mp+3, yoe+era*400
	if m > 12 {
		m, y = m-12, y+1
	}
	return NewDate(int(y), int(m), int(doy-(153*mp+2)/5+1))
}

// addYears is the same calendar day n years later (29 February becomes 28).
func (d day) addYears(n int) day {
	t := d.date()
	if t%10000 == 229 {
		t--
	}
	return dayOf(t + Date(n*10000))
}
