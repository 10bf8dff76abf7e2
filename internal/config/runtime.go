package config

// Runtime is how Go's garbage collector works. Nil is left to GOGC and GOMEMLIMIT and, without them, to the default.
type Runtime struct {
	GCPercent   *int   `name:"gc-percent" placeholder:"PERCENT" help:"How much the heap may grow from one garbage collection to the next, in percent of what is live; 0: it is collected at --memory-limit only. Left out: GOGC, or 100."`
	GCHeadroom  uint64 `name:"gc-headroom" default:"33554432" help:"Garbage that the heap may hold beyond --gc-percent, in bytes: a small heap is collected less often. Not beside GOGC."`
	MemoryLimit *int64 `placeholder:"BYTES" help:"Memory near which the heap is collected as often as it takes; 0: none. Left out: GOMEMLIMIT, or 90 % of the container's or the machine's."`
}

func (r *Runtime) check(p *problems) {
	p.want(r.GCPercent == nil || *r.GCPercent >= 0, "gc-percent", "0 or more")
	p.want(r.GCHeadroom <= 1<<30, "gc-headroom", "0 to 1073741824")
	p.want(r.MemoryLimit == nil || *r.MemoryLimit >= 0, "memory-limit", "0 or more")
	p.want(r.GCPercent == nil || *r.GCPercent != 0 || r.MemoryLimit == nil || *r.MemoryLimit != 0, "gc-percent", "more than 0 without --memory-limit: the heap would never be collected")
}
