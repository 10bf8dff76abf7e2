package config

// Events is where domain events come from and who may wait for them.
type Events struct {
	UserSecrets      []string `placeholder:"whsec_…,…" help:"Secrets that sign the events of the service, as Standard Webhooks writes them; two while they are rotated."`
	PostSecrets      []string `placeholder:"whsec_…,…" help:"The same for posts."`
	CommentSecrets   []string `placeholder:"whsec_…,…" help:"The same for comments."`
	FollowerSecrets  []string `placeholder:"whsec_…,…" help:"The same for follows."`
	MaxSubscriptions int      `default:"50000" help:"Subscriptions at a time."`
	MaxConnections   int      `default:"1000" help:"Websockets and event streams of one caller."`
	Buffer           int      `default:"1000" help:"Events that wait for a subscription before it counts as too slow."`
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
