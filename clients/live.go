package clients

import "time"

// SetLive says whether the events of a service arrive. While they do, what is read from it stays fresh for
// Config.Cache.FreshLive, else for Fresh, from one moment to the next: what was read while they did not arrive does not
// become fresh for longer afterwards. No service is live at first; an unknown name is ignored. Safe for concurrent use.
func (c *Clients) SetLive(service string, live bool) {
	s := c.named(service)
	if s == nil {
		return
	}
	since := int64(0)
	if live {
		since = s.now().UnixNano()
	}
	s.liveMu.Lock()
	defer s.liveMu.Unlock()
	if live == (s.liveSince.Load() != 0) {
		return
	}
	s.liveSince.Store(since)
	s.observe.live(s.name, live)
}

// liveAt tells whether the events of the service have been arriving from the given time to now.
func (s *service) liveAt(read time.Time) bool {
	since := s.liveSince.Load()
	return since != 0 && read.UnixNano() >= since
}

func (c *Clients) named(service string) *service {
	for _, s := range c.services {
		if s.name == service {
			return s
		}
	}
	return nil
}
