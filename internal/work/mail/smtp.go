package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"time"
)

// SMTP sends mail to a server (RFC 5321), each over a connection of its own. It is safe for concurrent use.
type SMTP struct {
	from       *mail.Address
	addr, host string
	implicit   bool // TLS from the start
	user       *url.Userinfo
	timeout    time.Duration
	now        func() time.Time
	tls        *tls.Config // nil: the system's certificates
}

// SMTPOptions say which server takes the mail. All but Timeout, TLS and Now is required.
type SMTPOptions struct {
	URL     string // smtp://[USER:PASSWORD@]HOST:PORT, which turns to TLS if the server can; smtps:// is TLS from the start
	From    string // such as Name <name@host>
	Timeout time.Duration
	TLS     *tls.Config      // nil: the system's certificates
	Now     func() time.Time // nil: time.Now
}

// smtpTimeout is how long sending one mail may take where nothing else is said.
const smtpTimeout = 30 * time.Second

// NewSMTP connects to nothing yet. The error does not quote the URL, which has a password.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("sender of mail: %w", err)
	}
	server, err := url.Parse(o.URL)
	if err != nil || server.Scheme != "smtp" && server.Scheme != "smtps" || server.Hostname() == "" || server.Port() == "" {
		return nil, errors.New("server of mail: want smtp://[USER:PASSWORD@]HOST:PORT, or smtps://")
	}
	s := &SMTP{from: from, addr: server.Host, host: server.Hostname(), implicit: server.Scheme == "smtps", user: server.User, tls: o.TLS,
		timeout: cmp.Or(o.Timeout, smtpTimeout), now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// ErrRefused is wrapped where the server refuses a mail for good (5xx): trying again is of no use. Any other error, such as of the
// network or 4xx, may pass; the mail may have gone out all the same.
var ErrRefused = errors.New("the mail server refuses the mail")

// Send hands a message to the server. The error wraps ErrMessage or ErrRefused where trying again is of no use. It quotes no secret.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	to, err := m.address()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	c, err := s.connect(ctx)
	if err == nil {
		err = deliver(c, s.from.Address, to, m.encode(s.from, to, s.now()))
		c.Close() // it has served, however it went
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("mail server: %w", ctx.Err())
	}
	return err
}

// connect opens a connection that the context closes, and signs in. What goes wrong here is not the mail's fault and may pass, even if
// the server says 5xx.
func (s *SMTP) connect(ctx context.Context) (*smtp.Client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	raw := conn
	context.AfterFunc(ctx, func() { raw.Close() }) // whatever it waits for; Send ends the context
	secure := &tls.Config{}
	if s.tls != nil {
		secure = s.tls.Clone()
	}
	secure.ServerName = s.host
	if s.implicit {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, settingUp(err)
	}
	if ok, _ := c.Extension("STARTTLS"); ok && !s.implicit {
		if err := c.StartTLS(secure); err != nil {
			return nil, settingUp(err)
		}
	}
	if s.user != nil {
		password, _ := s.user.Password()
		// It refuses to send the password in the clear, but for a server on this machine.
		if err := c.Auth(smtp.PlainAuth("", s.user.Username(), password, s.host)); err != nil {
			return nil, settingUp(err)
		}
	}
	return c, nil
}

// settingUp drops the server's own words, which may quote anything.
func settingUp(err error) error {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return fmt.Errorf("mail server: it does not let us in: code %d", answer.Code)
	}
	return fmt.Errorf("mail server: %w", err)
}

// deliver hands a message over.
func deliver(c *smtp.Client, from, to string, message []byte) error {
	err := c.Mail(from)
	if err == nil {
		err = c.Rcpt(to)
	}
	if err == nil {
		err = transmit(c, message)
	}
	answer, answered := errors.AsType[*textproto.Error](err)
	switch {
	case answered && answer.Code >= 500:
		return fmt.Errorf("%w: code %d", ErrRefused, answer.Code)
	case answered:
		return fmt.Errorf("the mail server wants it later: code %d", answer.Code)
	case err != nil:
		return fmt.Errorf("mail server: %w", err)
	}
	_ = c.Quit() // the server has taken it
	return nil
}

func transmit(c *smtp.Client, message []byte) error {
	body, err := c.Data()
	if err != nil {
		return err
	}
	_, err = body.Write(message)
	return errors.Join(err, body.Close())
}
