package mail_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tributary/internal/work/mail"
)

// server is a mail server that fails as it is told.
type server struct {
	mu   sync.Mutex
	got  []string // "from to\nmessage"
	rcpt error
	data error
	user string // who may send; empty: anybody
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }

type session struct {
	*server
	from, to string
	signedIn bool
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.user != "" && !s.signedIn {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return s.rcpt }
func (s *session) Reset()                                    {}
func (s *session) Logout() error                             { return nil }
func (s *session) AuthMechanisms() []string                  { return []string{sasl.Plain} }
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, s.from+" "+s.to+"\n"+string(raw))
	return s.data
}
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.user || password != "p@ss word" {
			return errors.New("no")
		}
		s.signedIn = true
		return nil
	}), nil
}

// certificate is one for 127.0.0.1, and who trusts it.
func certificate(t *testing.T) (serve, trust *tls.Config) {
	t.Helper()
	made := httptest.NewTLSServer(nil)
	defer made.Close()
	return &tls.Config{Certificates: made.TLS.Certificates}, made.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
}

// start serves mail until the test ends and returns its address.
func start(t *testing.T, s *server, secure *tls.Config, implicit bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	smtpd := smtp.NewServer(s)
	smtpd.Domain, smtpd.AllowInsecureAuth, smtpd.TLSConfig, smtpd.ErrorLog = "localhost", true, secure, log.New(io.Discard, "", 0)
	if implicit {
		l, smtpd.TLSConfig = tls.NewListener(l, secure), nil
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = smtpd.Serve(l) }()
	t.Cleanup(func() { smtpd.Close(); <-ended })
	return addr
}

func client(t *testing.T, url string, trust *tls.Config) *mail.SMTP {
	t.Helper()
	c, err := mail.NewSMTP(mail.SMTPOptions{URL: url, From: from, TLS: trust, Timeout: 3 * time.Second, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var letter = mail.Message{To: "ann@example.org", Subject: "S", Text: "one\n.\ntwo\n", ID: "1"}

func TestMailGoesOut(t *testing.T) {
	serve, trust := certificate(t)
	for name, test := range map[string]struct {
		url      string
		secure   *tls.Config
		implicit bool
	}{
		"plain":           {"smtp://%s", nil, false},
		"signed in":       {"smtp://bob:p%%40ss%%20word@%s", nil, false},
		"start TLS":       {"smtp://bob:p%%40ss%%20word@%s", serve, false},
		"TLS from outset": {"smtps://bob:p%%40ss%%20word@%s", serve, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{}
			if strings.Contains(test.url, "bob") {
				s.user = "bob"
			}
			addr := start(t, s, test.secure, test.implicit)
			if err := client(t, fmt.Sprintf(test.url, addr), trust).Send(t.Context(), letter); err != nil {
				t.Fatal(err)
			}
			envelope, raw, _ := strings.Cut(s.got[0], "\n")
			header, text := read(t, raw)
			if len(s.got) != 1 || envelope != "no-reply@example.org ann@example.org" || text != letter.Text || header.Get("Subject") != "S" {
				t.Errorf("%q", s.got)
			}
		})
	}
}

func TestServersThatFail(t *testing.T) {
	serve, _ := certificate(t)
	for name, test := range map[string]struct {
		server  *server
		secure  *tls.Config
		user    string
		refused bool
	}{
		"unknown mailbox":   {&server{rcpt: &smtp.SMTPError{Code: 550, Message: "no ann@example.org here"}}, nil, "", true},
		"full mailbox":      {&server{rcpt: &smtp.SMTPError{Code: 452, Message: "later, ann@example.org"}}, nil, "", false},
		"refused text":      {&server{data: &smtp.SMTPError{Code: 554, Message: "spam"}}, nil, "", true},
		"later":             {&server{data: &smtp.SMTPError{Code: 451, Message: "greylisted"}}, nil, "", false},
		"wrong password":    {&server{user: "bob"}, nil, "eve:secret@", false},
		"wrong certificate": {&server{}, serve, "", false},
	} {
		addr := start(t, test.server, test.secure, false)
		err := client(t, "smtp://"+test.user+addr, nil).Send(t.Context(), letter)
		if err == nil || errors.Is(err, mail.ErrRefused) != test.refused || strings.Contains(err.Error(), "ann@") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestServersThatDoNotAnswer has servers hang, drop the mail once they have it, and not be there.
func TestServersThatDoNotAnswer(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"hangs": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"drops after DATA": func(c net.Conn) {
			fmt.Fprint(c, "220 here\r\n")
			for lines, data := bufio.NewScanner(c), false; lines.Scan(); {
				switch line := lines.Text(); {
				case data && line == ".":
					return
				case data:
				case line == "DATA":
					data = true
					fmt.Fprint(c, "354 go on\r\n")
				default:
					fmt.Fprint(c, "250 ok\r\n")
				}
			}
		},
		"drops": func(net.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if c, err := l.Accept(); err == nil {
					serve(c)
					c.Close()
				}
			}()
			c, err := mail.NewSMTP(mail.SMTPOptions{URL: "smtp://" + l.Addr().String(), From: from, Timeout: 200 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Send(t.Context(), letter); err == nil || errors.Is(err, mail.ErrRefused) || errors.Is(err, mail.ErrMessage) {
				t.Error(err)
			}
			l.Close()
			<-ended
			if err := c.Send(t.Context(), letter); err == nil || errors.Is(err, mail.ErrRefused) {
				t.Errorf("nobody there: %v", err)
			}
		})
	}
}

func TestServersThatCannotBe(t *testing.T) {
	for _, bad := range []string{"", "http://h:25", "smtp://h", "smtp://u:secret@:25", "smtp://u:sec%zzret@h:25"} {
		if _, err := mail.NewSMTP(mail.SMTPOptions{URL: bad, From: from}); err == nil || strings.Contains(err.Error(), "sec") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := mail.NewSMTP(mail.SMTPOptions{URL: "smtp://h:25", From: "nobody"}); err == nil {
		t.Error("a sender without an address")
	}
}
