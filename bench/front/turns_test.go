package front

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestTurnsComeAtEvenDistances(t *testing.T) {
	var turns turns
	now := time.Now()
	if wait := turns.take(now); wait != 0 {
		t.Errorf("without a capacity the wait is %v", wait)
	}
	turns.set(500)
	for i := range 5 {
		if wait, want := turns.take(now), time.Duration(i)*2*time.Millisecond; wait != want {
			t.Errorf("call %d waits %v, want %v", i, wait, want)
		}
	}
	if wait := turns.take(now.Add(9 * time.Millisecond)); wait != time.Millisecond {
		t.Errorf("who comes 1 ms before the turn waits %v", wait)
	}
	if wait := turns.take(now.Add(time.Second)); wait != 0 {
		t.Errorf("after a rest the wait is %v", wait)
	}
	turns.set(0)
	if wait := turns.take(now); wait != 0 {
		t.Errorf("when any number is allowed again the wait is %v", wait)
	}
}

func TestCapacityIsChecked(t *testing.T) {
	f := New(1 << 20)
	defer f.Close()
	for query, want := range map[string]int{"?calls=500": http.StatusOK, "?calls=0": http.StatusOK, "?calls=-1": http.StatusBadRequest, "?calls=x": http.StatusBadRequest, "": http.StatusBadRequest} {
		w := httptest.NewRecorder()
		f.Control().ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/capacity"+query, nil))
		if w.Code != want {
			t.Errorf("capacity%s was answered with %d, want %d", query, w.Code, want)
		}
	}
}
