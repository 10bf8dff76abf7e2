package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
)

// TestTortureEndpointsWhileTheGatewayDies kills the gateway again and again in the middle of its deliveries: every healthy endpoint gets
// every event all the same, and the others are disabled as if nothing had been.
func TestTortureEndpointsWhileTheGatewayDies(t *testing.T) {
	torture(t)
	const seed, events, healthy = 17, 600, 15
	random := rand.New(rand.NewPCG(seed, 0))
	f := newFire(t, hurried(t)...)
	f.open(t, healthy)
	f.openFailing(t)
	kills := rounds(2, 20)
	for range kills {
		more := events / (kills + 1)
		reached := f.arrived.Load()
		f.happen(t, more, f.gateway)
		until := reached + 1 + random.Int64N(int64(more*healthy*9/10))
		eventuallySo(t, "deliveries go on", func() bool { return f.arrived.Load() >= until })
		f.kill()
		f.gateway = f.start(t)
	}
	f.happen(t, events-len(f.happened), f.gateway)
	f.everywhere(t)
	f.endedAsWritten(t, false)
	repeated := 0
	for _, r := range f.healthy {
		repeated += r.holds(t, f.happened)
	}
	t.Logf("seed %d: %d kills, %d deliveries, %d of them again", seed, kills, events*healthy, repeated)
}

// TestTortureTwoGatewaysDeliver has two gateways on one Redis. While both live nothing is delivered twice; when the one that delivers is
// killed the other goes on where it was.
func TestTortureTwoGatewaysDeliver(t *testing.T) {
	torture(t)
	const healthy, moment = 6, 200
	scale, within := "0.01", 10*time.Second // leases are shorter then
	if rounds(0, 1) > 0 {
		scale, within = "1", 30*time.Second
	}
	redis := redistest.Start(t)
	f := newFire(t, append(loopback(), "--redis-url", redis.URL(), "--replicas", "2", "--work-time-scale", scale, "--data-dir", t.TempDir())...)
	f.open(t, healthy)
	gateways, kills := []*program{f.gateway}, []func(){f.kill}
	gateways = append(gateways, f.start(t))
	kills = append(kills, f.kill)
	f.happen(t, moment, gateways...)
	f.everywhere(t)
	for i, r := range f.healthy {
		if repeated := r.holds(t, f.happened); repeated > 0 {
			t.Errorf("receiver %d got %d events twice while both gateways live", i, repeated)
		}
	}
	const made = `tributary_delivery_duration_seconds_count{kind="webhook"`
	var delivered []float64
	eventuallySo(t, "every delivery is counted once", func() bool {
		delivered = []float64{gateways[0].counted(t, made), gateways[1].counted(t, made)}
		return delivered[0]+delivered[1] == healthy*moment
	})
	victim := 0
	if delivered[1] > delivered[0] {
		victim = 1
	}
	reached := f.arrived.Load()
	f.happen(t, moment, gateways...)
	eventuallySo(t, "deliveries go on", func() bool { return f.arrived.Load() > reached+moment })
	kills[victim]()
	died := time.Now()
	f.happen(t, moment, gateways[1-victim])
	f.everywhere(t)
	took := time.Since(died)
	if took > within {
		t.Errorf("it took the other %v to go on", took)
	}
	repeated := 0
	for _, r := range f.healthy {
		repeated += r.holds(t, f.happened)
	}
	t.Logf("the gateways delivered %v; the other had everything delivered %v after the death of the first, %d deliveries were repeated", delivered, took, repeated)
}
