// Package mail sends mail: to a server by SMTP, or into files.
package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is a mail of plain text to one person.
type Message struct {
	To      string // an address such as ann@example.org
	Subject string // one line
	Text    string // UTF-8, lines ending in \n
	ID      string // names the mail: a repetition has the same one
	Person  string // the user service's id of who gets it: what is kept of the mail is erased by it; empty: nobody's
}

// ErrMessage is wrapped by the refusal of a message that cannot be sent to anybody: trying again is of no use.
var ErrMessage = errors.New("the mail cannot be sent")

const (
	maxSubject = 200      // characters
	maxText    = 64 << 10 // bytes
)

// address is the recipient, checked. The error does not quote it.
func (m Message) address() (string, error) {
	to, err := mail.ParseAddress(m.To)
	switch {
	case err != nil || to.Name != "" || strings.ContainsAny(to.Address, "\r\n\x00 <>") || len(to.Address) > 254:
		return "", fmt.Errorf("%w: the recipient is not one address", ErrMessage)
	case strings.ContainsAny(m.Subject, "\r\n\x00") || utf8.RuneCountInString(m.Subject) > maxSubject || len(m.Text) > maxText || m.ID == "":
		return "", fmt.Errorf("%w: subject, text or id is not as it may be", ErrMessage)
	}
	return to.Address, nil
}

// name is the part of the Message-ID in front of the @, and the name of the file: always the same for an ID, and safe in both.
func (m Message) name() string {
	sum := sha256.Sum256([]byte(m.ID))
	return hex.EncodeToString(sum[:16])
}

// file is the name of the file that a mail is kept in. It begins with what all mails of a person begin with.
func (m Message) file() string { return filesOf(m.Person) + m.name() + ".eml" }

// filesOf is what the names of all files of a person begin with. Ids may have characters that names may not.
func filesOf(person string) string {
	sum := sha256.Sum256([]byte(person))
	return hex.EncodeToString(sum[:16]) + "-"
}

// encode writes a message as RFC 5322 and RFC 2045 have it. No text of it can become a header.
func (m Message) encode(from *mail.Address, to string, at time.Time) []byte {
	_, domain, _ := strings.Cut(from.Address, "@")
	var b bytes.Buffer
	for _, header := range [][2]string{
		{"From", from.String()},
		{"To", (&mail.Address{Address: to}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", m.Subject)},
		{"Date", at.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.name() + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: nobody's vacation answers this
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		b.WriteString(header[0] + ": " + header[1] + "\r\n")
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	w.Write([]byte(strings.ReplaceAll(m.Text, "\n", "\r\n"))) // a buffer takes everything
	w.Close()
	return b.Bytes()
}
