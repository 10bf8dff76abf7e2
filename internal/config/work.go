package config

import (
	"net/mail"
	"net/netip"
	"net/url"
	"time"
)

// Work is what must not be forgotten: jobs, sagas, webhooks and mail.
type Work struct {
	Enabled       bool          `name:"work-enabled" default:"true" negatable:"" help:"Take part in durable work: jobs, sagas, webhooks and mail. Replicas without it refuse what would begin any."`
	Retention     time.Duration `name:"work-retention" default:"720h" help:"How long jobs and sagas are shown after they have ended."`
	TimeScale     float64       `name:"work-time-scale" default:"1" help:"Factor on all waiting times of durable work, such as those between attempts and the grace period. For tests."`
	Grace         time.Duration `name:"account-grace" default:"720h" help:"How long the deletion of an account can be taken back."`
	PublicURL     string        `placeholder:"URL" help:"Where callers reach this server, for the links in answers and mails; http:// and the address when left out."`
	ExportDir     string        `placeholder:"DIR" help:"Where data exports are kept; in the data dir when left out. With --redis-url it has to be given, and be shared by all replicas."`
	ExportKeep    time.Duration `default:"168h" help:"How long an export can be fetched."`
	Webhook       Webhook       `embed:"" prefix:"webhook-"`
	Mail          Mail          `embed:"" prefix:"mail-"`
	RedisVolatile bool          `help:"Start although Redis may lose durable work: without an append-only file, or with an eviction policy."`
}

// Webhook is where events may be delivered to.
type Webhook struct {
	AllowHTTP     bool          `name:"allow-http" help:"Let endpoints be http. Demo mode does."`
	AllowNetworks []string      `placeholder:"CIDR,…" help:"Private networks that endpoints may stand in, such as 10.1.0.0/16. Demo mode allows loopback."`
	Timeout       time.Duration `default:"15s" help:"Longest time of one delivery."`
	MaxPerOwner   int           `default:"20" help:"Endpoints of one owner."`
	MaxTotal      int           `default:"1000" help:"Endpoints in all."`
}

// Mail is how mail goes out.
type Mail struct {
	From    string `default:"Tributary <no-reply@localhost>" help:"Sender of mail."`
	SMTPURL string `name:"smtp-url" placeholder:"URL" help:"Server that takes mail: smtp://[USER:PASSWORD@]HOST:PORT, or smtps://. Better given as TRIBUTARY_MAIL_SMTP_URL. Without it mail is written to files."`
	Dir     string `placeholder:"DIR" help:"Where mail is written to as files; mail in the data dir when left out."`
}

func (w *Work) check(p *problems) {
	p.want(w.Retention > 0, "work-retention", "more than 0")
	p.want(w.TimeScale > 0 && w.TimeScale <= 1, "work-time-scale", "more than 0, and 1 at most")
	p.want(w.Grace >= 0, "account-grace", "0 or more")
	p.want(w.ExportKeep > 0, "export-keep", "more than 0")
	checkURL(p, "public-url", w.PublicURL)
	p.want(w.Webhook.Timeout > 0, "webhook-timeout", "more than 0")
	p.want(w.Webhook.MaxPerOwner >= 0 && w.Webhook.MaxTotal >= 0, "webhook-max-per-owner and --webhook-max-total", "0 or more")
	for _, network := range w.Webhook.AllowNetworks {
		_, err := netip.ParsePrefix(network)
		p.want(err == nil, "webhook-allow-networks", "networks such as 10.1.0.0/16")
	}
	_, err := mail.ParseAddress(w.Mail.From)
	p.want(err == nil, "mail-from", "an address such as Name <name@host>")
	if w.Mail.SMTPURL != "" {
		server, err := url.Parse(w.Mail.SMTPURL) // its error would quote the password
		p.want(err == nil && (server.Scheme == "smtp" || server.Scheme == "smtps") && server.Port() != "", "mail-smtp-url", "smtp://[USER:PASSWORD@]HOST:PORT, or smtps://")
	}
}
