package config

import "time"

// leastRetention is how long outboxes may offer an event again.
const leastRetention = 24 * time.Hour

// Events is where domain events come from and who may wait for them.
type Events struct {
	UserSecrets      []string      `placeholder:"whsec_…,…" help:"Secrets that sign the events of the service, as Standard Webhooks writes them; two while they are rotated."`
	PostSecrets      []string      `placeholder:"whsec_…,…" help:"The same for posts."`
	CommentSecrets   []string      `placeholder:"whsec_…,…" help:"The same for comments."`
	FollowerSecrets  []string      `placeholder:"whsec_…,…" help:"The same for follows."`
	MaxSubscriptions int           `default:"50000" help:"Subscriptions at a time."`
	MaxConnections   int           `default:"1000" help:"Websockets and event streams of one caller."`
	Retention        time.Duration `default:"168h" help:"How long subscribers can come back to what they missed; 0 is for ever."`
	Buffer           int           `default:"1000" help:"Events that wait for a subscription before it counts as too slow."`
}

// Secrets are the secrets of each service that has any.
func (e *Events) Secrets() map[string][]string {
	secrets := map[string][]string{}
	for service, list := range map[string][]string{
		"user": e.UserSecrets, "post": e.PostSecrets, "comment": e.CommentSecrets, "follower": e.FollowerSecrets,
	} {
		if len(list) > 0 {
			secrets[service] = list
		}
	}
	return secrets
}

// checkRetention refuses to forget what is still to be had from elsewhere: what outboxes offer again has to be known, and what
// subscribers come back to is not compacted.
func (s *Serve) checkRetention(p *problems) {
	events, history := s.Events.Retention, s.HistoryRetention
	p.want(events == 0 || events >= leastRetention, "events-retention", "0 or at least 24h, as long as outboxes offer events again")
	p.want(history >= 0, "history-retention", "0 or more")
	switch {
	case history > 0 && events == 0:
		p.add("history-retention", "goes with --events-retention: events that subscribers can come back to for ever are not compacted")
	case history > 0 && history < events:
		p.add("history-retention", "want 0 or no less than --events-retention")
	}
}
