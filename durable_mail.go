package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/mail"
)

// openMail sets up what sends mail, and the mails that events cause.
func (d *durable) openMail() (err error) {
	set := &d.cfg.Serve.Work.Mail
	var send func(context.Context, mail.Message) error
	if set.SMTPURL != "" {
		server, err := mail.NewSMTP(mail.SMTPOptions{URL: set.SMTPURL, From: set.From})
		if err != nil {
			return fmt.Errorf("--mail-smtp-url: %w", err)
		}
		send = server.Send
	} else {
		files, err := mail.NewFiles(cmp.Or(set.Dir, filepath.Join(d.cfg.DataDir, "mail")), set.From, time.Now)
		if err != nil {
			return fmt.Errorf("--mail-dir: %w", err)
		}
		send, d.mails = files.Send, files
	}
	d.greet, err = mail.Welcome(send)
	return err
}

// welcome sends a mail to a new user.
func (d *durable) welcome(ctx context.Context, e event.Event) dispatch.Result {
	err := d.greet(ctx, e)
	switch {
	case err == nil:
		return dispatch.Result{Delivered: true}
	case errors.Is(err, mail.ErrMessage), errors.Is(err, mail.ErrRefused):
		d.log.WarnContext(ctx, "a mail is given up", "event", e.ID, "error", err)
		return dispatch.Result{Dead: true, Problem: "MAIL_REFUSED"}
	}
	d.log.WarnContext(ctx, "a mail could not be sent and will be tried again", "event", e.ID, "error", err)
	return dispatch.Result{Problem: "MAIL_FAILED"}
}
