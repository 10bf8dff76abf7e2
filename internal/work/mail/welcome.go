package mail

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"

	"tributary/internal/event"
)

//go:embed templates/*.txt
var texts embed.FS

// Template makes the messages of one kind. Its file begins with a line "Subject: …" and an empty one; what is filled in cannot get
// out of the subject's line.
type Template struct{ subject, text *template.Template }

// ParseTemplate reads templates/{name}.txt.
func ParseTemplate(name string) (*Template, error) {
	raw, err := texts.ReadFile("templates/" + name + ".txt")
	if err != nil {
		return nil, fmt.Errorf("mail template: %w", err)
	}
	head, body, ok := strings.Cut(string(raw), "\n\n")
	line, titled := strings.CutPrefix(head, "Subject: ")
	if !ok || !titled || strings.Contains(line, "\n") {
		return nil, fmt.Errorf("mail template %s: it has to begin with a subject and an empty line", name)
	}
	t := &Template{}
	var errs [2]error
	t.subject, errs[0] = template.New(name).Option("missingkey=error").Parse(line)
	t.text, errs[1] = template.New(name).Option("missingkey=error").Parse(body)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("mail template: %w", err)
	}
	return t, nil
}

// Fill makes a message. Line breaks in what goes into the subject become spaces.
func (t *Template) Fill(to, id string, data any) (Message, error) {
	var subject, text bytes.Buffer
	if err := errors.Join(t.subject.Execute(&subject, data), t.text.Execute(&text, data)); err != nil {
		return Message{}, fmt.Errorf("mail template: %w", err)
	}
	line := strings.Join(strings.FieldsFunc(subject.String(), func(r rune) bool { return r < ' ' }), " ")
	return Message{To: to, Subject: shorten(line), Text: text.String(), ID: id}, nil
}

// shorten cuts a subject at its bound.
func shorten(line string) string {
	if runes := []rune(line); len(runes) > maxSubject {
		return string(runes[:maxSubject-1]) + "…"
	}
	return line
}

// Welcome is the reaction to user.created: a mail to the new user. It does nothing for other events and for users without an
// address. The mail is named by the event, so that its repetition is recognised. The error wraps ErrMessage or ErrRefused where
// trying again is of no use.
func Welcome(send func(context.Context, Message) error) (func(context.Context, event.Event) error, error) {
	t, err := ParseTemplate("welcome")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, e event.Event) error {
		if e.Type != "user.created" || len(e.Data) == 0 { // redacted: erased before it was told
			return nil
		}
		var user struct{ Handle, Name, Email string }
		if err := json.Unmarshal(e.Data, &user); err != nil {
			return fmt.Errorf("%w: the event cannot be read", ErrMessage)
		}
		if user.Email == "" {
			return nil
		}
		m, err := t.Fill(user.Email, e.Source+"/"+e.ID, user)
		if err != nil {
			return err
		}
		m.Person = strings.TrimPrefix(e.Subject, "user/")
		return send(ctx, m)
	}, nil
}
