package job_test

import (
	"runtime"
	"testing"
	"time"

	"tributary/internal/work/job"
)

// TestAnExportNeedsLittleMemory exports 15,000 comments, several times what may be in memory.
func TestAnExportNeedsLittleMemory(t *testing.T) {
	w := newWorld(t, 15_000)
	e, _ := w.engine()
	live := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := live()
	r, err := job.StartExport(t.Context(), e, user, user)
	if err != nil {
		t.Fatal(err)
	}
	var most uint64
	for !ended(r) {
		most = max(most, live())
		time.Sleep(50 * time.Millisecond) // a sample
		if r, err = e.Get(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
	}
	info := w.open(r)
	var size uint64
	for _, f := range info.File {
		size += f.UncompressedSize64
	}
	const bound = 12 << 20
	grown := int64(most) - int64(before)
	t.Logf("%d bytes exported, %d more in memory", size, grown)
	if size < 15_000_000 || grown > bound {
		t.Errorf("%d bytes exported, %d more in memory, want %d at most", size, grown, bound)
	}
}
